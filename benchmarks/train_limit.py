"""Figures: what fraction of one core's limits the word2vec kernels reach, on this processor.

A centre's arithmetic and memory traffic follow from its window (docs/training-speed.md); the two limits are measured
here, each by the plainest loop that has nothing else to do: a large matrix product by NumPy's BLAS, and random rows
that are fetched ahead, changed and written back. A perfect kernel would do both at once and take the longer of the two.
Times are processor time of one thread, the best of five passes over the first 20 MB of the text; ``--quick``: 3 MB.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from options import options
from training_text import text
from wordstock.corpus import read_texts
from wordstock.kernels.blocks import prefetch_row
from wordstock.kernels.draws import draw_noise, next_random
from wordstock.train import Word2VecConfig
from wordstock.train.corpus import plan_slices
from wordstock.train.slices import SliceTrainer
from wordstock.train.tables import new_tables, padded
from wordstock.vocab import TokenShards, build_shards

PASSES = 5
ROWS = 7  # a centre's rows that the one before it did not use: a word entering the window, its own output, five noise
DRAWS = 200_000
HEAD = """| kernel, one thread | time of a centre | arithmetic alone | memory alone | fraction of the limit |
|-|-|-|-|-|"""


def run(*, quick: bool = False) -> str:
    """One line for each algorithm and length."""
    path, words = text(3 if quick else 20)
    with tempfile.TemporaryDirectory() as folder:
        shards = build_shards(read_texts(path), Path(folder), min_count=5)
        flops = arithmetic()
        lines, rates = [HEAD], []
        for dim in (100, 300):
            pairs, skipgram = whole_pass(shards, "skipgram", dim)
            windows, cbow = whole_pass(shards, "cbow", dim)
            contexts, columns = pairs / windows, padded(dim)
            rate = memory(shards, dim)
            rates.append(f"{rate / 1e6:.0f} M rows/s of {4 * columns} bytes ({8 * columns * rate / 1e9:.0f} GB/s)")
            for name, seconds, work in (
                ("skip-gram", skipgram, 6 * 6 * contexts * columns),  # three products with six rows, two flops each
                ("CBOW", cbow, (6 * 6 + 2 * contexts) * columns),  # and the sums over the window
            ):
                least = max(work / flops, ROWS / rate)
                lines.append(
                    f"| {name}, dim {dim} | {seconds / windows * 1e9:.0f} ns | {work / flops * 1e9:.0f} ns | "
                    f"{ROWS / rate * 1e9:.0f} ns | **{100 * least * windows / seconds:.0f} %** |"
                )
    told = f"{words / 1e6:.1f} M words, {len(shards.vocabulary):,} different ones, {contexts:.2f} contexts to a centre"
    limits = f"Limits: {flops / 1e9:.0f} GFLOP/s; {' and '.join(rates)}, read and written back."
    return "\n".join([*lines, "", f"{told}. {limits}"])


def arithmetic() -> float:
    """Floating-point operations a second of one core in a matrix product."""
    a = np.random.default_rng(0).random((1024, 1024), dtype=np.float32)
    with threadpool_limits(1):
        return 2 * 1024**3 / best(lambda: a @ a)


def memory(shards: TokenShards, dim: int) -> float:
    """Rows of a matrix as large as the output matrix that one core can change in a second, drawn as noise is."""
    trainer, tables = made(shards, "cbow", dim)
    noise, state = trainer.targets[1], np.array([1], np.uint64)
    return DRAWS / best(lambda: touch(tables.outputs, noise, state, DRAWS))


@numba.njit(nogil=True, fastmath={"contract"})
def touch(matrix, noise, state, count):  # type: ignore[no-untyped-def]  # compiled
    """Add a number to ``count`` random rows, each fetched six rows ahead."""
    ahead = np.zeros(8, np.int64)
    for i in range(count):
        row = matrix[ahead[i % 6]]
        drawn = draw_noise(noise, next_random(state))
        ahead[i % 6] = drawn
        prefetch_row(matrix, drawn)
        for d in range(len(row)):
            row[d] += np.float32(1e-9)


def whole_pass(shards: TokenShards, algorithm: str, dim: int) -> tuple[int, float]:
    """How many pairs (CBOW: windows) one pass over the text trains, and its seconds, draws and bookkeeping included."""
    trainer, tables = made(shards, algorithm, dim)
    slices = plan_slices(shards.arrays, trainer.config.slice_size)

    def once() -> int:
        items = 0
        for number, (shard, start, stop) in enumerate(slices):
            draws = number + 1  # the same for both algorithms, so the same windows
            items += trainer.train_slice(tables, shards.arrays[shard], start, stop, 0.025, 0, draws)[1]
        return items

    return once(), best(once)


def made(shards: TokenShards, algorithm: str, dim: int):
    """A trainer and fresh tables."""
    config = Word2VecConfig(dim=dim, algorithm=algorithm, threads=1)
    words = len(shards.vocabulary)
    trainer = SliceTrainer(config, np.asarray(shards.vocabulary.counts, np.int64), padded(dim))
    return trainer, new_tables((words, words), dim, 1, 1, 1 / dim)


def best(work: Callable[[], object]) -> float:
    """Processor seconds of the quickest of several runs; the first is not counted, it may compile."""
    work()
    found = []
    for _ in range(PASSES):
        start = time.thread_time()
        work()
        found.append(time.thread_time() - start)
    return min(found)


if __name__ == "__main__":
    print(run(quick=bool(options(__doc__, "quick"))))
