"""How long and how fast a tagger learns, and what is told of it after each epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Epoch", "TrainingPlan"]

_STEPS = 800  # that a small set of sentences should get, in as many epochs as that takes
_FEW, _MOST = 4, 32  # sentences of a batch, at least and at most
_BATCHES = 25  # into which a small set is divided


class Epoch(NamedTuple):
    """What is known after an epoch.

    Parameters
    ----------
    number, epochs : of this epoch, from 1, and of those planned.
    loss : mean over the training sentences.
    score : on the validation sentences, from 0 to 1; None without them.
    seconds : since training began.
    """

    number: int
    epochs: int
    loss: float
    score: float | None
    seconds: float


@dataclass(frozen=True)
class TrainingPlan:
    """How long and how fast to learn.

    Parameters
    ----------
    epochs, batch_size : whole numbers.
    learning_rate : at its height; it rises over the first tenth of the steps and falls to 0 linearly.
    encoder_learning_rate : of the topmost layer of an encoder that is trained along.
    layer_decay : what the rate of each layer below is multiplied by (Howard & Ruder 2018).
    patience : epochs without a better score after which training stops.
    seed : of the order and the dropout.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    encoder_learning_rate: float
    layer_decay: float
    patience: int
    seed: int


def batch_size_for(sentences: int) -> int:
    """Sentences of a batch where none is asked for: fewer where there are few sentences, for more steps."""
    return max(_FEW, min(_MOST, sentences // _BATCHES))


def epochs_for(sentences: int, batch_size: int, least: int, most: int) -> int:
    """Epochs where none are asked for: more where there are few sentences."""
    return max(least, min(most, math.ceil(_STEPS / math.ceil(sentences / batch_size))))
