"""Slices of work in other processes, results in order, never more than a few in flight.

The workers are fresh interpreters, not forks: they share no lock or thread with this process and need nothing of the
caller's ``__main__``. Messages are plain values; a worker ends when its pipe does, however this process ends.
"""

from __future__ import annotations

import marshal
import os
import signal
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, BinaryIO

from wordstock._threads import thread_count

__all__ = ["Task", "in_order", "serve", "worker_count"]

_LENGTH = struct.Struct("<Q")
_AHEAD = 2  # slices per worker that wait or are done and not yet taken
_CODE = "from wordstock.corpus.workers import serve; serve()"

Task = dict[str, Any]


def worker_count(size: int, smallest: int) -> int:
    """How many workers pay for ``size`` bytes of input: none below ``smallest``, else one per core."""
    count = thread_count()
    return 0 if count == 1 or size < smallest else count


def in_order(
    tasks: Iterable[Task], work: Callable[[Task], Task], workers: int
) -> Generator[tuple[Task, Task], None, None]:
    """(task, result) of every task, in their order; done in this process if ``workers`` is 0.

    Close it, so that its workers end even where what stops the caller keeps it alive, as an error's traceback does.
    ``work`` is then used; the workers, which are started for the first task, run ``wordstock.corpus.slicework.work``.
    A task with "here" is for the caller, and its result empty.
    """
    if workers == 0:
        for task in tasks:
            yield task, {} if "here" in task else work(task)
        return
    processes: list[_Worker] = []
    idle: deque[_Worker] = deque()
    nothing: Future[Task] = Future()
    nothing.set_result({})
    waiting: deque[tuple[Task, Future[Task]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="wordstock-corpus")

    def ask(task: Task) -> Task:
        worker = idle.popleft()  # never empty: there are as many threads as workers
        try:
            return worker.ask(task)
        finally:
            idle.append(worker)

    try:
        for task in tasks:
            if not processes and "here" not in task:
                processes += [_Worker() for _ in range(workers)]
                idle.extend(processes)
            waiting.append((task, nothing if "here" in task else pool.submit(ask, task)))
            while len(waiting) > _AHEAD * workers:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    finally:
        for _, future in waiting:
            future.cancel()
        pool.shutdown(wait=True)
        for worker in processes:
            worker.close()


class _Worker:
    """One process that answers one task after the other."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )

    def ask(self, task: Task) -> Task:
        questions, answers = self._process.stdin, self._process.stdout
        if questions is None or answers is None:
            raise RuntimeError("a worker without pipes")
        _send(questions, task)
        answer = _receive(answers)
        if answer is None:
            raise RuntimeError(f"a worker process ended early (exit status {self._process.wait()})")
        return answer

    def close(self) -> None:
        with suppress(OSError):
            self._process.communicate()


def serve() -> None:
    """Answer tasks from standard input on standard output until it ends."""
    from wordstock.corpus.slicework import work

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the caller's to handle; the end of the pipe ends this
    tasks, answers = sys.stdin.buffer, sys.stdout.buffer
    with suppress(BrokenPipeError):
        while (task := _receive(tasks)) is not None:
            _send(answers, work(task))


def _send(stream: BinaryIO | Any, message: Task) -> None:
    data = marshal.dumps(message)
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def _receive(stream: BinaryIO | Any) -> Task | None:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(head)
    data = stream.read(size)
    if len(data) < size:
        return None
    message: Task = marshal.loads(data)
    return message
