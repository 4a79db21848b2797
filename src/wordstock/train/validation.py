"""Early stop: after each epoch a held-out score, and the best vectors so far."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from wordstock.embeddings import Embeddings, read_native
from wordstock.errors import InputError
from wordstock.train.state import TrainState

__all__ = ["Validation"]

_log = logging.getLogger(__name__)

Matrices = TypeVar("Matrices")


@dataclass
class Validation(Generic[Matrices]):
    """Scores the vectors after each epoch and keeps the best, which takes as much memory as they do.

    Parameters
    ----------
    score : a higher number is better.
    build : a copy of what is trained as Embeddings.
    patience : epochs without a better score before training ends.
    path : where the best vectors are kept for a training that is resumed; None without checkpoints.
    """

    score: Callable[[Embeddings], float]
    build: Callable[[Matrices, TrainState], Embeddings]
    patience: int
    path: Path | None = None
    best: Embeddings | None = None

    def __call__(self, tables: Matrices, state: TrainState) -> bool:
        """Score these vectors; True if it is time to stop.

        Raises
        ------
        InputError
            The score is not a number.
        """
        table = self.build(tables, state)
        told: Any = self.score(table)
        try:
            score = float(told)
        except (TypeError, ValueError):
            score = math.nan
        if math.isnan(score):
            raise InputError(f"the validation returned {told!r:.80}; it must return a number, higher being better")
        before = max(state.scores, default=-math.inf)
        state.scores.append(score)
        _log.info("epoch %d: validation %.4f (best so far %.4f)", state.epoch, score, max(before, score))
        if score > before:
            self.best = table
            if self.path:
                table.save(self.path)
        at = state.scores.index(max(state.scores))
        return len(state.scores) - 1 - at >= self.patience

    def chosen(self, state: TrainState) -> Embeddings | None:
        """The best vectors if they are not the last."""
        if not state.scores or state.scores[-1] > max(state.scores[:-1], default=-math.inf):
            return None
        if self.best is None and self.path and self.path.exists():
            self.best = read_native(self.path)
        return self.best
