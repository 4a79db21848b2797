"""The vectors themselves: float32, float16, or int8 with one scale per row; in memory or memory-mapped alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from wordstock.errors import InputError
from wordstock.protocols import FloatArray

__all__ = ["BLOCK_ROWS", "Precision", "Storage", "quantize"]

Precision = Literal["float32", "float16", "int8"]

BLOCK_ROWS = 16384  # rows handled at once where a whole table is walked: 20 MB at 300 dimensions


@dataclass(frozen=True, eq=False)
class Storage:
    """A matrix of vectors, read-only.

    Parameters
    ----------
    data : (rows, dim) float32, float16 or int8, C order.
    scales : float32 (rows,), for int8 only: the vector is ``data[i] * scales[i]``.
    """

    data: npt.NDArray[Any]
    scales: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.data.ndim != 2 or self.data.dtype.name not in get_args(Precision):
            raise InputError(
                f"vectors must be a float32, float16 or int8 matrix, not {self.data.dtype} {self.data.shape}"
            )
        if (self.data.dtype == np.int8) != (self.scales is not None):
            raise InputError("int8 vectors need one scale per row, and only they do")
        if self.scales is not None and self.scales.shape != (len(self.data),):
            raise InputError(f"{len(self.scales)} scales for {len(self.data)} rows; give one per row")
        self.data.flags.writeable = False

    def __reduce__(self) -> tuple[Any, ...]:
        return Storage, (self.data, self.scales)

    def __len__(self) -> int:
        return len(self.data)

    @property
    def dim(self) -> int:
        """Length of every vector."""
        return int(self.data.shape[1])

    @property
    def precision(self) -> str:
        """Name of the stored dtype."""
        return self.data.dtype.name

    @property
    def nbytes(self) -> int:
        """Bytes of vectors and scales."""
        return self.data.nbytes + (0 if self.scales is None else self.scales.nbytes)

    def row(self, row: int) -> FloatArray:
        """One vector, float32 (dim,); read-only where it is a view."""
        vector: FloatArray = self.data[row].astype(np.float32, copy=False)
        if self.scales is not None:
            vector = vector * self.scales[row]
        return vector

    def take(self, rows: npt.NDArray[Any]) -> FloatArray:
        """A new float32 (len(rows), dim) array."""
        taken: FloatArray = self.data[rows].astype(np.float32, copy=False)
        if self.scales is not None:
            taken *= self.scales[rows, None]
        return taken

    def block(self, start: int, stop: int) -> FloatArray:
        """Rows start..stop as float32; a view for float32, else a new array."""
        block: FloatArray = self.data[start:stop].astype(np.float32, copy=False)
        if self.scales is not None:
            block *= self.scales[start:stop, None]
        return block

    def blocks(self) -> Iterator[tuple[int, FloatArray]]:
        """(first row, float32 block) over the whole table."""
        for start in range(0, len(self), BLOCK_ROWS):
            yield start, self.block(start, min(start + BLOCK_ROWS, len(self)))

    def norms(self) -> FloatArray:
        """Euclidean length of every row, float32 (rows,)."""
        norms = np.empty(len(self), np.float32)
        for start, block in self.blocks():
            norms[start : start + len(block)] = np.sqrt(np.einsum("ij,ij->i", block, block))
        return norms


def quantize(storage: Storage, precision: Precision) -> Storage:
    """The same vectors in another precision.

    int8 keeps one scale per row, max|v| / 127, so a row's worst error is half a scale per component.

    Raises
    ------
    InputError
        Unknown precision, or values that float16 or int8 cannot hold.
    """
    if precision not in get_args(Precision):
        raise InputError(f"precision={precision!r}: known are {', '.join(get_args(Precision))}")
    if precision == storage.precision:
        return storage
    dtype = np.dtype(precision)
    data = np.empty(storage.data.shape, dtype)
    scales = np.ones(len(storage), np.float32) if precision == "int8" else None
    for start, block in storage.blocks():
        stop = start + len(block)
        peak = np.abs(block).max(axis=1, initial=0)
        if precision != "float32" and not np.isfinite(peak).all():
            row = start + int(np.flatnonzero(~np.isfinite(peak))[0])
            raise InputError(f"row {row} holds NaN or infinity; {precision} cannot store it")
        if scales is not None:
            scales[start:stop] = np.where(peak > 0, peak / 127, 1)
            block = np.rint(block / scales[start:stop, None])
        elif precision == "float16" and peak.max(initial=0) > np.finfo(np.float16).max:
            row = start + int(peak.argmax())
            raise InputError(f"row {row} holds {peak.max():g}, more than float16 can store; use float32 or int8")
        data[start:stop] = block
    return Storage(data, scales)
