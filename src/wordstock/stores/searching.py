"""How a question becomes hits: by the vectors of a store, by the words of its texts, or by both."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

import numpy as np

from wordstock.embeddings import Embeddings
from wordstock.errors import InputError
from wordstock.protocols import Encoder, Filter, FloatArray, Hit
from wordstock.stores.adding import is_word
from wordstock.stores.checking import check_encoded, lowest_score
from wordstock.stores.filters import fields_of, parse
from wordstock.stores.fusion import Fusion, fuse
from wordstock.stores.keywords import KeywordIndex
from wordstock.stores.milvus import MilvusStore
from wordstock.stores.opening import AnyStore

__all__ = ["DEPTH", "Mode", "Question", "TextSearch", "asked", "check_fields"]

Mode = Literal["vector", "keyword", "hybrid"]

DEPTH = 50  # candidates of each ranking that are fused or read by a reranker, at least


class Question(NamedTuple):
    """What is looked for: texts, or vectors float32 (n, dim); ``single`` where it was one of them."""

    texts: list[str] | None
    vectors: FloatArray | None
    single: bool


def asked(query: Any) -> Question:
    """A query as a user gives it.

    Raises
    ------
    InputError
        Neither texts nor numbers.
    """
    if isinstance(query, str):
        return Question([query], None, single=True)
    if isinstance(query, np.ndarray) and query.dtype.kind in "fiu":
        return Question(None, np.atleast_2d(np.asarray(query, np.float32)), single=query.ndim == 1)
    texts = list(query) if isinstance(query, Iterable) else [query]
    if not all(isinstance(text, str) for text in texts):
        raise InputError(f"a query is a text, several texts, or an array of numbers; not {query!r:.80}")
    return Question(texts, None, single=False)


class TextSearch:
    """Search in one store after the other; keeps what it has read of its texts until they change."""

    def __init__(self) -> None:
        self._version = 0
        self._keywords: tuple[tuple[int, int], KeywordIndex] | None = None
        self._of_words: bool | None = None

    def changed(self) -> None:
        """Rows were added or deleted, or the store is another one."""
        self._version += 1
        self._of_words = None

    def find(
        self,
        store: AnyStore,
        encoder: Callable[[], Encoder],
        question: Question,
        k: int,
        where: Filter | None,
        mode: Mode,
        fusion: Fusion,
    ) -> list[list[Hit]]:
        """The k best rows for each text or vector.

        Raises
        ------
        InputError
            A text without a word that the encoder knows, where it is looked for by vectors alone.
        """
        texts, vectors, _ = question
        if texts is None:
            return [] if vectors is None else store.search(vectors, k, where=where)
        if mode == "vector":
            return store.search(self._encode(store, encoder(), texts), k, where=where)
        if mode == "keyword":
            return _filled(store, self._by_keywords(store, texts, k, where))
        depth = max(DEPTH, 2 * k)
        if isinstance(store, MilvusStore):
            depth = max(k, min(depth, store.most_hits))
        by_vector: list[list[Hit]] = [[] for _ in texts]
        encoded = self._encode(store, encoder(), texts, zero_allowed=True)
        known = np.flatnonzero(encoded.any(axis=1))
        for place, hits in zip(known.tolist(), store.search(encoded[known], depth, where=where), strict=True):
            by_vector[place] = hits
        by_words = self._by_keywords(store, texts, depth, where)
        fused = [
            fuse(one, other, k, fusion, depth=depth, lowest=lowest_score(vector, store.metric))
            for one, other, vector in zip(by_vector, by_words, encoded, strict=True)
        ]
        return _filled(store, fused)

    def _encode(self, store: AnyStore, encoder: Encoder, texts: list[str], *, zero_allowed: bool = False) -> FloatArray:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".* hold no word of the vocabulary")  # said below
            if isinstance(encoder, Embeddings) and self._holds_words(store):
                vectors = np.stack([encoder[text] if text in encoder else encoder.encode(text) for text in texts])
            else:
                vectors = check_encoded(encoder.encode(texts), len(texts), store.dim)
        if not zero_allowed and len(zero := np.flatnonzero(~vectors.any(axis=1))):
            raise InputError(f"the encoder knows no word of the query {texts[zero[0]]!r:.80}")
        return vectors

    def _holds_words(self, store: AnyStore) -> bool:
        if self._of_words is None:
            first = next(store.rows(), None)
            self._of_words = first is not None and is_word(first.digest)
        return self._of_words

    def _by_keywords(self, store: AnyStore, texts: list[str], k: int, where: Filter | None) -> list[list[Hit]]:
        if isinstance(store, MilvusStore) and store.has_keywords:
            return store.search_text(texts, k, where=where)
        state = (self._version, store.count())
        if self._keywords is None or self._keywords[0] != state:
            self._keywords = state, KeywordIndex(store)
        return self._keywords[1].search(texts, k, where=where)


def _filled(store: AnyStore, found: list[list[Hit]]) -> list[list[Hit]]:
    """With text and metadata, which the keyword index beside a store does not hold."""
    bare = list(dict.fromkeys(hit.id for hits in found for hit in hits if not hit.text))
    rows = {row.id: row for row in store.get(bare) if row is not None} if bare else {}
    return [
        [
            hit._replace(text=rows[hit.id].text, metadata=rows[hit.id].metadata) if hit.id in rows else hit
            for hit in hits
        ]
        for hits in found
    ]


def check_fields(store: AnyStore, where: Filter) -> None:
    """Nothing was found: is it because a field's name is misspelt?

    Raises
    ------
    InputError
        No row has such a field, with the fields there are.
    """
    for name in fields_of(parse(where)):
        if store.count({name: {"exists": True}}) == 0 and store.count() > 0:
            known: dict[str, None] = {}
            for row, _ in zip(store.rows(), range(1000), strict=False):
                known |= dict.fromkeys(row.metadata)
            there = ", ".join(map(repr, list(known)[:20])) or "none"
            raise InputError(f"no row has the field {name!r} that the filter names; fields are {there}")
