"""Settings of GloVe training."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from wordstock._settings import check_known, check_number, check_whole, store_plain
from wordstock._threads import MOST_THREADS, thread_count
from wordstock.train.config import WIDEST, OldRows

__all__ = ["GloVeConfig"]

Vectors = Literal["sum", "word"]
_SMALLEST_LIMIT = 1 << 20


@dataclass(frozen=True)
class GloVeConfig:
    """Settings of ``train_glove``; they travel in the card of what it trains.

    Parameters
    ----------
    dim : length of the vectors.
    window : words on either side that count as context; a word at distance d counts 1/d.
    x_max : co-occurrences from which on a pair has full weight. 100 in the paper, on 6 billion tokens; 10 suits up to
        some hundred million.
    alpha : below x_max a pair weighs (x / x_max) ** alpha.
    epochs : passes over all co-occurring pairs.
    learning_rate : AdaGrad's; its sums of squared steps start at 1.
    vectors : "sum" of word and context vectors, as the paper's, or the "word" vectors alone.
    memory_limit : bytes for counting. Training needs 16 bytes for each word and dimension on top.
    seed : of the random start and order; the same seed gives the same bits, whatever ``threads`` is.
    threads : as in ``Word2VecConfig``; the result does not depend on it.
    old_rows : as in ``Word2VecConfig``, for word and context vectors; biases always move.
    old_rate : as in ``Word2VecConfig``, of the first steps: sums of squared steps start at 1 / old_rate**2.

    Raises
    ------
    InputError
        A setting out of range; says which.
    """

    dim: int = 100
    window: int = 10
    x_max: float = 10.0
    alpha: float = 0.75
    epochs: int = 15
    learning_rate: float = 0.05
    vectors: Vectors = "sum"
    memory_limit: int = 1 << 30
    seed: int = 1
    threads: int | None = None
    old_rows: OldRows = "free"
    old_rate: float = 0.1

    def __post_init__(self) -> None:
        store_plain(self)
        check_known("vectors", self.vectors, get_args(Vectors))
        check_known("old_rows", self.old_rows, get_args(OldRows))
        for name in ("dim", "epochs"):
            check_whole(name, getattr(self, name), 1)
        check_whole("window", self.window, 1, below=WIDEST)
        check_whole("seed", self.seed, 0)
        check_whole("threads", self.threads, 1, below=MOST_THREADS + 1, optional=True)
        check_whole("memory_limit", self.memory_limit, _SMALLEST_LIMIT)
        check_number("x_max", self.x_max, 0)
        check_number("learning_rate", self.learning_rate, 0)
        check_number("alpha", self.alpha, 0, 10, least=True, most=True)
        check_number("old_rate", self.old_rate, 0, 1, least=True, most=True)

    @property
    def first_rate(self) -> float:
        """The learning rate of the first cell, and of all others unless training diverges."""
        return self.learning_rate

    @property
    def n_threads(self) -> int:
        """Threads that training uses."""
        return self.threads or thread_count()

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values."""
        return asdict(self)
