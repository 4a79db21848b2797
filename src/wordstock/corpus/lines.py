"""Lines of a byte stream, of any length, as blocks of text."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import numpy as np

from wordstock.corpus.buffers import BufferPool, Pieces
from wordstock.corpus.source import Source
from wordstock.errors import FormatError
from wordstock.protocols import TextBlock

__all__ = ["UNDECODABLE", "LineCounter", "decoded_lines", "text_blocks"]

_MARKS = (  # the longest first: that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
UNDECODABLE = "undecodable line, kept"  # under which a report counts them
_NEWLINE = ord("\n")
_BLOCK = 1 << 19  # bytes
# A line of white space begins with one of these bytes: ASCII up to the space, or the first byte of another space.
_SUSPECT = np.zeros(256, np.bool_)
_SUSPECT[: ord(" ") + 1] = _SUSPECT[[0xC2, 0xE1, 0xE2, 0xE3]] = True


def text_blocks(source: Source, encoding: str = "utf-8") -> Iterator[TextBlock]:
    """All lines, blank ones too, in blocks of whole lines; only a newline ends a line, and a long line is never cut.

    A byte order mark decides the encoding. Bytes that are not of the encoding become U+FFFD; the line is kept and the
    first such line of a file reported, all are counted as "undecodable line, kept". The line in which a damaged source
    breaks off is left out: it is not whole, and the damage has been reported.

    Raises
    ------
    FormatError
        A line that is not of the encoding, where the reading is strict.
    """
    read = source.readinto
    encoding = next((named for mark, named in _MARKS if source.head.startswith(mark)), encoding)
    if codecs.lookup(encoding).name != "utf-8":
        read = Pieces(_as_utf8(source.pieces(), encoding, source)).readinto
    mender = _Mender(source)
    first = True
    for data in _whole_lines(read, source):
        skipped = len(codecs.BOM_UTF8) if first and data[:3].tobytes() == codecs.BOM_UTF8 else 0
        try:
            block = TextBlock(data[skipped:])
        except UnicodeDecodeError:
            block = TextBlock(mender.mended(data.tobytes())[skipped:])
        mender.passed(data)
        first = False
        yield block


def decoded_lines(source: Source, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    """(number from 1, text) of every line, without its line end; see ``text_blocks``."""
    number = 0
    for block in text_blocks(source, encoding):
        for line in block.lines():
            number += 1
            yield number, line


class LineCounter:
    """Counts the lines that hold more than white space."""

    def __init__(self) -> None:
        self._newlines = np.empty(0, np.bool_)

    def filled(self, block: TextBlock) -> int:
        """How many of a block's lines do."""
        codes = np.frombuffer(block.data, np.uint8)
        if len(codes) > len(self._newlines):
            self._newlines = np.empty(len(codes), np.bool_)
        ends = np.flatnonzero(np.equal(codes, _NEWLINE, out=self._newlines[: len(codes)]))
        if len(codes) and codes[-1] != _NEWLINE:
            ends = np.append(ends, len(codes))
        starts = np.zeros(len(ends), np.int64)
        starts[1:] = ends[:-1] + 1
        blank = 0
        for i in np.flatnonzero(_SUSPECT[codes[starts]]).tolist():
            line = str(block.data[starts[i] : ends[i]], "utf-8")
            blank += not line or line.isspace()
        return len(ends) - blank


def _whole_lines(read: Callable[[memoryview], int], source: Source) -> Iterator[memoryview]:
    """What ``read`` puts into buffers, cut after newlines."""
    pool = BufferPool()
    begun = memoryview(b"")
    more = True
    while more:
        buffer = pool.take(max(_BLOCK, 2 * len(begun)))
        view = memoryview(buffer)
        size = len(begun)
        view[:size] = begun
        while more and size < len(buffer):
            got = read(view[size:])
            more = got > 0
            size += got
        cut = buffer.rfind(b"\n", 0, size) + 1
        if not more and not source.cut:
            cut = size
        begun = view[cut:size]
        if cut:
            yield view[:cut].toreadonly()


class _Mender:
    """Replaces bytes that are not UTF-8, and knows where in the file they are."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines = self._bytes = 0  # before this block
        self._told = False

    def passed(self, data: memoryview) -> None:
        """Go on behind this block."""
        self._bytes += len(data)
        if not self._told:
            self._lines += int(np.count_nonzero(np.frombuffer(data, np.uint8) == _NEWLINE))

    def mended(self, data: bytes) -> bytes:
        """The block in UTF-8, line by line, so that one line's bytes spoil no other."""
        report = self._source.report
        lines = data.split(b"\n")
        offset = self._bytes
        for i, line in enumerate(lines):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                if report.strict or not self._told:
                    self._told = True
                    report.damage(_undecodable(self._source, line, self._lines + i + 1, offset + error.start))
                report.left_out[UNDECODABLE] += 1
                lines[i] = line.decode(errors="replace").encode()
            offset += len(line) + 1
        return b"\n".join(lines)


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
