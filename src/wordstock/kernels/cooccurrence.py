"""Co-occurrence counting, one row of the matrix at a time.

The positions of the corpus are sorted by word first. A row is then the sum over the windows around one word's
positions, added up in one dense line that stays in the cache, so that no hash table and no sorting of pairs is
needed. Only the lower triangle is kept (column <= row): the matrix is symmetric.
"""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled
from wordstock.kernels.fetch_ahead import fetch_ahead

__all__ = ["count_rows", "count_words", "merge_rows", "place_words"]

_AHEAD = 8  # windows whose tokens are asked for before they are needed


@compiled
def count_words(ids, first, last, counts):
    """Add to ``counts`` int64 (words,) how often each id >= 0 stands in ``ids[first:last]`` (int32)."""
    for p in range(first, last):
        if ids[p] >= 0:
            counts[ids[p]] += 1


@compiled
def place_words(ids, first, last, cursors, positions):
    """Write the positions first..last to ``positions`` (int32), each at its word's cursor, which moves on.

    ``cursors`` int64 (words,); positions of id -1 are left out.
    """
    for p in range(first, last):
        word = ids[p]
        if word >= 0:
            positions[cursors[word]] = p
            cursors[word] += 1


@compiled
def count_rows(ids, positions, starts, weights, row, stop, sums, columns, values, lengths):
    """Count the rows row..stop.

    Parameters
    ----------
    ids : int32, the corpus; -1 ends a sentence. At least ``len(weights)`` entries surround every position, and what
        lies beyond an end of the corpus is -1.
    positions : int32, where each word stands; word w at ``positions[starts[w]:starts[w + 1]]``.
    starts : int64 (words + 1,).
    weights : float64 (window,), what a pair counts at distances 1, 2, ...
    sums : float64 (words,), scratch: all 0, and so left.
    columns, values : int32 and float64, written: the cells of the rows, one row after the other. One entry longer
        than the cells can be many, at most min(row + 1, 2 window positions) a row.
    lengths : int64 (stop - row,), written: cells of each row.

    Returns
    -------
    Number of cells written.
    """
    window = len(weights)
    first_row = row
    end = 0
    near = np.empty(2 * window, np.uint32)
    near_weights = np.empty(2 * window, np.float64)
    for row in range(first_row, stop):
        begin = end
        after = starts[row + 1]
        for k in range(starts[row], after):
            if k + _AHEAD < after:
                fetch_ahead(ids, positions[k + _AHEAD])
            p = positions[k]
            # Which of two words is the more frequent is a coin toss to the processor: nothing branches on it.
            size = 0
            for step in (-1, 1):
                q = p
                for d in range(window):
                    q += step
                    column = ids[q]
                    if column < 0:
                        break
                    near[size] = column
                    near_weights[size] = weights[d]
                    size += np.int64(column <= row)
            for d in range(size):
                column = near[d]
                before = sums[column]
                columns[end] = column
                end += np.int64(before == 0)
                sums[column] = before + near_weights[d]
        for k in range(begin, end):
            column = columns[k]
            values[k] = sums[column]
            sums[column] = 0
        lengths[row - first_row] = end - begin
    return end


@compiled
def merge_rows(parts, amounts, bounds, sums, columns, values, lengths):
    """Add up the same rows of several runs.

    Parameters
    ----------
    parts, amounts : int32 and float64, columns and values of the runs, one run after the other.
    bounds : int64 (runs, rows + 1), where each row of each run starts in them.
    sums : float64 (words,), scratch: all 0, and so left.
    columns, values, lengths : written, as by ``count_rows``; as long as ``parts``.

    Returns
    -------
    Number of cells written.
    """
    end = 0
    for row in range(bounds.shape[1] - 1):
        begin = end
        for run in range(bounds.shape[0]):
            for k in range(bounds[run, row], bounds[run, row + 1]):
                column = parts[k]
                if sums[column] == 0:
                    columns[end] = column
                    end += 1
                sums[column] += amounts[k]
        for k in range(begin, end):
            column = columns[k]
            values[k] = sums[column]
            sums[column] = 0
        lengths[row] = end - begin
    return end
