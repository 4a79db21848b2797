"""The two seams: everything above the vectors talks to one of these, never to a concrete class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

__all__ = ["Encoder", "FloatArray", "Hit", "IntArray", "Store"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


@runtime_checkable
class Encoder(Protocol):
    """Anything that turns texts and words into vectors: a static table, a contextual model, a stack of several."""

    @property
    def dim(self) -> int:
        """Length of every vector."""
        ...

    @property
    def fingerprint(self) -> str:
        """Stable hash of weights, pooling, prompt, normalisation and precision."""
        ...

    def encode(self, texts: str | Sequence[str]) -> FloatArray:
        """One vector per text, float32 (n, dim); a single str gives (dim,)."""
        ...

    def encode_words(self, sentences: Sequence[str | Sequence[str]]) -> list[FloatArray]:
        """One float32 (n_words, dim) array per sentence."""
        ...


class Hit(NamedTuple):
    """One search result; a higher score is always nearer."""

    id: str
    score: float


@runtime_checkable
class Store(Protocol):
    """Vectors under ids, with search: in memory, Milvus Lite, a Milvus server."""

    def add(self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Mapping[str, Any]] | None = None) -> None:
        """Add rows; an id that is already there is replaced."""
        ...

    def search(self, vectors: FloatArray, k: int = 10) -> list[list[Hit]]:
        """The k nearest rows of every query, best first."""
        ...

    def delete(self, ids: Sequence[str]) -> int:
        """Remove rows; returns how many were there."""
        ...

    def count(self) -> int:
        """Number of rows."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...
