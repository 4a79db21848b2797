"""gzip, bzip2, xz and Zstandard, told apart by their first bytes; damage becomes a FormatError, memory is bounded."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal

from wordstock._optional import require
from wordstock.errors import FormatError, InputError

__all__ = ["Compression", "compressed_writer", "compression_of_name", "decompressed", "sniff_compression"]

Compression = Literal["gzip", "bzip2", "xz", "zstd"]

_MAGIC: dict[bytes, Compression] = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_SUFFIXES: dict[str, Compression] = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}
_CHUNK = 1 << 18  # compressed bytes read at once
_PIECE = 1 << 20  # most bytes that one step of gzip, bzip2 or xz gives
_ZSTD_STEP = 1 << 9  # compressed bytes per step of zstd, whose output has no limit: 128 KiB per 4 bytes at worst
_ZSTD_WINDOW = 1 << 27  # what `zstd --long` writes; a larger window is refused
_XZ_MEMORY = 1 << 28  # xz -9 needs 65 MiB; a stream that asks for more than this is refused


def sniff_compression(start: bytes) -> Compression | None:
    """Compression of a file that begins with these bytes; None if it is not compressed."""
    for magic, name in _MAGIC.items():
        if start.startswith(magic):
            return name
    return None


def compression_of_name(path: Path) -> tuple[Path, Compression | None]:
    """The path without its compression suffix, and what that suffix stands for."""
    name = _SUFFIXES.get(path.suffix.lower())
    return (path.with_suffix(""), name) if name else (path, None)


def decompressed(stream: BinaryIO, kind: Compression, path: Path) -> Iterator[bytes]:
    """The uncompressed bytes of ``stream`` in pieces; files of several members or frames are read to their end.

    Raises
    ------
    FormatError
        The stream is damaged or cut short.
    MissingExtraError
        Zstandard without the library for it.
    """
    done = 0
    try:
        for piece in _STEPS[kind](stream):
            if piece is None:
                raise FormatError(
                    path,
                    offset=done,
                    expected=f"more {kind} data",
                    found="the end of the file",
                    remedy="the file is cut short; fetch it again",
                )
            done += len(piece)
            yield piece
    except FormatError:
        raise
    except (zlib.error, lzma.LZMAError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk, not the data
        remedy = "the file is damaged; fetch it again"
        raise FormatError(
            path, offset=done, expected=f"{kind} data", found=f"damage ({error})", remedy=remedy
        ) from error


def _gzip_pieces(stream: BinaryIO) -> Iterator[bytes | None]:
    """Pieces of a gzip file; None where it ends too early."""
    member = None
    data = b""
    while data or (data := stream.read(_CHUNK)):
        if member is None:
            member = zlib.decompressobj(31)
        yield member.decompress(data, _PIECE)
        data = member.unconsumed_tail
        if member.eof:
            data = member.unused_data.lstrip(b"\0")  # padding of tapes and block devices
            member = None
        elif not data and not (data := stream.read(_CHUNK)):
            yield member.flush()
            if not member.eof:
                yield None
            return


def _bzip2_pieces(stream: BinaryIO) -> Iterator[bytes | None]:
    """Pieces of a bzip2 file; None where it ends too early."""
    return _stepwise(stream, bz2.BZ2Decompressor)


def _xz_pieces(stream: BinaryIO) -> Iterator[bytes | None]:
    """Pieces of an xz file; None where it ends too early."""
    return _stepwise(stream, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY))


def _stepwise(
    stream: BinaryIO, make: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor]
) -> Iterator[bytes | None]:
    """Pieces of a file of streams that ``make`` decompresses one each; null bytes may follow them."""
    member = None
    data = b""
    while data or member is not None or (data := stream.read(_CHUNK)):
        if member is None:
            data = data.lstrip(b"\0")
            if not data:
                continue
            member = make()
        if member.needs_input and not data and not (data := stream.read(_CHUNK)):
            yield None
            return
        yield member.decompress(data, _PIECE)
        data = b""
        if member.eof:
            data, member = member.unused_data, None


def _zstd_pieces(stream: BinaryIO) -> Iterator[bytes | None]:
    """Pieces of a Zstandard file; None where it ends too early."""
    zstandard = require("zstandard", extra="formats", purpose="reading Zstandard files")
    frame: Any = None
    data = b""
    while data or (data := stream.read(_ZSTD_STEP)):
        if frame is None:
            frame = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        try:
            piece = frame.decompress(data)
        except zstandard.ZstdError as error:
            raise ValueError(str(error)) from error
        yield piece
        data = b""
        if frame.eof:
            data, frame = frame.unused_data, None
    if frame is not None:
        yield None


_STEPS = {"gzip": _gzip_pieces, "bzip2": _bzip2_pieces, "xz": _xz_pieces, "zstd": _zstd_pieces}


@contextmanager
def compressed_writer(stream: BinaryIO, kind: Compression | None) -> Iterator[BinaryIO]:
    """A stream that compresses what is written to it into ``stream``, which stays open; itself for None.

    The output depends on nothing but the bytes: gzip's header holds neither name nor time.

    Raises
    ------
    InputError
        An unknown compression.
    MissingExtraError
        Zstandard without the library for it.
    """
    with ExitStack() as stack:
        if kind is None:
            yield stream
        elif kind == "gzip":
            yield stack.enter_context(  # type: ignore[misc]
                gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=stream, mtime=0)
            )
        elif kind == "bzip2":
            yield stack.enter_context(bz2.BZ2File(stream, "wb"))  # type: ignore[misc]
        elif kind == "xz":
            yield stack.enter_context(lzma.LZMAFile(stream, "wb"))  # type: ignore[misc]
        elif kind == "zstd":
            zstandard = require("zstandard", extra="formats", purpose="writing Zstandard files")
            yield stack.enter_context(zstandard.ZstdCompressor().stream_writer(stream, closefd=False))
        else:
            raise InputError(f"compression={kind!r}: known are gzip, bzip2, xz, zstd")
