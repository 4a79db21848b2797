"""The two matrices that training updates: padded rows on cache lines, and back to a plain matrix without a copy."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.windows import Tables
from wordstock.protocols import FloatArray

__all__ = ["SPARE_ROWS", "aligned_zeros", "all_finite", "compact", "new_tables", "padded"]

SPARE_ROWS = 2  # per thread, behind the rows of the words: see kernels.windows.Tables
_LINE = 16  # floats in a cache line
_BLOCK = 4096  # rows handled at once


def padded(dim: int) -> int:
    """Floats to a row: ``dim`` rounded up to whole cache lines."""
    return -(-dim // _LINE) * _LINE


def aligned_zeros(rows: int, columns: int) -> FloatArray:
    """Float32 (rows, columns) zeros that start on a cache line."""
    raw = np.zeros(rows * columns + _LINE, np.float32)
    start = -raw.ctypes.data % (4 * _LINE) // 4
    return raw[start : start + rows * columns].reshape(rows, columns)


def all_finite(*tables: FloatArray) -> bool:
    """Whether no table holds NaN or infinity, without memory for another one."""
    return all(
        np.isfinite(table[start : start + _BLOCK]).all() for table in tables for start in range(0, len(table), _BLOCK)
    )


def new_tables(
    rows: tuple[int, int], dim: int, threads: int, seed: int, spread: float, scales: FloatArray | None = None
) -> Tables:
    """Random input rows, uniform in ±``spread``, and output rows of zeros.

    ``rows`` of the input and of the output matrix. ``scales`` float32 (rows[0],) is extended by ones for the spare
    rows. A row's start depends on the seed and its number only, not on how many rows there are.
    """
    spare = SPARE_ROWS * threads
    inputs, outputs = (aligned_zeros(size + spare, padded(dim)) for size in rows)
    random = np.random.default_rng(seed)
    for start in range(0, rows[0], _BLOCK):
        stop = min(start + _BLOCK, rows[0])
        inputs[start:stop, :dim] = (random.random((stop - start, dim), dtype=np.float32) - 0.5) * (2 * spread)
    if scales is not None:
        scales = np.append(scales, np.ones(spare, np.float32))
    return Tables(inputs, outputs, scales)


def compact(table: FloatArray, rows: int, dim: int) -> FloatArray:
    """The first ``rows`` x ``dim`` as a C-contiguous matrix in the same memory; ``table`` is garbage afterwards."""
    if table.shape[1] == dim:
        return table[:rows]
    flat = table.reshape(-1)
    for start in range(0, rows, _BLOCK):
        stop = min(start + _BLOCK, rows)
        flat[start * dim : stop * dim] = table[start:stop, :dim].copy().reshape(-1)
    return flat[: rows * dim].reshape(rows, dim)
