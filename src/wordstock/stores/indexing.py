"""Which index a collection gets, and with what parameters.

Up to 50,000 rows every vector is compared (FLAT): exact, and in milliseconds. Beyond, a graph (HNSW; Malkov & Yashunin
2018, arXiv:1603.09320). IVF takes less memory than the graph and answers later at equal recall.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from wordstock.errors import InputError
from wordstock.stores.backend import Backend, IndexKind
from wordstock.stores.checking import Metric, Precision, choice

__all__ = ["FLAT_UP_TO", "IndexConfig", "choose_index"]

FLAT_UP_TO = 50_000  # rows that are compared one by one unless asked otherwise
_NAMES: dict[IndexKind, str] = {
    "flat": "FLAT",
    "hnsw": "HNSW",
    "ivf": "IVF_FLAT",
    "ivf_sq8": "IVF_SQ8",
    "autoindex": "AUTOINDEX",
}


@dataclass(frozen=True)
class IndexConfig:
    """An index and its parameters; those of other kinds are not used.

    Parameters
    ----------
    kind : "flat", "hnsw", "ivf", "ivf_sq8" or "autoindex", which leaves the choice to Milvus.
    m, ef_construction : HNSW: links a node, and candidates while it is built.
    ef : HNSW: candidates of a search; raised to 2 k where k is large.
    nlist : IVF: cells; None takes 4 times the root of the number of rows.
    nprobe : IVF: cells that a search looks into; None takes a sixteenth of them, at least 8.
    """

    kind: IndexKind = "flat"
    m: int = 16
    ef_construction: int = 200
    ef: int = 128
    nlist: int | None = None
    nprobe: int | None = None

    def __post_init__(self) -> None:
        choice("index", self.kind, IndexKind)
        for name in ("m", "ef_construction", "ef", "nlist", "nprobe"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise InputError(f"{name}={value!r}: needs a whole number of at least 1")

    def for_rows(self, rows: int) -> IndexConfig:
        """With what depends on the number of rows filled in."""
        if self.kind not in ("ivf", "ivf_sq8"):
            return self
        nlist = self.nlist or min(65_536, max(16, 2 ** round(math.log2(4 * math.sqrt(max(rows, 1))))))
        return replace(self, nlist=nlist, nprobe=min(nlist, self.nprobe or max(8, nlist // 16)))

    def milvus_name(self, precision: Precision) -> str:
        """As Milvus calls it."""
        if precision == "binary" and self.kind != "autoindex":
            return "BIN_FLAT" if self.kind == "flat" else "BIN_IVF_FLAT"
        return _NAMES[self.kind]

    def build_params(self) -> dict[str, int]:
        """What Milvus is told when it builds the index."""
        if self.kind == "hnsw":
            return {"M": self.m, "efConstruction": self.ef_construction}
        return {"nlist": self.nlist or 128} if self.kind in ("ivf", "ivf_sq8") else {}

    def search_params(self, k: int) -> dict[str, int]:
        """What it is told when it searches for k."""
        if self.kind == "hnsw":
            return {"ef": max(self.ef, min(2 * k, 32_768), k)}
        return {"nprobe": self.nprobe or 8} if self.kind in ("ivf", "ivf_sq8") else {}

    def to_dict(self) -> dict[str, Any]:
        """As it is kept in a collection."""
        return {"kind": self.kind} | self._shown()

    def _shown(self) -> dict[str, Any]:
        used = {"hnsw": ("m", "ef_construction", "ef"), "ivf": ("nlist", "nprobe"), "ivf_sq8": ("nlist", "nprobe")}
        return {name: getattr(self, name) for name in used.get(self.kind, ())}

    def __str__(self) -> str:
        shown = ", ".join(f"{name} {value}" for name, value in self._shown().items() if value is not None)
        return f"{_NAMES[self.kind]} ({shown})" if shown else _NAMES[self.kind]


def choose_index(rows: int | None, backend: Backend, precision: Precision, metric: Metric) -> IndexConfig:
    """The index for so many rows on this backend; None stands for a number that is not known yet, and starts flat."""
    if backend.indexes == ("autoindex",):
        return IndexConfig("autoindex")
    if rows is None or rows <= FLAT_UP_TO or (metric != "cosine" and "hnsw" not in backend.indexes):
        return IndexConfig("flat")
    kind: IndexKind = "hnsw" if "hnsw" in backend.indexes and precision != "binary" else "ivf"
    return IndexConfig(kind).for_rows(rows) if kind in backend.indexes else IndexConfig("flat")
