"""One pass of stochastic gradient descent over lines of text: the mean of a line's rows predicts its labels.

The updates are fastText's (Joulin et al. 2017, "Bag of tricks for efficient text classification"): a label's output row
sees the line's mean as it was, and each of the line's rows takes the whole change divided by their number.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wordstock.kernels.blocks import prefetch_row
from wordstock.kernels.compiled import compiled
from wordstock.kernels.draws import below, draw_noise, next_random

__all__ = ["NEGATIVE", "ONE_VS_ALL", "SOFTMAX", "TREE", "Lines", "Targets", "train_lines"]

Array = npt.NDArray[Any]

TREE, NEGATIVE, SOFTMAX, ONE_VS_ALL = 1, 2, 3, 4  # as fastText numbers them in its files
_AHEAD = 6  # rows fetched before they are needed
_MERGED = 32  # lines between two merges of a thread's own output rows


class Lines(NamedTuple):
    """Lines as ``linefeatures`` writes them: line i has the features ``ends[i - 1]`` to ``ends[i]``, likewise labels.

    ``ends``, ``label_ends`` int64 (lines + 1,), beginning with 0; ``features``, ``labels`` int32. ``grams`` int32 and
    ``gram_ends`` int64 (words + 1,): the rows of each word's character n-grams, of no length where there are none.
    """

    features: Array
    ends: Array
    labels: Array
    label_ends: Array
    grams: Array
    gram_ends: Array


class Targets(NamedTuple):
    """``kind`` of loss; for negative sampling ``noise`` uint64 (labels,), an alias table, and ``negative``, draws;
    for the tree ``nodes`` int32 and ``sides`` float32, label l's path being at ``bounds[l]:bounds[l + 1]``.
    """

    kind: int
    noise: Array
    negative: int
    nodes: Array
    sides: Array
    bounds: Array


@compiled(fastmath={"contract", "nsz", "reassoc"})
def _dot(row, hidden):
    total = np.float32(0)
    for d in range(len(hidden)):
        total += row[d] * hidden[d]
    return total


@compiled(fastmath={"contract", "nsz"})
def _step(alpha, row, hidden, change):
    """Add alpha * row to ``change``, then alpha * hidden to ``row``."""
    for d in range(len(hidden)):
        value = row[d]
        change[d] += alpha * value
        row[d] = value + alpha * hidden[d]


@compiled
def _add(total, row):
    for d in range(len(total)):
        total[d] += row[d]


@compiled
def _binary(row, answer, rate, hidden, change):
    """One yes/no step; its loss."""
    score = _dot(row, hidden)
    sigmoid = np.float32(1) / (np.float32(1) + np.exp(-score))
    _step(rate * (answer - sigmoid), row, hidden, change)
    # log(1 + exp(-z)) without overflow
    z = score if answer > 0 else -score
    return max(np.float32(0), -z) + np.log1p(np.exp(-abs(z)))


@compiled
def _softmax(outputs, target, rate, hidden, change, scores):
    largest = np.float32(-np.inf)
    for label in range(len(scores)):
        score = _dot(outputs[label], hidden)
        scores[label] = score
        largest = max(largest, score)
    total = np.float32(0)
    loss = largest - scores[target]
    for label in range(len(scores)):
        scores[label] = np.exp(scores[label] - largest)
        total += scores[label]
    share = np.float32(1) / total
    for label in range(len(scores)):
        answer = np.float32(1) if label == target else np.float32(0)
        _step(rate * (answer - scores[label] * share), outputs[label], hidden, change)
    return loss + np.log(total)


@compiled
def _one_vs_all(outputs, labels, rate, hidden, change, scores):
    scores[:] = 0
    for label in labels:
        scores[label] = 1
    loss = np.float32(0)
    for label in range(len(scores)):
        loss += _binary(outputs[label], scores[label], rate, hidden, change)
    return loss


@compiled
def _path(outputs, targets, target, rate, hidden, change):
    loss = np.float32(0)
    for i in range(targets.bounds[target], targets.bounds[target + 1]):
        loss += _binary(outputs[targets.nodes[i]], targets.sides[i], rate, hidden, change)
    return loss


@compiled
def _negatives(outputs, targets, target, rate, hidden, change, state):
    loss = _binary(outputs[target], np.float32(1), rate, hidden, change)
    for _ in range(targets.negative):
        other = draw_noise(targets.noise, next_random(state))
        while other == target:
            other = draw_noise(targets.noise, next_random(state))
        loss += _binary(outputs[other], np.float32(0), rate, hidden, change)
    return loss


@compiled
def _gather(lines, line, rows):
    """All rows of a line into ``rows`` as far as they fit; returns how many there are."""
    size = 0
    words = len(lines.gram_ends) - 1
    for i in range(lines.ends[line], lines.ends[line + 1]):
        feature = lines.features[i]
        if size < len(rows):
            rows[size] = feature
        size += 1
        if feature < words:
            for g in range(lines.gram_ends[feature], lines.gram_ends[feature + 1]):
                if size < len(rows):
                    rows[size] = lines.grams[g]
                size += 1
    return size


@compiled
def _merge(shared, own, seen):
    """Add what changed in ``own`` since it was ``seen`` to the shared rows, and take over what others added."""
    for row in range(len(shared)):
        for d in range(shared.shape[1]):
            value = shared[row, d] + (own[row, d] - seen[row, d])
            shared[row, d] = value
            own[row, d] = value
            seen[row, d] = value


@compiled
def train_lines(lines, order, targets, inputs, shared, scales, rate, rate_step, state, work):
    """Train on the lines ``order`` int32, in this order.

    Parameters
    ----------
    inputs, shared : float32 (rows, columns) and (labels or nodes, columns), the output rows; updated.
    scales : float32 (rows,), what each row's change is multiplied by; of no length = 1.
    rate, rate_step : learning rate of the first line, and how much less each next one has.
    state : uint64 (1,), random.
    work : (hidden, change float32 (columns,), scores float32 (labels,), rows int64 (longest line + 1,), own, seen
        float32 like ``shared``). Where the last two have a length, output rows are updated there and merged every few
        lines: with a softmax each line changes all of them, and threads would wait for each other's cache lines.

    Returns
    -------
    Sum of the losses, in nats, and over how many lines.
    """
    hidden, change, scores, rows, own, seen = work
    outputs = shared
    if len(own):
        own[:] = shared
        seen[:] = shared
        outputs = own
    total = 0.0
    count = 0
    for at in range(len(order)):
        line = order[at]
        size = _gather(lines, line, rows)
        first, last = lines.label_ends[line], lines.label_ends[line + 1]
        if size == 0 or (first == last and targets.kind != ONE_VS_ALL):
            continue
        hidden[:] = 0
        change[:] = 0
        for i in range(min(size, _AHEAD)):
            prefetch_row(inputs, rows[i])
        for i in range(size):
            if i + _AHEAD < size:
                prefetch_row(inputs, rows[i + _AHEAD])
            _add(hidden, inputs[rows[i]])
        share = np.float32(1.0 / size)
        for d in range(len(hidden)):
            hidden[d] *= share
        now = np.float32(rate - at * rate_step)
        if targets.kind == ONE_VS_ALL:
            total += _one_vs_all(outputs, lines.labels[first:last], now, hidden, change, scores)
        else:
            target = lines.labels[first]
            if last - first > 1:
                target = lines.labels[first + below(next_random(state), last - first)]
            if targets.kind == SOFTMAX:
                total += _softmax(outputs, target, now, hidden, change, scores)
            elif targets.kind == TREE:
                total += _path(outputs, targets, target, now, hidden, change)
            else:
                total += _negatives(outputs, targets, target, now, hidden, change, state)
        for d in range(len(change)):
            change[d] *= share
        if len(scales):
            for i in range(size):
                row = inputs[rows[i]]
                scale = scales[rows[i]]
                for d in range(len(change)):
                    row[d] += scale * change[d]
        else:
            for i in range(size):
                _add(inputs[rows[i]], change)
        count += 1
        if len(own) and count % _MERGED == 0:
            _merge(shared, own, seen)
    if len(own):
        _merge(shared, own, seen)
    return total, count
