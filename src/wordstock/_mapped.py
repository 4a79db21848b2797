"""Arrays in memory of their own, which goes back to the system with them.

Memory of the C library's ``malloc`` does not: glibc keeps what was freed in its heaps, up to 64 MiB of it once a block
of 32 MiB came and went, and the peak of what a process does next is higher by it.
"""

from __future__ import annotations

import mmap
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["mapped_zeros"]

_SMALLEST = 1 << 16  # bytes from which on a mapping pays
_HUGE = 1 << 21  # bytes of a huge page, of which the processor remembers more addresses at once
_PRIVATE: dict[str, Any] = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}


def mapped_zeros(size: int, kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """A one-dimensional array of zeros, ``size`` elements; in huge pages from 4 MiB on, where the system has them."""
    kind = np.dtype(kind)
    wanted = size * kind.itemsize
    if wanted < _SMALLEST:
        return np.zeros(size, kind)
    if wanted < 2 * _HUGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.frombuffer(mmap.mmap(-1, wanted, **_PRIVATE), kind, size)
    memory = mmap.mmap(-1, wanted + _HUGE, **_PRIVATE)
    with suppress(OSError):  # a system without them
        memory.madvise(mmap.MADV_HUGEPAGE)
    start = -np.frombuffer(memory, np.uint8).ctypes.data % _HUGE
    return np.frombuffer(memory, kind, size, start)
