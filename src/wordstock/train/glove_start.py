"""Where GloVe starts: from nothing, or from earlier vectors with new words and new text.

A row holds a word vector w and a context vector c; a table holds w + c, or w, and c as its output matrix. Biases are
not kept: they say how frequent words are, and a new corpus has frequencies of its own. Where training goes on they are
learned first, in a pass over all pairs in which nothing else moves; without it their large errors would push the
earlier vectors about. The output matrix of another method is not c: where the result is w + c, it would not be what the
earlier vectors were. Such a table is split into halves, as one without.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from wordstock.embeddings import Embeddings
from wordstock.errors import InputError
from wordstock.protocols import FloatArray, IntArray
from wordstock.train.glove_config import GloVeConfig
from wordstock.train.glove_state import Rows, new_rows, row_bytes
from wordstock.train.memory import check_memory
from wordstock.train.old_words import joined_words
from wordstock.vocab import Vocabulary

__all__ = ["GloVeStart"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GloVeStart:
    """The rows before the first pair.

    Parameters
    ----------
    vocabulary : of the result: the corpus' words first, then words that only the earlier vectors have.
    words : how many of them the corpus has; only they have rows.
    old : earlier vectors, or None.
    sources : int64 (len(vocabulary),), the old key of each word, -1 for a new one; empty without earlier vectors.
    """

    vocabulary: Vocabulary
    words: int
    config: GloVeConfig
    old: Earlier | None
    sources: IntArray

    @classmethod
    def plan(cls, corpus: Vocabulary, config: GloVeConfig, old: Embeddings | None) -> GloVeStart:
        """Line up the words.

        Raises
        ------
        InputError
            Earlier vectors of another ``dim``, or that hold NaN or infinity; rows that do not fit in memory.
        """
        check_memory(row_bytes(config.dim) * len(corpus), len(corpus), config.dim)
        if old is None:
            return cls(corpus, len(corpus), config, None, np.empty(0, np.int64))
        vocabulary, sources = joined_words(corpus, old, config.dim)
        old.check_finite()
        earlier = Earlier(old, as_sum=config.vectors == "sum")
        if earlier.output is None:
            _log.warning("the vectors to continue from have no context vectors; they begin as the vectors themselves")
        elif not np.isfinite(earlier.output).all():
            raise InputError("the context vectors to continue from hold NaN or infinity")
        return cls(vocabulary, len(corpus), config, earlier, sources)

    def rows(self, learning_rate: float) -> Rows:
        """New rows, the same each time; with earlier vectors only the biases can move until ``release``."""
        rows = new_rows(self.words, self.config.dim, learning_rate, self.config.seed)
        if self.old is not None:
            known = np.flatnonzero(self.sources[: self.words] >= 0)
            rows.words[known], rows.contexts[known] = self.old.split(self.sources[known])
            rows.hold()
        return rows

    def release(self, rows: Rows) -> None:
        """Let the vectors move, earlier ones as the settings say."""
        config, scales = self.config, None
        if config.old_rows != "free":
            scale = config.old_rate if config.old_rows == "slow" else 0.0
            scales = np.where(self.sources[: self.words] >= 0, scale, 1).astype(np.float32)
        rows.release(scales)

    def finished(self, rows: Rows) -> tuple[FloatArray, FloatArray]:
        """Vectors and output matrix of the whole vocabulary, as copies; rows that did not move keep their bits."""
        both = self.config.vectors == "sum"
        vectors: FloatArray = rows.words + rows.contexts if both else rows.words.copy()
        output: FloatArray = rows.contexts.copy()
        if self.old is None:
            return vectors, output
        unseen = self.sources[self.words :]
        size = (len(self.vocabulary), self.config.dim)
        all_vectors, all_output = np.empty(size, np.float32), np.empty(size, np.float32)
        all_vectors[: self.words], all_output[: self.words] = vectors, output
        _, all_output[self.words :] = self.old.split(unseen)
        still = np.arange(self.words, len(self.vocabulary))
        if self.config.old_rows == "frozen":  # steps that are almost nothing still move a zero
            still = np.flatnonzero(self.sources >= 0)
        numbers = self.sources[still]
        all_vectors[still] = self.old.sums(numbers) if both else self.old.split(numbers)[0]
        return all_vectors, all_output


class Earlier:
    """Word and context vectors of an earlier table, by its keys' numbers.

    Parameters
    ----------
    as_sum : w + c must be what the table holds, unless its card says that it is w alone.
    """

    def __init__(self, table: Embeddings, *, as_sum: bool) -> None:
        self.table, self._share = table, np.float32(0.5 if as_sum else 1)
        other = as_sum and table.card.training.get("method") != "glove"
        self.output = None if other else table.output

    def split(self, numbers: IntArray) -> tuple[FloatArray, FloatArray]:
        """W and c."""
        vectors, output = self.table.storage.take(self._origin(numbers)), self.output
        if output is None:
            same: FloatArray = vectors * self._share
            return same, same
        contexts: FloatArray = np.asarray(output[self._origin(numbers)], np.float32)
        return (vectors - contexts if _is_sum(self.table) else vectors), contexts

    def sums(self, numbers: IntArray) -> FloatArray:
        """W + c; where a table holds just that, without the rounding of taking c off and adding it."""
        if self.output is None or _is_sum(self.table):
            return self.table.storage.take(self._origin(numbers))
        words, contexts = self.split(numbers)
        total: FloatArray = words + contexts
        return total

    def _origin(self, numbers: IntArray) -> IntArray:
        rows = self.table.vocabulary.rows
        return numbers if rows is None else np.asarray(rows[numbers], np.int64)


def _is_sum(table: Embeddings) -> bool:
    """Whether a table's vectors are w + c: those of GloVe are unless its card says "word"."""
    training = table.card.training
    return training.get("method") == "glove" and training.get("vectors") == "sum"
