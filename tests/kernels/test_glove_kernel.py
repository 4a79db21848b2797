"""The GloVe kernel against the paper's formulas in NumPy, in double precision."""

import numpy as np
import pytest

from wordstock.kernels.glove import train_tile
from wordstock.train.glove_state import new_rows

RATE = 0.05


def start(words, dim, seed=1):
    state = new_rows(words, dim, RATE, seed)
    rng = np.random.default_rng(seed)
    state.data[:, 0, : dim + 1] = rng.normal(0, 0.3, (words, dim + 1))
    state.data[:, 2, :dim] = rng.normal(0, 0.3, (words, dim))
    return state


def reference(state, cells, dim):
    """One AdaGrad step after the other on J = f / 2 (w.c + b + b' - log x)^2; biases have the learning rate 1."""
    w, c = state.words.astype(float), state.contexts.astype(float)
    b, d = state.data[:, 0, dim].astype(float), state.data[:, 2, dim + 1].astype(float)
    sums_w, sums_c, sums_b, sums_d = np.ones_like(w), np.ones_like(c), np.ones_like(b), np.ones_like(d)
    cost = 0.0
    for i, j, log, f in cells:
        g = f * (w[i] @ c[j] + b[i] + d[j] - log)
        cost += g * g / f / 2
        step_w, step_c = RATE * g * c[j], RATE * g * w[i]
        w[i] -= step_w / np.sqrt(sums_w[i])
        c[j] -= step_c / np.sqrt(sums_c[j])
        b[i] -= g / np.sqrt(sums_b[i])
        d[j] -= g / np.sqrt(sums_d[j])
        sums_w[i] += step_w**2
        sums_c[j] += step_c**2
        sums_b[i] += g * g
        sums_d[j] += g * g
    return cost, w, c, b, d


@pytest.mark.parametrize("dim", [1, 14, 15, 50])
def test_steps_are_those_of_the_paper(dim):
    cells = [(3, 1, 2.0, 0.5), (2, 2, -0.7, 0.2), (3, 0, 1.0, 1.0), (3, 1, 0.3, 0.1)]
    state = start(5, dim)
    both = [cell for i, j, *rest in cells for cell in ([(j, i, *rest)] if i != j else []) + [(i, j, *rest)]]
    wanted = reference(state, both, dim)
    cost = 0.0
    random = np.array([1], np.uint64)
    for i, j, log, f in cells:
        pairs, targets = np.array([[i, j]], np.int32), np.array([[log, f]], np.float32)
        cost += train_tile(state.data, pairs, targets, np.empty(1, np.int32), np.float32(RATE), random)
    rows = state.data
    for got, want in zip(
        (cost, state.words, state.contexts, rows[:, 0, dim], rows[:, 2, dim + 1]), wanted, strict=True
    ):
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-5)
    assert (rows[:, 0, dim + 1] == 1).all()
    assert (rows[:, 2, dim] == 1).all()
    assert not rows[:, (0, 2), dim + 2 :].any()  # padding


def test_every_pair_is_visited_once_in_another_order_each_time():
    pairs = np.array([[i, 0] for i in range(1, 30)], np.int32)
    targets = np.tile(np.array([[1.0, 0.5]], np.float32), (29, 1))
    orders = set()
    random = np.array([12345], np.uint64)
    state = start(30, 5)
    for _ in range(5):
        order = np.empty(29, np.int32)
        train_tile(state.data, pairs, targets, order, np.float32(RATE), random)
        assert sorted(order.tolist()) == list(range(29))
        orders.add(tuple(order.tolist()))
    assert len(orders) == 5


def test_pairs_of_one_word_stay_together_up_to_a_limit():
    pairs = np.array([[i, j] for i in range(20, 24) for j in range(20)], np.int32)
    targets = np.tile(np.array([[1.0, 0.5]], np.float32), (80, 1))
    order = np.empty(80, np.int32)
    train_tile(start(24, 5).data, pairs, targets, order, np.float32(RATE), np.array([7], np.uint64))
    assert sorted(order.tolist()) == list(range(80))
    runs = np.split(order, np.flatnonzero(np.diff(order) != 1) + 1)
    assert 4 < len(runs) <= 8
    assert all(len(run) % 20 in (0, 4, 16) for run in runs)


def test_an_empty_tile_costs_nothing():
    state = start(3, 4)
    before = state.data.copy()
    empty = np.empty((0, 2), np.int32), np.empty((0, 2), np.float32), np.empty(0, np.int32)
    assert train_tile(state.data, *empty, np.float32(RATE), np.array([1], np.uint64)) == 0
    np.testing.assert_array_equal(state.data, before)


def test_lines_start_at_cache_lines():
    for dim in (1, 14, 15, 300):
        rows = new_rows(3, dim, RATE, 1).data
        assert rows.ctypes.data % 64 == 0
        assert rows.strides[1] % 64 == 0
