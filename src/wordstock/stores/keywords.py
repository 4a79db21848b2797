"""BM25 beside a store that has none of its own: over all its texts, held in memory, with Milvus' formula.

Robertson et al. 1994 with the logarithm of Lucene, k1 1.2 and b 0.75, over lower-case words: what Milvus' BM25 function
computes with its standard analyser, so that a store gives the same ranking wherever it is.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from wordstock._optional import require
from wordstock.protocols import Filter, Hit, Store

__all__ = ["KeywordIndex", "words"]

_K1, _B = 1.2, 0.75
_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words that BM25 counts."""
    return _WORD.findall(text.lower())


class KeywordIndex:
    """The texts of a store, by their words.

    Parameters
    ----------
    store : read once, when this is made.

    Raises
    ------
    MissingExtraError
        bm25s is not installed.
    """

    def __init__(self, store: Store) -> None:
        bm25s = require("bm25s", extra="stores", purpose="keyword search beside this store")
        if (told := logging.getLogger("bm25s")).level == logging.DEBUG:  # its own choice: it would tell every step
            told.setLevel(logging.WARNING)
        self._store = store
        self.ids: list[str] = []
        self._numbers: dict[str, int] = {}
        documents: list[list[int]] = []
        for row in store.rows():
            self.ids.append(row.id)
            documents.append([self._numbers.setdefault(word, len(self._numbers)) for word in words(row.text)])
        self._index: Any = None
        if self._numbers:
            self._index = bm25s.BM25(method="lucene", k1=_K1, b=_B)
            vocabulary = {str(number): number for number in self._numbers.values()}
            corpus = bm25s.tokenization.Tokenized(ids=documents, vocab=vocabulary)
            self._index.index(corpus, create_empty_token=False, show_progress=False)

    def search(self, texts: Sequence[str], k: int, *, where: Filter | None = None) -> list[list[Hit]]:
        """The k best rows for each text, equal scores in the order of the rows; without text or metadata."""
        kept = None
        if where is not None:
            allowed = {row.id for row in self._store.rows(where=where)}
            kept = np.array([name in allowed for name in self.ids], bool)
        return [self._best(text, k, kept) for text in texts]

    def _best(self, text: str, k: int, kept: Any) -> list[Hit]:
        asked = [self._numbers[word] for word in words(text) if word in self._numbers]
        if not asked or self._index is None:
            return []
        scores = self._index.get_scores_from_ids(asked) * (_K1 + 1)  # a factor that Lucene leaves out and Milvus has
        if kept is not None:
            scores = np.where(kept, scores, 0)
        found = np.flatnonzero(scores > 0)
        if len(found) > k:
            limit = np.partition(scores[found], len(found) - k)[len(found) - k]
            found = found[scores[found] >= limit]
        order = found[np.argsort(-scores[found], kind="stable")][:k]
        return [Hit(self.ids[row], float(scores[row])) for row in order.tolist()]
