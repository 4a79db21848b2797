"""Where training starts: from nothing, or from earlier vectors with new words and new text."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from wordstock.embeddings import Embeddings
from wordstock.kernels.windows import Tables
from wordstock.protocols import FloatArray, IntArray
from wordstock.train.config import Word2VecConfig
from wordstock.train.old_words import joined_words
from wordstock.train.tables import new_tables
from wordstock.vocab import Vocabulary

__all__ = ["Start"]

_log = logging.getLogger(__name__)

_SPREAD = {"skipgram": 0.5, "cbow": 1.0}


@dataclass(frozen=True)
class Start:
    """The rows before the first word: the corpus' words first, then words that only the earlier vectors have.

    Parameters
    ----------
    vocabulary : of the result, with counts: those of the corpus plus those of the earlier vectors where known.
    old : earlier vectors, or None.
    sources : int64 (rows,), the old key of each row, -1 for a new word; None without earlier vectors.
    corpus_words : how many of the words the corpus has; they come first.
    """

    vocabulary: Vocabulary
    config: Word2VecConfig
    old: Embeddings | None = None
    sources: IntArray | None = None
    corpus_words: int = 0

    @classmethod
    def plan(cls, corpus: Vocabulary, config: Word2VecConfig, old: Embeddings | None) -> Start:
        """Line up the words.

        Raises
        ------
        InputError
            Earlier vectors of another ``dim``.
        """
        if old is None:
            return cls(corpus, config, corpus_words=len(corpus))
        vocabulary, sources = joined_words(corpus, old, config.dim)
        if old.output is None:
            _log.warning("the vectors to continue from have no output matrix; it starts from zeros")
        elif config.hierarchical:
            _log.warning("the Huffman tree is a new one, so its nodes start from zeros")
        return cls(vocabulary, config, old, sources, len(corpus))

    def tables(self) -> Tables:
        """New tables, the same each time; random rows are uniform in ±0.5 / dim as in word2vec.c, for CBOW ±1 / dim.

        CBOW learns analogies better from gensim's wider start where the text is small; see docs/training-speed.md.
        """
        config, rows = self.config, len(self.vocabulary)
        spread = _SPREAD[config.algorithm] / config.dim
        tables = new_tables((rows, rows), config.dim, config.streams, config.seed, spread, self.scales())
        self.restore(tables)
        return tables

    def scales(self) -> FloatArray | None:
        """How much of its gradient each word's row takes, float32 (words,); None = all of it."""
        if self.sources is None or self.config.old_rows == "free":
            return None
        scale = self.config.old_rate if self.config.old_rows == "slow" else 0.0
        return np.where(self.sources >= 0, scale, 1).astype(np.float32)

    def restore(self, tables: Tables) -> IntArray:
        """Copy the earlier vectors and output rows to their words' rows, and return those rows' numbers."""
        old, dim = self.old, self.config.dim
        if old is None or self.sources is None:
            return np.empty(0, np.int64)
        rows = np.flatnonzero(self.sources >= 0)
        numbers = self.sources[rows]
        origin = numbers if old.vocabulary.rows is None else old.vocabulary.rows[numbers]
        tables.inputs[rows, :dim] = old.storage.take(origin)
        if old.output is not None and not self.config.hierarchical:
            tables.outputs[rows, :dim] = old.output[origin]
        return rows
