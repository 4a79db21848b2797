"""The members of a gzip file of WARC records, read on after a damaged one."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from wordstock.errors import FormatError

__all__ = ["member_pieces"]

_CHUNK = 1 << 18
_PIECE = 1 << 20  # most bytes of one piece
_MAGIC = b"\x1f\x8b\x08"
_REMEDY = "the file is damaged; fetch it again"


def member_pieces(path: Path, tell: Callable[[int], None]) -> Iterator[tuple[int, bytes | FormatError]]:
    """(offset of the member in the file, piece of its content), or the damage that ends it.

    After damage the next member that holds a WARC record is searched for.

    Parameters
    ----------
    path : a gzip file.
    tell : called with the bytes of the file read so far.
    """
    with path.open("rb") as stream:
        start: int | None = 0
        while start is not None:
            for offset, piece in _members(stream, start):
                yield offset, piece
                tell(stream.tell())
                start = offset
            start = _next_member(stream, start + 1)


def _members(stream: BinaryIO, start: int) -> Iterator[tuple[int, bytes | FormatError]]:
    """Pieces from ``start`` on, as far as the members are sound; a damage comes last."""
    stream.seek(start)
    data = stream.read(_CHUNK)
    while data:
        start = stream.tell() - len(data)
        member = zlib.decompressobj(31)
        while not member.eof:
            if not data and not (data := stream.read(_CHUNK)):
                remedy = "the file is cut short; fetch it again"
                found = "the end of the file"
                yield (
                    start,
                    FormatError(stream.name, offset=start, expected="more gzip data", found=found, remedy=remedy),
                )
                return
            try:
                piece = member.decompress(data, _PIECE)
            except zlib.error as error:
                found = f"damage ({error})"
                yield start, FormatError(stream.name, offset=start, expected="gzip data", found=found, remedy=_REMEDY)
                return
            data = member.unconsumed_tail
            if piece:
                yield start, piece
        data = member.unused_data.lstrip(b"\0") or stream.read(_CHUNK)


def _next_member(stream: BinaryIO, start: int) -> int | None:
    """Offset of the next member that begins with a WARC record."""
    stream.seek(start)
    base, window = start, stream.read(_CHUNK)
    while window:
        at = window.find(_MAGIC)
        while at >= 0:
            if _is_record(stream, base + at):
                return base + at
            at = window.find(_MAGIC, at + 1)
        kept = window[-2:] if len(window) > 2 else b""
        base += len(window) - len(kept)
        stream.seek(base + len(kept))
        more = stream.read(_CHUNK)
        window = kept + more if more else b""
    return None


def _is_record(stream: BinaryIO, offset: int) -> bool:
    stream.seek(offset)
    try:
        return zlib.decompressobj(31).decompress(stream.read(4096), 8).startswith(b"WARC/")
    except zlib.error:
        return False
