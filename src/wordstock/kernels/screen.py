"""Approximate products of every row with one query, from a compact copy that needs a quarter of the memory traffic."""

import numpy as np

from wordstock.kernels.compiled import compiled

__all__ = ["LANES", "screen_products"]

LANES = 64  # rows of a block; their codes for one dimension lie side by side


@compiled(fastmath={"contract", "nsz", "reassoc"})
def screen_products(codes, scales, query, first_block, last_block, out):
    """out[64 b + j] = scales[64 b + j] * sum over d of query[d] * codes[b, d, j], for the blocks first..last.

    ``codes`` int8 (blocks, dim, 64); ``scales`` and ``out`` float32 (64 * blocks,); ``query`` float32 (dim,).
    """
    sums = np.empty(LANES, np.float32)
    for b in range(first_block, last_block):
        sums[:] = 0
        for d in range(len(query)):
            weight = query[d]
            line = codes[b, d]
            for j in range(LANES):
                sums[j] += weight * np.float32(line[j])
        base = b * LANES
        target, scale = out[base : base + LANES], scales[base : base + LANES]
        for j in range(LANES):
            target[j] = sums[j] * scale[j]
