"""What the Milvus at the other end can do; the differences between Lite, server and cloud are all written down here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from wordstock.errors import InputError
from wordstock.stores.checking import Precision
from wordstock.stores.expressions import Dialect

__all__ = ["Backend", "IndexKind", "backend_of"]

IndexKind = Literal["flat", "hnsw", "ivf", "ivf_sq8", "autoindex"]


@dataclass(frozen=True)
class Backend:
    """Capabilities of one Milvus.

    Parameters
    ----------
    name : for messages, with its version.
    dialect : of filter expressions.
    precisions, indexes : that it can store, and load again.
    bm25 : it has the BM25 function.
    aliases : a name can be moved from one collection to another.
    most : neighbours that one query can ask for; None is no limit.
    """

    name: str
    dialect: Dialect
    precisions: tuple[Precision, ...]
    indexes: tuple[IndexKind, ...]
    bm25: bool
    aliases: bool
    most: int

    def check_precision(self, precision: Precision, dim: int) -> None:
        """Refuse what it cannot store.

        Raises
        ------
        InputError
            With what it can.
        """
        if precision not in self.precisions:
            raise InputError(f"{self.name} has no {precision} vectors; it has {', '.join(self.precisions)}")
        if precision == "binary" and dim % 8:
            raise InputError(f"binary vectors are whole bytes: dim {dim} is no multiple of 8")

    def check_index(self, kind: IndexKind, precision: Precision = "float32") -> None:
        """Refuse an index that it cannot build, or builds but cannot load again.

        Raises
        ------
        InputError
            With those it can.
        """
        if precision == "binary" and kind in ("hnsw", "ivf_sq8"):
            raise InputError(f"binary vectors have no index {kind!r}; they have flat, ivf, autoindex")
        if kind in self.indexes:
            return
        hint = ""
        if self.dialect == "lite3" and kind in ("hnsw", "ivf", "ivf_sq8"):
            hint = "; with faiss-cpu installed also hnsw, ivf, ivf_sq8"
        raise InputError(f"{self.name} has no index {kind!r}; it has {', '.join(self.indexes)}{hint}")

    def check_k(self, k: int) -> None:
        """Refuse more neighbours than a query may ask for.

        Raises
        ------
        InputError
            With the limit.
        """
        if k > self.most:
            raise InputError(
                f"k={k:,}: {self.name} gives at most {self.most:,} neighbours a query; lower k, or walk over the rows"
            )


_MOST = 16_384  # Milvus' limit of top-k, and of rows that one query returns


def backend_of(version: str | None, *, local: bool, cloud: bool = False) -> Backend:
    """Read a backend off what the server says of itself; ``version`` is None where it does not answer.

    Raises
    ------
    InputError
        A server too old for this library.
    """
    if local and version is None:
        return Backend(
            "Milvus Lite 2", "lite2", ("float32", "float16"), ("flat", "ivf", "autoindex"), False, False, _MOST
        )
    if local:
        return _lite3(version or "")
    numbers = _numbers(version or "")
    if numbers < (2, 3):
        raise InputError(f"the server is Milvus {version}; 2.3 is the oldest that can be used")
    name = "Zilliz Cloud" if cloud else f"Milvus {'.'.join(map(str, numbers))}"
    precisions: tuple[Precision, ...] = ("float32", "float16", "binary")
    if numbers >= (2, 4):
        precisions = ("float32", "float16", "bfloat16", "binary")
    indexes: tuple[IndexKind, ...] = ("autoindex",) if cloud else ("flat", "hnsw", "ivf", "ivf_sq8", "autoindex")
    return Backend(name, "server", precisions, indexes, cloud or numbers >= (2, 5), True, _MOST)


def _lite3(version: str) -> Backend:
    import importlib.util

    # Lite 3 also takes IVF_PQ, SCANN and DISKANN, and then cannot load the collection again.
    indexes: tuple[IndexKind, ...] = ("flat", "autoindex")
    if importlib.util.find_spec("faiss") is not None:
        indexes = ("flat", "hnsw", "ivf", "ivf_sq8", "autoindex")
    number = version.rpartition("-")[2]
    return Backend(f"Milvus Lite {number}", "lite3", ("float32",), indexes, True, True, _MOST)


def _numbers(version: str) -> tuple[int, ...]:
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    return tuple(int(one) for one in found.groups() if one is not None) if found else (9,)  # a build without a number
