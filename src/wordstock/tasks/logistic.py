"""Logistic regression on a feature matrix, with its strength chosen by cross-validation.

The grid of C is in units of features whose mean squared length is 1: unit-length texts (TF-IDF) and the output of
``tasks.scaling`` both are, so one grid serves them all whatever the number of dimensions.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from wordstock._settings import check_number, check_whole
from wordstock._threads import single_threaded_blas

__all__ = ["FALLBACK_C", "GRID", "LinearModel", "check_settings", "fit_linear", "score_probabilities"]

Matrix = Any  # float64 (n, dim): a numpy array or a scipy sparse matrix
Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

GRID = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)  # past 100 accuracy is flat on every task we tried
FALLBACK_C = 5.0  # the best single value over four few-shot tasks with 8 examples per class
MANY = 1000  # examples from which the loss is so flat in C that three folds and every other C are enough
FEWEST = 4  # examples per class, as a median, below which cross-validation picks worse than FALLBACK_C
_DENSER = 100  # with fewer than n * n / 100 columns the solver is as quick on the sparse matrix itself
_PATIENCE = 2  # steps of the grid without a better loss before the walk ends
_FLOOR = 1e-12  # least probability, so that one sure mistake does not decide the mean


@dataclass(frozen=True)
class LinearModel:
    """Scores are ``features @ coef.T + intercept``.

    Parameters
    ----------
    coef : float64 (k, dim); k is 1 for two exclusive classes, else one row per class or label.
    intercept : float64 (k,).
    multilabel : whether each row answers yes or no for itself.
    """

    coef: Array
    intercept: Array
    multilabel: bool

    def scores(self, features: Matrix) -> Array:
        """Log-odds, float64 (n, k)."""
        return np.asarray(features @ self.coef.T + self.intercept)

    def probabilities(self, features: Matrix) -> Array:
        """float64 (n, classes); rows sum to 1 unless labels are independent."""
        return self.from_scores(self.scores(features))

    def from_scores(self, scores: Array) -> Array:
        """Probabilities of scores, float64 (n, classes)."""
        return score_probabilities(scores, multilabel=self.multilabel)


def score_probabilities(scores: Array, *, multilabel: bool) -> Array:
    """Scores (n, k) as probabilities, float64 (n, k), or (n, 2) of a single column for two exclusive classes."""
    if multilabel:
        return _sigmoid(scores)
    if scores.shape[1] == 1:
        scores = np.hstack([np.zeros_like(scores), scores])
    exp = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(exp / exp.sum(axis=1, keepdims=True))


def check_settings(C: object, cv: object, seed: object) -> None:
    """Refuse settings that no fit could use.

    Raises
    ------
    InputError
        Names the setting, its value and what it must be.
    """
    if C is not None:
        check_number("C", C, 0)
    check_whole("cv", cv, 2)
    check_whole("seed", seed, 0)


def fit_linear(
    features: Matrix, target: npt.NDArray[Any], weights: Array, *, C: float | None, folds: int, seed: int
) -> tuple[LinearModel, float, dict[float, float]]:
    """Fit one multinomial model, or one yes/no model per column, at C or at the best C of ``GRID``.

    Parameters
    ----------
    features : float64 (n, dim), dense or sparse.
    target : int64 (n,), class codes 0..k-1, all of which occur; or bool (n, k), a column per label.
    weights : float64, shaped like ``target``: how much each answer counts.
    C : inverse strength of the L2 penalty, as in scikit-learn; None chooses it as ``_select_c`` does.

    Returns
    -------
    The model, its C, and the cross-validated log-loss of every C that was tried.
    """
    losses: dict[float, float] = {}
    with single_threaded_blas():  # products are small: more threads only wait for each other
        compact, lift = _compact(features)
        if C is None:
            C, losses = _select_c(compact, target, weights, folds=folds, seed=seed)
        model = _Path(compact, target, weights, tolerance=1e-7, steps=5000).fit(C)
    if lift is not None:
        model = LinearModel(np.asarray((lift @ model.coef.T).T), model.intercept, model.multilabel)
    return model, float(C), losses


def _select_c(
    features: Matrix, target: npt.NDArray[Any], weights: Array, *, folds: int, seed: int
) -> tuple[float, dict[float, float]]:
    """The C of ``GRID`` with the least cross-validated log-loss, and the loss of each C that was tried.

    Folds are stratified (by a text's rarest label where there are many); a class with a single example stays in every
    training part. The grid is walked upwards, each fit starting from the last, and left when the loss stops falling.
    With a median of fewer than ``FEWEST`` examples per class nothing is tried and the answer is ``FALLBACK_C``.
    """
    strata = target if target.ndim == 1 else _rarest(target)
    counts = np.bincount(strata)
    if np.median(counts[counts > 0]) < FEWEST:
        return FALLBACK_C, {}
    folds = min(folds, 3 if len(strata) >= MANY else folds, int(counts.max()))
    parts = list(_stratified(strata, folds, seed))
    paths = [_Path(features[train], target[train], weights[train], tolerance=1e-4, steps=200) for train, _ in parts]
    total = sum(float(weights[test].sum()) for _, test in parts)
    losses: dict[float, float] = {}
    best = GRID[0]
    grid = GRID if len(strata) < MANY else GRID[::2]
    for number, c in enumerate(grid):
        loss = 0.0
        for path, (_, test) in zip(paths, parts, strict=True):
            loss += _loss(path.fit(c).probabilities(features[test]), target[test], weights[test])
        losses[c] = loss / total
        if losses[c] < losses[best]:
            best = c
        elif number - grid.index(best) >= _PATIENCE:
            break
    return best, losses


def _compact(features: Matrix) -> tuple[Matrix, Matrix | None]:
    """The rows of a wide sparse matrix in their own span, (n, n) instead of (n, dim), and the way back (dim, n).

    An L2-penalised model of n rows lies in their span, and inner products are all that the fit sees, so the result is
    the same; the solver's work shrinks from dim to n numbers per class.
    """
    if not issparse(features) or features.shape[0] ** 2 > _DENSER * features.shape[1]:
        return features, None
    values, vectors = np.linalg.eigh((features @ features.T).toarray())
    if values[-1] <= 0:  # not a single term in any text
        return features, None
    kept = values > 1e-10 * values[-1]
    root = np.sqrt(values[kept])
    return vectors[:, kept] * root, features.T @ (vectors[:, kept] / root)


class _Path:
    """Fits of the same data at one C after another, each from where the last one ended."""

    def __init__(
        self, features: Matrix, target: npt.NDArray[Any], weights: Array, *, tolerance: float, steps: int
    ) -> None:
        self.features, self.target, self.weights = features, target, weights
        columns = 1 if target.ndim == 1 else target.shape[1]
        self.models = [LogisticRegression(tol=tolerance, max_iter=steps, warm_start=True) for _ in range(columns)]

    def fit(self, C: float) -> LinearModel:
        if self.target.ndim == 1:
            model = self._fit(0, self.target, self.weights, C)
            return LinearModel(model.coef_.copy(), model.intercept_.copy(), multilabel=False)
        coef = np.zeros((self.target.shape[1], self.features.shape[1]))
        intercept = np.empty(len(coef))
        for column, answers in enumerate(self.target.T):
            weights = self.weights[:, column]
            yes = int(answers.sum())
            if 0 < yes < len(answers):
                model = self._fit(column, answers, weights, C)
                coef[column], intercept[column] = model.coef_[0], model.intercept_[0]
            else:  # a label that every text has, or none: its smoothed log-odds
                intercept[column] = np.log((yes + 0.5) / (len(answers) - yes + 0.5))
        return LinearModel(coef, intercept, multilabel=True)

    def _fit(self, column: int, target: npt.NDArray[Any], weights: Array, C: float) -> LogisticRegression:
        model = self.models[column].set_params(C=C)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # past 5000 steps no label changes any more
            warnings.filterwarnings(
                "ignore", "The number of unique classes is greater"
            )  # one text per class is few-shot
            return model.fit(self.features, target, sample_weight=weights)


def _loss(probabilities: Array, target: npt.NDArray[Any], weights: Array) -> float:
    if target.ndim == 1:
        given = probabilities[np.arange(len(target)), target]
    else:
        given = np.where(target, probabilities, 1 - probabilities)
    return float(-(weights * np.log(np.maximum(given, _FLOOR))).sum())


def _stratified(strata: npt.NDArray[Any], folds: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """(training rows, test rows) of each fold; a stratum of one is never tested."""
    random = np.random.default_rng(seed)
    fold = np.full(len(strata), -1)
    start = 0
    for stratum in np.unique(strata):
        rows = random.permutation(np.flatnonzero(strata == stratum))
        if len(rows) > 1:
            fold[rows] = (start + np.arange(len(rows))) % folds
            start += len(rows)
    for number in range(folds):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)


def _rarest(target: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The least frequent label of every text; texts without one form a stratum of their own."""
    counts = target.sum(axis=0)
    candidates = np.where(target, counts, len(target) + 1)
    return np.asarray(np.where(target.any(axis=1), candidates.argmin(axis=1), target.shape[1]))


def _sigmoid(scores: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * scores)))
