"""One collection of a Milvus: its rows, and searches among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from wordstock.errors import InputError, StoreError
from wordstock.protocols import Filter, FloatArray, Hit, Row
from wordstock.stores.backend import IndexKind
from wordstock.stores.checking import Metric, Precision, Rows, check_k, check_queries, check_rows
from wordstock.stores.connection import Connection
from wordstock.stores.expressions import expression, id_in
from wordstock.stores.filters import parse
from wordstock.stores.indexing import FLAT_UP_TO, IndexConfig, choose_index
from wordstock.stores.milvus_card import MilvusCard
from wordstock.stores.milvus_schema import build_index, milvus_metric
from wordstock.stores.milvus_walk import MESSAGE, walk
from wordstock.stores.packing import packed, unpacked

__all__ = ["MilvusCollection"]

_MOST_ROWS = 5000  # rows of one request
_IDS = 1000  # ids that one query asks for
_HITS = 20_000  # results that one answer carries, about
_FLUSH_FROM = 1000  # rows added from which Milvus Lite writes them out: until then it walks over them one by one


class MilvusCollection:
    """A collection that is there and loaded.

    Parameters
    ----------
    connection : to the Milvus.
    collection : its name.
    card : its settings.
    """

    def __init__(self, connection: Connection, collection: str, card: MilvusCard) -> None:
        self._connection, self.collection, self._card = connection, collection, card
        self._unflushed = 0

    def __repr__(self) -> str:
        return f"MilvusCollection({self._connection.location}, {self.collection!r}, dim {self.dim})"

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
            self._connection.call("upsert", self.collection, data)
        except StoreError as error:
            first, last = rows.ids[start], rows.ids[stop - 1]
            told = f"(ids {first!r:.80} to {last!r:.80}) were not stored: {error}"
            raise type(error)(told, rows=(start, stop - 1)) from None
        self._unflushed += stop - start

    def get(self, ids: Sequence[str], *, vectors: bool = False) -> list[Row | None]:
        """The rows of these ids, None where there is none."""
        wanted = list(ids)
        found = {row["id"]: self._row(row) for row in self._query(wanted, _fields(vectors), consistency_level="Strong")}
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
                    "query", self.collection, filter=id_in(wanted), output_fields=fields, **options
                )

    def _row(self, found: Mapping[str, Any]) -> Row:
        vector = unpacked(found["vector"], self.precision, self.dim) if "vector" in found else None
        return Row(found["id"], found["text"], found["metadata"] or {}, vector, found["digest"])

    def rows(self, *, where: Filter | None = None, vectors: bool = False) -> Iterator[Row]:
        """Every row once, in pages; where the server goes away in between, the walk goes on after the last row."""
        asked = self._expression(where)
        return map(self._row, walk(self._connection, self.collection, _fields(vectors), asked=asked, dim=self.dim))

    def delete(self, ids: Sequence[str]) -> int:
        """Remove rows; returns how many were there."""
        there = list(self.digests(list(dict.fromkeys(ids))))
        for start in range(0, len(there), _IDS):
            self._connection.call("delete", self.collection, ids=there[start : start + _IDS])
        return len(there)

    def count(self, where: Filter | None = None) -> int:
        """Number of rows."""
        found = self._connection.call(
            "query",
            self.collection,
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
                self.collection,
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

    # -- the index ------------------------------------------------------------------------------------------------

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
        build_index(self._connection, self._card, self.collection)

    def flush(self) -> None:
        """Write out what Milvus Lite holds in memory, and build the index that fits the number of rows by now.

        Every row is stored before this; it makes searches quicker. A few rows are left for the next time.
        """
        if self._unflushed < _FLUSH_FROM:
            return
        if self._connection.backend.dialect == "lite3":
            self._connection.call("flush", self.collection)
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


def _fields(vectors: bool) -> list[str]:
    return ["id", "text", "metadata", "digest", *(["vector"] if vectors else [])]


def _batch_end(rows: Rows, start: int, dim: int) -> int:
    size, stop = 0, start
    while stop < len(rows.ids) and stop - start < _MOST_ROWS:
        size += 4 * dim + 4 * len(rows.texts[stop]) + 200
        if size > MESSAGE and stop > start:
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
