"""word2vec kernels against plain NumPy, compiled and as plain Python."""

import os
from itertools import pairwise

import numpy as np
import pytest

from wordstock.kernels.blocks import prefetch_row, score_mean, score_rows, update_mean, update_rows
from wordstock.kernels.draws import draw_noise, keep_words, next_random
from wordstock.kernels.sampling import alias_table, huffman_paths
from wordstock.kernels.windows import Tables, Tree, make_work
from wordstock.kernels.word2vec import train_word2vec

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"
V, DIM = 11, 32
RATE = np.float32(0.7)


def tables(seed=0, scales=None):
    random = np.random.default_rng(seed)
    inputs, outputs = random.normal(0, 0.5, (2, V + 2, DIM)).astype(np.float32)
    return Tables(inputs, outputs, scales)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(("size", "scaled"), [(1, False), (6, False), (5, True), (8, True)])
def test_block_is_the_gradient(size, scaled):
    """Scores, loss and both sides' gradients, and no row but those named changes."""
    random = np.random.default_rng(size)
    scales = random.uniform(0, 1, V + 2).astype(np.float32) if scaled else None
    t = tables(size, scales)
    rows = np.array([3, 9, 0, V])
    targets = random.permutation(V)[:size]
    signs = np.resize(np.float32([1, -1, -1]), 8)
    weights = np.zeros(8, np.float32)
    weights[:size] = random.integers(0, 2, size)
    weights[0] = 1
    gradients, losses = np.zeros((4, 8), np.float32), np.zeros(8, np.float32)
    before = Tables(*(table.astype(np.float64) for table in t[:2]), None)
    jitted(_block)(*t[:2], scales, rows, targets, (0,) * size, signs, weights, gradients, losses)

    x, y = before.inputs[rows[:3]], before.outputs[targets]
    z = signs[:size] * (x @ y.T)
    wanted = signs[:size] * weights[:size] * RATE * (1 - sigmoid(z))
    np.testing.assert_allclose(gradients[:3, :size], wanted, atol=2e-5)
    np.testing.assert_allclose(losses.sum(), (weights[:size] * np.log(sigmoid(z))).sum(), rtol=1e-4)
    factor = 1 if scales is None else scales[rows[:3], None]
    before.inputs[rows[:3]] += factor * (wanted @ y)
    before.outputs[targets] += wanted.T @ x
    compare(t, before, rows[:3])


@pytest.mark.parametrize(("size", "scaled"), [(1, False), (6, False), (8, True)])
def test_block_of_a_mean_is_the_gradient_given_to_every_row(size, scaled):
    random = np.random.default_rng(size)
    scales = random.uniform(0, 1, V + 2).astype(np.float32) if scaled else None
    t = tables(size, scales)
    rows, targets = np.array([3, 9, 3, V]), random.permutation(V)[:size]
    signs, weights = np.resize(np.float32([1, -1, -1]), 8), np.ones(8, np.float32)
    gradients, losses = np.zeros((1, 8), np.float32), np.zeros(8, np.float32)
    before = Tables(*(table.astype(np.float64) for table in t[:2]), None)
    jitted(_mean)(*t[:2], scales, rows, targets, (0,) * size, signs, weights, gradients, losses)

    x, y = before.inputs[rows[:3]].mean(axis=0), before.outputs[targets]
    z = signs[:size] * (y @ x)
    wanted = signs[:size] * RATE * (1 - sigmoid(z))
    np.testing.assert_allclose(losses.sum(), np.log(sigmoid(z)).sum(), rtol=1e-4)
    for row in rows[:3]:
        before.inputs[row] += (1 if scales is None else scales[row]) * (wanted @ y)
    before.outputs[targets] += np.outer(wanted, x)
    compare(t, before, rows[:3])


def test_losses_of_many_rows_do_not_underflow():
    """Eleven rows that are as wrong as can be: their sigmoids multiply to 1e-43."""
    inputs, outputs = np.zeros((12, 16), np.float32), np.zeros((1, 16), np.float32)
    inputs[:, 0], outputs[0, 0] = -20, 1
    gradients, losses = np.zeros((12, 8), np.float32), np.zeros(8, np.float32)
    rows, ones = np.arange(12), np.ones(8, np.float32)
    jitted(_score)(inputs, outputs, rows, 11, np.array([0]), (0,), ones, ones, gradients, losses)
    np.testing.assert_allclose(losses[0], -11 * np.log1p(np.exp(9)), rtol=0.03)


