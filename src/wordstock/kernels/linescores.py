"""Scores of texts under a linear classifier over words and n-grams, a slice of texts at a time."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled
from wordstock.kernels.fasttextfeatures import add_text

__all__ = ["best_labels", "leaf_scores", "line_scores", "text_vectors"]


@compiled(fastmath={"contract", "nsz", "reassoc"})
def _dot(row, hidden):
    total = np.float32(0)
    for d in range(len(hidden)):
        total += row[d] * hidden[d]
    return total


@compiled
def _scratch(dictionary, matrix):
    running = np.empty((max(0, dictionary.word_ngrams - 1), 2), np.uint64)
    rows = np.empty(2048 + dictionary.max_n + dictionary.word_ngrams, np.int64)
    return (running, rows), np.empty(matrix.dim, np.float32)


@compiled
def text_vectors(dictionary, matrix, data, offsets, first, last, out):
    """Mean of the rows of each of the texts ``first`` to ``last`` into ``out`` float32 (texts, dim), which holds zeros.

    ``data`` uint8, ``</s>`` and the texts in UTF-8; ``offsets`` int64 (texts + 1,), where each text starts.
    """
    scratch, _ = _scratch(dictionary, matrix)
    for text in range(first, last):
        count = add_text(dictionary, matrix, data, offsets[text], offsets[text + 1], scratch, out[text])
        if count:
            share = np.float32(1.0 / count)
            for d in range(out.shape[1]):
                out[text, d] *= share


@compiled
def line_scores(dictionary, matrix, outputs, data, offsets, first, last, scores):
    """Score of every output row for the texts ``first`` to ``last`` into ``scores`` float32 (texts, outputs)."""
    scratch, hidden = _scratch(dictionary, matrix)
    for text in range(first, last):
        hidden[:] = 0
        count = add_text(dictionary, matrix, data, offsets[text], offsets[text + 1], scratch, hidden)
        share = np.float32(1.0 / max(count, 1))
        for label in range(len(outputs)):
            scores[text, label] = _dot(outputs[label], hidden) * share


@compiled
def best_labels(dictionary, matrix, outputs, data, offsets, first, last, best):
    """The output row with the highest score for the texts ``first`` to ``last`` into ``best`` int32 (texts,)."""
    scratch, hidden = _scratch(dictionary, matrix)
    for text in range(first, last):
        hidden[:] = 0
        add_text(dictionary, matrix, data, offsets[text], offsets[text + 1], scratch, hidden)
        highest = np.float32(-np.inf)
        for label in range(len(outputs)):
            score = _dot(outputs[label], hidden)
            if score > highest:
                highest = score
                best[text] = label


@compiled
def leaf_scores(scores, tree, out):
    """Logarithm of the probability of each label, from those of going right at each inner node of the tree.

    ``scores`` float32 (n, labels): of the inner nodes in the first labels - 1 columns; ``tree`` int32
    (2 * labels - 1, 2) as ``fasttextlabels.build_tree`` makes it; ``out`` float64 (n, labels), written.
    """
    labels = out.shape[1]
    so_far = np.empty(len(tree), np.float64)
    for text in range(len(scores)):
        so_far[len(tree) - 1] = 0.0
        for node in range(len(tree) - 1, labels - 1, -1):  # a node comes before those above it
            score = np.float64(scores[text, node - labels])
            tail = np.log1p(np.exp(-abs(score)))
            so_far[tree[node, 1]] = so_far[node] - tail + min(score, 0.0)
            so_far[tree[node, 0]] = so_far[node] - tail - max(score, 0.0)
        for label in range(labels):
            out[text, label] = so_far[label]
