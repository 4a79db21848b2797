"""The input rows of fastText: one per word, then one per n-gram bucket that is in use."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from wordstock.errors import InputError
from wordstock.kernels.fasttext import Grams, recover_rows
from wordstock.kernels.windows import Tables
from wordstock.protocols import FloatArray
from wordstock.train.fasttext_config import FastTextConfig
from wordstock.train.start import Start
from wordstock.train.tables import new_tables
from wordstock.vocab import Subwords

__all__ = ["SubwordRows"]


@dataclass(frozen=True)
class SubwordRows:
    """Which rows each word is the mean of, and how they start.

    A bucket that no word of the vocabulary has would keep its random start for ever, so it gets no row: with the
    default settings that saves most of a million rows on a vocabulary of ordinary size.

    Parameters
    ----------
    start : of the words.
    grams : the rows of each word.
    subwords : settings, with the buckets that have a row; None without n-grams.
    n_rows : words and buckets together.
    """

    start: Start
    config: FastTextConfig
    grams: Grams
    subwords: Subwords | None
    n_rows: int

    @classmethod
    def plan(cls, start: Start, config: FastTextConfig) -> SubwordRows:
        """Number the rows.

        Raises
        ------
        InputError
            Earlier vectors with n-grams of other lengths or another number of buckets.
        """
        vocabulary = start.vocabulary
        words = len(vocabulary)
        own = np.arange(words, dtype=np.int32)
        if not config.max_n:
            return cls(start, config, Grams(own, np.arange(words + 1)), None, words)
        subwords = Subwords(config.min_n, config.max_n, config.buckets)
        before = start.old.subwords if start.old is not None else None
        if before is not None and before != subwords:
            raise InputError(
                f"the vectors to continue from have n-grams with min_n={before.min_n}, max_n={before.max_n}, "
                f"buckets={before.buckets}; pass the same"
            )
        buckets, starts = subwords.buckets_of(vocabulary.blob, vocabulary.sound_offsets())
        used = np.zeros(config.buckets, bool)
        used[buckets] = True
        if before is not None:
            used[slice(None) if before.stored is None else before.stored] = True
        stored = np.flatnonzero(used).astype(np.int32)
        numbers = np.cumsum(used, dtype=np.int32)
        numbers += words - 1  # of the row of each bucket in use
        offsets = starts + np.arange(words + 1)
        rows = np.empty(offsets[-1], np.int32)
        rows[offsets[:-1]] = own
        others = np.ones(len(rows), bool)
        others[offsets[:-1]] = False
        rows[others] = numbers[buckets]
        return cls(start, config, Grams(rows, offsets), replace(subwords, stored=stored), words + len(stored))

    def tables(self) -> Tables:
        """New tables, the same each time; random rows are uniform in ±1 / dim as in fastText."""
        config, start, words = self.config, self.start, len(self.start.vocabulary)
        tables = new_tables(
            (self.n_rows, words), config.dim, config.streams, config.seed, 1 / config.dim, self._scales()
        )
        known = start.restore(tables)
        if (places := self._old_ngrams()) is not None and start.old is not None:
            tables.inputs[places, : config.dim] = start.old.subword_vectors
        recover_rows(tables.inputs, self.grams, known)
        return tables

    def _old_ngrams(self) -> npt.NDArray[np.intp] | None:
        """Rows of the n-grams that the earlier vectors have."""
        before = None if self.start.old is None else self.start.old.subwords
        if before is None or self.subwords is None or self.subwords.stored is None:
            return None
        stored = np.arange(before.buckets) if before.stored is None else before.stored
        return len(self.start.vocabulary) + np.searchsorted(self.subwords.stored, stored)

    def _scales(self) -> FloatArray | None:
        """Those of words; an n-gram of an earlier word is held like the word."""
        held = self.start.scales()
        if held is None:
            return None
        scales = np.ones(self.n_rows, np.float32)
        scales[: len(held)] = held
        for scale in np.unique(held[held < 1]):
            lengths = np.diff(self.grams.offsets)
            scales[self.grams.rows[np.repeat(held == scale, lengths)]] = scale
        return scales

    def fixed(self) -> npt.NDArray[np.intp]:
        """Words whose vectors stay as they were to the last bit: not in the corpus, or frozen."""
        start = self.start
        if start.sources is None:
            return np.empty(0, np.intp)
        if self.config.old_rows == "frozen":
            return np.flatnonzero(start.sources >= 0)
        return np.arange(start.corpus_words, len(start.vocabulary))
