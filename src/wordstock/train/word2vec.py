"""word2vec: vectors of words from the words around them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from wordstock._paths import user_path
from wordstock.embeddings import Embeddings, Storage
from wordstock.kernels.windows import Tables
from wordstock.protocols import IntArray
from wordstock.text import Tokenizer
from wordstock.train.config import Word2VecConfig
from wordstock.train.corpus import Corpus, opened_corpus
from wordstock.train.settings import with_settings
from wordstock.train.slices import SliceTrainer
from wordstock.train.start import Start
from wordstock.train.state import Progress
from wordstock.train.tables import compact, padded
from wordstock.train.training import Run

__all__ = ["train_word2vec"]


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
    corpus : a file or folder of text, of any kind that ``wordstock.corpus.read_texts`` reads; TokenShards, or the
        folder they are in; or sentences, each a str, which is tokenised, or a list of words.
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
    config = with_settings(Word2VecConfig, config, settings)
    folder = None if checkpoint is None else user_path(checkpoint, "checkpoint")
    run = Run(folder, checkpoint_seconds, progress, validation, patience)
    options = {
        "min_count": min_count, "max_size": max_size, "tokenizer": tokenizer, "phrases": phrases, "source": source
    }  # fmt: skip
    with opened_corpus(corpus, folder, options) as shards:
        return run.train(shards, config, _Word2Vec(Start.plan(shards.vocabulary, config, init)), init)


class _Word2Vec:
    """Input and output rows are the words'."""

    name = "word2vec"
    citation = "Mikolov et al. 2013, Distributed Representations of Words and Phrases and their Compositionality"

    def __init__(self, start: Start) -> None:
        self.start, self.config = start, start.config
        self.vocabulary = start.vocabulary
        self.rows = (len(start.vocabulary),) * 2

    def tables(self) -> Tables:
        return self.start.tables()

    def trainer(self, counts: IntArray) -> SliceTrainer:
        return SliceTrainer(self.config, counts, padded(self.config.dim))

    def embeddings(self, tables: Tables, *, keep: bool) -> Embeddings:
        rows, dim = len(self.vocabulary), self.config.dim
        if keep:
            inputs, outputs = (np.array(table[:rows, :dim], order="C") for table in tables[:2])
        else:
            inputs, outputs = (compact(table, rows, dim) for table in tables[:2])
        return Embeddings(self.vocabulary, Storage(inputs), output=outputs)
