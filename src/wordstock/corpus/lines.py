"""Lines of a byte stream, of any length, as text."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain

from wordstock.corpus.source import Source
from wordstock.errors import FormatError

__all__ = ["byte_lines", "decoded_lines", "read_lines"]

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def byte_lines(pieces: Iterable[bytes], source: Source) -> Iterator[list[bytes]]:
    """Lines without their newline, a list per piece; only a newline ends a line, and a long line is never cut.

    The line in which a damaged source breaks off is left out: it is not whole, and the damage has been reported.
    """
    open_line: list[bytes] = []
    for piece in pieces:
        first, newline, rest = piece.partition(b"\n")
        open_line.append(first)
        if not newline:
            continue
        lines = rest.split(b"\n")
        lines.insert(0, b"".join(open_line))
        open_line = [lines.pop()]
        yield lines
    last = b"".join(open_line)
    if last and not source.cut:
        yield [last]


def decoded_lines(source: Source, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    """(number from 1, text) of every line, without its line end.

    A byte order mark decides the encoding. Bytes that are not of the encoding become U+FFFD; the line is kept and the
    first such line of a file reported, all are counted as "undecodable line, kept".

    Raises
    ------
    FormatError
        A line that is not of the encoding, where the reading is strict.
    """
    pieces: Iterable[bytes] = source.pieces()
    for mark, named in _MARKS:
        if source.head.startswith(mark):
            encoding = named
    if codecs.lookup(encoding).name != "utf-8":
        pieces = _as_utf8(pieces, encoding, source)
    number = offset = 0
    told = False
    for lines in byte_lines(pieces, source):
        for line in lines:
            number += 1
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                text = line.decode(errors="replace")
                if source.report.strict or not told:
                    told = True
                    source.report.damage(_undecodable(source, line, number, offset + error.start))
                source.report.left_out["undecodable line, kept"] += 1
            offset += len(line) + 1
            if number == 1:
                text = text.removeprefix("\ufeff")
            yield number, text.removesuffix("\r")


def read_lines(source: Source, encoding: str = "utf-8", *, blank: bool = False) -> Iterator[str]:
    """The lines of plain text, with ``blank`` also those that hold only white space."""
    report = source.report
    for _, line in decoded_lines(source, encoding):
        if blank or (line and not line.isspace()):
            report.documents += 1
            yield line


def _as_utf8(pieces: Iterable[bytes], encoding: str, source: Source) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    told = False
    for piece in chain(pieces, [b""]):
        text = decoder.decode(piece, not piece)
        if "\ufffd" in text and not told:
            told = True
            remedy = "name the encoding that the file is in"
            source.report.damage(FormatError(source.path, expected=encoding, found="other bytes", remedy=remedy))
        yield text.encode("utf-8", "replace")


def _undecodable(source: Source, line: bytes, number: int, offset: int) -> FormatError:
    return FormatError(
        source.path,
        offset=offset,
        line=number,
        expected="UTF-8",
        found=repr(line[:40]),
        remedy="name the encoding: encoding='latin-1' or another",
    )
