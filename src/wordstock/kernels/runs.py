"""Merge sorted runs of words with counts, as an external sort does."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled

__all__ = ["merge_runs"]


@compiled
def _before(blob, offsets, i, j):
    """-1, 0 or 1 as word ``i`` sorts before, with or after word ``j``, by bytes."""
    p, p_stop = offsets[i], offsets[i + 1]
    q, q_stop = offsets[j], offsets[j + 1]
    while p < p_stop and q < q_stop:
        if blob[p] != blob[q]:
            return -1 if blob[p] < blob[q] else 1
        p += 1
        q += 1
    return np.int64(p < p_stop) - np.int64(q < q_stop)


@compiled
def merge_runs(blob, offsets, counts, heads, stops, least, numbers, first, totals, start):
    """Merge until every run is used up or ``first`` is full.

    Parameters
    ----------
    blob, offsets, counts : uint8, int64 (n + 1,), int64 (n,): the words of all runs, one run after the other.
    heads : int64 (n_runs,), the next word of each run, moved on here; ``stops`` where each run ends.
    least : words with a smaller sum of counts are dropped.
    numbers : int32 (n,), all -1, written: number of the surviving word that each entry is.
    first : int64 (m,), written: an entry that holds each surviving word; ``totals`` int64 (m,): its count.
    start : number of the first survivor.

    Returns
    -------
    How many survivors were written, ascending by bytes, and the largest sum of counts seen.
    """
    n_runs = len(heads)
    ties = np.empty(n_runs, np.int64)
    found = 0
    largest = np.int64(0)
    while found < len(first):
        n_ties = 0
        for run in range(n_runs):
            if heads[run] < stops[run]:
                order = np.int64(-1) if n_ties == 0 else _before(blob, offsets, heads[run], heads[ties[0]])
                if order < 0:
                    n_ties = 0
                if order <= 0:
                    ties[n_ties] = run
                    n_ties += 1
        if n_ties == 0:
            break
        total = np.int64(0)
        for t in range(n_ties):
            total += counts[heads[ties[t]]]
        largest = max(largest, total)
        if total >= least:
            first[found] = heads[ties[0]]
            totals[found] = total
            for t in range(n_ties):
                numbers[heads[ties[t]]] = start + found
            found += 1
        for t in range(n_ties):
            heads[ties[t]] += 1
    return found, largest
