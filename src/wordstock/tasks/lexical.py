"""The training texts' own words as features beside an encoder's vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from wordstock.errors import InputError
from wordstock.tasks.inputs import as_texts

__all__ = ["Lexicon", "vectorizer"]

_SHARE = 2 / 3  # of the squared length; a half is better on sentiment, four fifths on questions and abstracts


class TermVectorizer(TfidfVectorizer):  # type: ignore[misc]  # scikit-learn has no types
    """scikit-learn's TF-IDF, with wordstock's errors about the texts."""

    def fit_transform(self, raw_documents: Any, y: Any = None) -> Any:
        """Learn terms and weigh them; InputError for an item that is no str, and for texts without a single term."""
        texts = as_texts(raw_documents)
        if not self.finds_any(texts):
            raise InputError(
                f"none of the {len(texts)} texts holds a word of at least two letters; TF-IDF has nothing to count"
            )
        return super().fit_transform(texts, y)

    def finds_any(self, texts: Sequence[str]) -> bool:
        """Whether any text holds a term; stops at the first."""
        return any(map(self.build_analyzer(), texts))


def vectorizer(vocabulary: Sequence[str] | None = None, max_features: int | None = None) -> TermVectorizer:
    """TF-IDF of words and word pairs with sublinear term frequencies; rows of length 1."""
    return TermVectorizer(ngram_range=(1, 2), sublinear_tf=True, vocabulary=vocabulary, max_features=max_features)


@dataclass(frozen=True)
class Lexicon:
    """The words and word pairs of the training texts.

    Parameters
    ----------
    terms : sorted; may be empty.
    idf : float64 (n_terms,), inverse document frequencies.
    """

    terms: tuple[str, ...]
    idf: npt.NDArray[np.float64]

    @classmethod
    def fit(cls, texts: Sequence[str]) -> Self:
        """Learn terms and their frequencies."""
        words = vectorizer()
        if not words.finds_any(texts):
            return cls((), np.empty(0))
        words.fit(texts)
        return cls(tuple(words.get_feature_names_out().tolist()), words.idf_)

    @cached_property
    def _words(self) -> TfidfVectorizer:
        words = vectorizer(self.terms)
        words.idf_ = self.idf
        return words

    def join(self, features: npt.NDArray[np.float64], texts: Sequence[str]) -> Any:
        """Sparse float64 (n, dim + n_terms), mean squared length about 1: a third from the vectors, the rest words."""
        blocks = [csr_matrix(features * np.sqrt(1 - _SHARE))]
        if self.terms:
            blocks.append(self._words.transform(texts) * np.sqrt(_SHARE))
        return hstack(blocks, format="csr")
