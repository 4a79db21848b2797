"""Progress of a fetch: a bar on stderr when that is a terminal, else two lines of log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Report", "progress_report"]

Report = Callable[[int, int | None], None]  # bytes done, bytes in all if known

_log = logging.getLogger(__name__)


@contextmanager
def progress_report(task: str, detail: str, shown: bool | None, size: int | None = None) -> Iterator[Report]:
    """A function to report bytes to while a task runs.

    Parameters
    ----------
    task, detail : "fetching NAME" and where from; the detail goes to the log only.
    shown : None or True shows a bar if stderr is a terminal; False never does.
    size : bytes in all, if known beforehand.
    """
    if shown is False or not sys.stderr.isatty():
        amount = f" ({size / 1e6:,.0f} MB)" if size else ""
        _log.info("%s%s %s", task, amount, detail)
        yield _ignore
        _log.info("%s: done", task)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    columns_of_time = (TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, *columns_of_time, console=Console(stderr=True)) as bar:
        shown_task = bar.add_task(task, total=size)

        def report(done: int, total: int | None) -> None:
            bar.update(shown_task, completed=done, total=total or size)

        yield report


def _ignore(_done: int, _total: int | None) -> None:
    pass
