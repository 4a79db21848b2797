"""The digest that tells one set of vectors from another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from wordstock.embeddings.table import Embeddings

__all__ = ["digest_of", "table_digest"]


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


def table_digest(table: Embeddings) -> str:
    """SHA-256 over a table's vectors, keys, rows, counts and subwords: all that a native file keeps of it."""
    vocabulary = table.vocabulary
    return digest_of(
        {
            "vectors": table.storage.data,
            "scales": table.storage.scales,
            "keys": vocabulary.blob,
            "offsets": vocabulary.offsets,
            "rows": vocabulary.rows,
            "counts": vocabulary.counts,
            "common": table.common,
            "subword": table.subword_vectors,
            "subword_buckets": None if table.subwords is None else table.subwords.stored,
            "frequencies": table.given_frequencies,
        },
        repr(table.subwords),
    )
