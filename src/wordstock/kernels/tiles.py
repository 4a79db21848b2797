"""Sort the cells of a symmetric matrix into square tiles by the groups of their row and column."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled

__all__ = ["count_tiles", "place_cells", "weigh_cells"]


@compiled(inline="always")
def _tile(one, other, groups):
    """Number of the tile of two words: word w is in group w mod ``groups``, a power of two."""
    a, b = one & (groups - 1), other & (groups - 1)
    low, high = min(a, b), max(a, b)
    return low * groups - low * (low - 1) // 2 + high - low


@compiled
def count_tiles(row, lengths, columns, groups, counts):
    """Add to ``counts`` int64 (tiles,) the cells of the rows from ``row`` on, as ``count_rows`` lays them out."""
    k = 0
    for r in range(len(lengths)):
        for _ in range(lengths[r]):
            counts[_tile(row + r, np.int64(columns[k]), groups)] += 1
            k += 1


@compiled
def weigh_cells(values, x_max, alpha, targets):
    """Write log(x) and min(1, (x / x_max) ** alpha) of each of ``values`` float64 to ``targets`` float32 (n, 2)."""
    shift = np.log(x_max)
    for k in range(len(values)):
        log = np.log(values[k])
        targets[k, 0] = log
        targets[k, 1] = np.exp(alpha * min(0.0, log - shift))


@compiled
def place_cells(row, lengths, columns, targets, groups, cursors, pairs, placed):
    """Write each cell at its tile's cursor.

    Parameters
    ----------
    row, lengths, columns : the cells, as for ``count_tiles``.
    targets : float32 (cells, 2).
    cursors : int64 (tiles,), moved on.
    pairs, placed : int32 and float32 (all cells, 2), written: row and column, and targets.
    """
    k = 0
    for r in range(len(lengths)):
        for _ in range(lengths[r]):
            column = np.int64(columns[k])
            tile = _tile(row + r, column, groups)
            at = cursors[tile]
            cursors[tile] = at + 1
            pairs[at, 0], pairs[at, 1] = row + r, column
            placed[at, 0], placed[at, 1] = targets[k, 0], targets[k, 1]
            k += 1
