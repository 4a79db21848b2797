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
from typing import Any

from wordstock._files import storage_errors
from wordstock._paths import user_path
from wordstock._settings import check_whole
from wordstock.embeddings import Card, Embeddings, EncodeConfig
from wordstock.embeddings.storage import Storage
from wordstock.errors import InputError
from wordstock.text import Tokenizer
from wordstock.train.card import training_card
from wordstock.train.cooccurrence import Plan, count_cooccurrences
from wordstock.train.corpus import Corpus, Shards, corpus_identity, opened_corpus, text_record
from wordstock.train.glove_config import GloVeConfig
from wordstock.train.glove_loop import GloVeLoop
from wordstock.train.glove_start import GloVeStart
from wordstock.train.glove_state import GloVeCheckpoint, Rows
from wordstock.train.settings import with_settings
from wordstock.train.state import Progress, TrainState
from wordstock.train.tiles import Tiles, open_tiles, write_tiles
from wordstock.train.validation import Validation
from wordstock.train.workers import Workers

__all__ = ["train_glove"]

_log = logging.getLogger(__name__)

_GROUP_BYTES = 1 << 21  # rows of one group of words: two groups and their pairs are at work on a core at a time
_GROUPS = (16, 512)  # fewest and most; half of them is the largest useful number of threads
_FREE_TO_CHANGE = ("epochs", "vectors", "memory_limit", "threads")
_CITATION = "Pennington, Socher & Manning (2014), GloVe: Global Vectors for Word Representation, EMNLP"


def train_glove(
    corpus: Corpus,
    *,
    config: GloVeConfig | None = None,
    init: Embeddings | None = None,
    checkpoint: Path | str | None = None,
    checkpoint_seconds: float = 60.0,
    progress: Callable[[Progress], object] | None = None,
    validation: Callable[[Embeddings], float] | None = None,
    patience: int = 1,
    min_count: int = 5,
    max_size: int | None = None,
    tokenizer: Tokenizer | None = None,
    phrases: int = 0,
    source: str = "",
    **settings: Any,
) -> Embeddings:
    """Learn word vectors from counts of co-occurrence.

    Every cell x of the co-occurrence matrix asks that w_i . c_j + b_i + b_j be log x, with weight
    min(1, (x / x_max) ** alpha); AdaGrad goes over the cells in random order. Words are dealt to groups, and threads
    train pairs of groups that share no word, so the result has the same bits with any number of threads.

    Parameters
    ----------
    config, settings : a GloVeConfig, and single fields of it that replace its values: ``dim=300, window=15``.
    init : earlier vectors to continue from, with their ``output`` matrix if they have one; each is split into equal
        halves w and c if not. New words get new rows; words that only ``init`` has keep their vectors and come last.
        Biases are learned anew in a pass over all pairs in which nothing else moves, the sums of squared steps start
        at 1. See ``GloVeConfig.old_rows``: with ``vectors="sum"`` frozen vectors keep their bits.
    checkpoint : a folder of this training's own. Co-occurrences are kept there, the state is saved every
        ``checkpoint_seconds``, at Ctrl-C and at the end; after a kill at any moment the same call continues and ends
        with the bits of one that was not killed. A finished training goes on with more ``epochs``.
    corpus, progress, validation, patience : as for ``train_word2vec``; the loss is half the mean weighted squared
        error of a cell.
    min_count, max_size, tokenizer, phrases, source : how sentences become token ids; see ``vocab.build_shards``.

    Returns
    -------
    Embeddings with counts, ``output`` with the context vectors float32 (words, dim), and a card that holds the
    settings, the mean loss of every epoch and the speed.

    Raises
    ------
    InputError
        Unknown or impossible settings, a corpus without pairs of words, ``init`` of another dim, a checkpoint made
        with another setting or corpus.
    WordstockError
        Training diverged even at a fraction of the learning rate.
    StorageError, FormatError
        A checkpoint or co-occurrences that cannot be written, or are damaged.
    """
    config = with_settings(GloVeConfig, config, settings)
    check_whole("patience", patience, 1)
    kept = None if checkpoint is None else user_path(checkpoint, "checkpoint")
    options = {
        "min_count": min_count, "max_size": max_size, "tokenizer": tokenizer, "phrases": phrases, "source": source,
        "memory_limit": config.memory_limit,
    }  # fmt: skip
    with (
        opened_corpus(corpus, kept, options) as shards,
        Workers(config.n_threads) as workers,
        _folder(kept) as folder,
    ):
        identity = corpus_identity(shards)
        start = GloVeStart.plan(shards.vocabulary, config, init)
        # What the result depends on, but for epochs: a finished run can go on.
        depends = {name: value for name, value in config.to_dict().items() if name not in _FREE_TO_CHANGE}
        origin = {"corpus": identity, "init": None if init is None else init.digest}
        saver = kept and GloVeCheckpoint(kept / "state.bin", depends | origin, start.words, config.dim)

        def card(state: TrainState) -> Card:
            return training_card("glove", _CITATION, config, state, shards, identity)

        def build(rows: Rows, state: TrainState) -> Embeddings:
            return _table(start, rows, card(state), text_record(shards, start.vocabulary).encode)

        check = None
        if validation is not None:
            check = Validation(validation, build, patience, kept and kept / "best.safetensors")
        tiles = _tiles(shards, identity, folder, config, workers, progress)
        loop = GloVeLoop(
            config, tiles, start, workers, shards.n_tokens, saver or None, checkpoint_seconds, progress, check
        )
        rows, state = loop.run()
        if len(state.losses) > config.epochs:
            raise InputError(
                f"the checkpoint in {folder} has had {len(state.losses)} epochs, more than epochs={config.epochs}"
            )
        if check is not None and (best := check.chosen(state)) is not None:
            return best.with_card(card(state))
        return build(rows, state)


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


def _tiles(
    shards: Shards,
    identity: str,
    folder: Path,
    config: GloVeConfig,
    workers: Workers,
    progress: Callable[[Progress], object] | None,
) -> Tiles:
    words = len(shards.vocabulary)
    settings: dict[str, Any] = {
        "corpus": identity,
        "window": config.window,
        "x_max": float(config.x_max),
        "alpha": float(config.alpha),
        "dim": config.dim,
        "groups": _groups(words, config.dim),
    }
    found = open_tiles(folder, settings, words)
    if found is not None:
        _log.info("co-occurrences of an earlier run: %s pairs in %s", f"{len(found.pairs):,}", folder)
        return found
    began = time.monotonic()

    def report(done: int, total: int) -> None:
        if progress:
            seconds = time.monotonic() - began
            left = seconds * (total - done) / done if done else math.inf
            speed = done / max(seconds, 1e-9)
            progress(
                Progress(0, config.epochs, done / total, done, speed, math.nan, config.learning_rate, left, "count")
            )

    plan = Plan.within(config.memory_limit, words, workers.threads)
    with _scratch(folder / "runs") as scratch:
        run = count_cooccurrences(
            shards.arrays, words, scratch, workers, window=config.window, plan=plan, report=report
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


def _table(start: GloVeStart, rows: Rows, card: Card, encode: EncodeConfig) -> Embeddings:
    vectors, output = start.finished(rows)
    return Embeddings(start.vocabulary, Storage(vectors), card=card, config=encode, output=output)
