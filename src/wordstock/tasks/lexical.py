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

__all__ = ["Lexicon", "vectorizer"]

_SHARE = 2 / 3  # of the squared length; a half is better on sentiment, four fifths on questions and abstracts


def vectorizer(vocabulary: Sequence[str] | None = None, max_features: int | None = None) -> TfidfVectorizer:
    """TF-IDF of words and word pairs with sublinear term frequencies; rows of length 1."""
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, vocabulary=vocabulary, max_features=max_features)


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
        try:
            words.fit(texts)
        except ValueError:  # scikit-learn's word for texts without a single term
            return cls((), np.empty(0))
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
