"""One training from shards to vectors: what the methods of word2vec's family share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from wordstock._settings import check_whole
from wordstock.embeddings import Card, Embeddings
from wordstock.kernels.windows import Tables
from wordstock.protocols import IntArray
from wordstock.train.card import training_card
from wordstock.train.checkpoint import Checkpoint
from wordstock.train.config import Word2VecConfig
from wordstock.train.corpus import Shards, corpus_identity, text_record
from wordstock.train.loop import EpochLoop
from wordstock.train.memory import check_memory
from wordstock.train.slices import SliceTrainer
from wordstock.train.state import Progress, TrainState
from wordstock.train.tables import padded
from wordstock.train.validation import Validation
from wordstock.vocab import Vocabulary

__all__ = ["Method", "Run"]


class Method(Protocol):
    """What is different from one method to another.

    Parameters
    ----------
    name, citation : for the card.
    rows : of the input and the output matrix, without the threads' spare rows.
    """

    name: str
    citation: str

    @property
    def vocabulary(self) -> Vocabulary:
        """The words of the result."""
        ...

    @property
    def rows(self) -> tuple[int, int]:
        """Rows of the input and of the output matrix that a checkpoint keeps."""
        ...

    def tables(self) -> Tables:
        """The matrices before the first word, the same each time."""
        ...

    def trainer(self, counts: IntArray) -> SliceTrainer:
        """The kernel; ``counts`` int64 (words of the corpus,)."""
        ...

    def embeddings(self, tables: Tables, *, keep: bool) -> Embeddings:
        """The result so far. With ``keep`` it is a copy; without, ``tables`` is garbage afterwards."""
        ...


@dataclass(frozen=True)
class Run:
    """How a training is watched, saved and ended; see ``train_word2vec`` for the parameters.

    Raises
    ------
    InputError
        ``patience`` below 1.
    """

    checkpoint: Path | None
    checkpoint_seconds: float
    progress: Callable[[Progress], object] | None
    validation: Callable[[Embeddings], float] | None
    patience: int

    def __post_init__(self) -> None:
        check_whole("patience", self.patience, 1)

    def train(self, shards: Shards, config: Word2VecConfig, method: Method, init: Embeddings | None) -> Embeddings:
        """Train until the end, from wherever the checkpoint stands."""
        copies = config.streams if config.deterministic else 0
        check_memory((1 + copies) * 4 * padded(config.dim) * sum(method.rows), method.rows[1], config.dim)
        identity, folder = corpus_identity(shards), self.checkpoint
        saver: Checkpoint | None = None
        check: Validation[Tables] | None = None

        def card(state: TrainState) -> Card:
            return training_card(method.name, method.citation, config, state, shards, identity)

        def dressed(table: Embeddings, state: TrainState) -> Embeddings:
            encode = text_record(shards, method.vocabulary).encode
            if table.subwords is not None:
                encode = replace(encode, unknown="subword")
            return table.with_card(card(state)).with_config(encode)

        if folder is not None:
            origin = {"corpus": identity, "init": None if init is None else init.digest}
            saver = Checkpoint(folder, config.to_dict() | origin, method.rows, config.dim)
        if self.validation is not None:
            check = Validation(
                self.validation,
                lambda tables, state: dressed(method.embeddings(tables, keep=True), state),
                self.patience,
                folder and folder / "best.safetensors",
            )
        trainer = method.trainer(np.asarray(shards.vocabulary.counts, np.int64))
        loop = EpochLoop(
            config, trainer, shards.arrays, shards.n_tokens, method.tables, saver, self.checkpoint_seconds,
            self.progress, check,
        )  # fmt: skip
        tables, state = loop.run()
        if check is not None and (best := check.chosen(state)) is not None:
            return best.with_card(card(state))
        return dressed(method.embeddings(tables, keep=False), state)
