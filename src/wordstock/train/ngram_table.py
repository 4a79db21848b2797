"""The growing table of the words and labels of labelled lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from wordstock.kernels.labelledlines import Entries, fold_entries, hash_entries, place_entries, read_lines
from wordstock.protocols import IntArray
from wordstock.train.corpus import IdArray
from wordstock.train.ngram_start import Bytes

__all__ = ["LINE_END_TOKEN", "EntryTable", "packed"]

LINE_END_TOKEN = b"</s>"
_BYTES_AN_ENTRY = 12  # room for text at first


def packed(words: Sequence[bytes]) -> tuple[Bytes, IntArray]:
    """Words one after the other, uint8, and where each starts, int64 (words + 1,)."""
    offsets = np.zeros(len(words) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, words), np.int64, len(words)), out=offsets[1:])
    return np.frombuffer(b"".join(words), np.uint8), offsets


class EntryTable:
    """Words and labels with counts, in the order of first sight; ``</s>`` is number 0."""

    def __init__(self, capacity: int = 1 << 14) -> None:
        self.arrays = Entries(
            slots=np.full(1 << (2 * capacity - 1).bit_length(), -1, np.int32),
            hashes=np.zeros(capacity, np.uint32),
            kinds=np.zeros(capacity, np.uint8),
            offsets=np.zeros(capacity + 1, np.int64),
            counts=np.zeros(capacity, np.int64),
            blob=np.empty(capacity * _BYTES_AN_ENTRY, np.uint8),
            state=np.zeros(1, np.int64),
        )
        self.add([LINE_END_TOKEN], np.zeros(1, np.int64))

    def __len__(self) -> int:
        return int(self.arrays.state[0])

    def number(self, data: Bytes) -> IdArray:
        """Entries of the tokens of whole lines, uint8 with a newline at the end; 0 after each line, int32."""
        ids = np.empty(len(data), np.int32)
        position = written = 0
        while True:
            position, written = read_lines(data, position, len(data), self.arrays, ids, written)
            if position == len(data):
                return ids[:written].copy()
            self._grow()

    def add(self, words: Sequence[bytes], counts: IntArray, *, label: bool = False) -> IdArray:
        """Add words with their counts; the number of each, int32."""
        blob, offsets = packed(words)
        return self.add_packed(blob, offsets, counts, label=label)

    def add_packed(self, blob: Bytes, offsets: IntArray, counts: IntArray, *, label: bool = False) -> IdArray:
        """As ``add``, word i being ``blob[offsets[i]:offsets[i + 1]]``."""
        size = len(counts)
        hashes = np.empty(size, np.uint32)
        hash_entries(blob, offsets, hashes)
        kinds = np.full(size, label, np.uint8)
        return self._fold(
            Entries(np.empty(0, np.int32), hashes, kinds, offsets, counts, blob, np.array([size], np.int64))
        )

    def fold(self, other: EntryTable) -> IdArray:
        """Add the entries of another table with their counts; the number here of each of them, int32."""
        return self._fold(other.arrays)

    def _fold(self, other: Entries) -> IdArray:
        numbers = np.empty(int(other.state[0]), np.int32)
        done = 0
        while (done := fold_entries(other, self.arrays, numbers, done)) < len(numbers):
            self._grow()
        return numbers

    def _grow(self) -> None:
        """Double what is used up: the text if there are places for entries left, else the places."""
        arrays = self.arrays
        if arrays.state[0] < len(arrays.counts):
            self.arrays = arrays._replace(blob=_doubled(arrays.blob, 2 * len(arrays.blob)))
            return
        size = 2 * len(arrays.counts)
        wider = {name: _doubled(getattr(arrays, name), size) for name in ("hashes", "kinds", "counts")}
        slots = np.full(2 * len(arrays.slots), -1, np.int32)
        place_entries(arrays.hashes, len(self), slots)
        self.arrays = arrays._replace(slots=slots, offsets=_doubled(arrays.offsets, size + 1), **wider)


def _doubled(array: npt.NDArray[np.generic], size: int) -> npt.NDArray[np.generic]:
    longer = np.zeros(size, array.dtype)
    longer[: len(array)] = array
    return longer
