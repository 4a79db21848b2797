"""The epochs: groups of slices, the learning rate, checkpoints, and what happens when training diverges."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

from wordstock.errors import WordstockError
from wordstock.kernels.windows import Tables
from wordstock.train.checkpoint import Checkpoint
from wordstock.train.config import Word2VecConfig
from wordstock.train.corpus import IdArray, plan_slices
from wordstock.train.interrupt import interrupt_flag
from wordstock.train.slices import Done, SliceTrainer
from wordstock.train.state import Progress, TrainState
from wordstock.train.tables import all_finite

__all__ = ["EpochLoop"]

_log = logging.getLogger(__name__)

_GROUP = 128  # slices between two looks at the loss
_TRIES = 3  # divergences before training gives up
_DIVERGED = 2.0  # mean loss over that of tables that know nothing


@dataclass
class EpochLoop:
    """Runs a training from wherever it stands to its end.

    Parameters
    ----------
    fresh : makes the tables as they were before the first word.
    checkpoint : where to save, or None; without one a divergence goes back to the start.
    interval : seconds between two checkpoints.
    progress : called about five times a second.
    after_epoch : called with the tables and the state after each epoch; True ends training.
    """

    config: Word2VecConfig
    trainer: SliceTrainer
    arrays: Sequence[IdArray]
    n_tokens: int
    fresh: Callable[[], Tables]
    checkpoint: Checkpoint | None = None
    interval: float = 60.0
    progress: Callable[[Progress], object] | None = None
    after_epoch: Callable[[Tables, TrainState], bool] | None = None

    def run(self) -> tuple[Tables, TrainState]:
        """Train until the epochs are done.

        Raises
        ------
        WordstockError
            Training diverged several times, although the learning rate was halved each time.
        KeyboardInterrupt
            Ctrl-C; a checkpoint has been written where there is a folder for it.
        """
        slices = plan_slices(self.arrays, self.config.slice_size)
        tables = self.fresh()
        state = TrainState()
        if self.checkpoint and (saved := self.checkpoint.load(tables)):
            state = saved
            _log.info("continuing at epoch %d, slice %d of %d", state.epoch + 1, state.slice, len(slices))
        saved_at = time.monotonic()
        with interrupt_flag() as stop:
            while state.epoch < self.config.epochs and not state.stopped:
                done = self._group(tables, state, slices, stop)
                full = state.epoch == self.config.epochs - 1 and state.slice + done.slices == len(slices)
                saving = self.checkpoint is not None and time.monotonic() - saved_at > self.interval
                # What the last slice of a group broke, no loss has told yet.
                broken = (full or saving or stop.is_set()) and not all_finite(tables.inputs, tables.outputs)
                if broken or self._diverged(done):
                    del tables  # before new ones are made
                    tables, state = self._roll_back(state, done)
                else:
                    _advance(state, done)
                    if state.slice == len(slices):
                        self._end_epoch(tables, state)
                    ended = state.epoch == self.config.epochs or state.stopped or stop.is_set()
                    if self.checkpoint and (ended or saving):
                        self.checkpoint.save(tables, state)
                        saved_at = time.monotonic()
                if stop.is_set():
                    if self.checkpoint:
                        _log.warning("stopped; running the same again continues from %s", self.checkpoint.folder)
                    raise KeyboardInterrupt
        return tables, state

    def _group(self, tables: Tables, state: TrainState, slices: list[tuple[int, int, int]], stop: Event) -> Done:
        first = state.slice
        group = slices[first : first + _GROUP]
        started = time.perf_counter()
        total = len(slices) * self.config.epochs
        offset = state.epoch * len(slices)

        def rate_of(number: int) -> float:
            share = (offset + number) / total
            start, end = self.config.first_rate, self.config.min_learning_rate
            return (start + (end - start) * share) * state.rate_factor

        def watch(begun: int) -> None:
            if self.progress:
                seconds = state.seconds + time.perf_counter() - started
                share = (offset + first + begun) / total
                words = int(share * self.n_tokens * self.config.epochs)
                loss = state.loss / state.items if state.items else math.nan
                left = seconds * (1 - share) / share if share else math.inf
                speed, rate = words / max(seconds, 1e-9), rate_of(first + begun)
                self.progress(Progress(state.epoch + 1, self.config.epochs, share, words, speed, loss, rate, left))

        done = self.trainer.run(tables, self.arrays, group, first, state.epoch, rate_of, watch, stop)
        watch(done.slices)
        state.seconds += time.perf_counter() - started
        return done

    def _end_epoch(self, tables: Tables, state: TrainState) -> None:
        if not state.items:
            _log.warning(
                "nothing was learned in epoch %d: no two words that subsample=%g left stand near each other; raise it, "
                "or 0 for all words",
                state.epoch + 1, self.config.subsample,
            )  # fmt: skip
        state.losses.append(state.loss / state.items if state.items else math.nan)
        state.epoch, state.slice, state.loss, state.items = state.epoch + 1, 0, 0.0, 0
        speed = state.words / max(state.seconds, 1e-9)
        _log.info(
            "epoch %d of %d: mean loss %.4f, %.0f words/s", state.epoch, self.config.epochs, state.losses[-1], speed
        )
        if self.after_epoch:
            state.stopped = self.after_epoch(tables, state)

    def _diverged(self, done: Done) -> bool:
        return not math.isfinite(done.loss) or done.loss > _DIVERGED * self.trainer.start_loss * max(done.items, 1)

    def _roll_back(self, state: TrainState, done: Done) -> tuple[Tables, TrainState]:
        factor, retries = state.rate_factor / 2, state.retries + 1
        found = "vectors with numbers that are not finite"
        if self._diverged(done):
            mean = done.loss / max(done.items, 1)
            found = f"mean loss {mean:.3g} where untrained vectors have {self.trainer.start_loss:.3g}"
        rate = self.config.first_rate
        if retries > _TRIES:
            raise WordstockError(
                f"training diverged {retries} times ({found}), the last time from learning_rate={rate * factor * 2:g}: "
                f"lower learning_rate (now {rate:g}), negative or window, and look for damaged text or vectors"
            )
        fresh = self.fresh()
        back = (self.checkpoint.load(fresh) if self.checkpoint else None) or TrainState()
        place = f"epoch {back.epoch + 1}, slice {back.slice}" if back.words else "the start"
        _log.warning(
            "training diverged in epoch %d (%s); back to %s with the learning rate halved to %g",
            state.epoch + 1, found, place, rate * factor,
        )  # fmt: skip
        back.rate_factor, back.retries = factor, retries
        return fresh, back


def _advance(state: TrainState, done: Done) -> None:
    state.slice += done.slices
    state.loss += done.loss
    state.items += done.items
    state.words += done.words
