"""GloVe's epochs: rounds of tiles, checkpoints, and what happens when training diverges."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event

import numpy as np
import numpy.typing as npt

from wordstock.errors import WordstockError
from wordstock.kernels.glove import train_tile
from wordstock.kernels.scratch import private_arrays
from wordstock.protocols import IntArray
from wordstock.train.glove_config import GloVeConfig
from wordstock.train.glove_start import GloVeStart
from wordstock.train.glove_state import GloVeCheckpoint, Rows
from wordstock.train.interrupt import interrupt_flag
from wordstock.train.state import Progress, TrainState
from wordstock.train.tables import all_finite
from wordstock.train.tiles import Tiles, rounds_of
from wordstock.train.workers import Workers

__all__ = ["GloVeLoop"]

_log = logging.getLogger(__name__)

Seeds = npt.NDArray[np.uint64]

_PULSE = 0.2  # seconds between two calls of progress
_TRIES = 3  # divergences before training gives up


@dataclass
class GloVeLoop:
    """Runs a training from wherever it stands to its end.

    Parameters
    ----------
    n_tokens : words of the corpus, for the speed.
    checkpoint : where to save, or None; without one a divergence goes back to the start.
    interval : seconds between two checkpoints.
    progress : called about five times a second and at the end of every epoch.
    after_epoch : called with the rows and the state after each epoch; True ends training.
    """

    config: GloVeConfig
    tiles: Tiles
    start: GloVeStart
    workers: Workers
    n_tokens: int
    checkpoint: GloVeCheckpoint | None = None
    interval: float = 60.0
    progress: Callable[[Progress], object] | None = None
    after_epoch: Callable[[Rows, TrainState], bool] | None = None
    _told: float = field(default=0.0, init=False)

    def run(self) -> tuple[Rows, TrainState]:
        """Train until the epochs are done.

        Raises
        ------
        WordstockError
            Training diverged several times, although the learning rate was halved each time.
        KeyboardInterrupt
            Ctrl-C; a checkpoint has been written where there is a folder for it.
        """
        rounds, state = rounds_of(self.tiles.groups), TrainState()
        with interrupt_flag() as stop:
            rows, state = self._begin(state, rounds, stop)
            saved_at = time.monotonic()
            while state.epoch < self.config.epochs and not state.stopped:
                cost = self._round(rows, state, rounds)
                ended = state.slice == len(rounds)
                last = ended and state.epoch == self.config.epochs - 1
                saving = self.checkpoint is not None and time.monotonic() - saved_at > self.interval
                # What the last round broke, no cost has told yet.
                broken = (last or saving or stop.is_set()) and not all_finite(rows.data)
                diverged = self._diverged(cost, state, ended)
                if broken or diverged:
                    del rows  # before new ones are made
                    found = self._what_broke(cost, state) if diverged else "vectors with numbers that are not finite"
                    rows, state = self._begin(self._halved(found, state), rounds, stop)
                elif ended:
                    self._end_epoch(rows, state)
                done = state.epoch == self.config.epochs or state.stopped or stop.is_set()
                if self.checkpoint and (done or saving):
                    self.checkpoint.save(rows, state)
                    saved_at = time.monotonic()
                if stop.is_set():
                    if self.checkpoint:
                        _log.warning("stopped; running the same again continues from %s", self.checkpoint.path.parent)
                    raise KeyboardInterrupt
        return rows, state

    def _begin(self, state: TrainState, rounds: list[IntArray], stop: Event) -> tuple[Rows, TrainState]:
        """Rows and state from the checkpoint; else new ones with the rate of ``state``."""
        if self.checkpoint and (saved := self.checkpoint.load()):
            rows, found = saved
            if state.retries:
                found.rate_factor, found.retries = state.rate_factor, state.retries
            _log.info("continuing at epoch %d, round %d of %d", found.epoch + 1, found.slice, len(rounds))
            return rows, found
        state = TrainState(rate_factor=state.rate_factor, retries=state.retries)
        rows = self.start.rows(self._rate(state))
        if self.start.old is not None:
            self._fit_biases(rows, state, rounds, stop)
            self.start.release(rows)
        return rows, state

    def _fit_biases(self, rows: Rows, state: TrainState, rounds: list[IntArray], stop: Event) -> None:
        started = time.monotonic()
        seeds = self._seeds(-1)
        for chosen in rounds:
            for _ in self._costs(rows, chosen, seeds, self._rate(state)):
                pass
            if stop.is_set():
                raise KeyboardInterrupt
        state.seconds += time.monotonic() - started

    def _round(self, rows: Rows, state: TrainState, rounds: list[IntArray]) -> float:
        """Train on the next round of the epoch; returns its cost."""
        started = time.monotonic()
        order = np.random.default_rng([self.config.seed, state.epoch + 1]).permutation(len(rounds))
        chosen = rounds[order[state.slice]]
        cost = sum(self._costs(rows, chosen, self._seeds(state.epoch), self._rate(state)))
        pairs = int((self.tiles.offsets[chosen + 1] - self.tiles.offsets[chosen]).sum())
        state.slice += 1
        state.loss += cost
        state.items += pairs
        state.seconds += time.monotonic() - started
        self._tell(state, ended=state.slice == len(rounds))
        return cost

    def _costs(self, rows: Rows, chosen: IntArray, seeds: Seeds, rate: float) -> Iterator[float]:
        tiles, step = self.tiles, np.float32(rate)

        def train(tile: int) -> float:
            begin, end = tiles.offsets[tile], tiles.offsets[tile + 1]
            order = np.empty(end - begin, np.int32)
            (random,) = private_arrays(((1,), np.uint64))  # seeds of tiles in turn are on one line
            random[0] = seeds[tile]
            pairs, targets = tiles.pairs[begin:end], tiles.targets[begin:end]
            return float(train_tile(rows.data, pairs, targets, order, step, random))

        return self.workers.map(train, chosen, ahead=len(chosen))

    def _seeds(self, epoch: int) -> Seeds:
        """A random state for each tile, not 0; epoch -1 is the pass that learns biases."""
        entropy = [self.config.seed, epoch + 1] if epoch >= 0 else [self.config.seed, 0, 0]
        return np.random.SeedSequence(entropy).generate_state(len(self.tiles.offsets), np.uint64) | np.uint64(1)

    def _rate(self, state: TrainState) -> float:
        return self.config.learning_rate * state.rate_factor

    def _tell(self, state: TrainState, *, ended: bool) -> None:
        if self.progress is None or not (ended or time.monotonic() - self._told > _PULSE):
            return
        self._told = time.monotonic()
        passes = state.epoch + state.items / len(self.tiles.pairs)
        share = passes / self.config.epochs
        words = int(passes * self.n_tokens)
        left = state.seconds * (1 - share) / share if share else math.inf
        cells = self.tiles.cells * state.items / len(self.tiles.pairs)
        self.progress(
            Progress(
                state.epoch + 1, self.config.epochs, share, words, words / max(state.seconds, 1e-9),
                state.loss / cells if cells else math.nan, self._rate(state), left,
            )
        )  # fmt: skip

    def _end_epoch(self, rows: Rows, state: TrainState) -> None:
        state.losses.append(state.loss / self.tiles.cells)
        state.epoch, state.slice, state.loss, state.items = state.epoch + 1, 0, 0.0, 0
        state.words = state.epoch * self.n_tokens
        _log.info("epoch %d of %d: mean loss %.6f", state.epoch, self.config.epochs, state.losses[-1])
        if self.after_epoch:
            state.stopped = self.after_epoch(rows, state)

    def _diverged(self, cost: float, state: TrainState, ended: bool) -> bool:
        """Whether the cost is not a number, or one that vectors of zeros would not have either."""
        return not math.isfinite(cost) or (ended and state.loss / self.tiles.cells > 2 * self.tiles.start_cost + 1)

    def _what_broke(self, cost: float, state: TrainState) -> str:
        mean = state.loss / self.tiles.cells if math.isfinite(cost) else cost
        return f"mean cost {mean:.3g} where vectors of zeros have {self.tiles.start_cost:.3g}"

    def _halved(self, found: str, state: TrainState) -> TrainState:
        factor, retries = state.rate_factor / 2, state.retries + 1
        rate = self.config.learning_rate
        if retries > _TRIES:
            raise WordstockError(
                f"training diverged {retries} times ({found}), the last time from learning_rate="
                f"{rate * state.rate_factor:g}: lower learning_rate (now {rate:g})"
            )
        _log.warning(
            "training diverged in epoch %d (%s); going back with the learning rate halved to %g",
            state.epoch + 1, found, rate * factor,
        )  # fmt: skip
        return TrainState(rate_factor=factor, retries=retries)
