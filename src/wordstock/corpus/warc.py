"""Common Crawl files: WET (plain text) and WARC (web pages), compressed or not."""

from __future__ import annotations

from collections.abc import Iterator

from wordstock.corpus.gzmembers import member_pieces
from wordstock.corpus.language import LanguageFilter
from wordstock.corpus.source import Source
from wordstock.corpus.warcrecords import Record, read_records
from wordstock.corpus.webpage import WebPage, page_of_record
from wordstock.errors import FormatError

__all__ = ["read_warc"]


def read_warc(source: Source, keep: LanguageFilter) -> Iterator[str]:
    """The text of every ``conversion`` record, and the main content of every HTML page in a ``response`` record.

    Other records are passed over ("no page"); pages with another status than 2xx, of another type than HTML or in
    another language are counted. In a gzip file a damaged member is reported and reading goes on with the next.

    Raises
    ------
    FormatError
        Damage where the reading is strict.
    MissingExtraError
        A page to be read without the libraries for it; WET files need none.
    """
    report = source.report

    def wanted(headers: dict[str, str]) -> bool:
        kind = headers.get("warc-type", "").lower()
        if kind == "conversion" or (kind == "response" and "http" in headers.get("content-type", "http").lower()):
            return True
        report.left_out["no page"] += 1
        return False

    for record in read_records(_pieces(source), source.path, report, wanted):
        try:
            page = _page(record)
        except FormatError as error:
            address = record.headers.get("warc-target-uri", "an unnamed record")
            report.damage(FormatError(source.path, expected=f"{error.expected} for {address}", found=error.found))
            continue
        if isinstance(page, str):
            report.left_out[page] += 1
            continue
        why = keep(page.text, page.language) if page.text.strip() else "empty"
        if why:
            report.left_out[why] += 1
            continue
        report.documents += 1
        yield page.text


def _page(record: Record) -> WebPage | str:
    if record.headers["warc-type"].lower() == "response":
        return page_of_record(record.raw)
    text = record.block.decode(errors="replace")
    return WebPage(text, record.headers.get("warc-identified-content-language"))


def _pieces(source: Source) -> Iterator[tuple[int, bytes | FormatError]]:
    if source.compression == "gzip" and source.seekable:
        yield from member_pieces(source.path, source.tell)
        return
    offset = 0
    for piece in source.pieces():
        yield offset, piece
        offset += len(piece)
