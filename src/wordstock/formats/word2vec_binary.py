"""word2vec binary: a header line, then a key and raw float32 per row."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wordstock._compression import compressed_writer, compression_of_name
from wordstock._files import atomic_write
from wordstock._paths import user_path
from wordstock._threads import run_slices
from wordstock.embeddings import Embeddings
from wordstock.errors import FormatError, InputError
from wordstock.formats.builder import EncodingErrors, NonFinite, ReadOptions, TableBuilder
from wordstock.formats.textshape import read_header
from wordstock.formats.textwriter import numbered_blocks
from wordstock.formats.window import Progress, Window

__all__ = ["read_word2vec_binary", "unfit_for_binary", "write_word2vec_binary"]

_SMALLEST_SLICE = 1024  # rows worth a thread


def read_word2vec_binary(
    path: Path | str,
    *,
    encoding_errors: EncodingErrors = "strict",
    non_finite: NonFinite = "raise",
    limit: int | None = None,
    progress: Progress | None = None,
) -> Embeddings:
    """Read word2vec binary; plain, gzip, bzip2 or Zstandard.

    Layout: ``rows SP dim LF``, then per row the key's bytes, a space, and ``dim`` little-endian float32. The C tool
    writes a LF after each vector, gensim does not; both are read.

    Parameters
    ----------
    encoding_errors, non_finite, limit, progress : as in ``wordstock.formats.read``.

    Returns
    -------
    A float32 table in memory.

    Raises
    ------
    FormatError
        Not such a file, a damaged one, or fewer rows than the header promises. Bytes beyond those rows are not read,
        with a warning.
    FileNotFoundError
        No such file.
    """
    options = ReadOptions(encoding_errors, non_finite, limit, progress)
    with Window(user_path(path), progress=progress) as window:
        promised, dim = read_header(window)
        builder = TableBuilder(window, dim, 4 * dim + 1, promised, options)
        left, wanted = window.remaining, builder.missing or 0
        if left is not None and wanted * (4 * dim + 1) > left:
            raise _too_few(window, promised, dim, f"{left:,} bytes")
        while builder.missing:
            if not _read_block(window, builder):
                if window.at_end:
                    raise _too_few(window, promised, dim, f"{builder.size:,} rows")
                if window.stop - window.start == window.capacity:
                    raise builder.error(
                        window.start,
                        0,
                        expected=f"a row of at most {window.capacity:,} bytes",
                        found="no space that ends its key",
                        remedy="this is not word2vec binary, or its header is wrong",
                    )
            if builder.missing:
                window.fill()
        if limit is None and _more(window):
            builder.notes.append(f"more bytes than the {promised:,} rows of the header take; the rest was not read")
        return builder.finish()


def _read_block(window: Window, builder: TableBuilder) -> int:
    """Read the whole rows in the window; returns how many."""
    from wordstock.kernels.records import copy_records, scan_records

    width = 4 * builder.dim
    most = (window.stop - window.start) // (width + 1)
    spans = np.empty((min(most, builder.missing or 0), 2), np.int64)
    data = window.data
    count, position = (int(x) for x in scan_records(data, window.start, window.stop, width, spans))
    if count:
        spans = spans[:count]
        rows = builder.room(count).view(np.uint8)
        run_slices(lambda first, last: copy_records(data, spans, first, last, rows), count, smallest=_SMALLEST_SLICE)
        builder.add(spans)
        window.skip(position - window.start)
    return count


def _more(window: Window) -> bool:
    if window.stop - window.start < 2 and not window.at_end:
        window.fill()
    return bytes(window.buffer[window.start : min(window.stop, window.start + 2)]) not in (b"", b"\n")


def _too_few(window: Window, promised: int, dim: int, found: str) -> FormatError:
    return FormatError(
        window.path,
        offset=window.offset + window.stop - window.start,
        expected=f"{promised:,} rows of {dim} float32, as the header says",
        found=found,
        remedy="the file is cut short: fetch it again, or pass limit= to read the first rows only",
    )


def unfit_for_binary(table: Embeddings) -> str | None:
    """Why this table would not read back from word2vec binary as it is; None if it would."""
    blob = table.vocabulary.blob
    for byte, name in ((32, "space"), (10, "newline")):
        if (blob == byte).any():
            key = next(key for key in table.keys if chr(byte) in key)
            return f"key {key!r} holds a {name}, which ends a key there"
    return None


def write_word2vec_binary(table: Embeddings, path: Path | str, *, newline: bool = False) -> None:
    """Write word2vec binary, compressed where the name ends in .gz, .bz2, .xz or .zst; atomically.

    Parameters
    ----------
    newline : end each vector with LF as the C tool does; without, the bytes are those that gensim writes.

    Raises
    ------
    InputError
        A key with a space or a newline.
    StorageError
        The file cannot be written; whatever stood there before is untouched.
    """
    path = user_path(path)
    if (problem := unfit_for_binary(table)) is not None:
        raise InputError(f"cannot write {path}: {problem}; save the native format, which holds any key")
    _, compression = compression_of_name(path)
    end = b"\n" if newline else b""
    with atomic_write(path) as stream, compressed_writer(stream, compression) as out:
        out.write(f"{len(table)} {table.dim}\n".encode())
        for _, keys, vectors in numbered_blocks(table):
            raw = np.ascontiguousarray(vectors, "<f4").data.cast("B")
            width = 4 * table.dim
            pieces = (
                piece
                for i, key in enumerate(keys)
                for piece in (key.encode(), b" ", raw[i * width : (i + 1) * width], end)
            )
            out.write(b"".join(pieces))
