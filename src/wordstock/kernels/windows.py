"""What the word2vec kernels share: the arrays of a slice, and one gradient step of input rows against the targets.

The targets of a centre word are shared by all input rows of its window, so that a step is three small matrix products
(Ji et al. 2016, "Parallelizing word2vec in shared and distributed memory"; the original draws anew for each pair).
They are the word and its noise words, or the inner nodes on the word's path in the Huffman tree (Mikolov et al. 2013).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wordstock.kernels.blocks import LARGEST_BLOCK, row_address, score_mean, score_rows, update_mean, update_rows
from wordstock.kernels.compiled import compiled
from wordstock.kernels.draws import draw_noise, next_random
from wordstock.kernels.scratch import private_arrays

__all__ = [
    "CENTRES_AHEAD",
    "Tables",
    "Tree",
    "Work",
    "announce_targets",
    "choose_targets",
    "gather_window",
    "make_work",
    "train_window",
]

CENTRES_AHEAD = 2  # how early the rows of a centre are asked for
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
    coming: Array
    ahead: Array
    targets: Array
    signs: Array
    weights: Array
    gradients: Array
    losses: Array
    mean: Array
    random: Array


def make_work(slice_size: int, window: int, most_targets: int, dim: int) -> Work:
    """Scratch for slices of up to ``slice_size`` ids and centres with up to ``most_targets`` targets."""
    contexts = 2 * window + 2
    targets = most_targets + LARGEST_BLOCK
    arrays = {
        "kept": ((slice_size + 3 * window + 4,), np.int32),
        "context": ((contexts,), np.int64),
        "rows": ((contexts + window,), np.int64),
        "coming": ((CENTRES_AHEAD, targets), np.int64),
        "ahead": ((targets,), np.int64),
        "targets": ((targets,), np.int64),
        "signs": ((targets + LARGEST_BLOCK,), np.float32),
        "weights": ((targets + LARGEST_BLOCK,), np.float32),
        "gradients": ((contexts, LARGEST_BLOCK), np.float32),
        "losses": ((LARGEST_BLOCK,), np.float32),
        "mean": ((dim,), np.float32),
        "random": ((1,), np.uint64),
    }
    work = Work(**dict(zip(arrays, private_arrays(*arrays.values()), strict=True)))
    work.kept[:] = -1
    return work


@compiled(forceinline=True)
def gather_window(kept, begin, end, centre, reach, window, rows):
    """Write the words within ``reach`` of the centre, in a sentence ``kept[begin:end]``, to ``rows``; their number.

    Always copies the widest window and counts what is valid: loops of constant length leave nothing to predict.
    One more row, a copy of the last, makes the number of valid rows even.
    """
    left = max(begin, centre - reach)
    before = centre - left
    count = before + min(end, centre + reach + 1) - centre - 1
    for i in range(window):
        rows[i] = kept[left + i]
    for i in range(window):
        rows[before + i] = kept[centre + 1 + i]
    rows[count] = rows[max(count - 1, 0)]
    return count


@compiled(forceinline=True)
def announce_targets(word, turn, negative, noise, tree, outputs, state, work):
    """Draw noise for the centre of a later ``turn``, or look up its path; ``work.ahead`` gets its rows' addresses.

    ``word`` is that centre or -1, the end of a sentence: noise is drawn all the same, for the centre after it.
    """
    slot = turn % CENTRES_AHEAD
    if tree is None:
        for k in range(negative):
            drawn = draw_noise(noise, next_random(state))
            work.coming[slot, k] = drawn
            work.ahead[k + 1] = row_address(outputs, drawn)
        if word >= 0:
            work.ahead[0] = row_address(outputs, np.int64(word))
    elif word >= 0:
        start = tree.offsets[word]
        for k in range(tree.offsets[word + 1] - start):
            work.ahead[k] = row_address(outputs, np.int64(tree.nodes[start + k]))


@compiled(forceinline=True)
def choose_targets(word, turn, negative, noise, tree, block, spare, work):
    """Fill ``targets``, ``signs`` and ``weights`` for this turn's centre; returns how many, a multiple of the block.

    A noise word that equals the centre or an earlier noise word counts for nothing: its place, like those that fill
    up the last block, is taken by the thread's ``spare`` row with weight 0.
    """
    targets, signs, weights = work.targets, work.signs, work.weights
    slot = turn % CENTRES_AHEAD
    if tree is None:
        count = 1 + negative
        targets[0] = word
        signs[0] = weights[0] = 1
        for k in range(negative):
            drawn = work.coming[slot, k]
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


@compiled(forceinline=True)
def train_window(tables, n_rows, n_targets, rate, block, mean, work):
    """One gradient step of ``work.rows[:n_rows]`` against the chosen targets; log-likelihood goes to ``work.losses``.

    With ``mean`` float32 (dim,) the mean of the rows is the one input, and is left there; with None each row is one.
    The targets are taken block by block; within a block every score is computed before any row changes.
    ``work.rows[n_rows]`` must be a valid row: rows are scored in pairs.
    """
    inputs, outputs, scales = tables
    rows, targets, gradients, losses = work.rows, work.targets, work.gradients, work.losses
    signs, weights, ahead = work.signs, work.weights, work.ahead
    for first in range(0, n_targets, len(block)):
        if mean is None:
            score_rows(inputs, outputs, rows, n_rows, targets, first, block, signs, weights, rate, gradients, losses)
            update_rows(inputs, outputs, rows, n_rows, targets, first, block, gradients, scales, ahead)
        else:
            score_mean(
                inputs, outputs, rows, n_rows, targets, first, block, signs, weights, rate, mean, gradients, losses
            )
            update_mean(inputs, outputs, rows, n_rows, targets, first, block, mean, gradients, scales, ahead)
