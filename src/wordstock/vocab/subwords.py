"""Character n-grams hashed into buckets as fastText does (Bojanowski et al. 2017), to build vectors of unseen words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wordstock.errors import InputError
from wordstock.protocols import IntArray

__all__ = ["Subwords"]


@dataclass(frozen=True)
class Subwords:
    """Which n-grams a word has and the bucket of each.

    A word is written ``<word>``; its n-grams of ``min_n`` to ``max_n`` characters are hashed with fastText's 32-bit
    FNV-1a (bytes taken as signed) modulo ``buckets``. Single characters at either edge are left out, as there.
    """

    min_n: int
    max_n: int
    buckets: int

    def __post_init__(self) -> None:
        if not 1 <= self.min_n <= self.max_n:
            raise InputError(f"min_n={self.min_n} and max_n={self.max_n}: needs 1 <= min_n <= max_n")
        if self.buckets < 1:
            raise InputError(f"buckets={self.buckets}: needs at least one bucket")

    def ngrams(self, word: str) -> list[str]:
        """The n-grams of ``word``, in fastText's order."""
        wrapped = f"<{word}>"
        size = len(wrapped)
        return [
            wrapped[i : i + n]
            for i in range(size)
            for n in range(self.min_n, self.max_n + 1)
            if i + n <= size and not (n == 1 and (i == 0 or i + n == size))
        ]

    def rows(self, word: str) -> IntArray:
        """Bucket of each n-gram, int64 (n_ngrams,)."""
        return np.array([_hash(gram.encode(errors="replace")) % self.buckets for gram in self.ngrams(word)], np.int64)


def _hash(data: bytes) -> int:
    value = 2166136261
    for byte in data:
        value = (value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619 & 0xFFFFFFFF
    return value
