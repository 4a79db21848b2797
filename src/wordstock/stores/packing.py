"""Vectors as the bytes that Milvus stores in each precision, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from wordstock.errors import InputError
from wordstock.protocols import FloatArray
from wordstock.stores.checking import Precision

__all__ = ["TYPES", "as_float16", "packed", "unpacked"]

TYPES: dict[Precision, str] = {
    "float32": "FLOAT_VECTOR",
    "float16": "FLOAT16_VECTOR",
    "bfloat16": "BFLOAT16_VECTOR",
    "binary": "BINARY_VECTOR",
}


def packed(vectors: FloatArray, precision: Precision) -> FloatArray | list[bytes]:
    """One value a row, as pymilvus takes it; binary keeps the sign of each number.

    Raises
    ------
    InputError
        More or less than float16 can hold.
    """
    if precision == "float32":
        return vectors
    if precision == "binary":
        return [row.tobytes() for row in np.packbits(vectors > 0, axis=1)]
    if precision == "float16":
        return [row.tobytes() for row in as_float16(vectors).astype("<f2")]
    bits = np.ascontiguousarray(vectors, "<f4").view("<u4")
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16  # to the nearest, ties to even
    return [row.tobytes() for row in rounded.astype("<u2")]


def as_float16(vectors: FloatArray, names: Sequence[str] | None = None) -> npt.NDArray[np.float16]:
    """Vectors, float32 (n, dim), in half the bytes.

    Parameters
    ----------
    names : of the rows, for messages.

    Raises
    ------
    InputError
        A number too large for float16, or a vector so small that it would be zero.
    """
    with np.errstate(over="ignore"):
        half = vectors.astype(np.float16)
    for lost, what in (
        (np.isinf(half).any(axis=1), "holds more than float16 can store"),
        (vectors.any(axis=1) & ~half.any(axis=1), "is so small that it would be zero in float16"),
    ):
        if len(rows := np.flatnonzero(lost)):
            which = "a vector" if names is None else f"the vector of {names[rows[0]]!r:.80}"
            raise InputError(f"{which} {what} ({len(rows)} such rows); use float32, or scale the vectors")
    return half


def unpacked(value: Any, precision: Precision, dim: int) -> FloatArray:
    """One vector as float32 (dim,); binary gives 1 and -1."""
    if precision == "float32":
        return np.asarray(value, np.float32)
    if isinstance(value, list) and value and isinstance(value[0], bytes):
        value = value[0]
    if isinstance(value, bytes):
        if precision == "float16":
            return np.frombuffer(value, "<f2").astype(np.float32)
        if precision == "bfloat16":
            return (np.frombuffer(value, "<u2").astype("<u4") << 16).view("<f4")
        bits = np.unpackbits(np.frombuffer(value, np.uint8), count=dim)
        return bits.astype(np.float32) * 2 - 1
    return np.asarray(value, np.float32)
