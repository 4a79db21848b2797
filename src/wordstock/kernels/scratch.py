"""Memory that one thread alone writes, on cache lines that no other thread touches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["private_arrays"]

_APART = 128  # bytes: processors fetch lines of 64 in pairs


def private_arrays(*wanted: tuple[tuple[int, ...], npt.DTypeLike]) -> list[npt.NDArray[Any]]:
    """Zeros of each (shape, dtype), C order, in one piece of memory that shares no cache line with anything else.

    Small arrays from the allocator lie wherever it has a hole, those of two threads on one line too; then each write
    of one thread would take the line away from the other.
    """
    sizes = [math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in wanted]
    whole = [-(-size // _APART) * _APART for size in sizes]
    memory = np.zeros(sum(whole) + _APART, np.uint8)
    start = -memory.ctypes.data % _APART
    made = []
    for (shape, dtype), size, room in zip(wanted, sizes, whole, strict=True):
        made.append(memory[start : start + size].view(dtype).reshape(shape))
        start += room
    return made
