"""Settings of fastText training."""

from __future__ import annotations

from dataclasses import dataclass

from wordstock._settings import check_whole
from wordstock.errors import InputError
from wordstock.train.config import Word2VecConfig

__all__ = ["FastTextConfig"]


@dataclass(frozen=True)
class FastTextConfig(Word2VecConfig):
    """How vectors of words and of their character n-grams are learned (Bojanowski et al. 2017).

    Parameters
    ----------
    min_n, max_n : shortest and longest n-grams of ``<word>``, in characters; ``max_n=0`` = words without n-grams.
    buckets : n-grams are hashed to that many; only those that a word of the vocabulary has take memory.
    subsample, noise_power : as in ``Word2VecConfig``, with fastText's values.
    learning_rate : of the first word; None = 0.05.

    Every other field is that of ``Word2VecConfig``.

    Raises
    ------
    InputError
        A value out of range.
    """

    subsample: float = 1e-4
    noise_power: float = 0.5
    min_n: int = 3
    max_n: int = 6
    buckets: int = 2_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("max_n", self.max_n, 0)
        if self.max_n:
            check_whole("min_n", self.min_n, 1)
            check_whole("buckets", self.buckets, 1, below=1 << 31)
            if self.min_n > self.max_n:
                raise InputError(f"min_n={self.min_n} is above max_n={self.max_n}; lower it")

    @property
    def first_rate(self) -> float:
        """The learning rate of the first word."""
        return 0.05 if self.learning_rate is None else self.learning_rate
