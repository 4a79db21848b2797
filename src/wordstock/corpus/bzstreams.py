"""Where the streams of a bzip2 file begin, found without decompressing it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

__all__ = ["LARGEST", "next_stream", "stream_ranges"]

_BLOCK_MAGIC = b"\x31\x41\x59\x26\x53\x59"
_MAGICS = [b"BZh%d" % level + _BLOCK_MAGIC for level in range(1, 10)]
_CHUNK = 1 << 20
_OVERLAP = 9
LARGEST = 1 << 22  # compressed bytes above which a stream is not handed to a worker whole
_GROUP = 1 << 19  # compressed bytes up to which small neighbours are grouped


def stream_ranges(path: Path) -> Iterator[tuple[int, int | None]]:
    """(start, stop) of neighbouring streams, grouped up to half a MiB, in the order of the file.

    A stream begins with ``BZh``, its level, and the magic number of a block: ten bytes that compressed data hold by
    chance once in 10**23 bytes. At a stream of more than 4 MiB the search ends: its range, the last, has no stop.
    """
    start = latest = 0
    for found, is_start in _starts(path):
        if found - latest > LARGEST:
            if latest > start:
                yield start, latest
            yield latest, None
            return
        if is_start:
            latest = found
        if found - start >= _GROUP and is_start:
            yield start, found
            start = found
    size = path.stat().st_size
    if size > start:
        yield start, size


def next_stream(data: bytes, start: int) -> int | None:
    """Where in ``data`` the next stream begins, from ``start`` on; None if none does."""
    return next((at for at in _find(data) if at >= start), None)


def _starts(path: Path) -> Iterator[tuple[int, bool]]:
    """(offset, True) of all streams but the first, and (offset, False) where the search has come so far."""
    base = 0
    kept = b""
    with path.open("rb") as stream:
        while data := stream.read(_CHUNK):
            window = kept + data
            for at in _find(window):
                if base + at > 0:
                    yield base + at, True
            kept = window[-_OVERLAP:]
            base += len(window) - len(kept)
            yield base, False


def _find(window: bytes) -> Iterator[int]:
    at = window.find(_BLOCK_MAGIC)
    while at >= 0:
        if at >= 4 and window[at - 4 : at + 6] in _MAGICS:
            yield at - 4
        at = window.find(_BLOCK_MAGIC, at + 1)
