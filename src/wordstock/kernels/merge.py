"""Tables that were trained apart from a common start become one again."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled

__all__ = ["merge_rows"]

_LARGE = 4.0  # squared length of a change that is large: scores move by more than 1


@compiled(fastmath={"contract", "nsz", "reassoc"})
def merge_rows(common, copies, first, last):
    """Rows ``first`` to ``last`` of ``common`` and of every copy become the row before plus a share of all changes.

    ``common`` float32 (n, dim), the rows before; ``copies`` tuple of float32 (n, dim). Small changes are summed. Where
    large ones have the same direction, a sum takes once for each copy a step that every copy has found sufficient, and
    rows of the most frequent words would grow without limit: with q = |sum c|² / sum |c|², which is 1 for changes c at
    right angles and the number of copies for equal ones, and m the mean |c|², the share is 1 / (1 + (q - 1) * m / (4 +
    m)) where q > 1. Rows that no copy changed are only read.
    """
    columns = common.shape[1]
    total = np.empty(columns, np.float32)
    for row in range(first, last):
        old = common[row]
        apart = np.float32(0)
        total[:] = 0
        for copy in copies:
            new = copy[row]
            for d in range(columns):
                change = new[d] - old[d]
                apart += change * change
                total[d] += change
        if apart == 0:
            continue
        whole = np.float32(0)
        for d in range(columns):
            whole += total[d] * total[d]
        share = np.float32(1)
        if whole > apart:
            size = apart / np.float32(len(copies))
            share /= np.float32(1) + (whole / apart - np.float32(1)) * size / (size + np.float32(_LARGE))
        for d in range(columns):
            old[d] += share * total[d]
        for copy in copies:
            copy[row] = old
