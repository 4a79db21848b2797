"""GloVe: global vectors for word representation (Pennington, Socher & Manning 2014)."""

from __future__ import annotations

import logging
import math
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

import numpy as np

from wordstock._files import storage_errors
from wordstock._threads import thread_count
from wordstock.embeddings import Card, Embeddings
from wordstock.embeddings.storage import Storage
from wordstock.errors import InputError, WordstockError
from wordstock.kernels.glove import train_tile
from wordstock.protocols import FloatArray, IntArray
from wordstock.train.cooccurrence import Plan, count_cooccurrences
from wordstock.train.corpus import Corpus, Shards, corpus_identity, opened_corpus, text_record
from wordstock.train.glove_config import GloVeConfig
from wordstock.train.glove_state import State, load_state, new_state, save_state
from wordstock.train.tiles import Tiles, open_tiles, rounds_of, write_tiles
from wordstock.train.workers import Workers

__all__ = ["GloVeProgress", "train_glove"]

_log = logging.getLogger(__name__)

_GROUP_BYTES = 1 << 21  # rows of one group of words: two groups and their pairs are at work on a core at a time
_GROUPS = (16, 512)  # fewest and most; half of them is the largest useful number of threads
_CITATION = "Pennington, Socher & Manning (2014), GloVe: Global Vectors for Word Representation, EMNLP"


class GloVeProgress(NamedTuple):
    """How far training is.

    Parameters
    ----------
    phase : "count" with tokens in ``done`` and ``total``; "train" with cells of the matrix, over all epochs.
    epoch : the epoch under way, from 1; 0 while counting.
    cost : mean cost of a cell in the last finished epoch; NaN before.
    seconds : since this phase began; ``seconds * (total - done) / done`` remain.
    """

    phase: Literal["count", "train"]
    done: int
    total: int
    epoch: int
    cost: float
    seconds: float


Report = Callable[[GloVeProgress], None]


def train_glove(
    corpus: Corpus,
    *,
    dim: int = 100,
    window: int = 10,
    x_max: float = 10.0,
    alpha: float = 0.75,
    epochs: int = 15,
    learning_rate: float = 0.05,
    min_count: int = 5,
    vectors: Literal["sum", "word"] = "sum",
    memory_limit: int = 1 << 30,
    seed: int = 1,
    threads: int | None = None,
    checkpoint: Path | str | None = None,
    progress: Report | None = None,
) -> Embeddings:
    """Train GloVe vectors.

    Every cell x of the co-occurrence matrix asks that w_i . c_j + b_i + b_j be log x, with weight
    min(1, (x / x_max) ** alpha); AdaGrad goes over the cells in random order. Words are dealt to groups, and threads
    train tiles of group by group that share no word, so the result has the same bits with any number of threads.

    Parameters
    ----------
    corpus : token shards, the folder of such shards, or an iterable of sentences (str, or lists of words).
    dim, window, x_max, alpha, epochs, learning_rate, min_count, vectors, memory_limit, seed : see ``GloVeConfig``.
    threads : None = as many as there are cores.
    checkpoint : a folder. Co-occurrences are kept there, and the vectors after each epoch; the same call after an
        interruption continues, and one with more epochs goes on where fewer ended. None keeps nothing.
    progress : called with a ``GloVeProgress`` now and then.

    Returns
    -------
    The table: vectors, counts, ``output`` with the context vectors float32 (words, dim), and a card with the
    settings and the mean cost of every epoch.

    Raises
    ------
    InputError
        A setting out of range, a corpus without words, a checkpoint made with another setting or corpus.
    WordstockError
        Training diverged.
    FormatError
        A damaged checkpoint.
    StorageError
        The disk is full, or a folder cannot be written.
    """
    config = GloVeConfig(dim, window, x_max, alpha, epochs, learning_rate, min_count, vectors, memory_limit, seed)
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise InputError(f"threads={threads!r}: needs a whole number from 1 on, or None for all cores")
    kept = None if checkpoint is None else Path(checkpoint)
    with (
        opened_corpus(corpus, kept, {"min_count": config.min_count, "memory_limit": config.memory_limit}) as tokens,
        Workers(threads or thread_count()) as workers,
        _folder(kept) as folder,
    ):
        tiles = _tiles(tokens, folder, config, workers, progress)
        state = _train(tokens, tiles, folder if kept else None, config, workers, progress)
        return _table(tokens, state, config)


@contextmanager
def _folder(checkpoint: Path | None) -> Iterator[Path]:
    if checkpoint is None:
        with TemporaryDirectory(prefix="wordstock-glove-") as temporary:
            yield Path(temporary)
    else:
        with storage_errors(checkpoint):
            checkpoint.mkdir(parents=True, exist_ok=True)
        yield checkpoint


def _groups(words: int, dim: int) -> int:
    """A power of two; it depends on nothing but the size of the table, since the result depends on it."""
    wanted = words * 16 * (dim + 2) / _GROUP_BYTES
    return min(max(1 << math.ceil(math.log2(max(wanted, 1))), _GROUPS[0]), _GROUPS[1])


