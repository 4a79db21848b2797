"""Which rows of a table each text's vector is made of, and with which share: ``encode`` as a sum, for training."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from wordstock.embeddings.sentence import check_texts
from wordstock.embeddings.unknown import spelled
from wordstock.protocols import FloatArray, IntArray

if TYPE_CHECKING:
    from wordstock.embeddings.table import Embeddings

__all__ = ["TextRows", "text_rows"]


class TextRows(NamedTuple):
    """Rows of all texts, one after the other.

    Before ``common`` and ``unit`` a text's vector is the sum of ``shares * vectors[rows]`` over its rows, plus what
    unknown words add that are spelled from n-grams.

    Parameters
    ----------
    rows : int64 (words,), of the known words alone.
    shares : float32 (words,), the word's weight over the number of words that have a vector.
    bounds : int64 (texts + 1,), where each text's rows start.
    """

    rows: IntArray
    shares: FloatArray
    bounds: IntArray


def text_rows(table: Embeddings, texts: Sequence[str]) -> TextRows:
    """The rows that ``table.encode(texts)`` takes the means of.

    Raises
    ------
    InputError
        An item that is not a str.
    """
    words = [table.tokenize(text) for text in check_texts(texts)]
    text = np.repeat(np.arange(len(words)), np.fromiter(map(len, words), np.int64, len(words)))
    listed = list(chain.from_iterable(words))
    rows = table.lookup.rows(listed, len(listed))
    counted = rows >= 0
    if table.config.unknown == "subword" and table.subwords is not None and table.subword_vectors is not None:
        places = np.flatnonzero(rows < 0)
        counts = spelled([listed[place] for place in places.tolist()], table.subwords, table.subword_vectors)[1]
        counted = counted.copy()
        counted[places] = counts > 0
    totals = np.bincount(text[counted], minlength=len(words))
    known = rows >= 0
    rows, text = rows[known], text[known]
    weights = table.row_weights[rows] if len(table.row_weights) else np.ones(len(rows), np.float32)
    shares: FloatArray = (weights / totals[text]).astype(np.float32)
    return TextRows(rows, shares, np.searchsorted(text, np.arange(len(words) + 1)))
