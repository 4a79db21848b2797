"""Sequences that are ids from the start, such as walks over a graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from wordstock.errors import InputError
from wordstock.protocols import IntArray
from wordstock.vocab.key_block import take_keys
from wordstock.vocab.numbering import Numbered, WordList, nothing_left, top_word
from wordstock.vocab.ranking import rank_words
from wordstock.vocab.vocabulary import Vocabulary
from wordstock.vocab.wordtable import IdArray

__all__ = ["IdSource", "KeyedIds"]


@runtime_checkable
class IdSource(Protocol):
    """Sequences of ids with a key for every id."""

    @property
    def keys(self) -> Sequence[str]:
        """The unique key of every id."""
        ...

    def id_blocks(self) -> Iterator[IdArray]:
        """Blocks of whole sequences, int32, -1 after each sequence."""
        ...


class KeyedIds:
    """Counts the ids of a source; stands where ``Numbering`` stands for words.

    Raises
    ------
    InputError
        Keys that are not unique str.
    """

    def __init__(self, source: IdSource) -> None:
        self._source = source
        self._vocabulary = Vocabulary.from_keys(source.keys)
        self._counts: IntArray = np.zeros(len(self._vocabulary), np.int64)

    def number(self) -> Iterator[Numbered]:
        """The blocks of the source.

        Raises
        ------
        InputError
            An id without a key, or a block that does not end with -1.
        """
        size = len(self._counts)
        for block in self._source.id_blocks():
            ids = np.ascontiguousarray(block, np.int32)
            if not len(ids):
                continue
            low, high = int(ids.min()), int(ids.max())
            if low < -1 or high >= size or ids[-1] != -1:
                raise InputError(
                    f"a block of ids runs from {low} to {high} and ends with {ids[-1]}; needs ids from 0 to {size - 1} "
                    "and -1 after each sequence"
                )
            self._counts += np.bincount(ids[ids >= 0], minlength=size)
            yield Numbered(ids, 0)

    def words(self, *, min_count: int, max_size: int | None = None) -> WordList:
        """See ``Numbering.words``.

        Raises
        ------
        InputError
            No id was seen, or none often enough.
        """
        counts, blob, offsets = self._counts, self._vocabulary.blob, self._vocabulary.offsets
        top = top_word(blob, offsets, counts)
        if top is None:
            raise InputError("there is not one sequence with an item in it")
        if top.times < min_count:
            raise nothing_left(min_count, top)
        order = rank_words(blob, offsets, np.flatnonzero(counts >= min_count), counts)[:max_size]
        places = np.full(len(counts), -1, np.int32)
        places[order] = np.arange(len(order), dtype=np.int32)
        return WordList(*take_keys(blob, offsets, order), counts[order], [places])
