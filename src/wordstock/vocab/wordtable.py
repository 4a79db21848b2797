"""A growing table that numbers words as they are first seen and counts them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from wordstock._mapped import mapped_zeros
from wordstock.kernels.wordtable import PADDING, WordArrays, eights, fold_words, place_words, split_words
from wordstock.protocols import IntArray
from wordstock.vocab.batches import Batch
from wordstock.vocab.folding import Folded, Workspace
from wordstock.vocab.key_block import ByteArray

__all__ = ["IdArray", "WordTable"]

IdArray = npt.NDArray[np.int32]
_BYTES_A_WORD = 12  # room for text at first; doubled where words are longer


class WordTable:
    """Words with counts, numbered in the order of first sight; memory at most doubles at each growth.

    Parameters
    ----------
    capacity : words there is room for at first.
    """

    __slots__ = ("arrays",)

    def __init__(self, capacity: int = 1 << 14) -> None:
        capacity = max(4, capacity)
        blob = mapped_zeros(capacity * _BYTES_A_WORD + PADDING, np.uint8)
        self.arrays = WordArrays(
            slots=mapped_zeros(2 << (2 * capacity - 1).bit_length(), np.uint64),
            offsets=mapped_zeros(capacity + 1, np.int64),
            counts=mapped_zeros(capacity, np.int64),
            blob=blob,
            parts=eights(blob),
            state=np.zeros(1, np.int64),
        )

    @classmethod
    def from_words(cls, blob: ByteArray, offsets: IntArray, counts: IntArray) -> WordTable:
        """A table that holds these unique words, with their places in the list as numbers."""
        table = cls(len(counts))
        padded = np.concatenate([blob, np.zeros(PADDING, np.uint8)])
        size = np.array([len(counts)], np.int64)
        table._fold(WordArrays(np.empty(0, np.uint64), offsets, counts, padded, eights(padded), size))
        return table

    def __len__(self) -> int:
        return int(self.arrays.state[0])

    @property
    def nbytes(self) -> int:
        """Bytes that the arrays take."""
        return sum(array.nbytes for array in self.arrays if array is not self.arrays.parts)

    @property
    def offsets(self) -> IntArray:
        """Where each word starts in ``blob``, int64 (size + 1,)."""
        offsets: IntArray = self.arrays.offsets[: len(self) + 1]
        return offsets

    @property
    def counts(self) -> IntArray:
        """How often each word was seen, int64 (size,)."""
        counts: IntArray = self.arrays.counts[: len(self)]
        return counts

    @property
    def blob(self) -> ByteArray:
        """The words' bytes, uint8."""
        blob: ByteArray = self.arrays.blob
        return blob

    def word(self, number: int) -> str:
        """The word with this number."""
        offsets = self.arrays.offsets
        return self.arrays.blob[offsets[number] : offsets[number + 1]].tobytes().decode()

    def number(self, batch: Batch, workspace: Workspace) -> IdArray:
        """Number the words of a batch: int32, -1 after each sentence that has words."""
        folded = workspace.fold(batch)
        room = mapped_zeros(folded.size + 1, np.int32)
        return room[: self.write(folded, workspace, room)]

    def write(self, folded: Folded, workspace: Workspace, room: IdArray) -> int:
        """Number the words of a batch that ``workspace`` folded.

        Parameters
        ----------
        room : int32, one element more than the batch has bytes at least; the ids are written to its front.

        Returns
        -------
        How many ids there are.
        """
        from wordstock.kernels.tokenize import tokenize

        text, words, masks, size, rules = folded
        found = workspace.found
        position = written = 0
        while True:
            if rules is None:
                position, written = split_words(text, words, size, position, found, self.arrays, room, written)
            else:
                position, written = tokenize(
                    text, words, masks, size, position, rules, found, self.arrays, room, written
                )
            if position == size:
                return int(written)
            self._grow()

    def fold(self, other: WordTable) -> IdArray:
        """Add the words and counts of another table; the number here of each of its words, int32."""
        return self._fold(other.arrays)

    def _fold(self, other: WordArrays) -> IdArray:
        numbers = np.empty(int(other.state[0]), np.int32)
        done = 0
        while (done := fold_words(other, self.arrays, numbers, done)) < len(numbers):
            self._grow()
        return numbers

    def _grow(self) -> None:
        """Double what is used up: the text if there are places for words left, else the places."""
        slots, offsets, counts, blob, _, state = self.arrays
        if state[0] < len(counts):
            blob = _doubled(blob, 2 * len(blob))
            self.arrays = self.arrays._replace(blob=blob, parts=eights(blob))
            return
        wider = mapped_zeros(2 * len(slots), np.uint64)
        place_words(slots, wider)
        self.arrays = self.arrays._replace(
            slots=wider,
            offsets=_doubled(offsets, 2 * len(counts) + 1),
            counts=_doubled(counts, 2 * len(counts)),
        )


def _doubled(array: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    longer = mapped_zeros(size, array.dtype)
    longer[: len(array)] = array
    return longer
