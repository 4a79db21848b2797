"""The probability from which on a label is given, for each label of a classifier that gives several."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["best_thresholds"]

Array = npt.NDArray[np.float64]


def best_thresholds(probabilities: Array, target: npt.NDArray[np.bool_]) -> Array:
    """For each label the threshold with the highest F1, float64 (k,).

    Halfway between the two probabilities that it parts, so that it is no text's own; of equal ones that nearest to 0.5,
    which it also is for a label without an example.

    Parameters
    ----------
    probabilities : float64 (n, k), of texts that were not trained on.
    target : bool (n, k), the labels that they have.
    """
    return np.array([_best(column, right) for column, right in zip(probabilities.T, target.T, strict=True)])


def _best(given: Array, right: npt.NDArray[np.bool_]) -> float:
    if not right.any():
        return 0.5
    order = np.argsort(-given, kind="stable")
    ranked = given[order]
    hits = np.cumsum(right[order])
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # texts with equal probabilities go together
    score = 2 * hits[ends] / (ends + 1 + hits[-1])
    below = np.append(ranked[ends[:-1] + 1], 0.0)
    cuts = (ranked[ends] + below) / 2
    best = np.flatnonzero(score >= score.max() - 1e-12)
    return float(cuts[best[np.argmin(np.abs(cuts[best] - 0.5))]])
