"""Write rows of text whose numbers read back as the same float32."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from wordstock._compression import compressed_writer, compression_of_name
from wordstock._files import atomic_write
from wordstock.embeddings import Embeddings
from wordstock.errors import InputError
from wordstock.formats.textshape import SAMPLE, dim_is_clear, number
from wordstock.protocols import FloatArray

__all__ = ["numbered_blocks", "unfit_for_text", "write_text"]

_BLOCK_ROWS = 8192
_BLOCK_NUMBERS = 1 << 21


def write_text(table: Embeddings, path: Path, *, header: bool) -> None:
    """Write one line per key; see ``write_word2vec_text`` and ``write_glove``.

    Raises
    ------
    InputError
        Keys that the format cannot hold.
    StorageError
        The file cannot be written.
    """
    if (problem := unfit_for_text(table, header=header)) is not None:
        raise InputError(f"cannot write {path}: {problem}; save the native format, which holds any key")
    _, compression = compression_of_name(path)
    with atomic_write(path) as stream, compressed_writer(stream, compression) as out:
        if header:
            out.write(f"{len(table)} {table.dim}\n".encode())
        for _, keys, vectors in numbered_blocks(table):
            out.write(_lines(keys, vectors))


def numbered_blocks(table: Embeddings) -> Iterator[tuple[int, list[str], FloatArray]]:
    """(first number, keys, float32 vectors) over the whole table, some thousand keys at a time."""
    rows = table.vocabulary.rows
    step = max(1, min(_BLOCK_ROWS, _BLOCK_NUMBERS // max(1, table.dim)))
    for start in range(0, len(table), step):
        stop = min(start + step, len(table))
        vectors = table.storage.block(start, stop) if rows is None else table.storage.take(rows[start:stop])
        yield start, table.keys[start:stop], vectors


def _lines(keys: list[str], vectors: FloatArray) -> bytes:
    import polars as pl

    columns = {"": pl.Series(keys, dtype=pl.String)}
    columns |= {str(i): pl.Series(np.ascontiguousarray(vectors[:, i])) for i in range(vectors.shape[1])}
    buffer = io.BytesIO()
    pl.DataFrame(columns).write_csv(
        buffer, include_header=False, include_bom=False, separator=" ", line_terminator="\n", quote_style="never"
    )
    return buffer.getvalue()


def unfit_for_text(table: Embeddings, *, header: bool) -> str | None:
    """Why this table would not read back from text as it is; None if it would."""
    blob = table.vocabulary.blob
    if (blob == 10).any():
        return f"key {next(key for key in table.keys if chr(10) in key)!r} holds a newline, which ends a row of text"
    if ((blob == 32) | (blob == 9)).any():
        for key in table.keys:
            if _ends_in_decimal(key):
                return f"the last word of key {key!r} is a decimal number, which a reader takes for a column too many"
    if not header and not len(table):
        return "an empty table needs a header, or its dimension is lost"
    if not header and table.keys[0].startswith("\ufeff"):
        return f"key {table.keys[0]!r} starts with U+FEFF, which is stripped at the start of a file"
    if len(table) and not dim_is_clear(table.keys[:SAMPLE], table.dim, header=header):
        return f"keys such as {table.keys[0]!r} end in numbers, which makes the dimension ambiguous"
    return None


def _ends_in_decimal(key: str) -> bool:
    words = key.replace("\t", " ").split(" ")
    last = words[-1]
    if len(words) < 2 or not any(mark in last for mark in ".eE"):
        return False
    try:
        number(last.encode())
    except ValueError:
        return False
    return True
