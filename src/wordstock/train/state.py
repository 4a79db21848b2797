"""Where training stands: everything but the matrices, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

__all__ = ["Progress", "TrainState"]


class Progress(NamedTuple):
    """What a progress callback is told.

    Parameters
    ----------
    epoch, epochs : the one under way, from 1, and how many there are; 0 before the first.
    share : of this phase, from 0 to 1.
    words : of the corpus that the phase has gone over, all epochs together.
    words_per_second : mean speed so far.
    loss : mean of this epoch so far; NaN before there is one.
    learning_rate : now.
    remaining : seconds that the phase still takes; infinite before the first word.
    phase : "count" while GloVe counts co-occurrences, then "train".
    """

    epoch: int
    epochs: int
    share: float
    words: int
    words_per_second: float
    loss: float
    learning_rate: float
    remaining: float
    phase: Literal["count", "train"] = "train"


@dataclass
class TrainState:
    """Position, losses and clocks.

    Parameters
    ----------
    epoch, slice : the next slice to train on.
    losses : mean loss of each finished epoch; per pair for skip-gram, per window for CBOW, in nats.
    loss, items : sums over the running epoch.
    words, seconds : corpus words trained on and time spent so far, earlier runs included.
    rate_factor : what the learning rate is multiplied by; halved after each divergence.
    retries : how often training diverged.
    scores : of the validation after each epoch.
    """

    epoch: int = 0
    slice: int = 0
    losses: list[float] = field(default_factory=list)
    loss: float = 0.0
    items: int = 0
    words: int = 0
    seconds: float = 0.0
    rate_factor: float = 1.0
    retries: int = 0
    scores: list[float] = field(default_factory=list)
    stopped: bool = False

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainState:
        """Read back what ``to_dict`` gave."""
        return cls(**values)
