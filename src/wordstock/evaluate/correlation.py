"""Pearson's and Spearman's correlation, and a bootstrap interval for the latter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["bootstrap_spearman", "pearson", "ranks", "spearman"]

DoubleArray = npt.NDArray[np.float64]

_CELLS = 1 << 20  # cells of scratch at once: resamples times pairs


def pearson(x: DoubleArray, y: DoubleArray) -> float | None:
    """Pearson's r of two float64 (n,) arrays; None where n < 2 or one of them is constant."""
    if len(x) < 2 or (x == x[0]).all() or (y == y[0]).all():
        return None
    x, y = x - x.mean(), y - y.mean()
    x, y = x / np.abs(x).max(), y / np.abs(y).max()  # squares of tiny or huge numbers stay in range
    r = float(x @ y / np.sqrt((x @ x) * (y @ y)))
    return max(-1.0, min(1.0, r))


def spearman(x: DoubleArray, y: DoubleArray) -> float | None:
    """Spearman's rho, ties given their mean rank; None where ``pearson`` gives None."""
    return pearson(ranks(x), ranks(y))


def ranks(x: DoubleArray) -> DoubleArray:
    """Ranks from 1, equal values given their mean rank; float64 (n,)."""
    _, group, counts = np.unique(x, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    mean: DoubleArray = ends - (counts - 1) / 2
    return mean[group]


def bootstrap_spearman(
    x: DoubleArray, y: DoubleArray, *, resamples: int, seed: int, level: float = 0.95
) -> tuple[float, float] | None:
    """Percentile interval of Spearman's rho over resampled pairs (Efron 1979).

    A resample is a weight per pair; ranks within it follow from running sums of the weights in the order of the values,
    so nothing is sorted again.

    Returns
    -------
    (low, high), or None where rho is undefined for the data or for more than half of the resamples.
    """
    if resamples < 1 or spearman(x, y) is None:
        return None
    rng = np.random.default_rng(seed)
    n = len(x)
    found = []
    step = max(1, _CELLS // n)
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        picks = rng.integers(0, n, (count, n)) + n * np.arange(count)[:, None]
        weights = np.bincount(picks.ravel(), minlength=count * n).reshape(count, n).astype(np.float64)
        found.append(_weighted_rho(weights, x, y))
    values = np.concatenate(found)
    values = values[np.isfinite(values)]
    if 2 * len(values) < resamples:
        return None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _weighted_rho(weights: DoubleArray, x: DoubleArray, y: DoubleArray) -> DoubleArray:
    """Rho of each resample, float64 (resamples,); NaN where one side is constant."""
    size = weights.shape[1]
    middle = (size + 1) / 2  # every resample has the same size, so the same mean rank
    u, v = _weighted_ranks(weights, x) - middle, _weighted_ranks(weights, y) - middle
    both = np.einsum("ij,ij,ij->i", weights, u, v)
    scale = np.einsum("ij,ij,ij->i", weights, u, u) * np.einsum("ij,ij,ij->i", weights, v, v)
    rho: DoubleArray = np.divide(both, np.sqrt(scale), out=np.full(len(weights), np.nan), where=scale > 0)
    return rho


def _weighted_ranks(weights: DoubleArray, x: DoubleArray) -> DoubleArray:
    """Mean rank of each value when pair i occurs ``weights[:, i]`` times; float64 as ``weights``."""
    _, group = np.unique(x, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    totals = np.add.reduceat(weights[:, order], starts, axis=1)
    mean: DoubleArray = np.cumsum(totals, axis=1) - (totals - 1) / 2
    return mean[:, group]
