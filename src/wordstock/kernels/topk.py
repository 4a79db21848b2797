"""Keep the k best scores per query while a table is walked block by block.

Scores are products scaled by the rows' inverse norms. The lists are sorted, best first; equal scores keep the lower
row first. A block is first compared with the current k-th score in vector registers, and only a hit is looked at;
the comparisons run over slices with an int32 count because only then does LLVM vectorise them (ten times faster).
"""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled

__all__ = ["scan_by_query", "scan_by_row"]

_STEP = 128  # scores compared at once; eight 512-bit registers


@compiled(inline="always")
def _push(scores, rows, score, row):
    """Insert into a descending list whose last score is lower than ``score``."""
    i = len(scores) - 1
    while i > 0 and scores[i - 1] < score:
        scores[i] = scores[i - 1]
        rows[i] = rows[i - 1]
        i -= 1
    scores[i] = score
    rows[i] = row


@compiled
def scan_by_query(products, scales, first_row, scores, rows):
    """Few queries: ``products`` float32 (queries, block), contiguous along the block.

    ``scales`` float32 (block,); ``scores`` float32 and ``rows`` int64 (queries, k) are updated in place.
    """
    n = products.shape[1]
    last = scores.shape[1] - 1
    for q in range(products.shape[0]):
        line = products[q]
        limit = scores[q, last]
        for start in range(0, n, _STEP):
            x, y = line[start : start + _STEP], scales[start : start + _STEP]
            hits = np.int32(0)
            for i in range(len(x)):
                hits += np.int32(x[i] * y[i] > limit)
            if hits:
                for i in range(len(x)):
                    score = x[i] * y[i]
                    if score > scores[q, last]:
                        _push(scores[q], rows[q], score, first_row + start + i)
                limit = scores[q, last]


@compiled
def scan_by_row(products, scales, first_row, first_query, stop_query, scores, rows):
    """Many queries: ``products`` float32 (block, queries), contiguous along the queries first_query..stop_query.

    ``scales`` float32 (block,); ``scores`` float32 and ``rows`` int64 (queries, k) are updated in place.
    """
    last = scores.shape[1] - 1
    limits = scores[:, last].copy()
    for r in range(products.shape[0]):
        scale = scales[r]
        line = products[r]
        for start in range(first_query, stop_query, _STEP):
            stop = min(start + _STEP, stop_query)
            x, limit = line[start:stop], limits[start:stop]
            hits = np.int32(0)
            for i in range(len(x)):
                hits += np.int32(x[i] * scale > limit[i])
            if hits:
                for i in range(len(x)):
                    score = x[i] * scale
                    if score > limit[i]:
                        _push(scores[start + i], rows[start + i], score, first_row + r)
                        limit[i] = scores[start + i, last]
