"""The order of a vocabulary: most frequent first, equal counts by ascending bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from wordstock.protocols import IntArray
from wordstock.vocab.vocabulary import ByteArray

__all__ = ["rank_words"]


def rank_words(blob: ByteArray, offsets: IntArray, numbers: IntArray, counts: IntArray | None = None) -> IntArray:
    """``numbers`` of words, sorted by descending count and ascending bytes, or by bytes alone without ``counts``.

    Parameters
    ----------
    blob : uint8, ``offsets`` int64 (n + 1,): the words' bytes.
    numbers : int64 (m,), the words to sort.
    counts : int64 (n,).
    """
    columns: list[npt.NDArray[Any]] = [_prefix(blob, offsets, numbers, 8), _prefix(blob, offsets, numbers, 0)]
    if counts is not None:
        columns.append(-counts[numbers])
    order = np.lexsort(columns)
    equal = np.ones(max(0, len(order) - 1), np.bool_)
    for column in columns:
        equal &= column[order[1:]] == column[order[:-1]]
    ranked = numbers[order]
    _settle(ranked, equal, blob, offsets)
    return ranked


def _prefix(blob: ByteArray, offsets: IntArray, numbers: IntArray, skip: int) -> npt.NDArray[np.uint64]:
    """Bytes ``skip`` to ``skip + 8`` of each word as one big-endian number, zeros past its end."""
    starts, stops = offsets[numbers], offsets[numbers + 1]
    value = np.zeros(len(numbers), np.uint64)
    for i in range(skip, skip + 8):
        inside = starts + i < stops
        byte = np.zeros(len(numbers), np.uint64)
        byte[inside] = blob[starts[inside] + i]
        value = (value << np.uint64(8)) | byte
    return value


def _settle(ranked: IntArray, equal: npt.NDArray[np.bool_], blob: ByteArray, offsets: IntArray) -> None:
    """Sort, in place, each stretch of words whose counts and first sixteen bytes are equal."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], equal, [False])).astype(np.int8)))
    for start, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        stretch = ranked[start : last + 1].tolist()
        stretch.sort(key=lambda number: blob[offsets[number] : offsets[number + 1]].tobytes())
        ranked[start : last + 1] = stretch
