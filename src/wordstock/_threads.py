"""Threads for kernels that release the GIL, one slice of work each, and BLAS held to one thread beside them."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from threadpoolctl import ThreadpoolController

__all__ = ["MOST_THREADS", "run_beside", "run_slices", "single_threaded_blas", "thread_count"]

MOST_THREADS = 1024  # that may be asked for by number: no machine has more to give
_MOST = 64  # threads; more slices than that gain nothing

Result = TypeVar("Result")


def thread_count() -> int:
    """Number of cores this process may use, or ``WORDSTOCK_THREADS`` where it is set."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("WORDSTOCK_THREADS", "")
    return min(int(asked), _MOST) if asked.isdigit() and int(asked) > 0 else min(cores, _MOST)


def run_slices(work: Callable[[int, int], Result], size: int, *, smallest: int = 1) -> list[Result]:
    """Call ``work(start, stop)`` on near-equal slices of ``range(size)``, one thread each; results in slice order.

    No slice is shorter than ``smallest`` unless ``size`` is; a single slice runs in the calling thread.
    """
    count = max(1, min(thread_count(), size // max(1, smallest)))
    if count == 1:
        return [work(0, size)]
    from concurrent.futures import wait

    cuts = [size * i // count for i in range(count + 1)]
    pool = _pool(os.getpid())
    futures = [pool.submit(work, cuts[i], cuts[i + 1]) for i in range(1, count)]
    try:
        first = work(cuts[0], cuts[1])
    finally:
        wait(futures)  # whatever happens, nothing writes to the caller's arrays after this
    return [first, *(future.result() for future in futures)]


def run_beside(work: Callable[[], object], count: int) -> None:
    """Call ``work()`` in ``count`` threads at once, the calling one among them, and wait for all.

    A call that has not begun when the calling thread's is over is left out: there was nothing left for it to do.
    """
    futures = [_pool(os.getpid()).submit(work) for _ in range(min(count, _MOST) - 1)]
    try:
        work()
    finally:
        from concurrent.futures import wait

        wait([future for future in futures if not future.cancel()])
    for future in futures:
        if not future.cancelled():
            future.result()


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold BLAS to one thread per call, so that the callers' own threads do not compete with its threads.

    The setting belongs to the process: the first to enter sets it, the last to leave restores what was there before,
    whatever the order of leaving.
    """
    global _held, _limit
    with _guard:
        if _held == 0:
            _limit = _controller("scipy.linalg" in sys.modules).limit(limits=1, user_api="blas")
        _held += 1
    try:
        yield
    finally:
        with _guard:
            _held -= 1
            if _held == 0 and _limit is not None:
                _limit.restore_original_limits()
                _limit = None


_guard = threading.Lock()
_held = 0
_limit: Any = None


@cache
def _controller(_with_scipy: bool) -> ThreadpoolController:
    """The BLAS libraries in use: SciPy brings one of its own, which a search before its import does not see."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@cache
def _pool(_pid: int) -> ThreadPoolExecutor:
    """One pool per process: threads do not survive a fork."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(max_workers=_MOST, thread_name_prefix="wordstock")
