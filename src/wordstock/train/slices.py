"""One pass of a kernel over part of the corpus, on several threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import NamedTuple

import numpy as np

from wordstock.kernels.blocks import LARGEST_BLOCK
from wordstock.kernels.cbow import train_cbow
from wordstock.kernels.sampling import alias_table, huffman_paths
from wordstock.kernels.skipgram import train_skipgram
from wordstock.kernels.windows import Tables, Tree, Work, make_work
from wordstock.protocols import FloatArray, IntArray
from wordstock.train.config import Word2VecConfig
from wordstock.train.corpus import IdArray

__all__ = ["Done", "SliceTrainer", "keep_probabilities"]

_TREE_BLOCK = 6  # nodes at once: paths of frequent words, which most centres are, have about a dozen
_PULSE = 0.2  # seconds between two looks at the threads


class Done(NamedTuple):
    """What a run of slices came to: how many in a row were trained, their summed loss, and over how many items."""

    slices: int
    loss: float
    items: int
    words: int


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
        self.kernel = train_skipgram if config.algorithm == "skipgram" else train_cbow
        self._work = [make_work(config.slice_size, config.window, most, columns) for _ in range(config.n_threads)]

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
        """Train on ``slices``, numbered from ``first`` within the epoch; threads take the next one in turn.

        The random draws of a slice depend on seed, epoch and its number only. ``watch`` is called from this thread now
        and then with the number of slices done. Once ``stop`` is set no further slice is begun.
        """
        turn = iter(range(len(slices)))
        lock, failed = threading.Lock(), threading.Event()
        results: list[tuple[int, float, int, int]] = []

        def next_slice() -> int | None:
            with lock:
                return None if stop.is_set() or failed.is_set() else next(turn, None)

        def work(thread: int) -> None:
            state = np.empty(1, np.uint64)
            while (at := next_slice()) is not None:
                shard, begin, end = slices[at]
                state[:] = _random_state(self.config.seed, epoch, first + at)
                loss, items = self._train(tables, arrays[shard], begin, end, rate_of(first + at), thread, state)
                words = int(np.count_nonzero(arrays[shard][begin:end] >= 0))
                results.append((at, loss, items, words))

        with ThreadPoolExecutor(len(self._work), thread_name_prefix="wordstock-train") as pool:
            futures = [pool.submit(work, thread) for thread in range(len(self._work))]
            try:
                while wait(futures, timeout=_PULSE, return_when=FIRST_EXCEPTION).not_done:
                    watch(len(results))
                    if any(future.done() and future.exception() for future in futures):
                        failed.set()
            except BaseException:
                failed.set()
                raise
        for future in futures:
            future.result()
        results.sort()  # sums then do not depend on which thread was first
        return Done(len(results), sum(r[1] for r in results), sum(r[2] for r in results), sum(r[3] for r in results))

    def _train(
        self,
        tables: Tables,
        ids: IdArray,
        start: int,
        stop: int,
        rate: float,
        thread: int,
        state: np.ndarray[tuple[int], np.dtype[np.uint64]],
    ) -> tuple[float, int]:
        work: Work = self._work[thread]
        config = self.config
        loss, items = self.kernel(
            ids, (start, stop), tables, self.keep, self.targets, config.window, np.float32(rate), thread, state,
            self.block, work,
        )  # fmt: skip
        return float(loss), int(items)


def _random_state(seed: int, epoch: int, number: int) -> int:
    """A well-mixed start for the draws of one slice, not 0."""
    return int(np.random.SeedSequence([seed, epoch, number]).generate_state(1, np.uint64)[0]) or 1
