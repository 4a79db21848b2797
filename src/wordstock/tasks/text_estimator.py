"""What every classifier of texts does the same way: scoring, the likeliest labels, and learning from held-out texts."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from wordstock._settings import check_whole
from wordstock.errors import InputError
from wordstock.formats.fasttext_classifier import LabelScore
from wordstock.tasks.adjustment import Adjustment
from wordstock.tasks.calibration import CalibrationMethod, fit_calibration
from wordstock.tasks.inputs import as_texts
from wordstock.tasks.labels import LabelCodec
from wordstock.tasks.thresholds import best_thresholds

__all__ = ["BLOCK", "TextEstimator"]

BLOCK = 8192  # texts whose scores are held at once

Array = npt.NDArray[np.float64]


class TextEstimator(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Of a classifier with ``predict``, ``predict_proba``, ``codec_`` and ``classes_``: whatever follows from them.

    Attributes
    ----------
    adjustment_ : what was learned; training anew forgets it.
    """

    adjustment_ = Adjustment()

    def calibrate(self, X: Any, y: Any, *, method: CalibrationMethod = "temperature") -> Self:
        """Make ``predict_proba`` mean what it says, from texts that were not trained on.

        Parameters
        ----------
        method : "temperature" divides all log-probabilities by one number and changes no prediction of one label per
            text; "sigmoid" (Platt 1999) and "isotonic" (Zadrozny and Elkan 2002) map each class by itself, the second
            with a free monotone curve, which wants a thousand texts or more.

        Raises
        ------
        InputError
            No texts, another number of labels than texts, or an unknown method.
        LabelError
            A label that was not there in training.
        """
        raw, target = self._held_out(X, y)
        calibration = fit_calibration(raw, target, method, multilabel=self._codec().multilabel)
        self.adjustment_ = Adjustment(calibration)
        return self

    def tune_thresholds(self, X: Any, y: Any) -> Self:
        """Learn the probability from which on each label is given, from texts that were not trained on.

        It is the one with the highest F1 of the label there; 0.5 for a label that none of them has.

        Raises
        ------
        InputError
            A classifier of one label per text, no texts, or another number of labels than texts.
        LabelError
            A label that was not there in training.
        """
        if not self._codec().multilabel:
            raise InputError("thresholds are for several labels per text; this classifier gives one, the likeliest")
        raw, target = self._held_out(X, y)
        calibration = self.adjustment_.calibration
        self.adjustment_ = Adjustment(
            calibration, best_thresholds(self.adjustment_.probabilities(raw), np.asarray(target, bool))
        )
        return self

    def top_k(self, X: Any, k: int = 5) -> list[list[LabelScore]]:
        """The ``k`` likeliest labels of each text with their probabilities, best first.

        Raises
        ------
        InputError
            ``k`` that is no whole number of at least 1, or a text that is not a str.
        """
        check_whole("k", k, 1)
        self._codec()
        texts = as_texts(X)
        out: list[list[LabelScore]] = []
        for start in range(0, len(texts), BLOCK):
            shares = self.predict_proba(texts[start : start + BLOCK])
            order = np.argsort(-shares, axis=1, kind="stable")[:, :k]
            labels = self.classes_[order].tolist()
            best = np.take_along_axis(shares, order, axis=1).tolist()
            out += [[LabelScore(*pair) for pair in zip(*row, strict=True)] for row in zip(labels, best, strict=True)]
        return out

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of texts whose label, or whole set of labels, is predicted right.

        Raises
        ------
        LabelError
            A label that was not there in training; names it, its position and the known labels.
        InputError
            No texts, another number of labels than texts, or weights that are not a number from 0 on for each text.
        """
        texts, target = self._labelled(X, y)
        weights = None if sample_weight is None else _weights(sample_weight, len(texts))
        found = self._codec().encode(self.predict(texts))
        right = found == target if target.ndim == 1 else (found == target).all(axis=1)
        return float(np.average(right, weights=weights))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.classifier_tags.multi_label = True
        return tags

    def _codec(self) -> LabelCodec:
        check_is_fitted(self, "codec_")
        codec: LabelCodec = self.codec_
        return codec

    def _held_out(self, X: Any, y: Any) -> tuple[Array, npt.NDArray[Any]]:
        """Probabilities as training left them, and the right answers."""
        texts, target = self._labelled(X, y)
        before, self.adjustment_ = self.adjustment_, Adjustment()
        try:
            raw: Array = self.predict_proba(texts)
        finally:
            self.adjustment_ = before
        return raw, target

    def _labelled(self, X: Any, y: Any) -> tuple[list[str], npt.NDArray[Any]]:
        """Texts, at least one, and as many coded labels."""
        codec = self._codec()
        texts, target = as_texts(X), codec.encode(y)
        if not texts or len(texts) != len(target):
            raise InputError(f"{len(texts)} texts and {len(target)} labels; give at least one text and one label each")
        return texts, target


def _weights(given: Any, size: int) -> Array:
    try:
        weights = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        weights = np.empty(0)
    if weights.shape != (size,) or not ((weights >= 0) & (weights < np.inf)).all() or not weights.any():
        raise InputError(
            f"sample_weight={given!r:.80}: needs a number of at least 0 for each of the {size} texts, not 0 for all"
        )
    return weights
