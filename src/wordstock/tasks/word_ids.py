"""Numbers of words for neural networks, the same for every framework.

0 is padding, 1 a word that the table lacks, and 2 + r a word whose vector is row r of the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np

from wordstock.embeddings import Embeddings
from wordstock.errors import InputError
from wordstock.protocols import FloatArray, IntArray

__all__ = ["FIRST", "PADDING", "UNKNOWN", "Sentence", "Unknown", "WordIds", "check_ids", "unknown_vector"]

PADDING, UNKNOWN, FIRST = 0, 1, 2

Unknown = Literal["auto", "zero", "mean", "raise", "subword"]


class Sentence(NamedTuple):
    """One sentence in numbers; what it says of n-grams is empty unless unknown words are spelled.

    Parameters
    ----------
    ids : int64 (n_words,). The k-th unknown word that is spelled has the number ``WordIds.size + k``.
    grams : int64 (n_grams,), rows of the n-grams of those words.
    bounds : int64 (n_spelled,), where the n-grams of each begin in ``grams``.
    """

    ids: IntArray
    grams: IntArray
    bounds: IntArray


_NONE = np.empty(0, np.int64)


@dataclass(frozen=True)
class WordIds:
    """Words of a table to numbers and back.

    Parameters
    ----------
    table : whose words these are.
    unknown : what a word that the table lacks becomes. "zero" and "mean": the number 1, whose vector starts as zeros
        or as the mean of all rows. "raise": an UnknownWordError. "subword": the mean of its n-grams' vectors, where
        the table has n-grams; without any it is the number 1, zeros. "auto" is "subword" for a table with n-grams and
        "zero" for others, as ``Embeddings.encode_words`` does.

    Raises
    ------
    InputError
        An unknown policy, "subword" for a table without n-grams, or a table without vectors.
    """

    table: Embeddings
    unknown: Unknown = "auto"

    def __post_init__(self) -> None:
        if self.unknown not in get_args(Unknown):
            raise InputError(f"unknown={self.unknown!r}: known are {', '.join(map(repr, get_args(Unknown)))}")
        if self.unknown == "subword" and self.table.subwords is None:
            raise InputError(
                "unknown='subword' needs a table with n-gram vectors, as fastText trains them; "
                "this one has none: use unknown='zero' or 'mean'"
            )
        if not len(self.table.storage):
            raise InputError("the table holds no vectors; a layer needs at least one")

    @property
    def size(self) -> int:
        """Numbers in use: all of a table's are below this."""
        return FIRST + len(self.table.storage)

    @property
    def spells(self) -> bool:
        """Whether unknown words get vectors of their n-grams."""
        return self.table.subwords is not None and self.unknown in ("auto", "subword")

    def ids(self, sentence: str | Sequence[str]) -> IntArray:
        """Numbers of the words of a text, or of a list of words, int64 (n_words,).

        Raises
        ------
        UnknownWordError
            A word that the table lacks, with ``unknown="raise"``.
        InputError
            A word that is not a str.
        """
        return self._numbers(self.table.words(sentence))

    def _numbers(self, words: list[str]) -> IntArray:
        rows = self.table.lookup.rows(words, len(words))
        if self.unknown == "raise" and (rows < 0).any():
            self.table.vocabulary.require(words[int(np.argmax(rows < 0))], hint="unknown='zero' gives zeros")
        return np.where(rows < 0, UNKNOWN, rows + FIRST)

    def sentences(self, sentences: Iterable[str | Sequence[str]]) -> list[Sentence]:
        """Texts, or lists of words, in numbers, with the n-grams of unknown words where those are spelled.

        Raises
        ------
        UnknownWordError
            As ``ids``.
        InputError
            A str instead of a list of sentences, or a word that is not a str.
        """
        if isinstance(sentences, str):
            raise InputError("expected a list of sentences; for one sentence pass a list with it")
        return list(map(self._sentence, sentences))

    def _sentence(self, sentence: str | Sequence[str]) -> Sentence:
        words = self.table.words(sentence)
        ids = self._numbers(words)
        if not self.spells or not (ids == UNKNOWN).any():
            return Sentence(ids, _NONE, _NONE)
        return self._spelled(words, ids)

    def _spelled(self, words: list[str], ids: IntArray) -> Sentence:
        if self.table.subwords is None:
            raise InputError("the table has no n-grams")
        places = np.flatnonzero(ids == UNKNOWN)
        numbers: dict[str, int] = {}
        order = np.array([numbers.setdefault(words[place], len(numbers)) for place in places.tolist()], np.int64)
        grams, bounds = self.table.subwords.rows_of(list(numbers))
        kept = grams >= 0  # a bucket without a vector counts for nothing
        counts = np.diff(np.concatenate([[0], np.cumsum(kept)])[bounds])
        spelled = counts > 0
        own = np.where(spelled, self.size + np.cumsum(spelled) - 1, UNKNOWN)
        ids[places] = own[order]
        starts = np.cumsum(counts) - counts
        return Sentence(ids, grams[kept], starts[spelled])


def unknown_vector(table: Embeddings, unknown: Unknown) -> FloatArray:
    """What the number 1 starts as, float32 (dim,)."""
    if unknown != "mean":
        return np.zeros(table.dim, np.float32)
    total = np.zeros(table.dim)
    for _, block in table.storage.blocks():
        total += block.sum(axis=0, dtype=np.float64)
    return (total / len(table.storage)).astype(np.float32)


def check_ids(lowest: int, highest: int, size: int) -> None:
    """Refuse numbers that no word of the layer has.

    Raises
    ------
    InputError
        Says which number, and how many the layer has.
    """
    if lowest < 0 or highest >= size:
        raise InputError(
            f"the id {lowest if lowest < 0 else highest} is out of range: this layer has ids 0 to {size - 1}; "
            "make ids with the layer of the same table"
        )
