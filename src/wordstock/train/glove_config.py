"""Settings of GloVe training."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from wordstock._threads import thread_count
from wordstock.errors import InputError
from wordstock.train.config import OldRows

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
        for name in ("dim", "window", "epochs"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{name}={value!r}: needs a whole number from 1 on")
        if self.threads is not None and (
            isinstance(self.threads, bool) or not isinstance(self.threads, int) or self.threads < 1
        ):
            raise InputError(f"threads={self.threads!r}: needs a whole number from 1 on, or None for all cores")
        for name in ("x_max", "learning_rate"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and math.isfinite(value) and value > 0):
                raise InputError(f"{name}={value!r}: needs a positive number")
        if not 0 <= self.alpha <= 10:
            raise InputError(f"alpha={self.alpha!r}: needs a number from 0 to 10; the paper's is 0.75")
        if not 0 <= self.old_rate <= 1:
            raise InputError(f"old_rate={self.old_rate!r}: needs a number from 0 to 1")
        for name, known in (("vectors", get_args(Vectors)), ("old_rows", get_args(OldRows))):
            if getattr(self, name) not in known:
                raise InputError(f"{name}={getattr(self, name)!r}: known are {', '.join(map(repr, known))}")
        if not isinstance(self.memory_limit, int) or self.memory_limit < _SMALLEST_LIMIT:
            raise InputError(f"memory_limit={self.memory_limit!r} bytes: needs at least {_SMALLEST_LIMIT:,}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise InputError(f"seed={self.seed!r}: needs a whole number from 0 on")

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
