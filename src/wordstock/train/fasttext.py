"""fastText: vectors of words and of their character n-grams, from the words around them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from wordstock._paths import user_path
from wordstock._threads import run_slices
from wordstock.embeddings import Embeddings, Storage
from wordstock.kernels.fasttext import compose_words, make_ring
from wordstock.kernels.fasttext import train_fasttext as train_slice
from wordstock.kernels.windows import Tables
from wordstock.protocols import FloatArray, IntArray
from wordstock.text import Tokenizer
from wordstock.train.corpus import Corpus, IdArray, opened_corpus
from wordstock.train.fasttext_config import FastTextConfig
from wordstock.train.settings import with_settings
from wordstock.train.slices import SliceTrainer
from wordstock.train.start import Start
from wordstock.train.state import Progress
from wordstock.train.subword_rows import SubwordRows
from wordstock.train.tables import compact, padded
from wordstock.train.training import Run

__all__ = ["train_fasttext"]

_SMALLEST = 10_000  # words that are worth a thread


def train_fasttext(
    corpus: Corpus,
    *,
    config: FastTextConfig | None = None,
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
    """Learn vectors of words and of their character n-grams with skip-gram or CBOW (Bojanowski et al. 2017).

    A word's vector is the mean of a row of its own and the rows of its n-grams. While a window passes over a word, its
    vector is trained as one row; each of its rows gets the sum of what it gained when the window has passed, at most
    two windows later than in the original.

    Parameters
    ----------
    config, settings : a FastTextConfig, and single fields of it that replace its values: ``dim=300, max_n=5``.
    init : earlier vectors to continue from, with their n-grams of the same settings and their ``output`` matrix if
        they have them. A word's own row is then n * vector - the sum of its n-grams' rows, n being the number of all.
        New words get new rows; words that only ``init`` has keep their vectors and come last, but their n-grams move
        with those of other words. With ``old_rows="frozen"`` the n-grams of earlier words are frozen too.
    corpus, checkpoint, checkpoint_seconds, progress, validation, patience : as for ``train_word2vec``.
    min_count, max_size, tokenizer, phrases, source : how sentences become token ids; see ``vocab.build_shards``.

    Returns
    -------
    Embeddings with counts, the n-grams' vectors (only of buckets that a word of the vocabulary has), the output
    matrix, and a card with the settings, the mean loss of every epoch and the speed. ``vectors(words, "subword")`` and
    ``encode`` build unknown words from n-grams (``EncodeConfig.unknown``).

    Raises
    ------
    InputError
        Unknown or impossible settings, an empty corpus, ``init`` of another dim or with other n-grams, or a checkpoint
        of another training.
    WordstockError
        Training diverged even at a fraction of the learning rate.
    StorageError, FormatError
        A checkpoint that cannot be written, or is damaged.
    """
    config = with_settings(FastTextConfig, config, settings)
    folder = None if checkpoint is None else user_path(checkpoint, "checkpoint")
    run = Run(folder, checkpoint_seconds, progress, validation, patience)
    options = {
        "min_count": min_count, "max_size": max_size, "tokenizer": tokenizer, "phrases": phrases, "source": source
    }  # fmt: skip
    with opened_corpus(corpus, folder, options) as shards:
        rows = SubwordRows.plan(Start.plan(shards.vocabulary, config, init), config)
        return run.train(shards, config, _FastText(rows), init)


class _FastText:
    """Input rows are the words' and then the n-grams', output rows the words'."""

    name = "fasttext"
    citation = "Bojanowski et al. 2017, Enriching Word Vectors with Subword Information"

    def __init__(self, plan: SubwordRows) -> None:
        self.plan = plan
        self.vocabulary = plan.start.vocabulary
        self.rows = (plan.n_rows, len(self.vocabulary))

    def tables(self) -> Tables:
        return self.plan.tables()

    def trainer(self, counts: IntArray) -> SliceTrainer:
        return _SubwordTrainer(self.plan, counts)

    def embeddings(self, tables: Tables, *, keep: bool) -> Embeddings:
        words, dim = len(self.vocabulary), self.plan.config.dim
        inputs, outputs = tables.inputs, tables.outputs
        vectors = np.empty((words, dim), np.float32) if keep else inputs[:words, :dim]
        grams = self.plan.grams
        run_slices(lambda first, last: compose_words(inputs, grams, first, last, vectors), words, smallest=_SMALLEST)
        self._restore(vectors)
        if keep:
            outputs, ngrams = (np.array(part[:, :dim], order="C") for part in (outputs[:words], inputs[words:]))
        else:
            outputs, rows = compact(outputs, words, dim), compact(inputs, self.plan.n_rows, dim)
            vectors, ngrams = rows[:words], rows[words:]
        subwords = self.plan.subwords
        return Embeddings(
            self.vocabulary, Storage(vectors), output=outputs, subwords=subwords,
            subword_vectors=None if subwords is None else ngrams[: subwords.n_rows],
        )  # fmt: skip

    def _restore(self, vectors: FloatArray) -> None:
        fixed, start = self.plan.fixed(), self.plan.start
        if start.old is not None and start.sources is not None:
            numbers = start.sources[fixed]
            rows = start.old.vocabulary.rows
            vectors[fixed] = start.old.storage.take(numbers if rows is None else rows[numbers])


class _SubwordTrainer(SliceTrainer):
    def __init__(self, plan: SubwordRows, counts: IntArray) -> None:
        super().__init__(plan.config, counts, padded(plan.config.dim))
        self._grams = plan.grams

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
        config, work = self.config, self._work[stream]
        work.random[0] = draws
        loss, items = train_slice(
            ids, (start, stop), tables, self._grams, make_ring(config.window, tables), self.keep, self.targets,
            config.window, config.algorithm == "cbow", np.float32(rate), stream, work.random, self.block, work,
        )  # fmt: skip
        return float(loss), int(items)
