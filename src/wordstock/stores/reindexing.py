"""The rows of one store into another, encoded anew."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from wordstock.embeddings import Embeddings
from wordstock.errors import InputError
from wordstock.protocols import Encoder, Row, Store
from wordstock.stores.adding import AddReport, Batch, Progress, add_batches, is_word, table_batches

__all__ = ["copy_rows"]


def copy_rows(source: Store, target: Store, encoder: Encoder, batch_size: int, progress: Progress | None) -> AddReport:
    """Bring ``target`` to hold what ``source`` does; what it holds already is left as it is.

    Raises
    ------
    InputError
        A row without a text, or words to be encoded by something else than a table.
    """
    report = add_batches(
        target, encoder, _batches(source.rows(), encoder, batch_size), check=target.count() > 0, progress=progress
    )
    if target.count() > source.count():
        for part in _parts(target.rows(), batch_size):
            names = [row.id for row in part]
            there = source.digests(names)
            target.delete([name for name in names if name not in there])
    return report


def _parts(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while part := list(islice(rows, size)):
        yield part


def _batches(rows: Iterator[Row], encoder: Encoder, size: int) -> Iterator[Batch]:
    for part in _parts(rows, size):
        if empty := [row.id for row in part if not row.text]:
            raise InputError(f"row {empty[0]!r:.80} has no text that could be encoded again ({len(empty)} such rows)")
        if is_word(part[0].digest):
            if not isinstance(encoder, Embeddings):
                raise InputError("this store holds the words of a table; only another table can take its place")
            known = [row.id for row in part if row.id in encoder]
            yield from table_batches(encoder, size, known)
            continue
        yield Batch(
            [row.id for row in part],
            [row.text for row in part],
            [row.metadata for row in part],
            [row.digest for row in part],
        )
