"""Records of a WARC stream: headers and block, every length checked, read on after damage.

A record is ``WARC/1.x``, header lines, an empty line, ``Content-Length`` bytes and two line ends (ISO 28500).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from wordstock.corpus.report import ReadReport
from wordstock.errors import FormatError

__all__ = ["Record", "read_records"]

_HEADERS = 1 << 16  # most bytes of a record's headers
_BLOCK = 1 << 26  # most bytes of a block that is kept

Pieces = Iterable[tuple[int | None, bytes | FormatError]]  # offset of a gzip member; None for parts of one stream


class Record(NamedTuple):
    """One record: header names in lower case, and the whole record as bytes, from ``WARC/`` to the end of its block."""

    headers: dict[str, str]
    raw: bytes
    start: int  # of the block in ``raw``

    @property
    def block(self) -> bytes:
        """The block alone."""
        return self.raw[self.start :]


def read_records(
    pieces: Pieces, path: Path, report: ReadReport, wanted: Callable[[dict[str, str]], bool]
) -> Iterator[Record]:
    """The records whose headers are ``wanted``; others are skipped without being held.

    Damage is reported, and reading goes on at the next thing that looks like a record. Blocks above 64 MiB are counted
    as "too large".

    Raises
    ------
    FormatError
        Damage where the reading is strict.
    """
    yield from _Reader(pieces, path, report).records(wanted)


class _Reader:
    def __init__(self, pieces: Pieces, path: Path, report: ReadReport) -> None:
        self._pieces = iter(pieces)
        self._path, self._report = path, report
        self._buffer = bytearray()
        self._offset: int | None = None  # of the piece that came last
        self._taken = 0  # bytes of all pieces
        self._broken = False  # a damage that is reported already cut the buffer off
        self._ended = False

    def records(self, wanted: Callable[[dict[str, str]], bool]) -> Iterator[Record]:
        while True:
            self._broken = False
            if not self._at_record():
                if self._ended and not self._buffer:
                    return
                continue
            where = self._where()
            head = self._head(where)
            if head is None:
                continue
            size, headers = head
            length = int(headers["content-length"])
            keep = wanted(headers)
            if keep and length > _BLOCK:
                self._report.left_out["too large"] += 1
                keep = False
            raw = self._take(size + length, keep=keep)
            if raw is None:
                if not self._broken:
                    self._damage(where, f"{length:,} bytes in a record", "the end of the file", "the file is cut short")
            elif keep:
                yield Record(headers, raw, size)

    def _at_record(self) -> bool:
        """Skip line ends; True if a record begins, else whatever stands there is reported and skipped."""
        while True:
            while not self._buffer and self._more():
                pass
            line_ends = len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))
            del self._buffer[:line_ends]
            if self._buffer:
                break
            if self._ended:
                return False
        while len(self._buffer) < 8 and self._more():
            pass
        if self._buffer.startswith(b"WARC/"):
            return True
        self._resync(0, "a record (WARC/1.0)")
        return False

    def _head(self, where: int) -> tuple[int, dict[str, str]] | None:
        """(bytes of the headers, headers); None after a damage."""
        while True:
            found = [
                (at, len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (at := self._buffer.find(mark, 0, _HEADERS)) >= 0
            ]
            if found:
                break
            if len(self._buffer) >= _HEADERS:
                self._resync(5, f"an empty line after at most {_HEADERS:,} bytes of headers")
                return None
            if not self._more():
                if not self._broken:
                    self._damage(where, "the end of a record's headers", "the end of the file", "the file is cut short")
                self._buffer.clear()
                return None
        at, size = min(found)
        headers: dict[str, str] = {}
        for line in bytes(self._buffer[:at]).decode(errors="replace").splitlines()[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = headers.get("content-length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 16):
            self._resync(5, f"a Content-Length, not {length!r}")
            return None
        return at + size, headers

    def _take(self, size: int, *, keep: bool) -> bytes | None:
        """The next ``size`` bytes, b"" if they are not kept; None if there are fewer."""
        if keep:
            while len(self._buffer) < size:
                if not self._more():
                    self._buffer.clear()
                    return None
            raw = bytes(memoryview(self._buffer)[:size])
            del self._buffer[:size]
            return raw
        while size > len(self._buffer):
            size -= len(self._buffer)
            self._buffer.clear()
            if not self._more():
                return None
        del self._buffer[:size]
        return b""

    def _more(self) -> bool:
        """Append the next piece; False at the end, and at a damage, which is reported and empties the buffer."""
        offset, piece = next(self._pieces, (self._offset, b""))
        if isinstance(piece, FormatError):
            self._broken = True
            self._buffer.clear()
            self._report.damage(piece)
            return False
        if not piece:
            self._ended = True
            return False
        self._offset = offset
        self._buffer += piece
        self._taken += len(piece)
        return True

    def _where(self) -> int:
        """The offset of the member that the buffer begins in, or of the buffer's first byte in a single stream."""
        return self._taken - len(self._buffer) if self._offset is None else self._offset

    def _resync(self, start: int, expected: str) -> None:
        """Report what stands here and go on at the next line that begins a record."""
        self._damage(self._where(), expected, repr(bytes(self._buffer[:40])), "")
        while True:
            at = self._buffer.find(b"\nWARC/1.", start)
            if at >= 0:
                del self._buffer[: at + 1]
                return
            del self._buffer[:-8]
            start = 0
            if not self._more():
                self._buffer.clear()
                return

    def _damage(self, offset: int, expected: str, found: str, remedy: str) -> None:
        self._report.damage(FormatError(self._path, offset=offset, expected=expected, found=found, remedy=remedy))
