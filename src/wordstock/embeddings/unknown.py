"""Vectors of words that a table does not have, from the n-grams that it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from wordstock._threads import run_slices
from wordstock.errors import WordstockError
from wordstock.protocols import FloatArray, IntArray
from wordstock.vocab import Subwords

if TYPE_CHECKING:
    from wordstock.embeddings.table import Embeddings

__all__ = ["SpellWords", "add_unknown", "spelled", "spelled_by"]

SpellWords = Callable[[Sequence[str]], tuple[FloatArray, IntArray]]

_SMALLEST = 512  # words or texts that are worth a thread


def spelled(words: Sequence[str], subwords: Subwords, ngram_vectors: FloatArray) -> tuple[FloatArray, IntArray]:
    """The mean of each word's n-gram vectors, as fastText has it.

    Returns
    -------
    float32 (n, dim), zeros for a word without any such n-gram; and int64 (n,), how many each word has.
    """
    rows, bounds = subwords.rows_of(words)
    out = np.empty((len(words), ngram_vectors.shape[1]), np.float32)
    _means(ngram_vectors, rows, bounds, out)
    return out, _counted(rows >= 0, bounds)


def spelled_by(table: Embeddings, words: Sequence[str]) -> tuple[FloatArray, IntArray]:
    """``spelled`` with a table's own n-grams.

    Raises
    ------
    WordstockError
        A table that has none.
    """
    if table.subwords is None or table.subword_vectors is None:
        raise WordstockError("a table with subword settings lacks their vectors")
    return spelled(words, table.subwords, table.subword_vectors)


def add_unknown(words: Sequence[str], rows: IntArray, bounds: IntArray, spell: SpellWords, out: FloatArray) -> IntArray:
    """Count unknown words into the means of their texts, with weight 1: that of a word that the corpus never has.

    Parameters
    ----------
    words : of all texts, text t's being ``words[bounds[t]:bounds[t + 1]]``.
    rows : int64 (words,), -1 for the unknown ones.
    spell : gives their vectors and how many n-grams each is made of.
    out : float32 (texts, dim), the means over the known words; changed.

    Returns
    -------
    ``rows`` with numbers from 0 on for the unknown words that have a vector, and -1 for all others.
    """
    numbers: dict[str, int] = {}
    found = np.full(len(rows), -1, np.int64)
    places = np.flatnonzero(rows < 0)
    found[places] = [numbers.setdefault(words[place], len(numbers)) for place in places.tolist()]
    vectors, counts = spell(list(numbers))
    found[places] = np.where(counts[found[places]] > 0, found[places], -1)
    more = np.empty_like(out)
    _means(vectors, found, bounds, more)
    before, added = _counted(rows >= 0, bounds), _counted(found >= 0, bounds)
    total = np.maximum(before + added, 1)
    out *= (before / total).astype(np.float32)[:, None]
    out += more * (added / total).astype(np.float32)[:, None]
    return found


def _counted(flags: npt.NDArray[np.bool_], bounds: IntArray) -> IntArray:
    """How many flags are set between each two bounds."""
    total = np.concatenate([[0], np.cumsum(flags)])
    counts: IntArray = total[bounds[1:]] - total[bounds[:-1]]
    return counts


def _means(vectors: FloatArray, rows: IntArray, bounds: IntArray, out: FloatArray) -> None:
    from wordstock.kernels.pool import pool_rows

    none = np.empty(0, np.float32)
    run_slices(
        lambda first, last: pool_rows(vectors, none, rows, none, bounds, first, last, out),
        len(out),
        smallest=_SMALLEST,
    )
