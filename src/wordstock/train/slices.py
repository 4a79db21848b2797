"""Passes of a kernel over slices of the corpus, on several threads: without locks, or to the same bits each time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import partial
from typing import NamedTuple, Self

import numpy as np

from wordstock.kernels.blocks import LARGEST_BLOCK
from wordstock.kernels.sampling import alias_table, huffman_paths
from wordstock.kernels.windows import Tables, Tree, Work, make_work
from wordstock.kernels.word2vec import train_word2vec
from wordstock.protocols import FloatArray, IntArray
from wordstock.train.config import Word2VecConfig
from wordstock.train.corpus import IdArray
from wordstock.train.replicas import Replicas

__all__ = ["Done", "SliceTrainer", "keep_probabilities"]

_TREE_BLOCK = 6  # nodes at once: paths of frequent words, which most centres are, have about a dozen
_PULSE = 0.2  # seconds between two looks at the threads


class Done(NamedTuple):
    """What a run of slices came to: how many in a row were trained, their summed loss, and over how many items."""

    slices: int
    loss: float
    items: int
    words: int


_Train = Callable[[int, int, Tables], None]  # the number of a slice, of a stream, and the tables to update


class _Crew:
    """Threads that work while the calling one looks after them."""

    def __init__(self, threads: int, watch: Callable[[], None]) -> None:
        self.failed = threading.Event()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="wordstock-train")
        self._watch = watch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def finish(self, tasks: Iterable[Callable[[], None]]) -> None:
        """Return when all are done; ``failed`` is set as soon as one of them, or this thread, is not to go on."""
        futures = [self._pool.submit(task) for task in tasks]
        try:
            while wait(futures, timeout=_PULSE, return_when=FIRST_EXCEPTION).not_done:
                self._watch()
                if any(future.done() and future.exception() for future in futures):
                    self.failed.set()
        except BaseException:
            self.failed.set()
            raise
        for future in futures:
            future.result()


def keep_probabilities(counts: IntArray, subsample: float) -> FloatArray:
    """min(1, sqrt(t / f) + t / f), f = a word's share of the corpus, as word2vec.c has it; float32 (words,)."""
    if subsample == 0:
        return np.ones(len(counts), np.float32)
    ratio = subsample * counts.sum() / np.maximum(counts, 1)
    keep: FloatArray = np.minimum(1, np.sqrt(ratio) + ratio).astype(np.float32)
    return keep


class SliceTrainer:
    """The kernel, its tables of draws, and the scratch memory of each thread.

    Parameters
    ----------
    counts : int64 (words,), highest first.
    """

    def __init__(self, config: Word2VecConfig, counts: IntArray, columns: int) -> None:
        self.config = config
        self.keep = keep_probabilities(counts, config.subsample)
        noise, tree, most = np.empty(0, np.uint64), None, config.negative + 1
        if config.hierarchical:
            tree = Tree(*huffman_paths(counts))
            most = int(np.diff(tree.offsets).max())
            size = _TREE_BLOCK
        else:
            noise = alias_table(counts.astype(np.float64) ** config.noise_power)
            size = -(-most // -(-most // LARGEST_BLOCK))  # blocks of equal size with the least padding
        self.targets = (0 if config.hierarchical else config.negative, noise, tree)
        self.block = (0,) * size
        lengths = np.diff(tree.offsets) if tree else np.full(len(counts), most)
        self.start_loss = float(np.log(2) * (lengths * counts).sum() / counts.sum())  # of tables that know nothing
        self._work = [make_work(config.slice_size, config.window, most, columns) for _ in range(config.streams)]

    def run(
        self,
        tables: Tables,
        arrays: Sequence[IdArray],
        slices: Sequence[tuple[int, int, int]],
        first: int,
        epoch: int,
        rate_of: Callable[[int], float],
        watch: Callable[[int], None],
        stop: threading.Event,
    ) -> Done:
        """Train on ``slices``, numbered from ``first`` within the epoch.

        Threads take the next slice in turn and update ``tables`` without locks. With ``config.deterministic`` as many
        slices as there are replicas of the tables are trained apart, then their changes are merged, and so on.

        The random draws of a slice depend on seed, epoch and its number only. ``watch`` is called from this thread now
        and then with the number of slices done. Once ``stop`` is set no further slice is begun, or round of slices.
        """
        results: list[tuple[int, float, int, int]] = []

        def train(at: int, stream: int, into: Tables) -> None:
            shard, begin, end = slices[at]
            draws = _random_state(self.config.seed, epoch, first + at)
            loss, items = self.train_slice(into, arrays[shard], begin, end, rate_of(first + at), stream, draws)
            words = int(np.count_nonzero(arrays[shard][begin:end] >= 0))
            results.append((at, loss, items, words))

        schedule = self._in_rounds if self.config.deterministic else self._in_turns
        with _Crew(self.config.n_threads, lambda: watch(len(results))) as crew:
            schedule(crew, train, len(slices), tables, stop)
        results.sort()  # sums then do not depend on which thread was first
        return Done(len(results), sum(r[1] for r in results), sum(r[2] for r in results), sum(r[3] for r in results))

    def _in_turns(self, crew: _Crew, train: _Train, count: int, tables: Tables, stop: threading.Event) -> None:
        turn, lock = iter(range(count)), threading.Lock()

        def next_slice() -> int | None:
            with lock:
                return None if stop.is_set() or crew.failed.is_set() else next(turn, None)

        def work(stream: int) -> None:
            while (at := next_slice()) is not None:
                train(at, stream, tables)

        crew.finish(partial(work, stream) for stream in range(self.config.streams))

    def _in_rounds(self, crew: _Crew, train: _Train, count: int, tables: Tables, stop: threading.Event) -> None:
        replicas, streams = Replicas(tables, self.config.streams), self.config.streams
        for start in range(0, count, streams):
            if stop.is_set():
                break
            ours = range(start, min(start + streams, count))
            crew.finish(partial(train, at, at - start, replicas.tables[at - start]) for at in ours)
            crew.finish(replicas.merges(self.config.n_threads))

    def train_slice(
        self,
        tables: Tables,
        ids: IdArray,
        start: int,
        stop: int,
        rate: float,
        stream: int,
        draws: int,
    ) -> tuple[float, int]:
        """Train on ``ids[start:stop]`` in this thread; its loss and how many items it is of, as the kernel has them.

        All random draws follow from ``draws``, which is not 0.
        """
        work: Work = self._work[stream]
        work.random[0] = draws
        config = self.config
        mean = work.mean if config.algorithm == "cbow" else None
        loss, items = train_word2vec(
            ids, (start, stop), tables, self.keep, self.targets, config.window, np.float32(rate), stream,
            work.random, self.block, mean, work,
        )  # fmt: skip
        return float(loss), int(items)


def _random_state(seed: int, epoch: int, number: int) -> int:
    """A well-mixed start for the draws of one slice, not 0."""
    return int(np.random.SeedSequence([seed, epoch, number]).generate_state(1, np.uint64)[0]) or 1
