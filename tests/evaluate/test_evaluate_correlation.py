"""Correlations against scipy."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from wordstock.evaluate.correlation import _weighted_rho, bootstrap_spearman, pearson, ranks, spearman

VALUES = st.integers(-4, 4).map(float) | st.floats(-1e6, 1e6, allow_subnormal=False)
PAIRS = st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=30)


@given(PAIRS)
def test_equal_to_scipy_with_ties(pairs):
    x, y = np.array(pairs).T
    np.testing.assert_array_equal(ranks(x), stats.rankdata(x))
    constant = (x == x[0]).all() or (y == y[0]).all()
    if constant:
        assert spearman(x, y) is None
        assert pearson(x, y) is None
        return
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.NearConstantInputWarning)
        expected = stats.pearsonr(x, y).statistic
    if np.ptp(x) > 1e-3 and np.ptp(y) > 1e-3:
        assert pearson(x, y) == pytest.approx(expected, abs=1e-6)


def test_undefined_correlations():
    for x in (np.empty(0), np.array([1.0]), np.ones(5)):
        assert pearson(x, x) is None
        assert spearman(x, x) is None
        assert bootstrap_spearman(x, x, resamples=10, seed=0) is None
    assert pearson(np.array([0, 1e300]), np.array([0, 1e-300])) == 1


def test_each_resample_has_the_rho_that_scipy_gives_it():
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 9, 25).astype(float), rng.integers(0, 5, 25).astype(float)
    picks = rng.integers(0, 25, (20, 25))
    weights = np.stack([np.bincount(line, minlength=25) for line in picks]).astype(float)
    wanted = [stats.spearmanr(x[line], y[line]).statistic for line in picks]
    np.testing.assert_allclose(_weighted_rho(weights, x, y), wanted, atol=1e-12)


def test_interval():
    rng = np.random.default_rng(4)
    x = rng.standard_normal(400)
    y = x + rng.standard_normal(400)
    low, high = bootstrap_spearman(x, y, resamples=400, seed=0)
    assert low < spearman(x, y) < high
    published = stats.bootstrap(
        (x, y),
        lambda a, b: stats.spearmanr(a, b).statistic,
        paired=True,
        vectorized=False,
        n_resamples=400,
        method="percentile",
        rng=1,
    ).confidence_interval
    assert (low, high) == pytest.approx(published, abs=0.02)
    assert bootstrap_spearman(x, y, resamples=400, seed=0) == (low, high)
    assert bootstrap_spearman(x, y, resamples=400, seed=1) != (low, high)
    assert bootstrap_spearman(x, y, resamples=0, seed=0) is None


def test_interval_where_most_resamples_are_constant():
    x = np.array([0.0, 1.0])
    assert bootstrap_spearman(x, x, resamples=1, seed=0) in (None, (1, 1))
    lone = np.zeros(60)
    lone[0] = 1
    assert bootstrap_spearman(lone, lone, resamples=200, seed=0) == (1, 1)
