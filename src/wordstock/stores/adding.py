"""Texts into a store, batch by batch: what has not changed is left as it is, and the next batch is encoded while one is
written. Memory does not grow with the number of texts, and a run that was killed goes on when it is started again.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from wordstock.embeddings import Embeddings
from wordstock.errors import InputError, StoreError
from wordstock.protocols import Encoder, FloatArray, Store
from wordstock.stores.checking import Metric, check_columns, check_encoded, check_vectors
from wordstock.stores.digest import digest_of, id_of, same_text

__all__ = ["AddReport", "Batch", "add_batches", "is_word", "table_batches", "text_batches"]

Progress = Callable[[int], object]
_WORD = "w"  # digests of words start with it: no hexadecimal digit


class AddReport(NamedTuple):
    """What became of the texts: stored, left as they were, or left out because their vector is zero."""

    added: int = 0
    unchanged: int = 0
    left_out: int = 0

    def plus(self, other: AddReport) -> AddReport:
        """The sum of two."""
        return AddReport(*(one + more for one, more in zip(self, other, strict=True)))


class Batch(NamedTuple):
    """Rows of one round, checked; without vectors they are encoded.

    Parameters
    ----------
    rows : their numbers among all that were given.
    """

    ids: list[str]
    texts: list[str]
    metadata: list[Mapping[str, Any]]
    digests: list[str]
    rows: Sequence[int]
    vectors: FloatArray | None = None

    def take(self, rows: list[int]) -> Batch:
        """Some of them."""
        vectors = None if self.vectors is None else self.vectors[rows]
        return Batch(
            [self.ids[i] for i in rows],
            [self.texts[i] for i in rows],
            [self.metadata[i] for i in rows],
            [self.digests[i] for i in rows],
            [self.rows[i] for i in rows],
            vectors,
        )


def text_batches(
    texts: Iterable[str],
    ids: Iterable[str] | None,
    metadata: Iterable[Mapping[str, Any]] | None,
    vectors: Iterable[Any] | None,
    size: int,
    *,
    dim: int,
    metric: Metric,
) -> Iterator[Batch]:
    """Batches of texts with what belongs to them.

    Raises
    ------
    InputError
        Something that no store can hold, with its row, or not as many ids, metadata or vectors as texts.
    """
    given = {"ids": ids, "metadata": metadata, "vectors": vectors}
    sources = [_source("texts", texts), *(None if one is None else _source(name, one) for name, one in given.items())]
    done = 0
    while True:
        columns = [None if source is None else list(islice(source, size)) for source in sources]
        lengths = {len(column) for column in columns if column is not None}
        if len(lengths) > 1:
            raise InputError(
                f"not one id, metadata and vector for each text: they differ after row {done + min(lengths)}"
            )
        count = lengths.pop()
        if not count:
            return
        batch = _batch(columns, range(done, done + count))
        if columns[3] is not None:
            batch = batch._replace(vectors=check_vectors(columns[3], batch.ids, batch.rows, metric, dim))
        yield batch
        done += count


def _source(name: str, given: Any) -> Iterator[Any]:
    try:
        if not isinstance(given, str | bytes | Mapping):
            return iter(given)
    except TypeError:
        pass
    remedy = "; for one text write [text]" if name == "texts" else ""
    raise InputError(f"{name} are a list or another iterable, one for each text, not {given!r:.80}{remedy}")


def _batch(columns: list[list[Any] | None], rows: range) -> Batch:
    texts, ids, metadata = (column or [None] * len(rows) for column in columns[:3])
    for row, text in zip(rows, texts, strict=True):
        if not isinstance(text, str):
            raise InputError(f"row {row}: {text!r:.80} is no text")
    names = [id_of(text) if name is None else name for text, name in zip(texts, ids, strict=True)]
    kept = check_columns(names, texts, [{} if one is None else one for one in metadata], rows)
    digests = [digest_of(text, one) for text, one in zip(kept.texts, kept.metadata, strict=True)]
    return Batch(*kept, digests, rows)


def table_batches(table: Embeddings, size: int, keys: Sequence[str] | None = None) -> Iterator[Batch]:
    """The words of a table, or some of them, each its own id and text, with their vectors."""
    keys = table.keys if keys is None else keys
    digest = _WORD + table.digest[:31]
    for start in range(0, len(keys), size):
        part = list(keys[start : start + size])
        rows = range(start, start + len(part))
        yield Batch(*check_columns(part, part, None, rows), [digest] * len(part), rows, table.vectors(part))


def is_word(digest: str) -> bool:
    """Whether a row is a word of a table."""
    return digest.startswith(_WORD)


def add_batches(
    store: Store,
    encoder: Encoder | None,
    batches: Iterable[Batch],
    *,
    check: bool,
    progress: Progress | None,
    unknown: str = "",
) -> AddReport:
    """Encode and store, two at a time.

    Parameters
    ----------
    check : look first what is there already.
    unknown : what is warned of where vectors are zero; "" is no warning.

    Raises
    ------
    InputError
        The encoder gave something else than one vector for each text; batches before that are stored.
    StoreError
        The store refused rows, which are named.
    """
    report, done = AddReport(), 0
    waiting: Future[None] | None = None
    written: set[str] = set()  # what is being written: its digests cannot be read yet
    with ThreadPoolExecutor(1, thread_name_prefix="wordstock-add") as writer:
        for given in batches:
            batch = _distinct(given)
            if waiting is not None and not written.isdisjoint(batch.ids):
                waiting.result()
                waiting = None
            ready, counted = _prepare(store, encoder, batch, check=check)
            report = report.plus(counted)
            done += len(given.ids)
            if waiting is not None:
                waiting.result()
            waiting, written = writer.submit(_write, store, ready) if ready.ids else None, set(ready.ids)
            if progress is not None:
                progress(done)
        if waiting is not None:
            waiting.result()
    if report.left_out and unknown:
        warnings.warn(f"{report.left_out:,} of {done:,} {unknown} and were left out", stacklevel=3)
    return report


def _distinct(batch: Batch) -> Batch:
    last = {name: row for row, name in enumerate(batch.ids)}
    return batch if len(last) == len(batch.ids) else batch.take(sorted(last.values()))


def _write(store: Store, batch: Batch) -> None:
    assert batch.vectors is not None
    try:
        store.add(batch.ids, batch.vectors, batch.metadata, texts=batch.texts, digests=batch.digests)
    except StoreError as error:  # it counts its rows within this batch
        if error.rows is None:
            raise
        first, last = error.rows
        raise type(error)(error.message, rows=(batch.rows[first], batch.rows[last])) from None


def _prepare(store: Store, encoder: Encoder | None, batch: Batch, *, check: bool) -> tuple[Batch, AddReport]:
    known = store.digests(batch.ids) if check else {}
    fresh = [i for i, name in enumerate(batch.ids) if known.get(name) != batch.digests[i]]
    unchanged = len(batch.ids) - len(fresh)
    batch = batch.take(fresh) if unchanged else batch
    if not batch.ids:
        return batch, AddReport(0, unchanged)
    if batch.vectors is not None and not is_word(batch.digests[0]):
        return batch, AddReport(len(batch.ids), unchanged)  # the store's metric takes them, zero or not
    vectors = _vectors(store, encoder, batch, known)
    batch = batch._replace(vectors=vectors)
    kept = np.flatnonzero(vectors.any(axis=1)).tolist()
    if len(kept) == len(batch.ids):
        return batch, AddReport(len(batch.ids), unchanged)
    # A text that has no vector any more must not be found by the vector of what it was.
    gone = [batch.ids[i] for i in np.flatnonzero(~vectors.any(axis=1)).tolist()]
    there = known if check else store.digests(gone)
    if stale := [name for name in gone if name in there]:
        store.delete(stale)
    return batch.take(kept), AddReport(len(kept), unchanged, len(batch.ids) - len(kept))


def _vectors(store: Store, encoder: Encoder | None, batch: Batch, known: Mapping[str, str]) -> FloatArray:
    """Those given; those stored where only the metadata changed; else the encoder's."""
    if batch.vectors is not None or encoder is None:
        return np.empty((0, 0), np.float32) if batch.vectors is None else batch.vectors
    vectors = np.zeros((len(batch.ids), store.dim), np.float32)
    same = [i for i, name in enumerate(batch.ids) if same_text(known.get(name, ""), batch.digests[i])]
    for i, row in zip(same, store.get([batch.ids[i] for i in same], vectors=True) if same else [], strict=True):
        if row is not None and row.vector is not None:
            vectors[i] = row.vector
    to_encode = np.flatnonzero(~vectors.any(axis=1)).tolist()
    if to_encode:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".* hold no word of the vocabulary")  # counted over all batches
            encoded = encoder.encode([batch.texts[i] for i in to_encode])
        part = batch.take(to_encode)
        vectors[to_encode] = check_vectors(check_encoded(encoded, len(part.ids), store.dim), part.ids, part.rows, "ip")
    return vectors
