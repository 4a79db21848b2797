"""Several tables into one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from wordstock._settings import check_known
from wordstock.embeddings.storage import BLOCK_ROWS
from wordstock.embeddings.table import Embeddings
from wordstock.errors import InputError

__all__ = ["merge"]


def merge(tables: Sequence[Embeddings], *, on_conflict: Literal["first", "mean", "raise"] = "first") -> Embeddings:
    """One table with the keys of all, in order of first appearance.

    The tables must share one vector space: merging unrelated ones gives nonsense, which no check can see.

    Parameters
    ----------
    on_conflict : for a key in several tables: "first" keeps the first table's vector, "mean" averages all, "raise"
        refuses.

    Returns
    -------
    A float32 table in memory with the first table's card and settings; counts are summed where every table has them.

    Raises
    ------
    InputError
        No table, something else, different dimensions, or, with "raise", a key that occurs twice.
    """
    given: object = tables
    if isinstance(given, Embeddings) or not isinstance(given, Iterable):
        raise InputError("merge takes a list of tables: merge([first, second])")
    tables = list(given)
    if not tables:
        raise InputError("merge needs at least one table")
    for position, one in enumerate(tables):
        if not isinstance(one, Embeddings):
            raise InputError(f"item at position {position} must be a table, not {type(one).__name__}: {one!r:.80}")
    check_known("on_conflict", on_conflict, ("first", "mean", "raise"))
    dims = [table.dim for table in tables]
    if len(set(dims)) > 1:
        raise InputError(f"tables of different dimensions cannot be merged: {', '.join(map(str, dims))}")
    place: dict[str, int] = {}
    targets = []
    for table in tables:
        before = len(place)
        targets.append(np.array([place.setdefault(key, len(place)) for key in table.keys], np.int64))
        if on_conflict == "raise" and len(place) - before < len(table):
            doubled = next(table.keys[i] for i in range(len(table)) if targets[-1][i] < before)
            raise InputError(f"key {doubled!r} occurs in several tables; use on_conflict='first' or 'mean'")
    vectors = np.zeros((len(place), dims[0]), np.float32)
    seen = np.zeros(len(place), np.int64)
    has_counts = all(table.vocabulary.counts is not None for table in tables)
    counts = np.zeros(len(place), np.int64) if has_counts else None
    for table, target in zip(tables, targets, strict=True):
        rows = np.arange(len(table)) if table.vocabulary.rows is None else table.vocabulary.rows
        fresh = np.ones(len(target), bool) if on_conflict == "mean" else seen[target] == 0
        places, taken = target[fresh], rows[fresh]
        for start in range(0, len(places), BLOCK_ROWS):
            part = slice(start, start + BLOCK_ROWS)
            vectors[places[part]] += table.storage.take(taken[part])
        seen[places] += 1
        if counts is not None and table.vocabulary.counts is not None:
            counts[target] += table.vocabulary.counts
    vectors /= np.maximum(seen, 1)[:, None].astype(np.float32)
    vectors.flags.writeable = False  # spares a copy
    return Embeddings.from_arrays(place, vectors, counts=counts, card=tables[0].card, config=tables[0].config)
