"""Threads for kernels that release the GIL: one slice of work each."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

__all__ = ["run_slices", "thread_count"]

Result = TypeVar("Result")


def thread_count() -> int:
    """Number of cores this process may use, or ``WORDSTOCK_THREADS`` where it is set."""
    asked = os.environ.get("WORDSTOCK_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_slices(work: Callable[[int, int], Result], size: int, *, smallest: int = 1) -> list[Result]:
    """Call ``work(start, stop)`` on near-equal slices of ``range(size)``, one thread each; results in slice order.

    No slice is shorter than ``smallest`` unless ``size`` is; a single slice runs in the calling thread.
    """
    count = max(1, min(thread_count(), size // max(1, smallest)))
    if count == 1:
        return [work(0, size)]
    cuts = [size * i // count for i in range(count + 1)]
    pool = _pool(os.getpid())
    futures = [pool.submit(work, cuts[i], cuts[i + 1]) for i in range(1, count)]
    first = work(cuts[0], cuts[1])
    return [first, *(future.result() for future in futures)]


@cache
def _pool(_pid: int) -> ThreadPoolExecutor:
    """One pool per process: threads do not survive a fork."""
    return ThreadPoolExecutor(max_workers=32, thread_name_prefix="wordstock")
