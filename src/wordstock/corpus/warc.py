"""Common Crawl files: WET (plain text) and WARC (web pages), compressed or not; pages in parallel processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from wordstock.corpus.gzmembers import member_pieces
from wordstock.corpus.language import LanguageFilter
from wordstock.corpus.source import Source
from wordstock.corpus.warcrecords import Record, read_records
from wordstock.corpus.webpage import need_libraries, page_of_record
from wordstock.corpus.workers import Task, in_order, worker_count
from wordstock.errors import FormatError

__all__ = ["page_or_reason", "read_warc"]

_SLICE = 1 << 20  # bytes of pages that one worker gets at once
_SMALLEST = 1 << 24  # bytes on disk from which on worker processes pay for their start


def read_warc(source: Source, keep: LanguageFilter, *, workers: int | None = 0) -> Iterator[str]:
    """The text of every ``conversion`` record, and the main content of every HTML page in a ``response`` record.

    Other records are passed over ("no page"); pages with another status than 2xx, of another type than HTML or in
    another language are counted. In a gzip file a damaged member is reported and reading goes on with the next.

    Parameters
    ----------
    workers : processes that web pages are read in; None for one per core if the file is large enough, 0 for none.

    Raises
    ------
    FormatError
        Damage where the reading is strict.
    MissingExtraError
        A page to be read without the libraries for it; WET files need none.
    """
    report = source.report
    if workers is None:
        workers = worker_count(source.size if source.seekable else _SMALLEST, _SMALLEST)

    def wanted(headers: dict[str, str]) -> bool:
        kind = headers.get("warc-type", "").lower()
        if kind == "conversion" or (kind == "response" and "http" in headers.get("content-type", "http").lower()):
            return True
        report.left_out["no page"] += 1
        return False

    records = read_records(_pieces(source), source.path, report, wanted)
    with closing(in_order(_tasks(records, sliced=workers > 0), lambda task: task, workers)) as results:
        for task, result in results:
            if "here" in task:
                pages = [_page(task["here"])]
            else:
                pages = [page_or_reason(raw) for raw in task["pages"]] if "again" in result else result["pages"]
            for address, page in zip(task["addresses"], pages, strict=True):
                yield from _kept(source, keep, address, page)


def page_or_reason(raw: bytes) -> dict[str, Any]:
    """A response record's "text" and "language"; the "reason" to leave it out; or what was "expected" and "found"."""
    try:
        page = page_of_record(raw)
    except FormatError as error:
        return {"expected": error.expected, "found": error.found}
    return {"reason": page} if isinstance(page, str) else page._asdict()


def _tasks(records: Iterator[Record], *, sliced: bool) -> Iterator[Task]:
    """Pages for the workers, a MiB at a time; all else stays here."""
    pages: list[bytes] = []
    addresses: list[str] = []
    size = 0
    for record in records:
        address = record.headers.get("warc-target-uri", "an unnamed record")
        page = sliced and record.headers["warc-type"].lower() == "response"
        if page:
            need_libraries()
            pages.append(record.raw)
            addresses.append(address)
            size += len(record.raw)
        if pages and (not page or size >= _SLICE):
            yield {"pages": pages, "addresses": addresses}
            pages, addresses, size = [], [], 0
        if not page:
            yield {"here": record, "addresses": [address]}
    if pages:
        yield {"pages": pages, "addresses": addresses}


def _kept(source: Source, keep: LanguageFilter, address: str, page: dict[str, Any]) -> Iterator[str]:
    report = source.report
    if "found" in page:
        report.damage(FormatError(source.path, expected=f"{page['expected']} for {address}", found=page["found"]))
        return
    why = page.get("reason") or (keep(page["text"], page["language"]) if page["text"].strip() else "empty")
    if why:
        report.left_out[why] += 1
        return
    report.documents += 1
    yield page["text"]


def _page(record: Record) -> dict[str, Any]:
    if record.headers["warc-type"].lower() == "response":
        return page_or_reason(record.raw)
    text = record.block.decode(errors="replace")
    return {"text": text, "language": record.headers.get("warc-identified-content-language")}


def _pieces(source: Source) -> Iterator[tuple[int | None, bytes | FormatError]]:
    if source.compression == "gzip" and source.seekable:
        yield from member_pieces(source.path, source.tell)
        return
    for piece in source.pieces():
        yield None, piece
