"""The fields and indexes of a collection, made and changed.

A collection has the fields ``id`` (the key), ``text``, ``metadata`` (JSON), ``digest`` and ``vector``, and ``sparse``
where it also has BM25.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from wordstock.errors import InputError, StoreError
from wordstock.stores.checking import MAX_ID, MAX_TEXT, Metric
from wordstock.stores.connection import Connection
from wordstock.stores.milvus_card import MilvusCard
from wordstock.stores.packing import TYPES

__all__ = ["build_index", "check_name", "make_collection", "milvus_metric"]

_METRICS: dict[Metric, str] = {"cosine": "COSINE", "ip": "IP", "l2": "L2"}


def make_collection(connection: Connection, card: MilvusCard, collection: str) -> None:
    """An empty collection with its indexes, loaded."""
    types = connection.types
    schema = connection.schema(card.to_json())
    schema.add_field("id", types.VARCHAR, is_primary=True, max_length=MAX_ID)
    analysed = {"enable_analyzer": True, "analyzer_params": {"type": "standard"}} if card.keywords else {}
    schema.add_field("text", types.VARCHAR, max_length=MAX_TEXT, **analysed)
    schema.add_field("metadata", types.JSON)
    schema.add_field("digest", types.VARCHAR, max_length=64)
    schema.add_field("vector", types[TYPES[card.precision]], dim=card.dim)
    indexes = _vector_index(connection, card)
    if card.keywords:
        schema.add_field("sparse", types.SPARSE_FLOAT_VECTOR)
        schema.add_function(connection.bm25_function("text", "sparse"))
        indexes.add_index(
            "sparse",
            index_type="SPARSE_INVERTED_INDEX",
            metric_type="BM25",
            params=_worded(connection, {"bm25_k1": 1.2, "bm25_b": 0.75}),
        )
    connection.call("create_collection", collection, schema=schema, index_params=indexes, consistency_level="Session")
    _keep_card(connection, card, collection)


def build_index(connection: Connection, card: MilvusCard, collection: str) -> None:
    """The index that the card names, in the place of the one that is there; searches have to wait on a server."""
    connection.call("release_collection", collection)
    connection.call("drop_index", collection, "vector")
    connection.call("create_index", collection, _vector_index(connection, card))
    connection.call("load_collection", collection)
    _keep_card(connection, card, collection)


def milvus_metric(card: MilvusCard) -> str:
    """As Milvus calls it."""
    return "HAMMING" if card.precision == "binary" else _METRICS[card.metric]


def check_name(name: str) -> None:
    """Refuse what Milvus does not take as the name of a collection.

    Raises
    ------
    InputError
        With what it takes.
    """
    plain = isinstance(name, str) and name.isascii() and name.replace("_", "").isalnum() and not name[:1].isdigit()
    if not plain or len(name) > 200:
        raise InputError(f"collection {name!r:.80}: letters, digits and underscores, a letter first, at most 200")


def _keep_card(connection: Connection, card: MilvusCard, collection: str) -> None:
    with suppress(StoreError):  # some have no properties of one's own: the description says it there
        connection.call("alter_collection_properties", collection, {MilvusCard.KEY: card.to_json()})


def _vector_index(connection: Connection, card: MilvusCard) -> Any:
    indexes = connection.index_params()
    indexes.add_index(
        "vector",
        index_type=card.index.milvus_name(card.precision),
        metric_type=milvus_metric(card),
        params=_worded(connection, card.index.build_params()),
    )
    return indexes


def _worded(connection: Connection, params: dict[str, Any]) -> dict[str, Any]:
    """Pymilvus 3 sends them one by one; Milvus Lite 3 reads only those inside a field "params"."""
    return {"params": params} if connection.backend.dialect == "lite3" and params else params
