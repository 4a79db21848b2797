"""Vectors of the words of sentences, computed once: not again between epochs, seeds, or fits on parts of the same data.

A table gives a word the same vector everywhere, so that each distinct word is looked up once. What other encoders give
is kept by the encoder's fingerprint and the sentence, for as long as the encoder lives, up to a gibibyte.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np

from wordstock.embeddings import Embeddings
from wordstock.encoders.stack import Stack
from wordstock.errors import InputError
from wordstock.protocols import Encoder, FloatArray

__all__ = ["WordVectors"]

_LIMIT = 1 << 30  # bytes of vectors that are kept of an encoder
_BLOCK = 2048  # sentences encoded at once


class WordVectors:
    """Vectors of the words of sentences, given out in padded batches.

    Parameters
    ----------
    encoder : any encoder.
    sentences : lists of words.

    Raises
    ------
    InputError
        The encoder gives another number of vectors than words, or NaN or infinity: names the sentence.
    """

    def __init__(self, encoder: Encoder, sentences: Sequence[Sequence[str]]) -> None:
        self._each: list[Any]
        if _context_free(encoder):
            numbers: dict[str, int] = {}
            self._each = [
                np.fromiter((numbers.setdefault(word, len(numbers)) for word in words), np.int64, len(words))
                for words in sentences
            ]
            self._rows: FloatArray | None = _encoded(encoder, [list(numbers)])[0] if numbers else None
        else:
            self._rows = None
            self._each = _through_memory(encoder, [tuple(words) for words in sentences])

    def sentence(self, row: int) -> FloatArray:
        """One sentence's, float32 (words, dim)."""
        one: FloatArray = self._each[row] if self._rows is None else self._rows[self._each[row]]
        return one

    def padded(self, rows: Sequence[int], length: int) -> FloatArray:
        """Several sentences', float32 (n, length, dim), zero past their ends."""
        parts = [self.sentence(row) for row in rows]
        out = np.zeros((len(parts), length, parts[0].shape[1]), np.float32)
        for one, part in zip(out, parts, strict=True):
            one[: len(part)] = part
        return out

    def statistics(self) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of each dimension over all words, float32 (dim,)."""
        count = 0
        total = squares = np.zeros(())
        for row in range(len(self._each)):
            part = self.sentence(row).astype(np.float64)
            count += len(part)
            total = total + part.sum(0)
            squares = squares + np.square(part).sum(0)
        mean = total / max(count, 1)
        deviation = np.sqrt(np.maximum(squares / max(count, 1) - mean**2, 0))
        return mean.astype(np.float32), deviation.astype(np.float32)


def _context_free(encoder: Encoder) -> bool:
    if isinstance(encoder, Stack):
        return all(map(_context_free, encoder.encoders))
    return isinstance(encoder, Embeddings)


def _encoded(encoder: Encoder, sentences: list[list[str]]) -> list[FloatArray]:
    found = encoder.encode_words(sentences)
    for number, (vectors, words) in enumerate(zip(found, sentences, strict=True)):
        if len(vectors) != len(words):
            raise InputError(
                f"{type(encoder).__name__}.encode_words gave {len(vectors)} vectors for the {len(words)} words of "
                f"{' '.join(words)!r:.60}"
            )
        if not np.isfinite(vectors).all():
            raise InputError(f"{type(encoder).__name__}.encode_words gave NaN or infinity for sentence {number}")
    return [np.asarray(vectors, np.float32) for vectors in found]


class _Memory:
    """The sentences of one encoder, the longest unused dropped first."""

    def __init__(self) -> None:
        self.held: OrderedDict[tuple[str, ...], FloatArray] = OrderedDict()
        self.size = 0
        self.lock = Lock()

    def get(self, sentences: list[tuple[str, ...]]) -> list[FloatArray | None]:
        with self.lock:
            found = [self.held.get(one) for one in sentences]
            for one, vectors in zip(sentences, found, strict=True):
                if vectors is not None:
                    self.held.move_to_end(one)
            return found

    def keep(self, sentences: list[tuple[str, ...]], vectors: list[FloatArray]) -> None:
        with self.lock:
            for one, array in zip(sentences, vectors, strict=True):
                if one not in self.held:
                    self.held[one] = array
                    self.size += array.nbytes
            while self.size > _LIMIT:
                _, dropped = self.held.popitem(last=False)
                self.size -= dropped.nbytes


_MEMORIES: weakref.WeakKeyDictionary[Any, dict[str, _Memory]] = weakref.WeakKeyDictionary()


def _through_memory(encoder: Encoder, sentences: list[tuple[str, ...]]) -> list[FloatArray]:
    try:
        memory = _MEMORIES.setdefault(encoder, {}).setdefault(encoder.fingerprint, _Memory())
    except TypeError:  # an encoder that cannot be referred to weakly
        memory = _Memory()
    found = memory.get(sentences)
    absent = [one for one, vectors in zip(sentences, found, strict=True) if vectors is None]
    fresh: dict[tuple[str, ...], FloatArray] = {}
    distinct = list(dict.fromkeys(absent))
    for start in range(0, len(distinct), _BLOCK):
        part = distinct[start : start + _BLOCK]
        # copies, so that one sentence that is kept does not hold the vectors of its whole block
        vectors = [array.copy() for array in _encoded(encoder, [list(one) for one in part])]
        memory.keep(part, vectors)
        fresh.update(zip(part, vectors, strict=True))
    return [fresh[one] if kept is None else kept for one, kept in zip(sentences, found, strict=True)]
