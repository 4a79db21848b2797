"""``open_store``: the store that a location names, opened if it is there and made if it is not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from wordstock.errors import InputError
from wordstock.stores.backend import IndexKind
from wordstock.stores.checking import Metric, Precision
from wordstock.stores.connection import Connection
from wordstock.stores.indexing import IndexConfig
from wordstock.stores.location import Location, locate
from wordstock.stores.memory import MemoryStore
from wordstock.stores.milvus import MilvusStore
from wordstock.stores.milvus_schema import check_name
from wordstock.stores.secrets import Secret, find_token

__all__ = ["AnyStore", "open_store", "store_exists"]

AnyStore = MemoryStore | MilvusStore


def open_store(
    location: str | os.PathLike[str] | None,
    collection: str = "wordstock",
    *,
    dim: int | None = None,
    metric: Metric | None = None,
    precision: Precision | None = None,
    index: IndexConfig | IndexKind | Literal["auto"] = "auto",
    keywords: bool | None = None,
    expected_rows: int | None = None,
    details: Mapping[str, Any] | None = None,
    dim_if_new: int | None = None,
    token: str | Secret | None = None,
    token_file: Path | str | None = None,
    connect_timeout: float = 10.0,
    patience: float = 180.0,
) -> AnyStore:
    """Open a store, or make it where there is none.

    Parameters
    ----------
    location : a path ending in .db (Milvus Lite, which makes a folder) or .safetensors (in memory, saved as one file),
        the address of a server or of Zilliz Cloud, or None for memory alone.
    collection : several stores can be in one Milvus; files hold one.
    dim, metric, precision, index, keywords, expected_rows, details, dim_if_new : as ``MilvusStore``; ``MemoryStore``
        searches exactly and has no index.
    token, token_file : for a server: else WORDSTOCK_MILVUS_TOKEN or WORDSTOCK_MILVUS_TOKEN_FILE. "USER:PASSWORD", or
        an API key.
    connect_timeout : seconds within which a server must answer at first.
    patience : seconds for which requests are tried again where it goes away later.

    Raises
    ------
    InputError
        A location that names no store, or settings that it cannot have.
    StoreError, StoreUnavailableError
        It is open in another process, or the server cannot be reached.
    MissingExtraError
        pymilvus is not installed.
    """
    place = locate(location)
    if place.kind in ("memory", "file"):
        return _memory(place, dim, metric, precision, details, dim_if_new)
    connection = Connection(place, find_token(token, token_file), connect_timeout=connect_timeout, patience=patience)
    try:
        return MilvusStore(
            connection,
            collection,
            dim=dim,
            metric=metric,
            precision=precision,
            index=index,
            keywords=keywords,
            expected_rows=expected_rows,
            details=details,
            dim_if_new=dim_if_new,
        )
    except BaseException:
        connection.close()
        raise


def _memory(
    place: Location,
    dim: int | None,
    metric: Metric | None,
    precision: Precision | None,
    details: Mapping[str, Any] | None,
    dim_if_new: int | None,
) -> MemoryStore:
    if precision not in (None, "float32", "float16"):
        raise InputError(f"a store in memory has no {precision} vectors; it has float32, float16")
    path = None if place.kind == "memory" else place.uri
    return MemoryStore(dim, metric=metric, precision=precision, path=path, details=details, dim_if_new=dim_if_new)


def store_exists(
    location: str | os.PathLike[str],
    collection: str = "wordstock",
    *,
    token: str | Secret | None = None,
    token_file: Path | str | None = None,
    connect_timeout: float = 10.0,
) -> bool:
    """Whether there is a store; nothing is made where there is none.

    Raises
    ------
    InputError
        A location that names no store, or a name that no collection can have.
    StoreError, StoreUnavailableError
        It is open in another process, or the server cannot be reached.
    """
    place = locate(location)
    if place.kind == "memory":
        return False
    if place.kind in ("file", "lite"):
        there = Path(place.uri).exists()
        if place.kind == "file" or not there:
            return there
    check_name(collection)
    connection = Connection(place, find_token(token, token_file), connect_timeout=connect_timeout)
    try:
        return bool(connection.call("has_collection", collection))
    finally:
        connection.close()
