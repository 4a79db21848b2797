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
def progress_report(name: str, source: str, shown: bool | None, size: int | None) -> Iterator[Report]:
    """A function to report bytes to while ``name`` is fetched.

    Parameters
    ----------
    shown : None or True shows a bar if stderr is a terminal; False never does.
    """
    if shown is False or not sys.stderr.isatty():
        amount = f" ({size / 1e6:,.0f} MB)" if size else ""
        _log.info("fetching %s%s from %s", name, amount, source)
        yield _ignore
        _log.info("fetched %s", name)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    columns_of_time = (TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, *columns_of_time, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=size)

        def report(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total or size)

        yield report


def _ignore(_done: int, _total: int | None) -> None:
    pass
