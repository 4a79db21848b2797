"""The fastText kernel against plain NumPy: composed words, the ring, both algorithms; compiled and as plain Python."""

import os

import numpy as np
import pytest

from wordstock.kernels.fasttext import Grams, compose_words, make_ring, recover_rows, train_fasttext
from wordstock.kernels.sampling import alias_table, huffman_paths
from wordstock.kernels.windows import Tables, Tree, make_work

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"
V, BUCKETS, DIM = 7, 9, 32
COUNTS = np.array([30, 25, 20, 15, 12, 10, 8])
IDS = np.array([0, 1, 2, 1, 0, 3, -1, 4, 5, 6, 5, -1], np.int32)


def grams(seed=0):
    """Each word's own row, then one to five rows of n-grams, some of them twice."""
    random = np.random.default_rng(seed)
    lists = [[w, *(V + random.integers(0, BUCKETS, random.integers(1, 6)))] for w in range(V)]
    return Grams(np.concatenate(lists).astype(np.int32), np.cumsum([0, *map(len, lists)]))


def tables(scales=None):
    random = np.random.default_rng(1)
    return Tables(
        random.normal(0, 0.5, (V + BUCKETS, DIM)).astype(np.float32),
        random.normal(0, 0.5, (V + 2, DIM)).astype(np.float32),
        scales,
    )


def run(t, ids=IDS, *, cbow=False, tree=None, rate=0.05, window=1, span=None):
    noise = alias_table(np.ones(V)) if tree is None else np.empty(0, np.uint64)
    targets = (3 if tree is None else 0, noise, tree)
    return train_fasttext(
        ids, span or (0, len(ids)), t, grams(), make_ring(window, t), np.ones(V, np.float32), targets, window, cbow,
        np.float32(rate), 0, np.array([5], np.uint64), (0,) * 8, make_work(len(ids), window, 8, DIM),
    )  # fmt: skip


def plain(t, *, cbow, tree, rate):
    """The same text in NumPy, with windows of one word to either side and everything drawn certain by the tree."""
    g, scales = grams(), np.ones(V + BUCKETS) if t.scales is None else t.scales
    inputs, outputs = (table.astype(np.float64) for table in t[:2])
    loss, items, within = 0.0, 0, {}

    def rows(word):
        return g.rows[g.offsets[word] : g.offsets[word + 1]]

    def leave(place):
        vector, start = within.pop(place)
        share = scales[rows(IDS[place])]
        if share.mean() > 0:
            np.add.at(inputs, rows(IDS[place]), np.outer(share / share.mean(), vector - start))

    for centre in range(len(IDS)):
        for place in {centre, centre + 1} - within.keys():
            if place < len(IDS) and IDS[place] >= 0:
                vector = inputs[rows(IDS[place])].mean(axis=0)
                within[place] = [vector, vector.copy()]
        around = [p for p in (centre - 1, centre + 1) if 0 <= p < len(IDS) and IDS[p] >= 0 <= IDS[centre]]
        if around:
            path = slice(tree.offsets[IDS[centre]], tree.offsets[IDS[centre] + 1])
            nodes, signs = tree.nodes[path], tree.signs[path]
            sizes = np.array([len(rows(IDS[p])) for p in around])
            x = np.array([within[p][0] for p in around])
            if cbow:
                x = sizes @ x[:, :] / sizes.sum()
            x = np.atleast_2d(x)
            z = signs * (x @ outputs[nodes].T)
            gradient = rate * signs / (1 + np.exp(z))
            loss -= np.log(1 / (1 + np.exp(-z))).sum()
            items += len(x)
            gain = gradient @ outputs[nodes]
            outputs[nodes] += gradient.T @ x
            for place, change in zip(around, np.broadcast_to(gain, (len(around), DIM)), strict=True):
                within[place][0] += scales[rows(IDS[place])].mean() * change
        if centre - 1 in within:
            leave(centre - 1)
    for place in sorted(within):
        leave(place)
    return inputs, outputs, loss, items


@pytest.mark.parametrize("cbow", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
def test_a_slice_equals_plain_numpy(cbow, scaled):
    scales = np.random.default_rng(4).choice([0, 0.3, 1], V + BUCKETS).astype(np.float32) if scaled else None
    tree = Tree(*huffman_paths(COUNTS))
    t = tables(scales)
    inputs, outputs, loss, items = plain(t, cbow=cbow, tree=tree, rate=0.05)
    found = run(t, cbow=cbow, tree=tree)
    assert found[1] == items
    np.testing.assert_allclose(found[0], loss, rtol=1e-4)
    np.testing.assert_allclose(t.inputs, inputs, atol=2e-5)
    np.testing.assert_allclose(t.outputs[:V], outputs[:V], atol=2e-5)
    if scaled:
        np.testing.assert_array_equal(t.inputs[scales == 0], tables().inputs[scales == 0])


@pytest.mark.parametrize("cbow", [False, True])
def test_small_steps_are_those_of_the_original(cbow):
    """Every pair's gradient, taken at the start, added in full to each row of the pair's words."""
    ids, rate = np.array([3, 1, 4, -1], np.int32), 1e-3
    tree = Tree(*huffman_paths(COUNTS))
    t, start, g = tables(), tables(), grams()
    run(t, ids, cbow=cbow, tree=tree, rate=rate, span=(1, 2))
    path = slice(tree.offsets[1], tree.offsets[2])
    nodes, signs = tree.nodes[path], tree.signs[path]
    pairs = [g.rows[g.offsets[w] : g.offsets[w + 1]] for w in (3, 4)]
    wanted = np.zeros_like(start.inputs)
    for rows in [np.concatenate(pairs)] if cbow else pairs:
        z = signs * (start.outputs[nodes] @ start.inputs[rows].mean(axis=0))
        np.add.at(wanted, rows, (signs / (1 + np.exp(z))) @ start.outputs[nodes])
    np.testing.assert_allclose((t.inputs - start.inputs) / rate, wanted, atol=2e-2)


@pytest.mark.parametrize("cbow", [False, True])
def test_noise_words_are_pushed_away(cbow):
    t = tables()
    first = run(t, cbow=cbow, rate=0.1)[0]
    for _ in range(30):
        last = run(t, cbow=cbow, rate=0.1)[0]
    assert last < 0.5 * first


def test_slices_do_not_cut_windows():
    _, whole = run(tables(), window=1)
    assert whole == 2 * 5 + 2 * 3
    assert sum(run(tables(), window=1, span=span)[1] for span in ((0, 2), (2, 5), (5, 9), (9, 12))) == whole
    assert run(tables(), np.array([3, -1, 4, -1], np.int32)) == (0.0, 0)
    one = tables()
    run(one, np.array([3, -1, 4, -1], np.int32), window=9)
    np.testing.assert_array_equal(one.inputs, tables().inputs)


def test_words_are_means_and_own_rows_come_back():
    t, g = tables(), grams()
    wanted = np.array([t.inputs[g.rows[a:b]].mean(axis=0) for a, b in zip(g.offsets[:-1], g.offsets[1:], strict=True)])
    compose_words(t.inputs, g, 0, V, t.inputs[:V, :20])
    np.testing.assert_allclose(t.inputs[:V, :20], wanted[:, :20], atol=1e-6)
    t.inputs[:V] = wanted
    recover_rows(t.inputs, g, np.arange(V))
    np.testing.assert_allclose(t.inputs, tables().inputs, atol=1e-5)


def test_the_kernel_runs_as_plain_python(passes_without_compiler):
    passes_without_compiler(__file__)
