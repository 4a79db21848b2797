"""What pre-trained vectors must beat: the same model from scratch, and TF-IDF with logistic regression."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from wordstock.embeddings import Card, Embeddings, Storage
from wordstock.errors import InputError
from wordstock.tasks.labels import ClassWeight, LabelCodec
from wordstock.tasks.lexical import vectorizer
from wordstock.tasks.logistic import check_settings, fit_linear

__all__ = ["TunedLogistic", "random_like", "tfidf_baseline"]


def random_like(table: Embeddings, seed: int = 0) -> Embeddings:
    """The same model from scratch: the same keys, counts and ``encode`` settings, with vectors that know nothing.

    Every component is Gaussian with the mean of zero and the standard deviation of all of the table's components, so
    that vectors are as long as the table's are on average; what a word's own length says is lost too.
    """
    total, squares = 0.0, 0.0
    for _, block in table.storage.blocks():
        total += float(block.sum(dtype=np.float64))
        squares += float(np.square(block, dtype=np.float64).sum())
    rows = len(table.storage)
    size = max(1, rows * table.dim)
    deviation = np.sqrt(max(0.0, squares / size - (total / size) ** 2))
    vectors = np.random.default_rng(seed).standard_normal((rows, table.dim), np.float32)
    vectors *= np.float32(deviation)
    name = f"random vectors like {table.card.name}" if table.card.name else "random vectors"
    return table.with_storage(Storage(vectors)).with_card(replace(Card(), name=name, language=table.card.language))


def tfidf_baseline(
    seed: int = 0,
    *,
    C: float | None = None,
    class_weight: ClassWeight = None,
    cv: int = 5,
    max_features: int | None = None,
) -> Pipeline:
    """TF-IDF of words and word pairs with logistic regression, as a scikit-learn pipeline over texts.

    Sublinear term frequencies, and the same choice of C as ``TextClassifier`` makes.

    Parameters
    ----------
    seed, C, class_weight, cv : as in ``TextClassifier``.
    max_features : keep only so many of the most frequent words and pairs; None keeps all.

    Raises
    ------
    InputError
        From ``fit``: a text that is not a str, or no word of at least two letters in any text.
    """
    words = vectorizer(max_features=max_features)
    return Pipeline([("tfidf", words), ("logistic", TunedLogistic(C=C, class_weight=class_weight, cv=cv, seed=seed))])


class TunedLogistic(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Logistic regression on a dense or sparse matrix, with C chosen as ``TextClassifier`` chooses it.

    Parameters
    ----------
    C, class_weight, cv, seed : as in ``TextClassifier``; the grid of C suits rows of about unit length.
    """

    def __init__(self, *, C: float | None = None, class_weight: ClassWeight = None, cv: int = 5, seed: int = 0) -> None:
        self.C = C
        self.class_weight = class_weight
        self.cv = cv
        self.seed = seed

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from a matrix (n, dim) and its labels; errors as in ``TextClassifier.fit``."""
        check_settings(self.C, self.cv, self.seed)
        codec, target = LabelCodec.learn(y)
        if X.shape[0] != len(target):
            raise InputError(f"{X.shape[0]} rows but {len(target)} labels; give one for each row")
        weights = codec.weights(target, self.class_weight)
        self.model_, self.C_, self.cv_losses_ = fit_linear(X, target, weights, C=self.C, folds=self.cv, seed=self.seed)
        self.codec_, self.classes_ = codec, codec.classes
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Probability of each class, float64 (n, k) in the order of ``classes_``."""
        check_is_fitted(self, "model_")
        return self.model_.probabilities(X)

    def predict(self, X: Any) -> Any:
        """Labels in the form in which they came in training."""
        return self.codec_.decode(self.codec_.choose(self.predict_proba(X)))
