"""Which rows are learned from and which are measured on, so that labels that are rare are not lost by chance."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from wordstock.errors import InputError

__all__ = ["Marks", "covering", "held_out", "tested_rows"]

Marks = frozenset[Any]  # of a row: what it has an example of - its label, its labels, the types of its spans


def covering(order: Sequence[int], marks: Sequence[Marks], most: int | None = None) -> list[int]:
    """Rows, in their order, each of which has a mark that none before it has.

    Parameters
    ----------
    most : marks after which no row is needed any more; None covers all.
    """
    wanted = len(frozenset().union(*marks)) if most is None else most
    seen: set[Any] = set()
    first = []
    for row in order:
        if len(seen) >= wanted:
            break
        if not marks[row] <= seen:
            seen |= marks[row]
            first.append(row)
    return first


def held_out(marks: Sequence[Marks], share: float, *, by_class: bool) -> list[int]:
    """Rows of a test part; each mark and, if there are two, two kinds of rows are left to learn from.

    Parameters
    ----------
    by_class : each row has one mark, and each class gives its share.

    Raises
    ------
    InputError
        No row can be spared.
    """
    random = np.random.default_rng(0)
    groups: dict[Any, list[int]] = {}
    for row, one in enumerate(marks):
        groups.setdefault(one if by_class else None, []).append(row)
    held: set[int] = set()
    for rows in groups.values():
        count = min(len(rows) - 1, int(share * len(rows) + random.random()))
        held |= {rows[place] for place in random.permutation(len(rows))[:count].tolist()}
    kinds = {one for row, one in enumerate(marks) if row not in held}
    known = set().union(*kinds)
    for row in sorted(held):
        if not marks[row] <= known or (len(kinds) == 1 and marks[row] not in kinds):
            kinds.add(marks[row])
            known |= marks[row]
            held.remove(row)
    if not held:
        what = "class has two texts" if by_class else "text has labels that others have too"
        raise InputError(f"no {what}, so none can be held out of the {len(marks)}; give test=")
    return sorted(held)


def tested_rows(labels: Sequence[Any], most: int) -> list[int]:
    """Rows of at most so many test texts, with each class in its share."""
    if len(labels) <= most:
        return list(range(len(labels)))
    names = [json.dumps(label) if isinstance(label, str | int) else "" for label in labels]
    counts = Counter(names)
    random = np.random.default_rng(0)
    place = random.random(len(labels))
    # The first of each class by chance, at even distances: the sample has each class in its share.
    rank: dict[str, int] = {}
    position = np.empty(len(labels))
    for row in np.argsort(place).tolist():
        turn = rank[names[row]] = rank.get(names[row], 0) + 1
        position[row] = (turn - random.random()) / counts[names[row]]
    return sorted(np.argsort(position)[:most].tolist())
