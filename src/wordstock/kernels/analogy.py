"""Keep the k best answers per analogy question while a table is walked block by block.

The score of a row for a question joins two lines: one that belongs to the pair (a, b), shared by all questions that
start with it, and one that belongs to the word c. Each line is first reduced to its peak over every ``_STEP`` rows;
where two peaks together cannot beat the current k-th score, and that is nine times in ten, the rows below them are
never looked at. Float addition is monotone, and so is the product of numbers not below 0: nothing is lost.
"""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled
from wordstock.kernels.topk import _push

__all__ = ["scan_analogies"]

_STEP = 64  # rows under one peak
_GROUP = 64  # peaks compared at once


@compiled(fastmath={"nnan", "nsz"})
def _peaks(lines):
    """Highest value over every ``_STEP`` columns; float32 (lines, ceil(columns / _STEP))."""
    out = np.empty((lines.shape[0], (lines.shape[1] + _STEP - 1) // _STEP), np.float32)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            piece = lines[i, j * _STEP : (j + 1) * _STEP]
            peak = piece[0]
            for p in range(len(piece)):
                peak = max(peak, piece[p])
            out[i, j] = peak
    return out


@compiled(inline="always")
def _join(x, y, multiply):
    return x * y if multiply else x + y


@compiled
def _any_above(x, y, multiply, limit):
    """Whether any pair of values joins to more than ``limit``; int32 counts because only then LLVM vectorises."""
    hits = np.int32(0)
    if multiply:
        for i in range(len(x)):
            hits += np.int32(x[i] * y[i] > limit)
    else:
        for i in range(len(x)):
            hits += np.int32(x[i] + y[i] > limit)
    return hits > 0


@compiled
def _skipped(row, question, skip_bounds, skip_rows):
    """Whether one of the question's words leaves this row out."""
    for word in question:
        for i in range(skip_bounds[word], skip_bounds[word + 1]):
            if skip_rows[i] == row:
                return True
    return False


@compiled
def scan_analogies(
    pair_lines, word_lines, pair_of, questions, skip_bounds, skip_rows, first_row, multiply, scores, rows
):
    """Score of row x for question q: ``pair_lines[pair_of[q], x]`` plus or times ``word_lines[questions[q, 2], x]``.

    Parameters
    ----------
    pair_lines : float32 (pairs, block), contiguous along the block.
    word_lines : float32 (words, block), likewise.
    pair_of : int64 (n,), line of each question's first two words.
    questions : int64 (n, 3), words a, b, c of each question.
    skip_bounds, skip_rows : int64 (words + 1,) and int64; the rows ``skip_rows[skip_bounds[w] : skip_bounds[w + 1]]``
        are never an answer to a question in which word w occurs.
    first_row : row of the table that the block starts with.
    multiply : whether lines are joined by product, none of them then below 0, or by sum.
    scores, rows : float32 and int64 (n, k), descending; updated in place.
    """
    pair_peaks, word_peaks = _peaks(pair_lines), _peaks(word_lines)
    size, last = pair_peaks.shape[1], scores.shape[1] - 1
    for q in range(len(questions)):
        pair, word = pair_of[q], questions[q, 2]
        limit = scores[q, last]
        for start in range(0, size, _GROUP):
            x, y = pair_peaks[pair, start : start + _GROUP], word_peaks[word, start : start + _GROUP]
            if not _any_above(x, y, multiply, limit):
                continue
            for i in range(len(x)):
                if _join(x[i], y[i], multiply) <= limit:
                    continue
                base = (start + i) * _STEP
                u, v = pair_lines[pair, base : base + _STEP], word_lines[word, base : base + _STEP]
                if not _any_above(u, v, multiply, limit):
                    continue
                for j in range(len(u)):
                    score, row = _join(u[j], v[j], multiply), first_row + base + j
                    if score > limit and not _skipped(row, questions[q], skip_bounds, skip_rows):
                        _push(scores[q], rows[q], score, row)
                        limit = scores[q, last]
