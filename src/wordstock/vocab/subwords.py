"""Character n-grams hashed into buckets as fastText does (Bojanowski et al. 2017), to build vectors of unseen words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from wordstock._settings import check_whole
from wordstock._threads import run_slices
from wordstock.errors import InputError
from wordstock.protocols import IntArray

__all__ = ["Subwords"]

BucketArray = npt.NDArray[np.int32]

_MOST_N = 1000  # characters of an n-gram; a file that asks for more would keep a search for them busy for ever
_SMALLEST = 10_000  # words that are worth a thread


@dataclass(frozen=True)
class Subwords:
    """Which n-grams a word has, the bucket of each, and where its vector is.

    A word is written ``<word>``; its n-grams of ``min_n`` to ``max_n`` characters are hashed with fastText's 32-bit
    FNV-1a (bytes taken as signed) modulo ``buckets``. Single characters at either edge are left out, as there.

    Parameters
    ----------
    stored : int32 (n,), ascending, the buckets that have a vector, in the order of the vectors; None = all of them.
    """

    min_n: int
    max_n: int
    buckets: int
    stored: BucketArray | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_whole("min_n", self.min_n, 1)
        check_whole("max_n", self.max_n, 1, below=_MOST_N + 1)
        check_whole("buckets", self.buckets, 1, below=2**31)
        if self.min_n > self.max_n:
            raise InputError(f"min_n={self.min_n} and max_n={self.max_n}: needs 1 <= min_n <= max_n")
        if self.stored is not None and len(self.stored):
            low, high, step = self.stored[0], self.stored[-1], np.diff(self.stored).min(initial=1)
            if low < 0 or high >= self.buckets or step < 1:
                raise InputError(f"stored buckets must ascend from 0 to at most {self.buckets - 1}")

    @property
    def n_rows(self) -> int:
        """Vectors of n-grams that belong to these settings."""
        return self.buckets if self.stored is None else len(self.stored)

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
        """Row of each n-gram's vector, int64 (n_ngrams,); n-grams whose bucket has none are left out."""
        rows, _ = self.rows_of([word])
        return rows[rows >= 0]

    def rows_of(self, words: Sequence[str]) -> tuple[IntArray, IntArray]:
        """Row of each n-gram's vector of many words.

        Returns
        -------
        int64 (n_ngrams,), those of word w at ``starts[w]:starts[w + 1]``, -1 where a bucket has no vector; ``starts``
        int64 (words + 1,).
        """
        encoded = [word.encode(errors="replace") for word in words]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=offsets[1:])
        buckets, starts = self.buckets_of(np.frombuffer(b"".join(encoded), np.uint8), offsets)
        if self.stored is None:
            return buckets.astype(np.int64), starts
        if not len(self.stored):
            return np.full(len(buckets), -1, np.int64), starts
        rows = np.minimum(np.searchsorted(self.stored, buckets), len(self.stored) - 1)
        return np.where(self.stored[rows] == buckets, rows, -1), starts

    def buckets_of(self, blob: npt.NDArray[np.uint8], offsets: IntArray) -> tuple[BucketArray, IntArray]:
        """Bucket of each n-gram of many words, compiled and in parallel.

        Parameters
        ----------
        blob, offsets : the words in UTF-8, word w being ``blob[offsets[w]:offsets[w + 1]]``, as a Vocabulary has them.

        Returns
        -------
        int32 (n_ngrams,), those of word w at ``starts[w]:starts[w + 1]``; ``starts`` int64 (words + 1,).
        """
        from wordstock.kernels.ngrams import count_ngrams, hash_ngrams

        words = len(offsets) - 1
        counts = np.zeros(words + 1, np.int64)
        run_slices(
            lambda first, last: count_ngrams(blob, offsets, self.min_n, self.max_n, first, last, counts[1:]),
            words, smallest=_SMALLEST,
        )  # fmt: skip
        starts = np.cumsum(counts)
        out = np.empty(starts[-1], np.int32)
        run_slices(
            lambda first, last: hash_ngrams(
                blob, offsets, self.min_n, self.max_n, self.buckets, starts, first, last, out
            ),
            words, smallest=_SMALLEST,
        )  # fmt: skip
        return out, starts
