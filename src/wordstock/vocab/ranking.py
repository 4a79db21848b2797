"""The order of a vocabulary: most frequent first, equal counts by ascending bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from wordstock.kernels.wordtable import eights
from wordstock.protocols import IntArray
from wordstock.vocab.key_block import ByteArray

__all__ = ["rank_words"]

_HIGHEST = (1 << 24) - 1  # counts up to this one are told apart at once


def rank_words(blob: ByteArray, offsets: IntArray, numbers: IntArray, counts: IntArray | None = None) -> IntArray:
    """``numbers`` of words, sorted by descending count and ascending bytes, or by bytes alone without ``counts``.

    Parameters
    ----------
    blob : uint8, ``offsets`` int64 (n + 1,): the words' bytes.
    numbers : int64 (m,), the words to sort.
    counts : int64 (n,).
    """
    heads = _eight(blob, offsets, numbers, 0)
    if counts is None:
        first = heads
    else:  # the count, rarest last, above the first five bytes
        first = (np.uint64(_HIGHEST) - np.minimum(counts[numbers], _HIGHEST).astype(np.uint64)) << np.uint64(40)
        first |= heads >> np.uint64(24)
    order = np.argsort(first)
    tied = np.zeros(len(order) + 1, np.bool_)
    tied[1:-1] = first[order[1:]] == first[order[:-1]]
    places = np.flatnonzero(tied[1:] | tied[:-1])
    among = order[places]
    columns: list[npt.NDArray[Any]] = [_eight(blob, offsets, numbers[among], 8), heads[among]]
    if counts is not None:
        columns.append(-counts[numbers[among]])
    among = among[np.lexsort([*columns, first[among]])]
    order[places] = among
    ranked = numbers[order]
    _settle(ranked, _alike(blob, offsets, ranked, counts), blob, offsets)
    return ranked


def _alike(blob: ByteArray, offsets: IntArray, ranked: IntArray, counts: IntArray | None) -> npt.NDArray[np.bool_]:
    """Whether each word has the count and the first sixteen bytes of the one after it, bool (n - 1,)."""
    columns: list[npt.NDArray[Any]] = [_eight(blob, offsets, ranked, 0), _eight(blob, offsets, ranked, 8)]
    if counts is not None:
        columns.append(counts[ranked])
    equal = np.ones(max(0, len(ranked) - 1), np.bool_)
    for column in columns:
        equal &= column[1:] == column[:-1]
    return equal


def _eight(blob: ByteArray, offsets: IntArray, numbers: IntArray, skip: int) -> npt.NDArray[np.uint64]:
    """Bytes ``skip`` to ``skip + 8`` of each word as one big-endian number, zeros past its end."""
    starts, stops = offsets[numbers] + skip, offsets[numbers + 1]
    words = eights(np.concatenate([blob, np.zeros(8, np.uint8)]))
    value = words[np.minimum(starts, len(blob))].byteswap()
    missing = (np.clip(8 - (stops - starts), 0, 8) * 8).astype(np.uint64)
    # A shift by 64 bits would leave the number as it is, so it comes in two steps.
    half = missing >> np.uint64(1)
    eight: npt.NDArray[np.uint64] = value >> half >> half << half << half
    return eight


def _settle(ranked: IntArray, equal: npt.NDArray[np.bool_], blob: ByteArray, offsets: IntArray) -> None:
    """Sort, in place, each stretch of words whose counts and first sixteen bytes are equal."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], equal, [False])).astype(np.int8)))
    for start, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        stretch = ranked[start : last + 1].tolist()
        stretch.sort(key=lambda number: blob[offsets[number] : offsets[number + 1]].tobytes())
        ranked[start : last + 1] = stretch
