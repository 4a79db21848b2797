"""What is learned from held-out texts after training: calibrated probabilities, and a threshold for each label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from wordstock.errors import InputError
from wordstock.tasks.calibration import Calibration, CalibrationMethod, fit_calibration
from wordstock.tasks.inputs import as_texts
from wordstock.tasks.labels import LabelCodec
from wordstock.tasks.thresholds import best_thresholds

__all__ = ["Adjustable", "Adjustment"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Adjustment:
    """A calibration, and the least probability of each label, float64 (k,); None = none, and 0.5."""

    calibration: Calibration | None = None
    thresholds: Array | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was learned."""
        return self.calibration is None and self.thresholds is None

    def probabilities(self, raw: Array) -> Array:
        """Calibrated probabilities (n, k)."""
        return raw if self.calibration is None else self.calibration.apply(raw)

    def choose(self, codec: LabelCodec, probabilities: Array) -> npt.NDArray[Any]:
        """As ``codec.choose``, with the thresholds."""
        if self.thresholds is None or not codec.multilabel:
            return codec.choose(probabilities)
        return np.asarray(probabilities >= self.thresholds)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "calibration": None if self.calibration is None else self.calibration.to_dict(),
            "thresholds": None if self.thresholds is None else self.thresholds.tolist(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any], classes: int) -> Self:
        """Read back what ``to_dict`` gave; ValueError, KeyError or TypeError for anything else."""
        calibration, thresholds = values["calibration"], values["thresholds"]
        if thresholds is not None:
            thresholds = np.array(thresholds, np.float64)
            if thresholds.shape != (classes,) or not ((thresholds >= 0) & (thresholds <= 1)).all():
                raise ValueError(f"thresholds of shape {thresholds.shape} for {classes} labels")
        return cls(None if calibration is None else Calibration.from_dict(calibration, classes), thresholds)


class Adjustable:
    """Of a classifier with ``predict_proba``, ``codec_`` and ``classes_``: what may be learned once it is trained.

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

    def _codec(self) -> LabelCodec:
        check_is_fitted(self, "codec_")
        codec: LabelCodec = self.codec_  # type: ignore[attr-defined]
        return codec

    def _held_out(self, X: Any, y: Any) -> tuple[Array, npt.NDArray[Any]]:
        """Probabilities as training left them, and the right answers."""
        texts, target = as_texts(X), self._codec().encode(y)
        if not texts or len(texts) != len(target):
            raise InputError(f"{len(texts)} texts and {len(target)} labels; give at least one text and one label each")
        before, self.adjustment_ = self.adjustment_, Adjustment()
        try:
            raw: Array = self.predict_proba(texts)  # type: ignore[attr-defined]
        finally:
            self.adjustment_ = before
        return raw, target
