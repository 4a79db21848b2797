"""Write a classifier as fastText's own ``.bin``, version 12; the layout is in ``fasttext_file``."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wordstock._files import atomic_write
from wordstock.formats.fasttext_file import MAGIC, Settings
from wordstock.protocols import FloatArray, IntArray

__all__ = ["write_fasttext_classifier"]

_VERSION = 12
_BLOCK = 1 << 14  # rows written at once


def write_fasttext_classifier(
    path: Path | str,
    settings: Settings,
    blob: npt.NDArray[np.uint8],
    offsets: IntArray,
    counts: IntArray,
    n_words: int,
    tokens: int,
    rows: FloatArray,
    stored: npt.NDArray[np.int32],
    outputs: FloatArray,
) -> None:
    """Write the file, atomically. Buckets without a row are zeros, and holes in the file where the disk knows them.

    Parameters
    ----------
    blob, offsets, counts : the entries, words and then labels; ``n_words`` of them are words.
    tokens : of the training text.
    rows : float32 (n_words + stored, dim), those of words and then of the buckets in ``stored``.
    outputs : float32 (labels or nodes, dim).

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    size, dim = len(counts), settings.dim
    buckets, order = settings.buckets, np.argsort(stored)
    with atomic_write(path) as stream:
        s = settings
        stream.write(struct.pack("<2i", MAGIC, _VERSION))
        stream.write(
            struct.pack(
                "<12id", s.dim, s.window, s.epochs, s.min_count, s.negative, s.word_ngrams, s.loss, s.algorithm,
                s.buckets, s.min_n, s.max_n, s.rate_steps, s.subsample,
            )
        )  # fmt: skip
        stream.write(struct.pack("<3i2q", size, n_words, size - n_words, tokens, -1))
        stream.writelines(_entries(blob, offsets, counts, n_words))
        stream.write(struct.pack("<B2q", 0, n_words + buckets, dim))
        start = stream.tell()
        _write_rows(stream, rows[:n_words])
        for first in range(0, len(order), _BLOCK):
            part = order[first : first + _BLOCK]
            for run in np.split(part, np.flatnonzero(np.diff(stored[part]) > 1) + 1):
                stream.seek(start + 4 * dim * (n_words + int(stored[run[0]])))
                stream.write(np.ascontiguousarray(rows[n_words + run], "<f4").data)
        stream.seek(start + 4 * dim * (n_words + buckets))
        stream.write(struct.pack("<B2q", 0, len(outputs), dim))
        _write_rows(stream, outputs)


def _entries(blob: npt.NDArray[np.uint8], offsets: IntArray, counts: IntArray, n_words: int) -> Iterator[bytes]:
    text, bounds = blob.tobytes(), offsets.tolist()
    for number, count in enumerate(counts.tolist()):
        yield text[bounds[number] : bounds[number + 1]] + struct.pack("<Bqb", 0, count, number >= n_words)


def _write_rows(stream: object, rows: FloatArray) -> None:
    for first in range(0, len(rows), _BLOCK):
        stream.write(np.ascontiguousarray(rows[first : first + _BLOCK], "<f4").data)  # type: ignore[attr-defined]
