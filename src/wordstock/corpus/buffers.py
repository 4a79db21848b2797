"""Buffers for what is read, used again as soon as nobody looks at them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["BufferPool", "Pieces"]


class BufferPool:
    """Hands out bytearrays, those first that are free again.

    Fresh memory costs more than reading into it, and buffers that come and go leave holes in the heap.
    """

    def __init__(self) -> None:
        self._buffers: list[bytearray] = []

    def take(self, size: int) -> bytearray:
        """A buffer of ``size`` bytes or more, whatever it holds; free again when no view of it is left."""
        for buffer in self._buffers:
            if len(buffer) >= size and _free(buffer):
                return buffer
        self._buffers = [buffer for buffer in self._buffers if len(buffer) >= size or not _free(buffer)]
        self._buffers.append(bytearray(size))
        return self._buffers[-1]


def _free(buffer: bytearray) -> bool:
    """Whether there is no view of it: a bytearray refuses to change its size while there is one."""
    try:
        buffer.append(0)
    except BufferError:
        return False
    buffer.pop()
    return True


class Pieces:
    """Pieces of bytes, read as from a file."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self._left = memoryview(b"")

    def readinto(self, view: memoryview) -> int:
        """Fill the start of ``view``; returns how many bytes, 0 at the end."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        size = min(len(view), len(self._left))
        view[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
