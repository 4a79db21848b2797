"""A store in Milvus: embedded, on a server, in the cloud, with the same code.

The settings of a collection are kept in its description or, where that is not stored, in a property. The name that a
user gives is an alias, so that another collection can take its place in one step.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

import numpy as np

from wordstock.errors import InputError, StoreError
from wordstock.protocols import Filter, FloatArray, Hit, Row
from wordstock.stores.backend import IndexKind
from wordstock.stores.checking import Metric, Precision, Rows, check_k, check_queries, check_rows, choice
from wordstock.stores.connection import Connection
from wordstock.stores.expressions import expression, id_in, quoted
from wordstock.stores.filters import parse
from wordstock.stores.indexing import FLAT_UP_TO, IndexConfig, choose_index
from wordstock.stores.milvus_card import MilvusCard
from wordstock.stores.milvus_schema import build_index, check_name, make_collection, milvus_metric
from wordstock.stores.packing import packed, unpacked

__all__ = ["MilvusStore"]

_MESSAGE = 8 << 20  # bytes that one request carries, about
_MOST_ROWS = 5000  # rows of one request
_IDS = 1000  # ids that one query asks for
_PAGE, _MOST_PAGE = 2000, 16_384  # rows that one page of a walk holds, and what Milvus gives at most
_SAMPLE = 200  # rows from which the size of a page is told
_HITS = 20_000  # results that one answer carries, about
_FLUSH_FROM = 1000  # rows added from which Milvus Lite writes them out: until then it walks over them one by one


class MilvusStore:
    """One collection of a Milvus.

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
        self._connection, self.name = connection, name
        self._unflushed = 0
        if metric is not None:
            choice("metric", metric, Metric)
        if precision is not None:
            choice("precision", precision, Precision)
        if connection.call("has_collection", name):
            self._open()
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
        self._create(card, secrets.token_hex(4))

    def __repr__(self) -> str:
        return f"MilvusStore({self._connection.location}, {self.name!r}, dim {self.dim}, {self.metric}, {self.index})"

    @property
    def dim(self) -> int:
        """Length of every vector."""
        return self._card.dim

    @property
    def metric(self) -> Metric:
        """What scores are."""
        return self._card.metric

    @property
    def precision(self) -> Precision:
        """Of the vectors stored."""
        return self._card.precision

    @property
    def index(self) -> str:
        """The index with its parameters, as a person reads it."""
        return str(self._card.index)

    @property
    def details(self) -> dict[str, Any]:
        """What was kept with the collection when it was made."""
        return self._card.details

    @property
    def most_hits(self) -> int:
        """Neighbours that one query gives at most."""
        return self._connection.backend.most

    @property
    def has_keywords(self) -> bool:
        """Whether Milvus itself ranks by BM25 here."""
        return self._card.keywords

    @property
    def backend(self) -> str:
        """Name and version of the Milvus."""
        return self._connection.backend.name

    # -- the collection -------------------------------------------------------------------------------------------

    def _open(self) -> None:
        described = self._connection.call("describe_collection", self.name)
        self._collection = str(described["collection_name"])
        card = MilvusCard.read(described)
        if card is None:
            raise StoreError(
                f"{self._connection.location} has a collection {self.name!r} that is not a wordstock store; give "
                "another name with collection="
            )
        self._card = card
        self._connection.call("load_collection", self._collection)

    def _create(self, card: MilvusCard, suffix: str) -> None:
        aliases = self._connection.backend.aliases
        self._card = card
        self._collection = f"{self.name}__{suffix}" if aliases else self.name
        make_collection(self._connection, card, self._collection)
        if not aliases:
            return
        try:
            self._connection.call("create_alias", self._collection, self.name)
        except StoreError:  # another process has just made the same store
            if not self._connection.call("has_collection", self.name):
                raise
            self._connection.call("drop_collection", self._collection)
            self._open()

    def set_index(self, index: IndexConfig | IndexKind) -> None:
        """Build another index; on a server searches have to wait meanwhile.

        Raises
        ------
        InputError
            An index that this Milvus cannot build and load again.
        """
        config = (index if isinstance(index, IndexConfig) else IndexConfig(index)).for_rows(self.count())
        self._connection.backend.check_index(config.kind, self.precision)
        self._card = self._card.with_index(config)
        build_index(self._connection, self._card, self._collection)

    # -- rows -----------------------------------------------------------------------------------------------------

    def add(
        self,
        ids: Sequence[str],
        vectors: FloatArray,
        metadata: Sequence[Mapping[str, Any]] | None = None,
        *,
        texts: Sequence[str] | None = None,
        digests: Sequence[str] | None = None,
    ) -> None:
        """Add rows; an id that is already there is replaced, and of one given twice the last counts.

        Raises
        ------
        InputError
            A row that cannot be taken; nothing is added then.
        StoreError
            Milvus refused rows, which are named; those before them are stored.
        """
        rows = check_rows(ids, vectors, metadata, texts, digests, dim=self.dim, metric=self.metric)
        values = packed(rows.vectors, self.precision)
        start = 0
        while start < len(rows.ids):
            stop = _batch_end(rows, start, self.dim)
            self._upsert(rows, values, start, stop)
            start = stop

    def _upsert(self, rows: Rows, values: FloatArray | list[bytes], start: int, stop: int) -> None:
        part = slice(start, stop)
        data = [
            {"id": name, "text": text, "metadata": metadata, "digest": digest, "vector": vector}
            for name, text, metadata, digest, vector in zip(
                rows.ids[part], rows.texts[part], rows.metadata[part], rows.digests[part], values[part], strict=True
            )
        ]
        try:
            self._connection.call("upsert", self._collection, data)
        except StoreError as error:
            first, last = rows.ids[start], rows.ids[stop - 1]
            told = f"(ids {first!r:.80} to {last!r:.80}) were not stored: {error}"
            raise type(error)(told, rows=(start, stop - 1)) from None
        self._unflushed += stop - start

    def get(self, ids: Sequence[str], *, vectors: bool = False) -> list[Row | None]:
        """The rows of these ids, None where there is none."""
        wanted = list(ids)
        fields = ["id", "text", "metadata", "digest", *(["vector"] if vectors else [])]
        found = {row["id"]: self._row(row) for row in self._query(wanted, fields, consistency_level="Strong")}
        return [found.get(name) for name in wanted]

    def digests(self, ids: Sequence[str]) -> dict[str, str]:
        """The digests of those ids that are there."""
        found = self._query(list(ids), ["id", "digest"], consistency_level="Strong")
        return {row["id"]: row["digest"] for row in found}

    def _query(self, ids: list[str], fields: list[str], **options: Any) -> Iterator[dict[str, Any]]:
        for start in range(0, len(ids), _IDS):
            wanted = [name for name in ids[start : start + _IDS] if name and "\0" not in name]
            if wanted:
                yield from self._connection.call(
                    "query", self._collection, filter=id_in(wanted), output_fields=fields, **options
                )

    def _row(self, found: Mapping[str, Any]) -> Row:
        vector = unpacked(found["vector"], self.precision, self.dim) if "vector" in found else None
        return Row(found["id"], found["text"], found["metadata"] or {}, vector, found["digest"])

    def rows(self, *, where: Filter | None = None, vectors: bool = False) -> Iterator[Row]:
        """Every row once, in pages; where the server goes away in between, the walk goes on after the last row."""
        asked = self._expression(where)
        fields = ["id", "text", "metadata", "digest", *(["vector"] if vectors else [])]
        page, last, ended = self._page(fields), None, False
        while not ended:
            after = "" if last is None else f"id > {quoted(last)}"
            rest = " and ".join(filter(None, (f"({asked})" if asked else "", after)))
            ended = True
            try:
                for found in self._walk(rest, fields, page):
                    last = found[-1]["id"]
                    yield from map(self._row, found)
                    if quoted(last) != f'"{last}"':  # pymilvus writes the id into its next filter as it is
                        ended = False
                        break
            except StoreError as error:
                if page <= _PAGE or "larger than max" not in str(error):
                    raise
                page, ended = _PAGE, False  # rows further on are larger than those that the page was told from

    def _walk(self, asked: str, fields: list[str], page: int) -> Iterator[list[dict[str, Any]]]:
        """Rows by their ids, in pages."""

        def begin() -> Any:
            return self._connection.client.query_iterator(
                self._collection, batch_size=page, filter=asked, output_fields=fields, consistency_level="Strong"
            )

        walk = self._connection.patiently(begin, "to walk over its rows")
        try:
            while found := self._connection.patiently(walk.next, "the next page of rows"):
                yield found
        finally:
            with suppress(Exception):
                walk.close()

    def _page(self, fields: list[str]) -> int:
        """Rows of one page of a walk: Milvus Lite sorts the whole collection for each, so there they are many."""
        most, vector = _PAGE, 4 * self.dim if "vector" in fields else 0
        size = max(vector, 1)
        if self._connection.backend.dialect == "lite3":
            few = self._connection.call("query", self._collection, filter="", output_fields=fields[:3], limit=_SAMPLE)
            told = sum(len(row["text"]) + len(str(row["metadata"])) + len(row["id"]) for row in few)
            most, size = _MOST_PAGE, 100 + vector + 2 * told // max(len(few), 1)
        return max(100, min(most, _MESSAGE // size))

    def delete(self, ids: Sequence[str]) -> int:
        """Remove rows; returns how many were there."""
        there = list(self.digests(list(dict.fromkeys(ids))))
        for start in range(0, len(there), _IDS):
            self._connection.call("delete", self._collection, ids=there[start : start + _IDS])
        return len(there)

    def count(self, where: Filter | None = None) -> int:
        """Number of rows."""
        found = self._connection.call(
            "query",
            self._collection,
            filter=self._expression(where),
            output_fields=["count(*)"],
            consistency_level="Strong",
        )
        return int(found[0]["count(*)"])

    def _expression(self, where: Filter | None) -> str:
        return "" if where is None else expression(parse(where), self._connection.backend.dialect)

    # -- search ---------------------------------------------------------------------------------------------------

    def search(
        self, vectors: FloatArray, k: int = 10, *, where: Filter | None = None, fields: bool = True
    ) -> list[list[Hit]]:
        """The k nearest rows of every query, best first; ``fields=False`` leaves text and metadata out.

        Raises
        ------
        InputError
            Queries of a wrong shape, a filter that cannot be read, or more neighbours than Milvus gives at once.
        """
        k = check_k(k)
        self._connection.backend.check_k(k)
        queries = check_queries(vectors, dim=self.dim, metric=self.metric)
        data = packed(queries, self.precision)
        params = {"metric_type": milvus_metric(self._card), "params": self._card.index.search_params(k)}
        return self._find(data, "vector", k, params, where, fields, self._scale())

    def search_text(
        self, texts: Sequence[str], k: int = 10, *, where: Filter | None = None, fields: bool = True
    ) -> list[list[Hit]]:
        """The k best rows by Milvus' BM25; rows without a word of the query are none.

        Raises
        ------
        InputError
            The collection has no keywords.
        """
        if not self.has_keywords:
            raise InputError(f"{self!r} was made without keywords=True")
        k = check_k(k)
        self._connection.backend.check_k(k)
        asked = [i for i, text in enumerate(texts) if any(character.isalnum() for character in text)]
        found: list[list[Hit]] = [[] for _ in texts]
        params = {"metric_type": "BM25", "params": {}}
        results = self._find([texts[i] for i in asked], "sparse", k, params, where, fields, np.abs)
        for place, hits in zip(asked, results, strict=True):  # Milvus Lite gives these scores a minus sign
            found[place] = [hit for hit in hits if hit.score > 0]
        return found

    def _find(
        self,
        data: FloatArray | Sequence[Any],
        field: str,
        k: int,
        params: dict[str, Any],
        where: Filter | None,
        fields: bool,
        scale: Any,
    ) -> list[list[Hit]]:
        asked = self._expression(where)
        output = ["text", "metadata"] if fields else ["id"]
        found: list[list[Hit]] = []
        step = max(1, min(1000, _HITS // k))
        for start in range(0, len(data), step):
            answer = self._connection.call(
                "search",
                self._collection,
                data=list(data[start : start + step]),
                anns_field=field,
                limit=k,
                filter=asked,
                output_fields=output,
                search_params=params,
            )
            found += [_hits(one, fields, scale) for one in answer]
        return found

    def _scale(self) -> Any:
        """From what Milvus calls a distance to a score."""
        if self.precision == "binary":
            return lambda distances: 1 - 2 * distances / self.dim
        if self.metric == "l2":
            return lambda distances: -np.sqrt(np.maximum(distances, 0))  # Milvus gives squares
        return None

    # -- the place of another -------------------------------------------------------------------------------------

    def sibling(self, dim: int, details: Mapping[str, Any]) -> MilvusStore:
        """A collection of the same settings beside this one, for vectors of another model; one left there is used.

        Raises
        ------
        StoreError
            This Milvus has no aliases.
        """
        if not self._connection.backend.aliases:
            raise StoreError(
                f"{self.backend} has no aliases, so nothing can take the place of {self.name!r} in one step; index the "
                "texts into a new store"
            )
        self._connection.backend.check_precision(self.precision, dim)
        other = object.__new__(MilvusStore)
        other._connection, other.name, other._unflushed = self._connection, self.name, 0
        other._card = self._card.for_model(dim, dict(details))
        other._collection = f"{self.name}__{other._card.suffix}"
        if other._collection == self._collection:
            other._collection += "_"
        if self._connection.call("has_collection", other._collection):
            self._connection.call("load_collection", other._collection)
        else:
            make_collection(self._connection, other._card, other._collection)
        return other

    def exchange(self, other: MilvusStore) -> None:
        """Let the name stand for the other collection, and drop this one."""
        self._connection.call("alter_alias", other._collection, self.name)
        self._connection.call("drop_collection", self._collection)

    def current(self) -> MilvusStore | None:
        """The store that the name stands for by now; None where that is this one, or none."""
        if not self._connection.call("has_collection", self.name):
            return None
        described = self._connection.call("describe_collection", self.name)
        if described["collection_name"] == self._collection:
            return None
        return MilvusStore(self._connection, self.name)

    def flush(self) -> None:
        """Write out what Milvus Lite holds in memory, and build the index that fits the number of rows by now.

        Every row is stored before this; it makes searches quicker. A few rows are left for the next time.
        """
        if self._unflushed < _FLUSH_FROM:
            return
        if self._connection.backend.dialect == "lite3":
            self._connection.call("flush", self._collection)
        self._unflushed = 0
        if self._card.auto and self._card.index.kind == "flat" and (count := self.count()) > FLAT_UP_TO:
            config = choose_index(count, self._connection.backend, self.precision, self.metric)
            if config.kind != "flat":
                self.set_index(config)

    def close(self) -> None:
        """Close the connection."""
        with suppress(StoreError):  # every row is stored already
            self.flush()
        self._connection.close()

    def drop(self) -> None:
        """Remove the collection with all that is in it."""
        if self._connection.backend.aliases:
            self._connection.call("drop_alias", self.name)
        self._connection.call("drop_collection", self._collection)


def _batch_end(rows: Rows, start: int, dim: int) -> int:
    size, stop = 0, start
    while stop < len(rows.ids) and stop - start < _MOST_ROWS:
        size += 4 * dim + 4 * len(rows.texts[stop]) + 200
        if size > _MESSAGE and stop > start:
            break
        stop += 1
    return stop


def _hits(found: Any, fields: bool, scale: Any) -> list[Hit]:
    scores = [hit["distance"] for hit in found]
    if scale is not None and scores:
        scores = scale(np.array(scores, np.float64)).tolist()
    if not fields:
        return [Hit(hit["id"], score) for hit, score in zip(found, scores, strict=True)]
    return [
        Hit(hit["id"], score, hit["entity"]["text"], hit["entity"]["metadata"] or {})
        for hit, score in zip(found, scores, strict=True)
    ]