def compare(t, wanted, rows):
    np.testing.assert_allclose(t.inputs, wanted.inputs, atol=3e-4)
    np.testing.assert_allclose(t.outputs, wanted.outputs, atol=3e-4)
    untouched = np.setdiff1d(np.arange(V + 2), rows)
    np.testing.assert_array_equal(t.inputs[untouched], wanted.inputs[untouched].astype(np.float32))


def _block(inputs, outputs, scales, rows, targets, block, signs, weights, gradients, losses):
    prefetch_row(inputs, rows[0])
    ahead = np.full(len(block), outputs.ctypes.data)
    score_rows(inputs, outputs, rows, 3, targets, 0, block, signs, weights, RATE, gradients, losses)
    update_rows(inputs, outputs, rows, 3, targets, 0, block, gradients, scales, ahead)


def _mean(inputs, outputs, scales, rows, targets, block, signs, weights, gradients, losses):
    mean = np.zeros(inputs.shape[1], np.float32)
    ahead = np.full(len(block), outputs.ctypes.data)
    score_mean(inputs, outputs, rows, 3, targets, 0, block, signs, weights, RATE, mean, gradients, losses)
    update_mean(inputs, outputs, rows, 3, targets, 0, block, mean, gradients, scales, ahead)


def jitted(function):
    import numba

    return numba.njit(function) if COMPILED else function


@pytest.mark.parametrize("score", [0.0, 3.0, -7.5, 20.0, -20.0, np.nan])
def test_loss_of_extreme_scores(score):
    inputs, outputs = np.zeros((2, 16), np.float32), np.zeros((1, 16), np.float32)
    inputs[0, 0], outputs[0, 0] = score, 1
    gradients, losses = np.zeros((2, 8), np.float32), np.zeros(8, np.float32)
    ones = np.ones(8, np.float32)
    jitted(_score)(inputs, outputs, np.array([0, 1]), 1, np.array([0]), (0,), ones, ones, gradients, losses)
    kept = np.clip(score, -9, 9)
    np.testing.assert_allclose(gradients[0, 0], RATE * (1 - sigmoid(kept)), atol=3e-5)
    np.testing.assert_allclose(losses[0], np.log(sigmoid(kept)), rtol=0.03, atol=1e-4)


def _score(inputs, outputs, rows, n_rows, targets, block, signs, weights, gradients, losses):
    score_rows(inputs, outputs, rows, n_rows, targets, 0, block, signs, weights, RATE, gradients, losses)


def slice_of(algorithm, t, ids, *, negative=3, tree=None, rate=1e-3, window=1, span=None, seed=5):
    noise = alias_table(np.ones(V)) if tree is None else np.empty(0, np.uint64)
    work = make_work(len(ids), window, 8, DIM)
    keep = np.ones(V, np.float32)
    state = np.array([seed], np.uint64)
    targets = (negative if tree is None else 0, noise, tree)
    block = (0,) * (4 if tree is None else 3)
    mean = work.mean if algorithm == "cbow" else None
    return train_word2vec(
        ids, span or (0, len(ids)), t, keep, targets, window, np.float32(rate), 0, state, block, mean, work
    )


@pytest.mark.parametrize("algorithm", ["skipgram", "cbow"])
@pytest.mark.parametrize("softmax", [False, True])
def test_training_follows_the_gradient_of_its_own_loss(algorithm, softmax):
    """With a tiny rate: change / rate = - d loss / d table, by finite differences along random directions.

    CBOW gives each word of a window the whole gradient, as the original does; with one context word that is the slope.
    """
    counts = np.array([50, 40, 30, 20, 10, 9, 8, 7, 6, 5, 4])
    tree = Tree(*huffman_paths(counts)) if softmax else None
    ids = np.array(
        [1, 2, 1, -1, 4, 4, 5, 0, -1] if algorithm == "skipgram" else [1, 2, -1, 4, 5, -1, 0, 3, -1], np.int32
    )
    rate, tiny = 1e-3, 1e-6
    changed = tables()
    slice_of(algorithm, changed, ids, tree=tree, rate=rate)
    start = tables()
    random = np.random.default_rng(1)
    for name in ("inputs", "outputs"):
        towards = random.normal(size=(V + 2, DIM)).astype(np.float32)
        towards[V:] = 0
        losses = []
        for sign in (1, -1):
            moved = tables()
            getattr(moved, name)[:] += np.float32(sign * 0.02) * towards
            losses.append(slice_of(algorithm, moved, ids, tree=tree, rate=tiny)[0])
        slope = (losses[0] - losses[1]) / 0.04
        step = (getattr(changed, name) - getattr(start, name)).astype(np.float64)[:V] / rate
        np.testing.assert_allclose((step * towards[:V]).sum(), -slope, rtol=0.06, atol=0.05)


