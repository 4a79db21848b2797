"""Learn a linear classifier over words and hashed n-grams from labelled lines."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from wordstock._threads import run_slices
from wordstock.errors import InputError, WordstockError
from wordstock.kernels.fasttextfeatures import Matrix
from wordstock.kernels.fasttextlabels import build_tree
from wordstock.kernels.linefeatures import longest_line
from wordstock.kernels.linetraining import Targets, train_lines
from wordstock.kernels.sampling import alias_table
from wordstock.kernels.scratch import private_arrays
from wordstock.protocols import FloatArray, IntArray
from wordstock.train.ngram_config import LOSSES, NgramConfig
from wordstock.train.ngram_lines import NgramLines, read_ngram_lines
from wordstock.train.ngram_model import NgramModel, make_dictionary
from wordstock.train.ngram_start import Bytes, GivenLabels, NgramStart
from wordstock.train.state import Progress
from wordstock.train.tables import aligned_zeros, compact, padded
from wordstock.train.workers import Workers

__all__ = ["train_ngrams"]

_log = logging.getLogger(__name__)

_BLOCK = 4096  # rows drawn from one random stream
_SLICE = 2000  # lines to one call of the kernel at most
_LEAST = 64  # lines to one call of the kernel, where there are more threads than that takes
_PULSE = 0.2  # seconds between two reports
_NOISE_POWER = 0.5  # of label counts, as in fastText


def train_ngrams(
    blocks: Iterable[Bytes],
    config: NgramConfig,
    *,
    start: NgramStart | None = None,
    given: GivenLabels | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> NgramModel:
    """Train on blocks of whole lines, uint8 with a newline at the end, which are read once.

    Parameters
    ----------
    start : vectors of words, or a classifier to go on from.
    given : labels of the lines; without them they are the tokens that start with ``__label__``.
    progress : called about five times a second.

    Raises
    ------
    LabelError
        Fewer than two labels.
    InputError
        A start of another ``dim``, or with other labels where these form a tree.
    WordstockError
        Training diverged.
    """
    if start is not None and start.dim != config.dim:
        raise InputError(f"dim={config.dim}, but the vectors to start from have {start.dim}; pass dim={start.dim}")
    read = read_ngram_lines(blocks, config, start, given)
    if config.loss == "hs" and start is not None and start.names and read.names != start.names:
        new = [name for name in read.names if name not in start.names][:3]
        raise InputError(f"the tree of labels cannot grow, but {new} are new; train anew, or use another loss")
    counts = _label_counts(read, config, start)
    inputs, outputs = _tables(read, config, start)
    losses = _epochs(read, config, _targets(config, counts), inputs, outputs, progress)
    dense = compact(inputs, read.n_words + read.n_buckets, config.dim)
    none = np.empty((0, 0), np.uint8), np.empty(0, np.float32), np.empty(0, np.float32)
    matrix = Matrix(_frozen(dense.reshape(-1).view(np.uint8)), *none, 0, config.dim)
    return NgramModel(
        replace(config, threads=None),
        make_dictionary(config, read.blob, read.offsets, read.n_words, read.bucket_rows),
        np.concatenate([read.counts[: read.n_words], counts]),
        matrix,
        np.ascontiguousarray(outputs[:, : config.dim]),
        read.names,
        losses,
        read.tokens,
        bool((np.diff(read.lines.label_ends) > 1).any()),
    )


def _frozen(data: Bytes) -> Bytes:
    data.flags.writeable = False
    return data


def _label_counts(read: NgramLines, config: NgramConfig, start: NgramStart | None) -> IntArray:
    counts = read.counts[read.n_words :].copy()
    if start is not None and len(start.counts):
        # The tree is made of the counts: it must stay what it was.
        counts[: len(start.counts)] = start.counts + (0 if config.loss == "hs" else counts[: len(start.counts)])
    return counts


def _tables(read: NgramLines, config: NgramConfig, start: NgramStart | None) -> tuple[FloatArray, FloatArray]:
    """Rows, random within ±1 / dim or those of the start, and output rows, zeros or those of the start."""
    rows = read.n_words + read.n_buckets
    inputs = aligned_zeros(rows, padded(config.dim))
    spread = np.float32(2 / config.dim)

    def fill(first: int, last: int) -> None:
        for block in range(first, last):
            part = inputs[block * _BLOCK : min((block + 1) * _BLOCK, rows), : config.dim]
            random = np.random.Generator(np.random.SFC64([config.seed, block]))
            np.multiply(random.random(part.shape, np.float32) - np.float32(0.5), spread, out=part)

    blocks = -(-rows // _BLOCK)
    if config.n_threads == 1:
        fill(0, blocks)
    else:
        run_slices(fill, blocks)
    outputs = aligned_zeros(len(read.names), padded(config.dim))
    if start is not None:
        places = _places(read, start)
        inputs[places, : config.dim] = start.vectors
        inputs[read.n_words : read.n_words + len(start.buckets), : config.dim] = start.bucket_vectors
        outputs[: len(start.outputs), : config.dim] = start.outputs
    return inputs, outputs


def _places(read: NgramLines, start: NgramStart) -> npt.NDArray[np.int32]:
    """The row of each word of the start."""
    from wordstock.train.ngram_table import EntryTable

    table = EntryTable(max(16, read.n_words + 1))
    offsets = read.offsets[: read.n_words + 1]
    entry_of_row = table.add_packed(read.blob, offsets, np.zeros(read.n_words, np.int64))
    row_of_entry = np.empty(len(table), np.int32)
    row_of_entry[entry_of_row] = np.arange(read.n_words)
    entries = table.add_packed(start.blob, start.offsets, np.zeros(len(start.offsets) - 1, np.int64))
    return row_of_entry[entries]


def _targets(config: NgramConfig, counts: IntArray) -> Targets:
    noise, nodes, sides, bounds = (
        np.empty(0, np.uint64),
        np.empty(0, np.int32),
        np.empty(0, np.float32),
        np.zeros(1, np.int64),
    )
    if config.loss == "ns":
        noise = alias_table(np.maximum(counts, 1).astype(np.float64) ** _NOISE_POWER)
    elif config.loss == "hs":
        size = len(counts)
        tree = np.full((2 * size - 1, 2), -1, np.int32)
        build_tree(counts, tree, np.empty(len(tree)))
        nodes, sides, bounds = _paths(tree, size)
    return Targets(LOSSES[config.loss], noise, config.negative, nodes, sides, bounds)


def _paths(tree: npt.NDArray[np.int32], size: int) -> tuple[npt.NDArray[np.int32], FloatArray, IntArray]:
    """Inner nodes from each leaf to the root, whether each is left by its right side, and where each leaf's begin."""
    above = np.zeros(len(tree), np.int64)
    right = np.zeros(len(tree), np.float32)
    above[tree[size:, 0]] = above[tree[size:, 1]] = np.arange(size, len(tree))
    right[tree[size:, 1]] = 1
    nodes: list[int] = []
    sides: list[float] = []
    bounds = np.zeros(size + 1, np.int64)
    for leaf in range(size):
        at = leaf
        while at != len(tree) - 1:
            nodes.append(int(above[at]) - size)
            sides.append(float(right[at]))
            at = int(above[at])
        bounds[leaf + 1] = len(nodes)
    return np.array(nodes, np.int32), np.array(sides, np.float32), bounds


