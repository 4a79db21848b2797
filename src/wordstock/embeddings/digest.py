"""The digest that tells one set of vectors from another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["digest_of"]


def digest_of(arrays: Mapping[str, npt.NDArray[Any] | None], settings: str) -> str:
    """SHA-256, in hex, over the names, dtypes, shapes and bytes of the arrays that are there, and the settings."""
    state = hashlib.sha256()
    for name, array in arrays.items():
        if array is not None:
            state.update(f"{name} {array.dtype.name} {array.shape}\n".encode())
            if array.size:
                state.update(np.ascontiguousarray(array).data.cast("B"))
    state.update(settings.encode())
    return state.hexdigest()
