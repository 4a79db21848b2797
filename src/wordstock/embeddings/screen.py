"""One query against a whole table at a quarter of the memory traffic, and still exact.

A single search is bound by memory, not arithmetic: every vector has to pass by. An int8 copy of the unit rows gives
each cosine with a known error: by Cauchy-Schwarz no more than the length of what rounding took away. Rows whose
approximate cosine is further below the k-th best than twice the largest error cannot be among the first k; the others,
some hundreds, are compared exactly.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wordstock._threads import run_slices
from wordstock.embeddings.storage import BLOCK_ROWS, Storage
from wordstock.protocols import FloatArray, IntArray

__all__ = ["Screen", "ScreenAtNeed"]

_SLACK = 1e-5  # for float32 sums in either pass
_SMALLEST = 64  # blocks that are worth a thread
_SEARCHES = 16  # single searches after which a compact copy pays for itself
_VALUES = (1 << 20, 1 << 28)  # numbers in a table that is worth a copy, and whose copy is not too large: 256 MiB


class Screen:
    """The int8 copy: codes (blocks, dim, 64), a scale per row, and the largest error of a cosine.

    Parameters
    ----------
    storage, inverse_norms : of the table; float32 (rows,), 0 for a zero row.
    """

    def __init__(self, storage: Storage, inverse_norms: FloatArray) -> None:
        from wordstock.kernels.screen import LANES

        rows, dim = len(storage), storage.dim
        blocks = -(-rows // LANES)
        self.storage, self.inverse_norms = storage, inverse_norms
        self.codes = np.zeros((blocks, dim, LANES), np.int8)
        self.scales = np.zeros(blocks * LANES, np.float32)
        self.error = 0.0
        for start in range(0, rows, BLOCK_ROWS):  # a multiple of LANES
            stop = min(start + BLOCK_ROWS, rows)
            unit = storage.block(start, stop) * inverse_norms[start:stop, None]
            scales = np.abs(unit).max(axis=1, initial=0) / np.float32(127)
            codes = np.rint(np.divide(unit, scales[:, None], out=np.zeros_like(unit), where=scales[:, None] > 0))
            lost = unit - codes * scales[:, None]
            self.error = max(self.error, float(np.sqrt(np.einsum("ij,ij->i", lost, lost).max(initial=0))))
            padded = np.zeros((-(-len(unit) // LANES) * LANES, dim), np.int8)
            padded[: len(unit)] = codes
            first = start // LANES
            shaped = padded.reshape(-1, LANES, dim)
            self.codes[first : first + len(shaped)] = shaped.transpose(0, 2, 1)
            self.scales[start:stop] = scales

    def top_k(self, query: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
        """The k rows with the highest cosine, as ``search.top_k`` gives them: float32 (1, k) and int64 (1, k).

        Parameters
        ----------
        query : float32 (dim,), of length 1.
        k : at most the number of rows.
        """
        from wordstock.kernels.screen import LANES, screen_products
        from wordstock.kernels.topk import scan_by_query

        rows = len(self.storage)
        near = np.empty(len(self.scales), np.float32)
        ones = np.ones(len(self.scales), np.float32)

        def work(first: int, last: int) -> FloatArray:
            screen_products(self.codes, self.scales, query, first, last, near)
            best, found = np.full((1, k), -np.inf, np.float32), np.full((1, k), -1, np.int64)
            start, stop = first * LANES, min(last * LANES, rows)
            scan_by_query(near[None, start:stop], ones[start:stop], start, best, found)
            scores: FloatArray = best[0]
            return scores

        best = np.sort(np.concatenate(run_slices(work, len(self.codes), smallest=_SMALLEST)))[::-1]
        limit = best[k - 1] - 2 * self.error - _SLACK
        chosen = np.flatnonzero(near[:rows] >= limit)
        exact = (self.storage.take(chosen) @ query) * self.inverse_norms[chosen]
        order = np.argsort(-exact, kind="stable")[:k]
        return exact[order][None], chosen[order][None]


class ScreenAtNeed:
    """The compact copy of a table, made when single searches turn out to be many."""

    def __init__(self) -> None:
        self._searches = 0
        self._screen: Screen | None = None

    def asked(self, storage: Storage, inverse_norms: Callable[[], FloatArray]) -> Screen | None:
        """Count one search more; None for the first few, and for a table too small to need a copy or too large."""
        self._searches += 1
        if self._screen is None and self._searches > _SEARCHES:
            values = len(storage) * storage.dim
            if _VALUES[0] <= values <= _VALUES[1]:
                self._screen = Screen(storage, inverse_norms())
        return self._screen