def _tiles(tokens: Shards, folder: Path, config: GloVeConfig, workers: Workers, progress: Report | None) -> Tiles:
    words = len(tokens.vocabulary)
    settings: dict[str, Any] = {
        "corpus": corpus_identity(tokens),
        "window": config.window,
        "x_max": float(config.x_max),
        "alpha": float(config.alpha),
        "groups": _groups(words, config.dim),
    }
    found = open_tiles(folder, settings)
    if found is not None:
        _log.info("co-occurrences of an earlier run: %s pairs in %s", f"{len(found.pairs):,}", folder)
        return found
    began = time.monotonic()

    def report(done: int, total: int) -> None:
        if progress:
            progress(GloVeProgress("count", done, total, 0, math.nan, time.monotonic() - began))

    plan = Plan.within(config.memory_limit, words, workers.threads)
    with _scratch(folder / "runs") as scratch:
        run = count_cooccurrences(
            tokens.arrays, words, scratch, workers, window=config.window, plan=plan, report=report
        )
        if not run.bounds[-1]:
            raise InputError("no two words stand in one sentence; give longer sentences")
        tiles = write_tiles(run, folder, settings["groups"], settings, workers)
    _log.info("%s pairs of words in %.1f s", f"{len(tiles.pairs):,}", time.monotonic() - began)
    return tiles


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder that is empty now, whatever a killed run left there, and gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    with storage_errors(folder):
        folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _train(
    tokens: Shards,
    tiles: Tiles,
    folder: Path | None,
    config: GloVeConfig,
    workers: Workers,
    progress: Report | None,
) -> State:
    # What the result depends on, but for epochs: a finished run can go on.
    settings = {name: getattr(config, name) for name in ("dim", "window", "x_max", "alpha", "learning_rate", "seed")}
    words = len(tokens.vocabulary)
    path = None if folder is None else folder / "state.bin"
    state = None if path is None else load_state(path, words, settings)
    if state is None:
        state = new_state(words, config.dim, config.learning_rate, config.seed)
    elif len(state.costs) > config.epochs:
        raise InputError(f"the checkpoint {path} has had {len(state.costs)} epochs, more than epochs={config.epochs}")
    rounds = rounds_of(tiles.groups)
    cells = tiles.cells
    began, first = time.monotonic(), len(state.costs)

    for epoch in range(first, config.epochs):
        start = time.monotonic()
        cost, done = 0.0, 0
        for costs, pairs in _epoch(state, tiles, rounds, config, epoch, workers):
            cost += costs
            done += pairs
            if progress:
                last = state.costs[-1] if state.costs else math.nan
                total = (config.epochs - first) * cells
                share = (epoch - first) * cells + cells * done // len(tiles.pairs)
                progress(GloVeProgress("train", share, total, epoch + 1, last, time.monotonic() - began))
        mean = cost / cells
        _check(mean, tiles.start_cost, epoch, config)
        state.costs.append(mean)
        _log.info("epoch %d: mean cost %.6f, %.1f s", epoch + 1, mean, time.monotonic() - start)
        if path is not None:
            save_state(path, state, settings)
    return state


def _epoch(
    state: State,
    tiles: Tiles,
    rounds: list[IntArray],
    config: GloVeConfig,
    epoch: int,
    workers: Workers,
) -> Iterator[tuple[float, int]]:
    """Cost and number of pairs of each round."""
    seeds = np.random.SeedSequence([config.seed, epoch + 1]).generate_state(len(tiles.offsets), np.uint64)
    seeds |= np.uint64(1)  # not 0
    rate = np.float32(config.learning_rate)

    def train(tile: int) -> float:
        begin, end = tiles.offsets[tile], tiles.offsets[tile + 1]
        order = np.empty(end - begin, np.int32)
        pairs, targets = tiles.pairs[begin:end], tiles.targets[begin:end]
        return float(train_tile(state.rows, pairs, targets, order, rate, seeds[tile : tile + 1]))

    for number in np.random.default_rng([config.seed, epoch + 1]).permutation(len(rounds)):
        chosen = rounds[number]
        cost = sum(workers.map(train, chosen, ahead=len(chosen)))
        if not math.isfinite(cost):
            _check(cost, tiles.start_cost, epoch, config)
        yield cost, int((tiles.offsets[chosen + 1] - tiles.offsets[chosen]).sum())


def _check(cost: float, start_cost: float, epoch: int, config: GloVeConfig) -> None:
    """Refuse a cost that is not a number, or that vectors of zeros would not have reached either."""
    if cost <= 2 * start_cost + 1:
        return
    raise WordstockError(
        f"training diverged in epoch {epoch + 1}: the mean cost is {cost:g}, where vectors of zeros have "
        f"{start_cost:g}; lower learning_rate={config.learning_rate:g} (a checkpoint keeps the last good epoch)"
    )


def _table(tokens: Shards, state: State, config: GloVeConfig) -> Embeddings:
    vectors: FloatArray = state.words + state.contexts if config.vectors == "sum" else state.words.copy()
    training = {"algorithm": "glove", **config.to_dict(), "tokens": tokens.n_tokens, "mean_cost": state.costs}
    record = text_record(tokens, tokens.vocabulary)
    card = Card(tokenizer=record.tokenizer, training={**training, "corpus": record.corpus}, citation=_CITATION)
    context = state.contexts.copy()
    table = Embeddings(tokens.vocabulary, Storage(vectors), card=card, config=record.encode, output=context)
    table.check_finite()
    return table