def _epochs(
    read: NgramLines,
    config: NgramConfig,
    targets: Targets,
    inputs: FloatArray,
    outputs: FloatArray,
    progress: Callable[[Progress], object] | None,
) -> tuple[float, ...]:
    """Mean loss of each epoch."""
    lines, threads, columns = read.lines, config.n_threads, inputs.shape[1]
    size = len(lines.ends) - 1
    total = size * config.epochs
    longest = int(longest_line(lines.ends, lines.features, lines.gram_ends)) + 1
    shape = outputs.shape if threads > 1 and config.loss in ("softmax", "ova") else (0, columns)
    works = deque(
        private_arrays(
            ((1,), np.uint64),
            ((columns,), np.float32),
            ((columns,), np.float32),
            ((len(outputs),), np.float32),
            ((longest,), np.int64),
            (shape, np.float32),
            (shape, np.float32),
        )
        for _ in range(threads)
    )
    scales = np.empty(0, np.float32)
    bounds = _slices(size, threads)
    random = np.random.default_rng([config.seed, 1])
    order = np.arange(size, dtype=np.int32)
    losses: list[float] = []
    started = told = time.monotonic()

    def train(epoch: int, number: int) -> tuple[float, int]:
        first, last = bounds[number], bounds[number + 1]
        begun = epoch * size + first
        state, *work = works.popleft()
        state[0] = _random_state(config.seed, epoch, number)
        try:
            rate, fall = config.learning_rate * (1 - begun / total), config.learning_rate / total
            loss, count = train_lines(
                lines, order[first:last], targets, inputs, outputs, scales, rate, fall, state, tuple(work)
            )
            return float(loss), int(count)
        finally:
            works.append([state, *work])

    with Workers(threads) as workers:
        for epoch in range(config.epochs):
            if config.shuffle:
                order = _order(random, size, mapped=isinstance(lines.features.base, np.memmap))
            loss, count = 0.0, 0
            for number, done in enumerate(workers.map(partial(train, epoch), range(len(bounds) - 1))):
                loss, count = loss + done[0], count + done[1]
                if progress is not None and (time.monotonic() - told > _PULSE or bounds[number + 1] == size):
                    told = time.monotonic()
                    share = (epoch * size + bounds[number + 1]) / total
                    words, spent = int(share * read.tokens * config.epochs), max(told - started, 1e-9)
                    rate = config.learning_rate * (1 - share)
                    progress(
                        Progress(
                            epoch + 1, config.epochs, share, words, words / spent, loss / max(count, 1), rate,
                            spent * (1 - share) / share,
                        )
                    )  # fmt: skip
            losses.append(loss / max(count, 1))
            _log.info("epoch %d of %d: mean loss %.4f", epoch + 1, config.epochs, losses[-1])
            if not math.isfinite(losses[-1]) or not np.isfinite(outputs).all():
                raise WordstockError(
                    f"training diverged in epoch {epoch + 1}; lower learning_rate (now {config.learning_rate:g})"
                )
    return tuple(losses)


def _slices(size: int, threads: int) -> list[int]:
    count = max(1, min(-(-size // _LEAST), max(-(-size // _SLICE), 8 * threads)))
    return [size * i // count for i in range(count + 1)]


def _order(random: np.random.Generator, size: int, *, mapped: bool) -> npt.NDArray[np.int32]:
    """A new order of the lines; on disk it is one of stretches of lines, each in a new order."""
    if not mapped:
        return random.permutation(size).astype(np.int32)
    stretches = np.array_split(np.arange(size, dtype=np.int32), max(1, size // _STRETCH))
    return np.concatenate([random.permutation(stretches[i]) for i in random.permutation(len(stretches))])


_STRETCH = 100_000  # lines


def _random_state(seed: int, epoch: int, number: int) -> int:
    """A well-mixed start for the draws of one slice, not 0."""
    return int(np.random.SeedSequence([seed, epoch, number]).generate_state(1, np.uint64)[0]) or 1