def test_cbow_gives_every_word_of_a_window_the_whole_gradient():
    ids = np.array([7, 3, 9, -1], np.int32)
    t, start = tables(), tables()
    loss, windows = slice_of("cbow", t, ids, rate=1e-3, span=(1, 2))
    assert windows == 1
    mean = (start.inputs[7] + start.inputs[9]) / 2
    error = 1 - sigmoid(mean @ start.outputs[3])
    assert loss > -np.log(1 - error)
    np.testing.assert_allclose((t.outputs[3] - start.outputs[3]) / 1e-3, error * mean, atol=2e-3)
    change = (t.inputs - start.inputs)[:V]
    np.testing.assert_allclose(change[7], change[9], atol=1e-6)
    assert set(np.flatnonzero(np.abs(change).max(axis=1))) == {7, 9}


def test_a_repeated_word_counts_twice():
    ids = np.array([7, 3, 7, -1], np.int32)
    once = tables()
    loss, pairs = slice_of("skipgram", once, ids, rate=1e-3, span=(1, 2))
    assert pairs == 2
    start = tables()
    z = start.inputs[7] @ start.outputs[3]
    change = (once.outputs[3] - start.outputs[3]) / 1e-3
    np.testing.assert_allclose(change, 2 * (1 - sigmoid(z)) * start.inputs[7], atol=2e-3)
    assert loss > 2 * -np.log(sigmoid(z))


def test_slices_do_not_cut_windows():
    """Two slices through a sentence predict as many pairs as one; a sentence end is never crossed."""
    ids = np.array([*range(8), -1, *range(3), -1], np.int32)
    _, whole = slice_of("skipgram", tables(), ids, window=1)
    parts = [slice_of("skipgram", tables(), ids, window=1, span=span)[1] for span in ((0, 3), (3, 7), (7, 13))]
    assert whole == 2 * 7 + 2 * 2 == sum(parts)
    assert slice_of("skipgram", tables(), np.array([3, -1, 4, -1], np.int32)) == (0.0, 0)


def test_kept_words_follow_their_probabilities():
    ids = np.tile(np.array([0, 1, 2, -1], np.int32), 4000)
    keep = np.array([0.1, 0.5, 1], np.float32)
    kept = np.zeros(len(ids) + 9, np.int32)
    first, last = keep_words(ids, 0, len(ids), keep, 3, np.array([9], np.uint64), kept)
    share = np.bincount(kept[first:last][kept[first:last] >= 0], minlength=3) / 4000
    np.testing.assert_allclose(share, keep, atol=0.03)
    assert (kept[first:last] < 0).sum() == 4000


def test_noise_follows_its_weights():
    weights = np.array([100, 50, 20, 5, 1.0]) ** 0.75
    table = alias_table(weights)
    threshold, alias = (table >> np.uint64(32)) / 2**32, (table & np.uint64(0xFFFFFFFF)).astype(int)
    share = threshold.copy()
    np.add.at(share, alias, 1 - threshold)
    np.testing.assert_allclose(share / 5, weights / weights.sum(), atol=1e-8)
    drawn = jitted(_draw)(table, np.array([1], np.uint64), np.zeros(5000, np.int64))
    np.testing.assert_allclose(np.bincount(drawn) / 5000, weights / weights.sum(), atol=0.03)


def _draw(table, state, out):
    for i in range(len(out)):
        out[i] = draw_noise(table, next_random(state))
    return out


@pytest.mark.parametrize("counts", [[5, 3], [9, 9, 9, 9], [100, 40, 39, 8, 5, 2, 1, 1]])
def test_huffman_paths_are_a_shortest_prefix_code(counts):
    nodes, signs, offsets = huffman_paths(np.array(counts))
    lengths = np.diff(offsets)
    codes = {tuple(signs[a:b]) for a, b in pairwise(offsets)}
    assert len(codes) == len(counts)
    assert sum(2.0**-length for length in lengths) == 1  # Kraft: every leaf is used
    assert nodes.min() == 0
    assert nodes.max() == len(counts) - 2
    assert (nodes[offsets[:-1]] == len(counts) - 2).all()  # all start at the root
    assert (np.array(counts) * lengths).sum() == huffman_cost(counts)


def huffman_cost(counts):
    import heapq

    heap, cost = list(counts), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        both = heapq.heappop(heap) + heapq.heappop(heap)
        cost += both
        heapq.heappush(heap, both)
    return cost


def test_kernels_run_as_plain_python(passes_without_compiler):
    passes_without_compiler(__file__)
