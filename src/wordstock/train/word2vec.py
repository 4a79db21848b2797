"""word2vec: vectors of words from the words around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from wordstock.embeddings import Card, Embeddings, Storage
from wordstock.errors import InputError
from wordstock.kernels.windows import Tables
from wordstock.text import Tokenizer
from wordstock.train.checkpoint import Checkpoint
from wordstock.train.config import Word2VecConfig
from wordstock.train.corpus import Corpus, Shards, corpus_identity, opened_corpus, text_record
from wordstock.train.loop import EpochLoop
from wordstock.train.slices import SliceTrainer
from wordstock.train.start import Start
from wordstock.train.state import Progress, TrainState
from wordstock.train.tables import compact, padded
from wordstock.train.validation import Validation
from wordstock.vocab import Vocabulary

__all__ = ["train_word2vec"]

_CITATION = "Mikolov et al. 2013, Distributed Representations of Words and Phrases and their Compositionality"


def train_word2vec(
    corpus: Corpus,
    *,
    config: Word2VecConfig | None = None,
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
    """Learn word vectors with skip-gram or CBOW, with negative sampling or hierarchical softmax.

    Parameters
    ----------
    corpus : TokenShards, the folder they are in, or sentences: each a str, which is tokenised, or a list of words.
    config, settings : a Word2VecConfig, and single fields of it that replace its values: ``dim=300, epochs=3``.
    init : earlier vectors to continue from, with their ``output`` matrix if they have one. New words get new rows;
        words that only ``init`` has keep their vectors and come last. See ``Word2VecConfig.old_rows``.
    checkpoint : a folder of this training's own. The state is saved there every ``checkpoint_seconds``, at Ctrl-C and
        at the end; after a kill at any moment the same call continues from the last state.
    progress : called about five times a second.
    validation : a score of the vectors, higher being better, asked after each epoch; training ends after ``patience``
        epochs without a better one, and the best vectors are returned.
    min_count, max_size, tokenizer, phrases, source : how sentences become token ids; see ``vocab.build_shards``.

    Returns
    -------
    Embeddings with counts, the output matrix, and a card that holds the settings, the mean loss of every epoch and the
    speed. With ``hierarchical=True`` the output rows belong to inner nodes of the tree.

    Raises
    ------
    InputError
        Unknown or impossible settings, an empty corpus, ``init`` of another dim, or a checkpoint of another training.
    WordstockError
        Training diverged even at a fraction of the learning rate.
    StorageError, FormatError
        A checkpoint that cannot be written, or is damaged.
    """
    config = _config(config, settings)
    if patience < 1:
        raise InputError(f"patience={patience}: needs a whole number of at least 1")
    folder = None if checkpoint is None else Path(checkpoint)
    options = {
        "min_count": min_count, "max_size": max_size, "tokenizer": tokenizer, "phrases": phrases, "source": source
    }  # fmt: skip
    with opened_corpus(corpus, folder, options) as shards:
        return _train(shards, config, init, folder, checkpoint_seconds, progress, validation, patience)


def _config(config: Word2VecConfig | None, settings: dict[str, Any]) -> Word2VecConfig:
    try:
        return replace(config or Word2VecConfig(), **settings)
    except TypeError as error:
        known = Word2VecConfig().to_dict()
        unknown = ", ".join(name for name in settings if name not in known)
        raise InputError(f"unknown setting {unknown}; known are {', '.join(known)}") from error


def _train(
    shards: Shards,
    config: Word2VecConfig,
    init: Embeddings | None,
    folder: Path | None,
    interval: float,
    progress: Callable[[Progress], object] | None,
    validation: Callable[[Embeddings], float] | None,
    patience: int,
) -> Embeddings:
    start = Start.plan(shards.vocabulary, config, init)
    rows, identity = len(start.vocabulary), corpus_identity(shards)
    saver, check = None, None

    def build(tables: Tables, state: TrainState) -> Embeddings:
        inputs, outputs = (np.array(table[:rows, : config.dim], order="C") for table in tables[:2])
        return _embeddings(start.vocabulary, inputs, outputs, config, state, shards, identity)

    if folder is not None:
        origin = {"corpus": identity, "init": None if init is None else init.digest}
        saver = Checkpoint(folder, config.to_dict() | origin, rows, config.dim)
    if validation is not None:
        check = Validation(validation, build, patience, folder and folder / "best.safetensors")
    counts = np.asarray(shards.vocabulary.counts, np.int64)
    trainer = SliceTrainer(config, counts, padded(config.dim))
    loop = EpochLoop(config, trainer, shards.arrays, shards.n_tokens, start.tables, saver, interval, progress, check)
    tables, state = loop.run()
    if check is not None and (best := check.chosen(state)) is not None:
        return best.with_card(_card(config, state, shards, identity))
    inputs, outputs = (compact(table, rows, config.dim) for table in tables[:2])
    return _embeddings(start.vocabulary, inputs, outputs, config, state, shards, identity)


def _embeddings(
    vocabulary: Vocabulary,
    inputs: Any,
    outputs: Any,
    config: Word2VecConfig,
    state: TrainState,
    shards: Shards,
    identity: str,
) -> Embeddings:
    card = _card(config, state, shards, identity)
    encode = text_record(shards, vocabulary).encode
    return Embeddings(vocabulary, Storage(inputs), output=outputs, card=card, config=encode)


def _card(config: Word2VecConfig, state: TrainState, shards: Shards, identity: str) -> Card:
    record = text_record(shards, shards.vocabulary)
    training = {
        "method": "word2vec",
        **config.to_dict(),
        "learning_rate": config.first_rate * state.rate_factor,
        "threads": config.n_threads,
        "corpus": {"words": shards.n_tokens, "identity": identity} | record.corpus,
        "loss": [round(loss, 6) for loss in state.losses],
        "words_per_second": round(state.words / max(state.seconds, 1e-9)),
        "seconds": round(state.seconds, 3),
    }
    if state.scores:
        training["validation"] = state.scores
    if state.retries:
        training["divergences"] = state.retries
    return Card(tokenizer=record.tokenizer, training=training, citation=_CITATION)
