"""Weighted means of table rows, one per text."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled

__all__ = ["pool_rows"]


@compiled(fastmath={"contract", "nsz"})
def pool_rows(vectors, scales, rows, weights, bounds, first, last, out):
    """out[t] = sum of weights[i] * scales[rows[i]] * vectors[rows[i]] / number of known words, over text t's words.

    ``vectors`` float32 or int8 (n, dim); ``scales`` float32 (n,) or empty for none; ``rows`` int64 (words,), -1 =
    unknown, skipped; ``weights`` float32 (n,) or empty for none; ``bounds`` int64 (texts + 1,), each text's words;
    ``out`` float32 (texts, dim), written for texts first..last; a text without a known word gives zeros.
    """
    dim = vectors.shape[1]
    for t in range(first, last):
        total = out[t]
        total[:] = 0
        known = 0
        for i in range(bounds[t], bounds[t + 1]):
            row = rows[i]
            if row < 0:
                continue
            known += 1
            weight = np.float32(1)
            if len(weights):
                weight = weights[row]
            if len(scales):
                weight *= scales[row]
            vector = vectors[row]
            for d in range(dim):
                total[d] += weight * np.float32(vector[d])
        if known:
            share = np.float32(1) / np.float32(known)
            for d in range(dim):
                total[d] *= share
