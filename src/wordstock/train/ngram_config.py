"""Settings of the classifier over words and n-grams."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from wordstock._settings import check_flag, check_known, check_number, check_whole, store_plain
from wordstock._threads import MOST_THREADS, thread_count
from wordstock.errors import InputError

__all__ = ["LABEL", "LOSSES", "NgramConfig", "NgramLoss"]

LABEL = "__label__"  # before each label in fastText's files
LOSSES = {"hs": 1, "ns": 2, "softmax": 3, "ova": 4}  # their numbers there
_LIMIT = 1 << 31  # of fastText's int32

NgramLoss = Literal["softmax", "ova", "hs", "ns"]


@dataclass(frozen=True)
class NgramConfig:
    """How a linear classifier over words and hashed n-grams is learned (Joulin et al. 2017, "Bag of tricks").

    The names are this library's, the values by default fastText's.

    Parameters
    ----------
    dim : length of the rows.
    epochs : passes over the lines.
    learning_rate : of the first line; it falls linearly to 0.
    word_ngrams : longest n-grams of words; 1 = single words only.
    min_count : rarer words get no row.
    min_n, max_n : shortest and longest n-grams of characters; both 0 = none. fastText takes ``max_n=0`` with any
        ``min_n``, and no n-grams then; here that is refused.
    buckets : n-grams of both kinds are hashed to that many; only those that occur take memory.
    loss : "softmax" (one label of all), "ova" (one-vs-all: each label is a yes or no for itself), "hs" (hierarchical
        softmax: a path in a Huffman tree, for thousands of labels) or "ns" (one label against ``negative`` drawn ones).
    negative : drawn labels to a line with "ns".
    shuffle : draw a new order of the lines for each epoch; fastText keeps that of the file.
    seed : of everything random; with ``threads=1`` the same seed gives the same bits.
    threads : None = all cores. Several update the same rows without locks.

    Raises
    ------
    InputError
        A value out of range.
    """

    dim: int = 100
    epochs: int = 5
    learning_rate: float = 0.1
    word_ngrams: int = 1
    min_count: int = 1
    min_n: int = 0
    max_n: int = 0
    buckets: int = 2_000_000
    loss: NgramLoss = "softmax"
    negative: int = 5
    shuffle: bool = True
    seed: int = 0
    threads: int | None = None

    def __post_init__(self) -> None:
        store_plain(self)
        check_known("loss", self.loss, get_args(NgramLoss))
        for name in ("dim", "epochs", "word_ngrams", "min_count", "negative"):
            check_whole(name, getattr(self, name), 1, below=_LIMIT)
        for name in ("min_n", "max_n", "seed"):
            check_whole(name, getattr(self, name), 0, below=_LIMIT)
        check_whole("threads", self.threads, 1, below=MOST_THREADS + 1, optional=True)
        if self.hashes:
            check_whole("buckets", self.buckets, 1, below=_LIMIT)
        if (self.min_n or self.max_n) and not 1 <= self.min_n <= self.max_n:
            raise InputError(f"min_n={self.min_n} and max_n={self.max_n}: needs 1 <= min_n <= max_n, or both 0")
        check_flag("shuffle", self.shuffle)
        check_number("learning_rate", self.learning_rate, 0)

    @property
    def hashes(self) -> bool:
        """Whether there are n-grams at all."""
        return self.word_ngrams > 1 or self.max_n > 0

    @property
    def n_buckets(self) -> int:
        """Buckets in use: none without n-grams, as in fastText."""
        return self.buckets if self.hashes else 0

    @property
    def n_threads(self) -> int:
        """Threads that training uses."""
        return self.threads or thread_count()

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values."""
        return asdict(self)
