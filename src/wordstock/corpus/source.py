"""The bytes of one file or of standard input, decompressed, in pieces of bounded size."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from wordstock._compression import Compression, decompressed, sniff_compression
from wordstock.corpus.buffers import Pieces
from wordstock.corpus.report import ReadReport
from wordstock.errors import FormatError

__all__ = ["STDIN", "Progress", "Source", "Tracker", "open_source"]

Progress = Callable[[int, int], object]  # (bytes of the files read, bytes of the files; 0 if unknown)

STDIN = Path("<stdin>")
_PIECE = 1 << 19
_HEAD = 1 << 16  # bytes that a source shows before it is read


class Tracker:
    """Adds up the bytes of several files for one progress callback."""

    def __init__(self, total: int, report: ReadReport, progress: Progress | None) -> None:
        self.total, self.report = total, report
        self._progress = progress
        self._before = 0  # bytes of the files before this one
        self._told = -1

    def at(self, position: int) -> None:
        """``position`` bytes of the current file have been read."""
        done = self._before + position
        self.report.bytes = done
        if self._progress is not None and done != self._told:
            self._told = done
            self._progress(done, self.total)

    def end_of_file(self, size: int) -> None:
        """The current file, of ``size`` bytes, has been left."""
        self.at(size)
        self._before += size


class Source:
    """One open file.

    Parameters
    ----------
    path : where it is; ``STDIN`` for standard input.
    size : bytes on disk; 0 where that is unknown.
    seekable : a regular file, which can be opened again by its path.
    compression : told by the first bytes.
    head : the first 64 KiB of the uncompressed stream; still part of ``pieces``.
    cut : the stream turned out to be damaged or cut short; set when its last whole piece has been taken.
    """

    def __init__(self, stream: BinaryIO, path: Path, report: ReadReport, tracker: Tracker) -> None:
        self.path, self.report = path, report
        self.cut = False
        self._error: FormatError | None = None
        self._tracker = tracker
        self._stream = _Counted(stream)
        status = os.fstat(stream.fileno())
        self.seekable = stat.S_ISREG(status.st_mode) and path != STDIN
        self.size = status.st_size if self.seekable else 0
        start = self._stream.peek(6)
        self.compression: Compression | None = sniff_compression(start)
        data: Any = self._stream  # it has the one method that is needed
        raw = _plain(data) if self.compression is None else decompressed(data, self.compression, path)
        self._pieces = self._guarded(raw)
        first: list[bytes] = []
        while sum(map(len, first)) < _HEAD and (piece := next(self._pieces, b"")):
            first.append(piece)
        self._first = b"".join(first)
        self._filler: Pieces | None = None
        self.head = self._first[:_HEAD]

    def pieces(self) -> Iterator[bytes]:
        """All bytes, once; where the file is damaged or cut short that is reported and the pieces end."""
        if self._first:
            yield self._first
            self._first = b""
        for piece in self._pieces:
            self.tell(self._stream.position)
            yield piece
        if self._error is not None:
            error, self._error = self._error, None
            self.report.damage(error)

    def readinto(self, view: memoryview) -> int:
        """Fill the start of ``view`` with what ``pieces`` would give next; returns how many bytes, 0 at the end."""
        if self.compression is None and not self._first:
            size = self._stream.readinto(view)
            self.tell(self._stream.position)
            return size
        if self._filler is None:
            self._filler = Pieces([self._first] if self.compression is None else self.pieces())
        size = self._filler.readinto(view)
        if not size and self.compression is None:
            self._first = b""
            return self.readinto(view)
        return size

    def tell(self, position: int) -> None:
        """Report that the file has been read up to this byte on disk."""
        self._tracker.at(min(position, self.size) if self.size else position)

    def left(self) -> None:
        """Count this file as done."""
        self._tracker.end_of_file(self.size or self._stream.position)

    def _guarded(self, raw: Iterator[bytes]) -> Iterator[bytes]:
        try:
            for piece in raw:
                if piece:
                    yield piece
        except FormatError as error:
            self.cut = True
            self._error = error


class _Counted:
    """A stream that counts what was read and can show its start."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._peeked = b""
        self.position = 0

    def peek(self, size: int) -> bytes:
        while len(self._peeked) < size and (data := self._stream.read(size - len(self._peeked))):
            self._peeked += data
        return self._peeked

    def read(self, size: int) -> bytes:
        data = self._peeked or self._stream.read(size)
        self._peeked = b""
        self.position += len(data)
        return data

    def readinto(self, view: memoryview) -> int:
        """As a file's; what was peeked at has been read before."""
        size: int = self._stream.readinto(view)  # type: ignore[attr-defined]
        self.position += size
        return size


def _plain(stream: _Counted) -> Iterator[bytes]:
    while data := stream.read(_PIECE):
        yield data


@contextmanager
def open_source(path: Path, report: ReadReport, tracker: Tracker) -> Iterator[Source]:
    """Open a file, a named pipe or standard input.

    Raises
    ------
    FileNotFoundError
        No such file.
    MissingExtraError
        Zstandard without the library for it.
    """
    report.files += 1
    if path == STDIN:
        source = Source(sys.stdin.buffer, path, report, tracker)
        yield source
        source.left()
        return
    with path.open("rb", buffering=0) as stream:
        source = Source(stream, path, report, tracker)
        try:
            yield source
        except FormatError:
            source.left()  # the next file goes on from its end
            raise
        source.left()
