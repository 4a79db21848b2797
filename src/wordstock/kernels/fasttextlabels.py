"""The most probable labels of texts under a fastText classifier (Joulin et al. 2017), a slice of texts at a time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wordstock.kernels.compiled import compiled
from wordstock.kernels.fasttextfeatures import add_text

__all__ = ["Head", "build_tree", "predict_texts"]


class Head(NamedTuple):
    """What turns a text's vector into labels: ``output`` float32 (labels, dim), and the kind of it.

    ``tree`` int32 (2 * labels - 1, 2): the children of each node of hierarchical softmax, -1 for the leaves, which come
    first; of no length for the others. ``softmax``: whether the labels share one softmax; else each has a sigmoid.
    """

    output: npt.NDArray[Any]
    tree: npt.NDArray[Any]
    softmax: bool


_TINY = 1e-5  # fastText adds it to every probability before the logarithm
_STEPS, _RANGE = 512, 8.0  # of fastText's table of sigmoids


@compiled
def build_tree(counts, tree, sums):
    """Huffman tree over labels with ``counts`` int64 (n,), below 10**15, as fastText builds it.

    ``tree`` int32 (2 * n - 1, 2), all -1, is written; ``sums`` float64 (2 * n - 1,) is scratch.
    """
    size = len(counts)
    for node in range(len(sums)):
        sums[node] = counts[node] if node < size else 1e15
    leaf, inner = size - 1, size
    for node in range(size, len(sums)):
        for side in range(2):
            if leaf >= 0 and sums[leaf] < sums[inner]:
                tree[node, side] = leaf
                leaf -= 1
            else:
                tree[node, side] = inner
                inner += 1
        sums[node] = sums[tree[node, 0]] + sums[tree[node, 1]]


@compiled(fastmath={"contract", "nsz", "reassoc"})
def _dot(one, other):
    total = np.float32(0)
    for d in range(len(one)):
        total += one[d] * other[d]
    return total


@compiled
def _log(probability):
    return np.float32(np.log(np.float64(np.float32(probability)) + _TINY))


@compiled
def _push(scores, labels, size, score, label):
    """Put a label among the best, a heap with the least of them first; returns how many there are now."""
    if size < len(scores):
        place = size
        size += 1
        while place > 0 and scores[(place - 1) // 2] > score:
            above = (place - 1) // 2
            scores[place], labels[place] = scores[above], labels[above]
            place = above
    else:
        if not score > scores[0]:
            return size
        place = 0
        while 2 * place + 1 < size:
            below = 2 * place + 1
            if below + 1 < size and scores[below + 1] < scores[below]:
                below += 1
            if scores[below] >= score:
                break
            scores[place], labels[place] = scores[below], labels[below]
            place = below
    scores[place], labels[place] = score, label
    return size


@compiled
def _descend(head, hidden, scores, labels, nodes, so_far):
    """The best labels by hierarchical softmax; a branch less probable than 1e-5, or than all of them, is left out."""
    least = _log(0.0)
    count = len(head.output)
    nodes[0], so_far[0] = len(head.tree) - 1, 0.0
    depth, size = 1, 0
    while depth > 0:
        depth -= 1
        node, score = nodes[depth], so_far[depth]
        if score < least or (size == len(scores) and score < scores[0]):
            continue
        if head.tree[node, 0] < 0:
            size = _push(scores, labels, size, score, node)
            continue
        right = np.float32(1.0 / (1.0 + np.float64(np.exp(-_dot(head.output[node - count], hidden)))))
        nodes[depth], so_far[depth] = head.tree[node, 0], score + _log(1.0 - np.float64(right))
        nodes[depth + 1], so_far[depth + 1] = head.tree[node, 1], score + _log(right)
        depth += 2


@compiled
def _rank(head, hidden, scores, labels, outputs):
    """The best labels by softmax or by sigmoids."""
    largest = np.float32(-np.inf)
    for label in range(len(outputs)):
        outputs[label] = _dot(head.output[label], hidden)
        largest = max(largest, outputs[label])
    share = np.float32(0)
    if head.softmax:
        for label in range(len(outputs)):
            outputs[label] = np.exp(outputs[label] - largest)
            share += outputs[label]
        share = np.float32(1) / share
    size = 0
    for label in range(len(outputs)):
        value = outputs[label]
        if head.softmax:
            probability = value * share
        elif value < -_RANGE:
            probability = np.float32(0)
        elif value > _RANGE:
            probability = np.float32(1)
        else:
            step = np.floor((np.float64(value) + _RANGE) * (_STEPS / _RANGE / 2))
            probability = np.float32(1 / (1 + np.exp(_RANGE - step * (2 * _RANGE / _STEPS))))
        size = _push(scores, labels, size, _log(probability), label)


@compiled
def predict_texts(dictionary, matrix, head, data, offsets, first, last, scores, labels):
    """Logarithms of probabilities and numbers of the best labels of the texts ``first`` to ``last``, in no order.

    Parameters
    ----------
    data : uint8, ``</s>`` and the texts in UTF-8; ``offsets`` int64 (texts + 1,), where each text starts.
    scores : float32 (texts, k), all -inf, labels : int32 (texts, k), all -1; written. A text that calls on no row of
        the model keeps these.
    """
    hidden = np.empty(matrix.dim, np.float32)
    running = np.empty((max(0, dictionary.word_ngrams - 1), 2), np.uint64)
    rows = np.empty(2048 + dictionary.max_n + dictionary.word_ngrams, np.int64)
    outputs = np.empty(len(head.output), np.float32)
    nodes = np.empty(len(head.tree) + 1, np.int64)
    so_far = np.empty(len(head.tree) + 1, np.float32)
    for text in range(first, last):
        hidden[:] = 0
        count = add_text(dictionary, matrix, data, offsets[text], offsets[text + 1], (running, rows), hidden)
        if count == 0:
            continue
        hidden *= np.float32(1.0 / count)
        if len(head.tree):
            _descend(head, hidden, scores[text], labels[text], nodes, so_far)
        else:
            _rank(head, hidden, scores[text], labels[text], outputs)
