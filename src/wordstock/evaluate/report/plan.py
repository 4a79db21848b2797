"""What a report compares: label budgets, seeds, and how much each method may train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np

from wordstock._settings import check_flag, check_known, check_number, check_whole, store_plain
from wordstock.errors import InputError

__all__ = ["Family", "ReportConfig", "Task", "default_budgets"]

Task = Literal["classification", "tagging"]
Family = Literal[
    "tf-idf", "from scratch", "static frozen", "static tuned", "contextual frozen", "few-shot", "fine-tuned"
]

_GROWTH = 2.5  # of budgets from one to the next, about
_SMALLEST = 16  # labels, unless there are more classes


@dataclass(frozen=True)
class ReportConfig:
    """Settings of a transfer report; None takes what suits the data.

    Parameters
    ----------
    task : "classification" or "tagging"; None tells by the labels.
    budgets : numbers of labelled texts, or of tagged sentences; None takes a geometric series from 16, or the number of
        classes, to all.
    seeds : samples of each budget; a smaller budget's sample is part of a larger one's.
    families : the methods to compare; None takes all that the task and the encoders allow.
    few_shot_most : texts per class up to which few-shot tuning is tried.
    test_most : test texts; more are sampled once, in the shares of their classes.
    held_out : share of the training data that becomes the test set where none is given.
    quick : fewer budgets and seeds, less tuning, and 300 test texts at most; points that would take it beyond a minute
        and a half are left out, and told.
    """

    task: Task | None = None
    budgets: tuple[int, ...] | None = None
    seeds: int = 3
    families: tuple[Family, ...] | None = None
    few_shot_most: int = 64
    test_most: int = 1000
    held_out: float = 0.2
    quick: bool = False

    def __post_init__(self) -> None:
        store_plain(self)
        if self.task is not None:
            check_known("task", self.task, get_args(Task))
        for name, least in (("seeds", 1), ("few_shot_most", 0), ("test_most", 1)):
            check_whole(name, getattr(self, name), least)
        check_number("held_out", self.held_out, 0, 1)
        check_flag("quick", self.quick)
        if self.budgets is not None:
            object.__setattr__(self, "budgets", _budgets(self.budgets))
        if self.families is not None:
            if unknown := [one for one in self.families if one not in get_args(Family)]:
                raise InputError(f"families: {unknown[0]!r} is not known; known are {', '.join(get_args(Family))}")
            object.__setattr__(self, "families", tuple(dict.fromkeys(self.families)))

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values for JSON."""
        return asdict(self)


def default_budgets(texts: int, classes: int, *, quick: bool) -> tuple[int, ...]:
    """A geometric series up to all texts, or with ``quick`` three numbers up to 256, of tagged sentences 128.

    Parameters
    ----------
    texts : there are to learn from.
    classes : each of which needs at least one; 0 for tagging.
    """
    first = min(texts, max(_SMALLEST, classes))
    if quick:
        last = min(texts, max(256, 2 * classes) if classes else 128)
        return tuple(sorted({first, round(float(np.sqrt(first * last))), last}))
    count = max(2, 1 + round(float(np.log(texts / first) / np.log(_GROWTH)))) if texts > first else 1
    return tuple(sorted({round(float(one)) for one in np.geomspace(first, texts, count)}))


def _budgets(given: Sequence[int]) -> tuple[int, ...]:
    try:
        listed = tuple(given)
    except TypeError as error:
        raise InputError(f"budgets={given!r}: needs several whole numbers") from error
    for one in listed:
        if not isinstance(one, int | np.integer) or isinstance(one, bool) or one < 2:
            raise InputError(f"budgets: {one!r} is no whole number of at least 2")
    if not listed:
        raise InputError("budgets is empty; give at least one number of labels, or None")
    return tuple(sorted({int(one) for one in listed}))
