"""Threads that kernels without the interpreter lock run on, with results in order and a clean end on Ctrl-C."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

__all__ = ["Workers"]

Task = TypeVar("Task")
Result = TypeVar("Result")


class Workers:
    """A context: leaving it, whatever the reason, drops the tasks not begun and waits for those that run.

    Parameters
    ----------
    threads : how many; 1 runs everything in the calling thread.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="wordstock-train") if threads > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def map(self, work: Callable[[Task], Result], tasks: Iterable[Task], *, ahead: int = 2) -> Iterator[Result]:
        """Results in the order of the tasks; at most ``threads + ahead`` of them wait to be taken."""
        if self._pool is None:
            yield from map(work, tasks)
            return
        waiting: deque[Future[Result]] = deque()
        for task in tasks:
            waiting.append(self._pool.submit(work, task))
            if len(waiting) >= self.threads + ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
