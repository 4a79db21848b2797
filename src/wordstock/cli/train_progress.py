"""How far a long phase is: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import math
import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

__all__ = ["Steps", "duration"]

_EVERY = 30.0  # seconds between two lines


class Steps:
    """A context around one phase.

    Parameters
    ----------
    console : where it is told.
    name : of the phase.
    """

    def __init__(self, console: Console, name: str) -> None:
        self._console, self._name = console, name
        self._began = self._told = time.monotonic()
        self._bar: Progress | None = None
        self._last, self._mark = "", object()
        if console.is_terminal:
            columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%")
            self._bar = Progress(*columns, console=console, transient=True)
            self._task = self._bar.add_task(name, total=None)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()
        elif kind is None:
            self._say()

    def at(self, share: float | None, text: str = "", *, left: float | None = None, mark: Any = None) -> None:
        """Tell where the phase stands.

        Parameters
        ----------
        share : from 0 to 1, None where that is unknown.
        text : what to say beside.
        left : seconds that remain; None takes them from the share.
        mark : where it changes, the last text before the change is printed as a line.
        """
        if left is None and share:
            left = (time.monotonic() - self._began) * (1 - share) / share
        shown = f"{self._name}: {text}" if text else self._name
        if left is not None and math.isfinite(left) and share is not None and share < 1:
            shown += f", {duration(left)} left"
        if self._bar:
            self._bar.update(self._task, completed=share, total=None if share is None else 1, description=shown)
            return
        if mark != self._mark or time.monotonic() - self._told > _EVERY:
            self._say()
        self._mark, self._last = mark, shown if share is None else f"{shown} ({share:.0%})"

    def _say(self) -> None:
        if self._last:
            self._console.print(self._last, markup=False)
            self._told, self._last = time.monotonic(), ""


def duration(seconds: float) -> str:
    """Such as 0:03:20."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
