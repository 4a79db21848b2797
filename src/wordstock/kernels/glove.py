"""One tile of GloVe's weighted least squares (Pennington, Socher & Manning 2014), by AdaGrad.

A word has one row of the state with four lines: its word vector, the sums of that vector's squared steps, its context
vector, and the sums of that. A vector carries its bias in the entry after its last component, and in the next one the
constant 1 that the other side's bias is multiplied with, so that a bias costs no code of its own; the constant stays
1 because its sum of squares starts at 1e30.
"""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled
from wordstock.kernels.fetch_ahead import fetch_ahead

__all__ = ["train_tile"]

_AHEAD = 3  # pairs whose rows are asked for before they are needed
_RUN = 16  # most pairs in a row with one first word
_LINE = 16  # float32 numbers in a cache line


@compiled(inline="always")
def _random(state):
    """32 bits of xorshift64 (Marsaglia 2003); ``state`` uint64 (1,), not 0."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return x >> np.uint64(32)


@compiled(fastmath={"reassoc", "contract", "arcp", "nsz"}, forceinline=True)
def _descend(state, word, context, rate):
    """One step of the vector of ``word`` and the context vector of ``context``, each by the other as it was."""
    for d in range(state.shape[2]):
        x, y = state[word, 0, d], state[context, 2, d]
        step_x, step_y = rate * y, rate * x
        sum_x, sum_y = state[word, 1, d], state[context, 3, d]
        state[word, 0, d] = x - step_x / np.sqrt(sum_x)
        state[context, 2, d] = y - step_y / np.sqrt(sum_y)
        state[word, 1, d] = sum_x + step_x * step_x
        state[context, 3, d] = sum_y + step_y * step_y


@compiled(fastmath={"reassoc", "contract", "arcp", "nsz"}, forceinline=True)
def _product(state, word, context):
    total = np.float32(0)
    for d in range(state.shape[2]):
        total += state[word, 0, d] * state[context, 2, d]
    return total


@compiled
def _shuffle_runs(pairs, order, random):
    """Fill ``order`` with all numbers of pairs: runs of up to ``_RUN`` with the same first word, in random order.

    The rows of the first word then stay in the nearest cache for a run: a third less time than pairs one by one.
    """
    n = len(pairs)
    starts = np.empty(n + 1, np.int32)
    runs = 0
    for k in range(n):
        if runs == 0 or pairs[k, 0] != pairs[k - 1, 0] or k - starts[runs - 1] == _RUN:
            starts[runs] = k
            runs += 1
    starts[runs] = n
    shuffled = np.empty(runs, np.int32)
    for k in range(runs):
        other = np.int64(_random(random) * np.uint64(k + 1) >> np.uint64(32))  # 0..k
        shuffled[k] = shuffled[other]
        shuffled[other] = k
    end = 0
    for run in shuffled:
        for pair in range(starts[run], starts[run + 1]):
            order[end] = pair
            end += 1


@compiled
def train_tile(state, pairs, targets, order, learning_rate, random):
    """Go once through a tile's pairs of words, each in both directions, in a random order of runs.

    Parameters
    ----------
    state : float32 (words, 4, width), changed in place.
    pairs : int32 (n, 2), words i and j, sorted by i; i may equal j.
    targets : float32 (n, 2), the logarithm of the pair's count, and its weight.
    order : int32 (n,), scratch.
    learning_rate : float32.
    random : uint64 (1,), state of the random numbers, not 0.

    Returns
    -------
    Sum of weight / 2 times squared error over the cells of the matrix, two for a pair of two words.
    """
    n = len(pairs)
    _shuffle_runs(pairs, order, random)
    cost = 0.0
    flat = state.reshape(-1)
    row = state.shape[1] * state.shape[2]
    for k in range(n):
        if k + _AHEAD < n:
            ahead = order[k + _AHEAD]
            for side in range(2):
                start = np.int64(pairs[ahead, side]) * row
                for line in range(start, start + row, _LINE):
                    fetch_ahead(flat, line)
        pair = order[k]
        i, j = pairs[pair, 0], pairs[pair, 1]
        target, weight = targets[pair, 0], targets[pair, 1]
        error = _product(state, i, j) - target
        cost += weight * error * error
        if i != j:
            other_error = _product(state, j, i) - target
            cost += weight * other_error * other_error
            _descend(state, j, i, learning_rate * weight * other_error)
        _descend(state, i, j, learning_rate * weight * error)
    return cost / 2
