"""A window of bounded size that moves over a file, decompressing it on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from wordstock._compression import decompressed, sniff_compression
from wordstock._files import open_regular

__all__ = ["BLOCK", "PADDING", "Progress", "Window"]

Progress = Callable[[int, int], object]  # (bytes of the file read, bytes of the file)

BLOCK = 1 << 23  # bytes of the uncompressed stream held at once
PADDING = 64  # readable bytes after the block, so that a kernel may load eight bytes at its very end


class Window:
    """Bytes ``start..stop`` of ``buffer`` are read and not used; ``buffer[start]`` is byte ``offset`` of the stream.

    The file is read into the buffer rather than mapped: a file that shrinks while it is read then gives an error
    instead of killing the process, and compressed and plain files share one path. The copy costs some 0.1 ns a byte.

    Parameters
    ----------
    path : a regular file; gzip, bzip2, xz and Zstandard are recognised by their first bytes.
    progress : called with bytes done and bytes in all, both of the file as it lies on disk.
    block : bytes held at once.
    """

    def __init__(self, path: Path, *, progress: Progress | None = None, block: int | None = None) -> None:
        self.path = path
        self._raw = open_regular(path)
        self.file_size = os.fstat(self._raw.fileno()).st_size
        self.compression = sniff_compression(self._raw.read(8))
        self._raw.seek(0)
        size = BLOCK if block is None else block
        if self.compression is None:
            size = min(size, self.file_size + 1)
        self._pieces: Iterator[bytes] | None = None
        if self.compression is not None:
            self._pieces = decompressed(self._raw, self.compression, path)
        self._piece = memoryview(b"")
        self._progress = progress
        self.buffer = bytearray(size + PADDING)
        self.capacity = size
        self.start = self.stop = self.offset = 0
        self.at_end = False
        try:
            self.fill()
        except BaseException:
            self._raw.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._raw.close()

    @property
    def data(self) -> npt.NDArray[np.uint8]:
        """The buffer as uint8 (capacity + PADDING,)."""
        return np.frombuffer(self.buffer, np.uint8)

    @property
    def words(self) -> npt.NDArray[np.uint64]:
        """The eight bytes of the buffer from each position on, uint64 (capacity + PADDING - 7,), unaligned."""
        return np.ndarray((len(self.buffer) - 7,), np.dtype("<u8"), self.buffer, strides=(1,))

    @property
    def remaining(self) -> int | None:
        """Bytes of the stream from ``start`` on; None where compression hides them."""
        if self.at_end:
            return self.stop - self.start
        return None if self.compression is not None else max(self.file_size - self.offset, self.stop - self.start)

    @property
    def share(self) -> float:
        """How much of the file on disk has been read, 0 to 1."""
        return min(1.0, self._raw.tell() / self.file_size) if self.file_size else 1.0

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes, used up."""
        taken = bytes(self.buffer[self.start : self.start + count])
        self.skip(count)
        return taken

    def skip(self, count: int) -> None:
        """Use up ``count`` bytes."""
        self.start += count
        self.offset += count

    def line(self) -> bytes | None:
        """The next line without its newline, not used up; None if no newline is in the window."""
        end = self.buffer.find(b"\n", self.start, self.stop)
        return None if end < 0 else bytes(self.buffer[self.start : end])

    def fill(self) -> None:
        """Move what is not used up to the front and read until the block is full or the stream ends."""
        left = self.stop - self.start
        view = memoryview(self.buffer)
        if self.start:
            view[:left] = bytes(view[self.start : self.stop])
        self.start, self.stop = 0, left
        while self.stop < self.capacity:
            got = self._read(view[self.stop : self.capacity])
            if not got:
                self.at_end = True
                break
            self.stop += got
        if self._progress is not None:
            self._progress(min(self._raw.tell(), self.file_size), self.file_size)

    def _read(self, view: memoryview[Any]) -> int:
        if self._pieces is None:
            return self._raw.readinto(view) or 0
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._piece = memoryview(piece)
        count = min(len(view), len(self._piece))
        view[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        return count
