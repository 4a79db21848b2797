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
from wordstock.errors import InputError
from wordstock.protocols import Encoder, FloatArray, Store
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
    """Rows of one round; without vectors they are encoded."""

    ids: list[str]
    texts: list[str]
    metadata: list[Mapping[str, Any]]
    digests: list[str]
    vectors: FloatArray | None = None

    def take(self, rows: list[int]) -> Batch:
        """Some of them."""
        vectors = None if self.vectors is None else self.vectors[rows]
        return Batch(
            [self.ids[i] for i in rows],
            [self.texts[i] for i in rows],
            [self.metadata[i] for i in rows],
            [self.digests[i] for i in rows],
            vectors,
        )


def text_batches(
    texts: Iterable[str],
    ids: Iterable[str] | None,
    metadata: Iterable[Mapping[str, Any]] | None,
    vectors: Iterable[Any] | None,
    size: int,
) -> Iterator[Batch]:
    """Batches of texts with what belongs to them.

    Raises
    ------
    InputError
        Something that is no text, or not as many ids, metadata or vectors as texts.
    """
    if isinstance(texts, str | bytes):
        raise InputError("texts are a list or another iterable of texts; for one text write [text]")
    sources = [None if one is None else iter(one) for one in (texts, ids, metadata, vectors)]
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
        yield _batch(columns, count, done)
        done += count


def _batch(columns: list[list[Any] | None], count: int, done: int) -> Batch:
    texts, ids, metadata = (column or [None] * count for column in columns[:3])
    vectors = columns[3]
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"row {done + row}: {text!r:.80} is no text")
    names = [id_of(text) if name is None else name for text, name in zip(texts, ids, strict=True)]
    told = [one or {} for one in metadata]
    for row, one in enumerate(told):
        if not isinstance(one, Mapping):
            raise InputError(f"row {done + row}: metadata is a mapping of fields to values, not {one!r:.80}")
    digests = [digest_of(text, one) for text, one in zip(texts, told, strict=True)]
    matrix = None
    if vectors is not None:
        try:
            matrix = np.asarray(vectors, np.float32)
        except ValueError as error:
            raise InputError(f"rows {done} to {done + len(vectors) - 1}: vectors of different lengths") from error
    return Batch(names, texts, told, digests, matrix)


def table_batches(table: Embeddings, size: int, keys: Sequence[str] | None = None) -> Iterator[Batch]:
    """The words of a table, or some of them, each its own id and text, with their vectors."""
    keys = table.keys if keys is None else keys
    digest = _WORD + table.digest[:31]
    for start in range(0, len(keys), size):
        part = list(keys[start : start + size])
        yield Batch(part, part, [{}] * len(part), [digest] * len(part), table.vectors(part))


def is_word(digest: str) -> bool:
    """Whether a row is a word of a table."""
    return digest.startswith(_WORD)


def add_batches(
    store: Store, encoder: Encoder | None, batches: Iterable[Batch], *, check: bool, progress: Progress | None
) -> AddReport:
    """Encode and store, two at a time; ``check`` looks first what is there already."""
    report, done = AddReport(), 0
    waiting: Future[None] | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="wordstock-add") as writer:
        for batch in batches:
            ready, counted = _prepare(store, encoder, _distinct(batch), check=check)
            report = report.plus(counted)
            done += len(batch.ids)
            if waiting is not None:
                waiting.result()
            waiting = writer.submit(_write, store, ready) if ready.ids else None
            if progress is not None:
                progress(done)
        if waiting is not None:
            waiting.result()
    if report.left_out:
        warnings.warn(
            f"{report.left_out:,} of {done:,} texts hold no word that the encoder knows and were left out", stacklevel=3
        )
    return report


def _distinct(batch: Batch) -> Batch:
    last = {name: row for row, name in enumerate(batch.ids)}
    return batch if len(last) == len(batch.ids) else batch.take(sorted(last.values()))


def _write(store: Store, batch: Batch) -> None:
    assert batch.vectors is not None
    store.add(batch.ids, batch.vectors, batch.metadata, texts=batch.texts, digests=batch.digests)


def _prepare(store: Store, encoder: Encoder | None, batch: Batch, *, check: bool) -> tuple[Batch, AddReport]:
    known = store.digests(batch.ids) if check else {}
    fresh = [i for i, name in enumerate(batch.ids) if known.get(name) != batch.digests[i]]
    unchanged = len(batch.ids) - len(fresh)
    batch = batch.take(fresh) if unchanged else batch
    vectors = _vectors(store, encoder, batch, known)
    kept = np.flatnonzero(vectors.any(axis=1)).tolist() if len(batch.ids) else []
    left_out = len(batch.ids) - len(kept)
    batch = batch._replace(vectors=vectors)
    if left_out and known:  # a text that has no vector any more must not be found by the vector of what it was
        store.delete([name for name in set(batch.ids).difference(batch.ids[i] for i in kept) if name in known])
    batch = batch.take(kept) if left_out else batch
    return batch, AddReport(len(batch.ids), unchanged, left_out)


def _vectors(store: Store, encoder: Encoder | None, batch: Batch, known: Mapping[str, str]) -> FloatArray:
    """Those given; those stored where only the metadata changed; else the encoder's."""
    if batch.vectors is not None or encoder is None:
        return np.empty((0, 0), np.float32) if batch.vectors is None else batch.vectors
    vectors = np.zeros((len(batch.ids), encoder.dim), np.float32)
    same = [i for i, name in enumerate(batch.ids) if same_text(known.get(name, ""), batch.digests[i])]
    for i, row in zip(same, store.get([batch.ids[i] for i in same], vectors=True) if same else [], strict=True):
        if row is not None and row.vector is not None:
            vectors[i] = row.vector
    to_encode = np.flatnonzero(~vectors.any(axis=1)).tolist()
    if to_encode:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".* hold no word of the vocabulary")  # counted over all batches
            vectors[to_encode] = encoder.encode([batch.texts[i] for i in to_encode])
    return vectors
