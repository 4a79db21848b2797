"""The two seams: everything above the vectors talks to one of these, never to a concrete class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

__all__ = ["Encoder", "Filter", "FloatArray", "Hit", "IntArray", "Row", "Store", "TextBlock"]

_BEYOND_ASCII = 0x80

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
Filter = Mapping[str, Any]  # such as {"year": {">": 2020}}; see wordstock.stores.filters


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Many lines of text at once, as a file holds them; whatever takes sentences takes each line as one.

    Only a newline ends a line. What a reader hands over so is not made into one object per line on its way to the
    compiled tokeniser.

    Parameters
    ----------
    data : whole lines in UTF-8, bytes or a view of them; the newline of the last one may be missing.

    Raises
    ------
    UnicodeDecodeError
        Bytes that are not UTF-8.
    """

    data: bytes | memoryview

    def __post_init__(self) -> None:
        if np.frombuffer(self.data, np.uint8).max(initial=0) >= _BEYOND_ASCII:
            str(self.data, "utf-8")

    def lines(self) -> list[str]:
        """The lines, without the newline or CR LF that ends them."""
        text = str(self.data, "utf-8")
        lines = text.split("\n")
        if not lines[-1]:
            lines.pop()
        return [line.removesuffix("\r") for line in lines] if "\r" in text else lines


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
    text: str = ""
    metadata: Mapping[str, Any] = MappingProxyType({})


class Row(NamedTuple):
    """One row of a store; ``vector`` is None unless it was asked for, ``digest`` tells whether a text has changed."""

    id: str
    text: str = ""
    metadata: Mapping[str, Any] = MappingProxyType({})
    vector: FloatArray | None = None
    digest: str = ""


@runtime_checkable
class Store(Protocol):
    """Vectors under ids, with search: in memory, Milvus Lite, a Milvus server.

    Scores are cosines, inner products, or Euclidean distances with a minus sign: higher is nearer in every store.
    """

    @property
    def dim(self) -> int:
        """Length of every vector."""
        ...

    @property
    def metric(self) -> str:
        """What scores are: "cosine", "ip" or "l2"."""
        ...

    def add(
        self,
        ids: Sequence[str],
        vectors: FloatArray,
        metadata: Sequence[Mapping[str, Any]] | None = None,
        *,
        texts: Sequence[str] | None = None,
        digests: Sequence[str] | None = None,
    ) -> None:
        """Add rows; an id that is already there is replaced, and of one given twice the last counts."""
        ...

    def search(
        self, vectors: FloatArray, k: int = 10, *, where: Filter | None = None, fields: bool = True
    ) -> list[list[Hit]]:
        """The k nearest rows of every query, best first; ``fields=False`` leaves text and metadata out."""
        ...

    def get(self, ids: Sequence[str], *, vectors: bool = False) -> list[Row | None]:
        """The rows of these ids, None where there is none."""
        ...

    def digests(self, ids: Sequence[str]) -> dict[str, str]:
        """The digests of those ids that are there."""
        ...

    def rows(self, *, where: Filter | None = None, vectors: bool = False) -> Iterator[Row]:
        """Every row, each once, in memory that does not grow with their number."""
        ...

    def delete(self, ids: Sequence[str]) -> int:
        """Remove rows; returns how many were there."""
        ...

    def count(self, where: Filter | None = None) -> int:
        """Number of rows."""
        ...

    def flush(self) -> None:
        """Make what was added durable and quick to search."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...
