"""Copies of the tables that are trained apart and merged, so that no thread sees what another one writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from wordstock.kernels.merge import merge_rows
from wordstock.kernels.windows import Tables
from wordstock.protocols import FloatArray
from wordstock.train.tables import aligned_zeros

__all__ = ["Replicas"]


class Replicas:
    """Equal copies of the tables, to be trained on one slice each and merged before the next.

    The changes of all copies are summed, as if each had been made without knowing of the others: what Hogwild's threads
    do, with a delay of one slice instead of a few words.

    Parameters
    ----------
    common : the tables before the first slice and after each merge.
    count : of copies.
    """

    def __init__(self, common: Tables, count: int) -> None:
        self._common = common
        self.tables = [Tables(_copied(common.inputs), _copied(common.outputs), common.scales) for _ in range(count)]

    def merges(self, parts: int) -> Iterator[Callable[[], None]]:
        """Tasks that together merge all rows, in any order or at once; bits do not depend on how many there are."""
        for part in range(parts):
            yield partial(self._merge, part, parts)

    def _merge(self, part: int, parts: int) -> None:
        for name in ("inputs", "outputs"):
            common: FloatArray = getattr(self._common, name)
            copies = tuple(getattr(table, name) for table in self.tables)
            rows = len(common)
            merge_rows(common, copies, rows * part // parts, rows * (part + 1) // parts)


def _copied(table: FloatArray) -> FloatArray:
    copy = aligned_zeros(*table.shape)
    copy[:] = table
    return copy
