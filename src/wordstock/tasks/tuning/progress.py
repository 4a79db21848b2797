"""What a training says while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Tell", "TrainProgress"]


class TrainProgress(NamedTuple):
    """How far a training has come.

    Parameters
    ----------
    stage : "contrastive", "fine-tuning" or "head".
    epoch, epochs : the present one, from 1, and how many there will be at most.
    done, total : steps of the stage.
    loss : mean of the epoch's steps so far.
    seconds : since the stage began.
    """

    stage: str
    epoch: int
    epochs: int
    done: int
    total: int
    loss: float
    seconds: float


Tell = Callable[[TrainProgress], object] | None
