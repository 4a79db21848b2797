"""What skip-gram and CBOW share: the arrays of a slice, and one gradient step of some input rows against the targets.

The targets of a centre word are shared by all input rows of its window, so that a step is three small matrix products
(Ji et al. 2016, "Parallelizing word2vec in shared and distributed memory"; the original draws anew for each pair).
They are the word and its noise words, or the inner nodes on the word's path in the Huffman tree (Mikolov et al. 2013).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wordstock.kernels.blocks import LARGEST_BLOCK, prefetch_row, score_pair, update_block
from wordstock.kernels.compiled import compiled
from wordstock.kernels.draws import draw_noise, next_random

__all__ = ["Tables", "Tree", "Work", "announce_targets", "choose_targets", "make_work", "train_targets"]

Array = npt.NDArray[Any]


class Tables(NamedTuple):
    """Float32 (n + 2 * threads, dim): rows 2t and 2t + 1 after the n real ones belong to thread t; dim = 16 * any.

    ``scales`` float32 (n + 2 * threads,), how much of its gradient an input row takes, or None for all of it.
    """

    inputs: Array
    outputs: Array
    scales: Array | None


class Tree(NamedTuple):
    """Paths in a Huffman tree: word w passes ``nodes[offsets[w]:offsets[w + 1]]``, turning as ``signs`` say.

    ``nodes`` int32, ``signs`` float32 (+1 or -1), ``offsets`` int64 (words + 1,).
    """

    nodes: Array
    signs: Array
    offsets: Array


class Work(NamedTuple):
    """Scratch arrays of one thread; see ``make_work``."""

    kept: Array
    context: Array
    rows: Array
    repeats: Array
    coming: Array
    targets: Array
    signs: Array
    weights: Array
    rates: Array
    gradients: Array
    losses: Array
    mean: Array


def make_work(slice_size: int, window: int, most_targets: int, dim: int) -> Work:
    """Scratch for slices of up to ``slice_size`` ids and centres with up to ``most_targets`` targets."""
    contexts = 2 * window + 2
    targets = most_targets + LARGEST_BLOCK
    return Work(
        kept=np.full(slice_size + 2 * window + 3, -1, np.int32),
        context=np.zeros(contexts, np.int64),
        rows=np.zeros(contexts, np.int64),
        repeats=np.zeros(contexts, np.float32),
        coming=np.zeros(targets, np.int64),
        targets=np.zeros(targets, np.int64),
        signs=np.zeros(targets + LARGEST_BLOCK, np.float32),
        weights=np.zeros(targets + LARGEST_BLOCK, np.float32),
        rates=np.zeros((contexts, LARGEST_BLOCK), np.float32),
        gradients=np.zeros((contexts, LARGEST_BLOCK), np.float32),
        losses=np.zeros(2 * LARGEST_BLOCK, np.float32),
        mean=np.zeros(dim, np.float32),
    )


@compiled
def announce_targets(word, negative, noise, tree, outputs, state, work):
    """Draw the noise words of a centre that comes next, or look up its path, and prefetch their rows.

    ``word`` may be -1, the end of a sentence: noise is drawn all the same, for the centre after it.
    """
    if tree is None:
        for k in range(negative):
            drawn = draw_noise(noise, next_random(state))
            work.coming[k] = drawn
            prefetch_row(outputs, drawn)
        if word >= 0:
            prefetch_row(outputs, np.int64(word))
    elif word >= 0:
        for at in range(tree.offsets[word], tree.offsets[word + 1]):
            prefetch_row(outputs, np.int64(tree.nodes[at]))


@compiled
def choose_targets(word, negative, noise, tree, block, spare, work):
    """Fill ``targets``, ``signs`` and ``weights`` for a centre; returns how many there are, a multiple of the block.

    A noise word that equals the centre or an earlier noise word counts for nothing: its place, like those that fill
    up the last block, is taken by the thread's ``spare`` row with weight 0.
    """
    targets, signs, weights = work.targets, work.signs, work.weights
    if tree is None:
        count = 1 + negative
        targets[0] = word
        signs[0] = weights[0] = 1
        for k in range(negative):
            drawn = work.coming[k]
            seen = np.int64(0)
            for i in range(k + 1):
                seen += targets[i] == drawn
            targets[k + 1] = spare if seen else drawn
            signs[k + 1] = -1
            weights[k + 1] = 0 if seen else 1
    else:
        start = tree.offsets[word]
        count = tree.offsets[word + 1] - start
        for k in range(count):
            targets[k] = tree.nodes[start + k]
            signs[k] = tree.signs[start + k]
            weights[k] = 1
    while count % len(block):
        targets[count] = spare
        signs[count] = -1
        weights[count] = 0
        count += 1
    return count


@compiled
def train_targets(tables, n_rows, n_targets, rate, block, work):
    """One gradient step of ``work.rows[:n_rows]``, each counted ``work.repeats`` times, against the chosen targets.

    The targets are taken block by block; within a block every score is computed before any row changes. Rate times
    log-likelihood is added to ``work.losses``. ``work.rows[n_rows]`` must be a valid row: rows are scored in pairs.
    """
    size = len(block)
    for first in range(0, n_targets, size):
        targets = work.targets[first : first + size]
        signs = work.signs[first : first + LARGEST_BLOCK]
        for r in range(n_rows):
            share = rate * work.repeats[r]
            for k in range(size):
                work.rates[r, k] = share * work.weights[first + k]
        if n_rows % 2:
            work.rates[n_rows, :] = 0
        for at in range(0, n_rows, 2):
            score_pair(
                tables.inputs,
                tables.outputs,
                work.rows,
                targets,
                block,
                signs,
                work.rates,
                at,
                work.gradients,
                work.losses,
            )
        update_block(tables.inputs, tables.outputs, work.rows, targets, block, n_rows, work.gradients, tables.scales)
