"""Probabilities that hold: of the texts to which a class is given with 0.8, about eight in ten have it.

Works on the logarithms of what the classifier gave. Temperature scaling is Guo et al. 2017, "On calibration of modern
neural networks"; the sigmoid Platt 1999, on log-odds; isotonic regression Zadrozny and Elkan 2002, both one class
against the rest and then brought to a sum of 1 where a text has one label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from wordstock.errors import InputError

__all__ = ["Calibration", "CalibrationMethod", "fit_calibration"]

CalibrationMethod = Literal["temperature", "sigmoid", "isotonic"]

Array = npt.NDArray[np.float64]

_FLOOR = 1e-12  # least probability
_COLDEST, _HOTTEST = 0.02, 50.0  # temperatures looked at


@dataclass(frozen=True)
class Calibration:
    """A map from probabilities (n, k) to better ones.

    Parameters
    ----------
    method : which of the maps.
    multilabel : whether each column is a probability by itself.
    curves : float64 arrays. "temperature": one, of the temperature. "sigmoid": one per class, of slope and offset on
        log-odds, or of no length where the held-out texts said nothing. "isotonic": two per class, of probabilities
        before, ascending, and after; straight between.
    """

    method: CalibrationMethod
    multilabel: bool
    curves: tuple[Array, ...]

    def apply(self, raw: Array) -> Array:
        """Calibrated probabilities, float64 (n, k); rows sum to 1 unless ``multilabel``."""
        if self.method == "temperature":
            return _tempered(raw, float(self.curves[0][0]), multilabel=self.multilabel)
        out = np.empty(raw.shape)
        for column in range(raw.shape[1]):
            given = raw[:, column]
            if self.method == "sigmoid":
                curve = self.curves[column]
                out[:, column] = _logistic(curve[0] * _log_odds(given) + curve[1]) if len(curve) else given
            else:
                before, after = self.curves[2 * column], self.curves[2 * column + 1]
                out[:, column] = np.interp(given, before, after) if len(before) else given
        if self.multilabel:
            return out
        total = out.sum(axis=1, keepdims=True)
        return np.where(total > 0, out / np.where(total > 0, total, 1), raw)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "method": self.method,
            "multilabel": self.multilabel,
            "curves": [curve.tolist() for curve in self.curves],
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any], classes: int) -> Self:
        """Read back what ``to_dict`` gave; ValueError, KeyError or TypeError for anything else."""
        method, curves = values["method"], tuple(np.array(curve, np.float64) for curve in values["curves"])
        wanted = {"temperature": 1, "sigmoid": classes, "isotonic": 2 * classes}[method]
        if len(curves) != wanted or not all(curve.ndim == 1 and np.isfinite(curve).all() for curve in curves):
            raise ValueError(f"{len(curves)} curves of a {method} calibration for {classes} classes")
        lengths = [len(curve) for curve in curves]
        sound = {
            "temperature": lengths == [1] and curves[0][0] > 0,
            "sigmoid": set(lengths) <= {0, 2},
            "isotonic": lengths[::2] == lengths[1::2],
        }[method]
        if not sound or not isinstance(values["multilabel"], bool):
            raise ValueError(f"curves of lengths {lengths[:4]} of a {method} calibration")
        return cls(method, values["multilabel"], curves)


def fit_calibration(
    raw: Array, target: npt.NDArray[Any], method: CalibrationMethod, *, multilabel: bool
) -> Calibration:
    """Learn a calibration from held-out texts.

    Parameters
    ----------
    raw : float64 (n, k), probabilities.
    target : int64 (n,), class codes; bool (n, k) where ``multilabel``.

    Raises
    ------
    InputError
        An unknown method.
    """
    if method not in get_args(CalibrationMethod):
        raise InputError(f"method={method!r}: known are {', '.join(map(repr, get_args(CalibrationMethod)))}")
    if method == "temperature":
        return Calibration(method, multilabel, (np.array([_temperature(raw, target, multilabel=multilabel)]),))
    answers = np.asarray(target, bool) if multilabel else target[:, None] == np.arange(raw.shape[1])
    curves: list[Array] = []
    for given, right in zip(raw.T, answers.T, strict=True):
        known = bool(right.any() and not right.all())
        if method == "sigmoid":
            curves.append(_platt(given, right) if known else np.empty(0))
        else:
            curves += _isotonic(given, right) if known else (np.empty(0), np.empty(0))
    return Calibration(method, multilabel, tuple(curves))


def _temperature(raw: Array, target: npt.NDArray[Any], *, multilabel: bool) -> float:
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        shares = _tempered(raw, float(np.exp(log_temperature)), multilabel=multilabel)
        given = np.where(target, shares, 1 - shares) if multilabel else shares[np.arange(len(target)), target]
        return float(-np.log(np.maximum(given, _FLOOR)).mean())

    found = minimize_scalar(loss, bounds=(np.log(_COLDEST), np.log(_HOTTEST)), method="bounded")
    return float(np.exp(found.x))


def _platt(given: Array, right: npt.NDArray[np.bool_]) -> Array:
    """Slope and offset, with Platt's smoothed answers."""
    from sklearn.linear_model import LogisticRegression

    yes, no = int(right.sum()), int((~right).sum())
    odds = _log_odds(given)[:, None]
    share = np.where(right, (yes + 1) / (yes + 2), 1 / (no + 2))
    model = LogisticRegression(C=1e6)
    answers = np.repeat([True, False], len(right))
    model.fit(np.concatenate([odds, odds]), answers, sample_weight=np.concatenate([share, 1 - share]))
    return np.array([max(float(model.coef_[0, 0]), 0.0), float(model.intercept_[0])])


def _isotonic(given: Array, right: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    from sklearn.isotonic import IsotonicRegression

    curve = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(given, right.astype(np.float64))
    return np.asarray(curve.X_thresholds_, np.float64), np.asarray(curve.y_thresholds_, np.float64)


def _tempered(raw: Array, temperature: float, *, multilabel: bool) -> Array:
    if multilabel:
        return _logistic(_log_odds(raw) / temperature)
    scores = np.log(np.maximum(raw, _FLOOR)) / temperature
    scores -= scores.max(axis=1, keepdims=True)
    shares = np.exp(scores)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _log_odds(share: Array) -> Array:
    share = np.clip(share, _FLOOR, 1 - _FLOOR)
    return np.log(share) - np.log1p(-share)


def _logistic(score: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * score)))
