"""An exact store in memory, saved as one native file."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wordstock._paths import user_path
from wordstock.embeddings.search import top_k
from wordstock.embeddings.storage import Storage
from wordstock.errors import InputError, StorageError, StoreError
from wordstock.protocols import Filter, FloatArray, Hit, IntArray, Row
from wordstock.stores.checking import Metric, Rows, check_k, check_queries, check_rows, choice
from wordstock.stores.filters import Expression, matches, parse
from wordstock.stores.locking import FileClaim
from wordstock.stores.memory_file import Saved, read_store, write_store
from wordstock.stores.metadata import plain
from wordstock.stores.packing import as_float16

__all__ = ["MemoryStore"]

_log = logging.getLogger(__name__)

MemoryPrecision = Literal["float32", "float16"]
_FIRST = 1024  # rows that there is room for at first
# The file is written as a whole: in a large store, small changes wait until they are an eighth of the rows, so that
# adding in many parts does not take time that grows with the square of their number.
_SMALL = 10_000  # rows that are saved at once
_SHARE = 8
_unsaved: set[MemoryStore] = set()


class MemoryStore:
    """Vectors in memory, searched exactly.

    Parameters
    ----------
    dim : of every vector; may be left out for a file that is there.
    metric : "cosine", "ip" or "l2".
    precision : "float32" or "float16", of what is kept.
    path : where ``flush`` and ``close`` save, one .safetensors file; what is there is read. One that is not closed
        is saved when Python ends. Several may read the file; the first that writes keeps the others from it until it
        is closed, by a lock in a hidden file beside it.
    details : kept in the file as they are; JSON.
    dim_if_new : as ``dim``, but a file that is there may have another.

    Raises
    ------
    InputError
        No dim for a new store, or settings other than those of the file.
    FormatError
        The file is no saved store, or damaged.
    """

    def __init__(
        self,
        dim: int | None = None,
        *,
        metric: Metric | None = None,
        precision: MemoryPrecision | None = None,
        path: Path | str | None = None,
        details: Mapping[str, Any] | None = None,
        dim_if_new: int | None = None,
    ) -> None:
        if metric is not None:
            choice("metric", metric, Metric)
        if precision is not None:
            choice("precision", precision, MemoryPrecision)
        self.path = None if path is None else user_path(path)
        self._claim = None if self.path is None else FileClaim(self.path)
        found = read_store(self.path) if self.path is not None and self.path.exists() else None
        if found is not None:
            asked = {"dim": dim, "metric": metric, "precision": precision}
            there = {"dim": found.vectors.shape[1], "metric": found.metric, "precision": found.vectors.dtype.name}
            for name, value in asked.items():
                if value is not None and value != there[name]:
                    raise InputError(f"{path} has {name} {there[name]}, not {value}")
        dim = dim_if_new if dim is None and found is None else dim
        if found is None and (dim is None or dim < 1):
            raise InputError(f"a new store needs the dimension of its vectors, not dim={dim!r}")
        self._metric: Metric = found.metric if found is not None else metric or "cosine"
        self.details: dict[str, Any] = dict(details or {}) if found is None else found.details
        self._ids: list[str] = []
        self._texts: list[str] = []
        self._metadata: list[Mapping[str, Any]] = []
        self._digests: list[str] = []
        self._row: dict[str, int] = {}
        if found is None:
            self._data: npt.NDArray[Any] = np.empty((0, dim or 0), precision or "float32")
        else:
            self._data = np.require(found.vectors, requirements="W")  # a copy where it is read-only
            self._ids, self._texts, self._digests = found.ids, found.texts, found.digests
            self._metadata = list(found.metadata)
            self._row = {name: row for row, name in enumerate(self._ids)}
        self._scales = self._norms(self._data)
        self._changed = 0  # rows that the file has not, or not so
        self._new = found is None
        self._closed = False
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        where = "" if self.path is None else f", {str(self.path)!r}"
        return f"MemoryStore({len(self._ids):,} rows, dim {self.dim}, {self.metric}{where})"

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def dim(self) -> int:
        """Length of every vector."""
        return int(self._data.shape[1])

    @property
    def metric(self) -> Metric:
        """What scores are."""
        return self._metric

    @property
    def precision(self) -> str:
        """Of the vectors kept."""
        return self._data.dtype.name

    @property
    def index(self) -> str:
        """How it searches."""
        return "exact"

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
            Closed, or open for writing elsewhere.
        StorageError
            The folder of its file cannot be written.
        """
        self._check_open()
        rows = check_rows(ids, vectors, metadata, texts, digests, dim=self.dim, metric=self._metric)
        kept = as_float16(rows.vectors, rows.ids) if self.precision == "float16" else rows.vectors
        with self._lock:
            self._take()
            places = np.array([self._place(name) for name in rows.ids], np.int64)
            self._grow(len(self._ids))
            self._data[places] = kept
            self._scales[places] = self._norms(self._data[places])
            for i, place in enumerate(places.tolist()):
                self._texts[place], self._metadata[place] = rows.texts[i], rows.metadata[i]
                self._digests[place] = rows.digests[i]
            self._change(len(places))

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"the store {'in memory' if self.path is None else f'at {self.path}'} is closed")

    def _take(self) -> None:
        if self._claim is not None:
            self._claim.take()

    def _change(self, rows: int) -> None:
        self._changed += rows
        if self.path is not None:
            _unsaved.add(self)
            _save_at_exit()

    def _place(self, name: str) -> int:
        row = self._row.setdefault(name, len(self._ids))
        if row == len(self._ids):
            self._ids.append(name)
            self._texts.append("")
            self._metadata.append({})
            self._digests.append("")
        return row

    def _grow(self, rows: int) -> None:
        if rows <= len(self._data):
            return
        room = max(rows, _FIRST, len(self._data) * 3 // 2)
        data, scales = np.zeros((room, self.dim), self._data.dtype), np.zeros(room, np.float32)
        data[: len(self._data)], scales[: len(self._scales)] = self._data, self._scales
        self._data, self._scales = data, scales

    def _norms(self, block: npt.NDArray[Any]) -> FloatArray:
        """What the products are scaled by: inverse lengths for cosine, else nothing."""
        if self._metric != "cosine" or not len(block):
            return np.ones(len(block), np.float32)
        lengths = np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64))  # squares of small numbers are tiny
        scales: FloatArray = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0).astype(np.float32)
        return scales

    def search(
        self, vectors: FloatArray, k: int = 10, *, where: Filter | None = None, fields: bool = True
    ) -> list[list[Hit]]:
        """The k nearest rows of every query, best first, exactly; equal scores in the order of the rows.

        Raises
        ------
        InputError
            Queries of a wrong shape, a k below 1, or a filter that cannot be read.
        StoreError
            Closed.
        """
        self._check_open()
        k = check_k(k)
        queries = check_queries(vectors, dim=self.dim, metric=self._metric)
        with self._lock:
            chosen = None if where is None else self._matching(parse(where))
            count = len(self._ids) if chosen is None else len(chosen)
            if not count or not len(queries):
                return [[] for _ in queries]
            scores, rows = self._nearest(queries, k, chosen)
            if chosen is not None:
                rows = chosen[rows]
            return [self._hits(one, places, fields) for one, places in zip(scores.tolist(), rows.tolist(), strict=True)]

    def _hits(self, scores: list[float], rows: list[int], fields: bool) -> list[Hit]:
        if not fields:
            return [Hit(self._ids[row], score) for score, row in zip(scores, rows, strict=True)]
        return [
            Hit(self._ids[row], score, self._texts[row], plain(self._metadata[row]))
            for score, row in zip(scores, rows, strict=True)
        ]

    def _nearest(self, queries: FloatArray, k: int, chosen: IntArray | None) -> tuple[FloatArray, IntArray]:
        place: Any = slice(0, len(self._ids)) if chosen is None else chosen
        data, scales = self._data[place], self._scales[place]
        if self._metric == "l2":
            return _nearest_l2(data, queries, k)
        if self._metric == "cosine":
            queries = queries / np.linalg.norm(queries.astype(np.float64), axis=1, keepdims=True)
        return top_k(Storage(data.view()), scales, np.ascontiguousarray(queries, np.float32), k)

    def _matching(self, where: Expression) -> IntArray:
        return np.array([row for row, one in enumerate(self._metadata) if matches(where, one)], np.int64)

    def get(self, ids: Sequence[str], *, vectors: bool = False) -> list[Row | None]:
        """The rows of these ids, None where there is none."""
        self._check_open()
        with self._lock:
            found = (self._row.get(name) for name in ids)
            return [None if row is None else self._read(row, vectors) for row in found]

    def _read(self, row: int, vectors: bool) -> Row:
        vector = self._data[row].astype(np.float32) if vectors else None
        return Row(self._ids[row], self._texts[row], plain(self._metadata[row]), vector, self._digests[row])

    def digests(self, ids: Sequence[str]) -> dict[str, str]:
        """The digests of those ids that are there."""
        self._check_open()
        with self._lock:
            return {name: self._digests[self._row[name]] for name in ids if name in self._row}

    def rows(self, *, where: Filter | None = None, vectors: bool = False) -> Iterator[Row]:
        """Every row, in the order in which ids were first added."""
        self._check_open()
        expression = None if where is None else parse(where)
        for name in list(self._ids):
            found = self.get([name], vectors=vectors)[0]
            if found is not None and (expression is None or matches(expression, found.metadata)):
                yield found

    def delete(self, ids: Sequence[str]) -> int:
        """Remove rows; returns how many were there.

        Raises
        ------
        StoreError
            Closed, or open for writing elsewhere.
        StorageError
            The folder of its file cannot be written.
        """
        self._check_open()
        with self._lock:
            gone = {self._row[name] for name in ids if name in self._row}
            if not gone:
                return 0
            self._take()
            kept = np.array([row for row in range(len(self._ids)) if row not in gone], np.int64)
            self._data, self._scales = self._data[kept], self._scales[kept]
            for values in (self._ids, self._texts, self._metadata, self._digests):
                values[:] = [values[row] for row in kept.tolist()]
            self._row = {name: row for row, name in enumerate(self._ids)}
            self._change(len(gone))
            return len(gone)

    def count(self, where: Filter | None = None) -> int:
        """Number of rows."""
        self._check_open()
        return len(self._ids) if where is None else len(self._matching(parse(where)))

    def sibling(self, dim: int, details: Mapping[str, Any]) -> MemoryStore:
        """An empty store of the same settings, for vectors of another model, which is to take this one's place.

        Raises
        ------
        StoreError
            Closed, or open for writing elsewhere.
        """
        self._check_open()
        self._take()
        precision: Any = self.precision
        return MemoryStore(dim, metric=self._metric, precision=precision, details=details)

    def exchange(self, other: MemoryStore) -> MemoryStore:
        """Let the other store be saved where this one was; returns the other."""
        other.path, self.path = self.path, None
        other._claim, self._claim = self._claim, None
        _unsaved.discard(self)
        other._new = True
        other.flush()
        return other

    def flush(self) -> None:
        """Save to the path that was given, if one was, what has changed; in a large store a little waits for more.

        Raises
        ------
        StorageError
            The file cannot be written.
        StoreError
            A new one that is open for writing elsewhere.
        """
        with self._lock:
            if self._new or len(self) <= _SMALL or self._changed * _SHARE >= len(self):
                self._save_changes()

    def _save_changes(self) -> None:
        with self._lock:
            if self.path is not None and (self._changed or (self._new and not self.path.exists())):
                self._take()
                self.save(self.path)
                self._changed, self._new = 0, False
            _unsaved.discard(self)

    def save(self, path: Path | str) -> None:
        """Write one native file, atomically.

        Raises
        ------
        StorageError
            The file cannot be written.
        """
        rows = Rows(self._ids, self._data[: len(self._ids)], self._metadata, self._texts, self._digests)
        write_store(
            path, Saved(rows.vectors, rows.ids, rows.texts, rows.metadata, rows.digests, self._metric, self.details)
        )

    def close(self) -> None:
        """Save what has changed; the file can be written by others then."""
        if self._closed:
            return
        self._save_changes()
        self._closed = True
        if self._claim is not None:
            self._claim.give_up()


@cache
def _save_at_exit() -> None:
    """Once a file is locked, so that this runs before filelock lets go of its locks."""
    atexit.register(_save_all)


def _save_all() -> None:
    for store in list(_unsaved):
        try:
            store._save_changes()
        except StorageError as error:  # nobody is left to catch it
            _log.error("%r was not closed, and its changes are lost: %s", store, error)


def _nearest_l2(data: npt.NDArray[Any], queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
    """By distance: |x - q|² is least where x·q - |x|²/2 is greatest, a product of vectors one longer."""
    wide = data.astype(np.float32, copy=False)
    longer = np.empty((len(wide), wide.shape[1] + 1), np.float32)
    longer[:, :-1], longer[:, -1] = wide, -np.einsum("ij,ij->i", wide, wide) / 2
    asked = np.concatenate([queries, np.ones((len(queries), 1), np.float32)], axis=1)
    _, rows = top_k(Storage(longer), np.ones(len(wide), np.float32), asked, k)
    distances = np.stack(
        [np.linalg.norm(wide[found] - query, axis=1) for found, query in zip(rows, queries, strict=True)]
    )
    order = np.argsort(distances, axis=1, kind="stable")
    return -np.take_along_axis(distances, order, 1), np.take_along_axis(rows, order, 1)
