"""One slice of work on a dump: bytes in, texts out; runs in this process or in a worker, on plain values only."""

from __future__ import annotations

import bz2
from pathlib import Path
from typing import Any

from wordstock.corpus.bzstreams import next_stream
from wordstock.corpus.wikitext import plain_text
from wordstock.corpus.wikixml import Page, Site, parse_pages

__all__ = ["MOST", "Result", "texts_of_pages", "work"]

MOST = 1 << 28  # uncompressed bytes that one slice, and so one page, may have

Result = dict[str, Any]
_OPEN, _CLOSE = b"<page>", b"</page>"


def work(task: dict[str, Any]) -> Result:
    """Decompress if needed, read the whole pages, and hand back the broken ends for the caller to join.

    Parameters
    ----------
    task : "namespaces" (dict), "entities" (bool), and either "data" (bytes of XML) or "path", "start" and "stop" (the
        bzip2 streams in these bytes of a file).

    Returns
    -------
    result : "head" and "tail", bytes before the first page and after the last; "pages", whether there is a whole page
        between these; "texts" (list of str), one per article; "left_out" (dict of counts); "damages" (list of dicts);
        "broken", whether the bytes end before they should; "resume", where in the file the next stream after broken
        ones begins, if there is one in this task; "too_large", whether the bytes were too many, in which case the
        result holds nothing else.
    """
    result: Result = {
        "head": b"",
        "tail": b"",
        "pages": False,
        "texts": [],
        "left_out": {},
        "damages": [],
        "broken": False,
    }
    data = task.get("data")
    if data is None:
        data = _decompress(task, result)
        if data is None:
            return {"too_large": True}
    first = data.find(_OPEN)
    last = data.rfind(_CLOSE)
    if first < 0 or last < first:
        result["head"] = data
        return result
    last += len(_CLOSE)
    result["pages"] = True
    result["head"], result["tail"] = data[:first], data[last:]
    texts_of_pages(data[first:last], task, result)
    return result


def texts_of_pages(data: bytes, task: dict[str, Any], result: Result) -> None:
    """Add the texts of the articles in ``data``, whole pages, to ``result``; a page that is broken spoils no other."""
    site = Site(task["namespaces"])
    links = site.links
    for page in _pages(data, result):
        why = _unwanted(page, site)
        text = "" if why else plain_text(page.text, links, entities=task["entities"])
        if text:
            result["texts"].append(text)
        else:
            why = why or "empty"
            result["left_out"][why] = result["left_out"].get(why, 0) + 1


def _pages(data: bytes, result: Result) -> list[Page]:
    try:
        return parse_pages(data)
    except ValueError:
        pages = []
    for part in data.split(_CLOSE)[:-1]:
        part = part[max(0, part.find(_OPEN)) :] + _CLOSE
        try:
            pages += parse_pages(part)
        except ValueError as error:
            title = part.partition(b"<title>")[2].partition(b"</title>")[0][:80].decode(errors="replace")
            result["damages"].append({"expected": "a well-formed page", "found": f"{error} in the page {title!r}"})
    return pages


def _unwanted(page: Page, site: Site) -> str:
    """Why a page gives no text; empty if it is an article."""
    namespace = site.namespace_of(page.title) if page.namespace is None else page.namespace
    if namespace != 0:
        return "namespace"
    if page.is_redirect:
        return "redirect"
    return "" if page.model in ("", "wikitext") else "not wikitext"


def _decompress(task: dict[str, Any], result: Result) -> bytes | None:
    """The bytes of some bzip2 streams, as far as they are sound; None if they are too many."""
    with Path(task["path"]).open("rb") as stream:
        stream.seek(task["start"])
        data = stream.read(task["stop"] - task["start"])
    parts: list[bytes] = []
    size = done = 0
    while done < len(data):
        member = bz2.BZ2Decompressor()
        rest = data[done:]
        try:
            while not member.eof:
                if not rest and member.needs_input:
                    raise EOFError("the end of the file")
                part = member.decompress(rest, MOST + 1 - size)
                rest = b""
                parts.append(part)
                size += len(part)
                if size > MOST:
                    return None
        except (OSError, ValueError, EOFError) as error:
            found = str(error) if isinstance(error, EOFError) else f"damage ({error})"
            result["damages"].append({"offset": task["start"] + done, "expected": "bzip2 data", "found": found})
            result["broken"] = True
            following = next_stream(data, done + 1)
            if following is not None:
                result["resume"] = task["start"] + following
            break
        done = len(data) - len(member.unused_data.lstrip(b"\0"))
    return b"".join(parts)
