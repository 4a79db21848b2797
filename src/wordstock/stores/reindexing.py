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

    Returns
    -------
    What became of the rows; those that the encoder does not know are left out, without a warning.

    Raises
    ------
    InputError
        A row without a text, or words to be encoded by something else than a table.
    """
    batches = _Batches(encoder, batch_size)
    report = add_batches(target, encoder, batches.of(source.rows()), check=target.count() > 0, progress=progress)
    left_out = report.left_out + batches.unknown
    if target.count() > source.count() - left_out:
        for part in _parts(target.rows(), batch_size):
            names = [row.id for row in part]
            there = source.digests(names)
            target.delete([name for name in names if name not in there])
    return report._replace(left_out=left_out)


def _parts(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while part := list(islice(rows, size)):
        yield part


class _Batches:
    """Rows to be encoded anew; counts the words that the new table has not."""

    def __init__(self, encoder: Encoder, size: int) -> None:
        self.encoder, self.size, self.unknown = encoder, size, 0

    def of(self, rows: Iterator[Row]) -> Iterator[Batch]:
        done = 0
        for part in _parts(rows, self.size):
            if empty := [row.id for row in part if not row.text]:
                raise InputError(
                    f"row {empty[0]!r:.80} has no text that could be encoded again ({len(empty)} such rows)"
                )
            yield from self._words([row.id for row in part if is_word(row.digest)])
            if texts := [row for row in part if not is_word(row.digest)]:
                yield Batch(
                    [row.id for row in texts],
                    [row.text for row in texts],
                    [row.metadata for row in texts],
                    [row.digest for row in texts],
                    range(done, done + len(texts)),
                )
                done += len(texts)

    def _words(self, words: list[str]) -> Iterator[Batch]:
        if not words:
            return
        if not isinstance(self.encoder, Embeddings):
            raise InputError("this store holds the words of a table; only another table can take its place")
        known = [word for word in words if word in self.encoder]
        self.unknown += len(words) - len(known)
        yield from table_batches(self.encoder, self.size, known)
