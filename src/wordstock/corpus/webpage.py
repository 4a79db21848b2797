"""The readable main text of a web page in a WARC record."""

from __future__ import annotations

import codecs
from functools import cache
from typing import NamedTuple

from wordstock._optional import require
from wordstock.errors import FormatError

__all__ = ["WebPage", "need_libraries", "page_of_record"]

_PURPOSE = "reading web pages in WARC files"
_HTML = ("text/html", "application/xhtml+xml")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class WebPage(NamedTuple):
    """The text of a page, lines apart by newlines, and the language it declares."""

    text: str
    language: str | None


@cache
def need_libraries() -> None:
    """Find out now whether web pages can be read.

    Raises
    ------
    MissingExtraError
        The libraries for it are not installed.
    """
    require("fastwarc.warc", extra="corpus", purpose=_PURPOSE)
    require("resiliparse.parse.html", extra="corpus", purpose=_PURPOSE)


def page_of_record(raw: bytes) -> WebPage | str:
    """The main content of the page in a response record, or why there is none.

    The encoding is the one that the HTTP header names, then that of a byte order mark, then UTF-8 if the bytes are,
    then what they look like. Transfer and content encodings are undone.

    Raises
    ------
    FormatError
        The HTTP message is damaged; without a path.
    MissingExtraError
        The libraries for it are not installed.
    """
    warc = require("fastwarc.warc", extra="corpus", purpose=_PURPOSE)
    html = require("resiliparse.parse.html", extra="corpus", purpose=_PURPOSE)
    extract = require("resiliparse.extract.html2text", extra="corpus", purpose=_PURPOSE)
    try:
        record = warc.WarcRecord.from_bytes(raw)
        record.parse_http(auto_decode="all")
        status = record.http_headers.status_code if record.is_http_parsed else None
        if status is None:
            raise OSError("no HTTP status line")
        if not 200 <= status < 300:
            return f"HTTP status {status // 100}xx"
        if (record.http_content_type or "").lower() not in _HTML:
            return "not HTML"
        body = record.reader.read()
    except (OSError, ValueError) as error:
        raise FormatError("", expected="an HTTP response", found=str(error)) from error
    tree = html.HTMLTree.parse(_decode(body, record.http_charset))
    text = extract.extract_plain_text(
        tree, main_content=True, preserve_formatting=True, list_bullets=False, alt_texts=False
    )
    language = record.http_headers.get("Content-Language")
    if not language and tree.document is not None and (root := tree.document.query_selector("html")) is not None:
        language = root.getattr("lang")
    return WebPage(text, language)


def _decode(body: bytes, charset: str | None) -> str:
    encoding = require("resiliparse.parse.encoding", extra="corpus", purpose=_PURPOSE)
    named = encoding.map_encoding_to_html5(charset, fallback_utf8=False) if charset else None
    if named is None:
        for mark, name in _MARKS:
            if body.startswith(mark):
                named = name
    if named is None:
        try:
            return body.decode()
        except UnicodeDecodeError:
            named = encoding.detect_encoding(body, from_html_meta=True) or "cp1252"
    text: str = encoding.bytes_to_str(body, named, errors="replace")
    return text
