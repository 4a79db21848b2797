"""Settings of word2vec training."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from wordstock._settings import check_flag, check_known, check_number, check_whole, store_plain
from wordstock._threads import MOST_THREADS, thread_count
from wordstock.errors import InputError

__all__ = ["Algorithm", "OldRows", "Word2VecConfig"]

Algorithm = Literal["skipgram", "cbow"]
OldRows = Literal["free", "slow", "frozen"]

WIDEST = 1 << 16  # no window is as wide, and no step has as much noise: buffers of each thread are as large
_REPLICAS = 2  # whatever the number of threads, or else the result would depend on it
_START = {"skipgram": 0.025, "cbow": 0.05}  # as word2vec.c has them


@dataclass(frozen=True)
class Word2VecConfig:
    """How vectors are learned (Mikolov et al. 2013, "Distributed representations of words and phrases").

    Parameters
    ----------
    dim : length of the vectors.
    algorithm : "skipgram" (each word of a window predicts the centre) or "cbow" (their mean does).
    window : widest reach to either side, in words; each centre draws its own from 1 to that.
    negative : noise words to a centre; they are shared by its whole window. Not used with ``hierarchical``.
    hierarchical : predict a path in a Huffman tree instead of telling the word from noise.
    subsample : words rarer than this share of the corpus are all used, more frequent ones thinned out; 0 = use all.
    noise_power : noise words are drawn in proportion to count ** noise_power.
    learning_rate : of the first word; None = 0.025 for skip-gram, 0.05 for CBOW.
    min_learning_rate : of the last word; between them the rate falls linearly.
    epochs : passes over the corpus.
    seed : of everything random; with ``threads=1`` or ``deterministic`` the same seed gives the same bits.
    threads : of one process; None = all cores. Several threads update the same vectors without locks.
    old_rows : when training goes on from earlier vectors, what happens to theirs: "free" to move, "slow" (with
        ``old_rate`` of the learning rate) or "frozen". Output vectors always move.
    old_rate : share of the learning rate for slow rows.
    slice_size : corpus positions to one kernel call; the learning rate is constant within.
    deterministic : give the same bits with any number of threads, on the same kind of processor. Two slices are trained
        at a time, on copies of their own of the vectors, and merged: takes three times the memory and 25 to 55 % more
        time than two threads without it (more for vocabularies above 30,000 words); further threads are of no use.

    Raises
    ------
    InputError
        A value out of range.
    """

    dim: int = 100
    algorithm: Algorithm = "skipgram"
    window: int = 5
    negative: int = 5
    hierarchical: bool = False
    subsample: float = 1e-3
    noise_power: float = 0.75
    learning_rate: float | None = None
    min_learning_rate: float = 1e-4
    epochs: int = 5
    seed: int = 1
    threads: int | None = None
    old_rows: OldRows = "free"
    old_rate: float = 0.1
    slice_size: int = 50_000
    deterministic: bool = False

    def __post_init__(self) -> None:
        store_plain(self)
        check_known("algorithm", self.algorithm, get_args(Algorithm))
        check_known("old_rows", self.old_rows, get_args(OldRows))
        for name in ("dim", "epochs", "slice_size"):
            check_whole(name, getattr(self, name), 1)
        check_whole("window", self.window, 1, below=WIDEST)
        check_whole("seed", self.seed, 0)
        check_flag("hierarchical", self.hierarchical)
        if not self.hierarchical:
            check_whole("negative", self.negative, 1, below=WIDEST)
        check_whole("threads", self.threads, 1, below=MOST_THREADS + 1, optional=True)
        check_flag("deterministic", self.deterministic)
        for name, high in (("subsample", 1), ("old_rate", 1), ("noise_power", 10)):
            check_number(name, getattr(self, name), 0, high, least=True, most=True)
        check_number("min_learning_rate", self.min_learning_rate, 0)
        check_number("learning_rate", self.learning_rate, 0, optional=True)
        if self.min_learning_rate > self.first_rate:
            raise InputError(
                f"min_learning_rate={self.min_learning_rate:g} is above learning_rate={self.first_rate:g}; lower it"
            )

    @property
    def first_rate(self) -> float:
        """The learning rate of the first word."""
        return _START[self.algorithm] if self.learning_rate is None else self.learning_rate

    @property
    def n_threads(self) -> int:
        """Threads that training uses."""
        return self.threads or thread_count()

    @property
    def streams(self) -> int:
        """Slices that are trained at once: one per thread, or always the same number where bits must be the same."""
        return _REPLICAS if self.deterministic else self.n_threads

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values."""
        return asdict(self)
