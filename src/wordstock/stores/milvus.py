"""A store in Milvus: embedded, on a server, in the cloud, with the same code.

The settings of a collection are kept in its description or, where that is not stored, in a property. The name that a
user gives is an alias, so that another collection can take its place in one step.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal

from wordstock._settings import check_whole
from wordstock.errors import InputError, StoreError
from wordstock.stores.backend import IndexKind
from wordstock.stores.checking import Metric, Precision, choice
from wordstock.stores.connection import Connection
from wordstock.stores.indexing import IndexConfig, choose_index
from wordstock.stores.milvus_card import MilvusCard
from wordstock.stores.milvus_collection import MilvusCollection
from wordstock.stores.milvus_schema import check_name, make_collection

__all__ = ["MilvusStore"]


class MilvusStore(MilvusCollection):
    """The collection of a Milvus that a name stands for.

    Parameters
    ----------
    connection : to it.
    name : of the collection; letters, digits and underscores.
    dim : of every vector; may be left out for a collection that is there.
    metric : "cosine", "ip" or "l2".
    precision : "float32", "float16", "bfloat16" or "binary" (signs, compared by their cosine), where it has it.
    index : an IndexConfig, a kind of index, or "auto": by size (see ``wordstock.stores.indexing``).
    keywords : also index the texts for BM25, where it can.
    expected_rows : lets "auto" build the right index from the start.
    details : kept with the collection as they are; JSON.
    dim_if_new : as ``dim``, but a collection that is there may have another.

    Raises
    ------
    InputError
        Settings that this Milvus cannot store, or other than those of the collection that is there.
    StoreError
        A collection of that name that is not wordstock's.
    """

    def __init__(
        self,
        connection: Connection,
        name: str = "wordstock",
        *,
        dim: int | None = None,
        metric: Metric | None = None,
        precision: Precision | None = None,
        index: IndexConfig | IndexKind | Literal["auto"] = "auto",
        keywords: bool | None = None,
        expected_rows: int | None = None,
        details: Mapping[str, Any] | None = None,
        dim_if_new: int | None = None,
    ) -> None:
        check_name(name)
        if metric is not None:
            choice("metric", metric, Metric)
        if precision is not None:
            choice("precision", precision, Precision)
        check_whole("expected_rows", expected_rows, 0, optional=True)
        self.name = name
        if connection.call("has_collection", name):
            super().__init__(connection, *_named(connection, name))
            asked = {"dim": dim, "metric": metric, "precision": precision, "keywords": keywords}
            self._card.check(asked, f"{connection.location}, collection {name!r},")
            return
        dim = dim_if_new if dim is None else dim
        if dim is None or dim < 1:
            raise InputError(f"{connection.location} has no collection {name!r}; a new one needs dim, not {dim!r}")
        precision, metric = precision or "float32", metric or "cosine"
        connection.backend.check_precision(precision, dim)
        if precision == "binary" and metric != "cosine":
            raise InputError(f"binary vectors are compared by the cosine of their signs, not metric={metric!r}")
        if index == "auto":
            chosen = choose_index(expected_rows, connection.backend, precision, metric)
        else:
            chosen = index if isinstance(index, IndexConfig) else IndexConfig(index)
        connection.backend.check_index(chosen.kind, precision)
        native = bool(keywords) and connection.backend.bm25
        card = MilvusCard(
            dim, metric, precision, native, chosen.for_rows(expected_rows or 0), index == "auto", dict(details or {})
        )
        super().__init__(connection, *_made(connection, name, card))

    def __repr__(self) -> str:
        return f"MilvusStore({self._connection.location}, {self.name!r}, dim {self.dim}, {self.metric}, {self.index})"

    def sibling(self, dim: int, details: Mapping[str, Any]) -> MilvusCollection:
        """A collection of the same settings beside this one, for vectors of another model; one left there is used.

        Raises
        ------
        StoreError
            This Milvus has no aliases.
        """
        connection = self._connection
        if not connection.backend.aliases:
            raise StoreError(
                f"{self.backend} has no aliases, so nothing can take the place of {self.name!r} in one step; index the "
                "texts into a new store"
            )
        connection.backend.check_precision(self.precision, dim)
        card = self._card.for_model(dim, dict(details))
        collection = f"{self.name}__{card.suffix}"
        if collection == self.collection:
            collection += "_"
        if connection.call("has_collection", collection):
            connection.call("load_collection", collection)
        else:
            make_collection(connection, card, collection)
        return MilvusCollection(connection, collection, card)

    def exchange(self, other: MilvusCollection) -> MilvusStore:
        """Let the name stand for the other collection; drop this one, and what reindexing cut short has left behind.

        Returns
        -------
        The store that the name stands for by now.
        """
        self._connection.call("alter_alias", other.collection, self.name)
        self._connection.call("drop_collection", self.collection)
        taken = MilvusStore(self._connection, self.name)
        taken._drop_leftovers()
        return taken

    def current(self) -> MilvusStore | None:
        """The store that the name stands for by now; None where that is this one, or none."""
        if not self._connection.call("has_collection", self.name):
            return None
        described = self._connection.call("describe_collection", self.name)
        return None if described["collection_name"] == self.collection else MilvusStore(self._connection, self.name)

    def _drop_leftovers(self) -> None:
        """Drop the collections that ``sibling`` made and nothing took up again."""
        leftover = re.compile(rf"{self.name}__(?:[0-9a-f]{{8}}|[0-9a-f]{{12}})_?")
        with suppress(StoreError):  # the next one tries again
            live = self._connection.call("describe_collection", self.name)["collection_name"]
            for name in self._connection.call("list_collections"):
                if leftover.fullmatch(name) and name not in (live, self.collection):
                    described = self._connection.call("describe_collection", name)
                    if MilvusCard.read(described) is not None and not described.get("aliases"):
                        self._connection.call("drop_collection", name)

    def drop(self) -> None:
        """Remove the collection with all that is in it."""
        if self._connection.backend.aliases:
            self._connection.call("drop_alias", self.name)
        self._connection.call("drop_collection", self.collection)


def _named(connection: Connection, name: str) -> tuple[str, MilvusCard]:
    """The collection that a name stands for, loaded, and its card."""
    described = connection.call("describe_collection", name)
    card = MilvusCard.read(described)
    if card is None:
        raise StoreError(
            f"{connection.location} has a collection {name!r} that is not a wordstock store; give another name with "
            "collection="
        )
    collection = str(described["collection_name"])
    connection.call("load_collection", collection)
    return collection, card


def _made(connection: Connection, name: str, card: MilvusCard) -> tuple[str, MilvusCard]:
    """A new collection for this name, and its card; those of another process that made the same store first."""
    if not connection.backend.aliases:
        make_collection(connection, card, name)
        return name, card
    collection = f"{name}__{secrets.token_hex(4)}"
    make_collection(connection, card, collection)
    try:
        connection.call("create_alias", collection, name)
    except StoreError:
        if not connection.call("has_collection", name):
            raise
        connection.call("drop_collection", collection)
        return _named(connection, name)
    return collection, card
