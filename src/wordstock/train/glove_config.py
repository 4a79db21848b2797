"""Settings of GloVe training."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from wordstock.errors import InputError

__all__ = ["GloVeConfig"]

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
    min_count : rarer words are left out; unused where the corpus is already a folder of shards.
    vectors : "sum" of word and context vectors, as the paper's, or the "word" vectors alone.
    memory_limit : bytes for counting. Training needs 16 bytes for each word and dimension on top.
    seed : of the random start and order; the same seed gives the same bits, whatever ``threads`` is.

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
    min_count: int = 5
    vectors: Literal["sum", "word"] = "sum"
    memory_limit: int = 1 << 30
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("dim", "window", "epochs", "min_count"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{name}={value!r}: needs a whole number from 1 on")
        for name in ("x_max", "learning_rate"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and math.isfinite(value) and value > 0):
                raise InputError(f"{name}={value!r}: needs a positive number")
        if not 0 <= self.alpha <= 10:
            raise InputError(f"alpha={self.alpha!r}: needs a number from 0 to 10; the paper's is 0.75")
        if self.vectors not in ("sum", "word"):
            raise InputError(f"vectors={self.vectors!r}: known are 'sum', 'word'")
        if not isinstance(self.memory_limit, int) or self.memory_limit < _SMALLEST_LIMIT:
            raise InputError(f"memory_limit={self.memory_limit!r} bytes: needs at least {_SMALLEST_LIMIT:,}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise InputError(f"seed={self.seed!r}: needs a whole number from 0 on")

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values."""
        return asdict(self)
