"""Where training starts: from nothing, or from earlier vectors with new words and new text."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from wordstock.embeddings import Embeddings
from wordstock.errors import InputError
from wordstock.kernels.windows import Tables
from wordstock.protocols import FloatArray, IntArray
from wordstock.train.config import Word2VecConfig
from wordstock.train.tables import new_tables
from wordstock.vocab import Vocabulary

__all__ = ["Start"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Start:
    """The rows before the first word: the corpus' words first, then words that only the earlier vectors have.

    Parameters
    ----------
    vocabulary : of the result, with counts: those of the corpus plus those of the earlier vectors where known.
    old : earlier vectors, or None.
    sources : int64 (rows,), the old key of each row, -1 for a new word; None without earlier vectors.
    """

    vocabulary: Vocabulary
    config: Word2VecConfig
    old: Embeddings | None = None
    sources: IntArray | None = None

    @classmethod
    def plan(cls, corpus: Vocabulary, config: Word2VecConfig, old: Embeddings | None) -> Start:
        """Line up the words.

        Raises
        ------
        InputError
            Earlier vectors of another ``dim``.
        """
        if old is None:
            return cls(corpus, config)
        if old.dim != config.dim:
            raise InputError(f"dim={config.dim}, but the vectors to continue from have {old.dim}; pass dim={old.dim}")
        words = list(corpus.keys)
        found = np.array([old.vocabulary.find(word) for word in words], np.int64)
        unseen = np.setdiff1d(np.arange(len(old)), found)
        counts = np.concatenate([_counts(corpus), np.zeros(len(unseen), np.int64)])
        sources = np.concatenate([found, unseen])
        if old.vocabulary.counts is not None:
            counts += np.where(sources >= 0, old.vocabulary.counts[sources], 0)
        if old.output is None:
            _log.warning("the vectors to continue from have no output matrix; it starts from zeros")
        elif config.hierarchical:
            _log.warning("the Huffman tree is a new one, so its nodes start from zeros")
        keys = [*words, *(old.vocabulary.key(int(number)) for number in unseen)]
        return cls(Vocabulary.from_keys(keys, counts=counts), config, old, sources)

    def tables(self) -> Tables:
        """New tables, the same each time."""
        config, old = self.config, self.old
        scales: FloatArray | None = None
        if self.sources is not None and config.old_rows != "free":
            scale = config.old_rate if config.old_rows == "slow" else 0.0
            scales = np.where(self.sources >= 0, scale, 1).astype(np.float32)
        tables = new_tables(len(self.vocabulary), config.dim, config.n_threads, config.seed, scales)
        if old is not None and self.sources is not None:
            rows = np.flatnonzero(self.sources >= 0)
            numbers = self.sources[rows]
            origin = numbers if old.vocabulary.rows is None else old.vocabulary.rows[numbers]
            tables.inputs[rows, : config.dim] = old.storage.take(origin)
            if old.output is not None and not config.hierarchical:
                tables.outputs[rows, : config.dim] = old.output[origin]
        return tables


def _counts(vocabulary: Vocabulary) -> IntArray:
    if vocabulary.counts is None:
        raise InputError("the corpus has no word counts")
    return np.asarray(vocabulary.counts, np.int64)
