"""The loop of every training here: AdamW, warm-up and decay, early stopping, and a loss that is no number.

The caller owns what a step computes; the loop owns rates, clipping, epochs and the best weights.
"""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wordstock._threads import thread_count
from wordstock.errors import WordstockError
from wordstock.protocols import IntArray
from wordstock.tasks.tuning.progress import Tell, TrainProgress

if TYPE_CHECKING:
    import torch

__all__ = ["Group", "Loop", "drawn_from", "length_batches", "rate_share", "seeded"]

_log = logging.getLogger(__name__)
_SORTED = 16  # batches among which texts are sorted by length: less padding, and still a random order
_BETAS, _EPSILON = (0.9, 0.98), 1e-6  # as RoBERTa's authors trained (Liu et al. 2019)


@dataclass(frozen=True)
class Group:
    """Parameters with one learning rate.

    Parameters
    ----------
    parameters : of torch.
    rate : at its highest.
    decay : weight decay, for those with more than one axis.
    first_epoch : in which they begin to be trained.
    """

    parameters: Sequence[torch.nn.Parameter]
    rate: float
    decay: float = 0.0
    first_epoch: int = 0


@dataclass(frozen=True)
class Loop:
    """One training.

    Parameters
    ----------
    stage : its name, for messages.
    modules : put into training mode, and at the end into that of inference.
    groups : their parameters.
    epochs : at most so many.
    batches : rows of each step of an epoch.
    loss : of some rows, a tensor with one number.
    warmup : share of the steps in which rates rise from 0; afterwards they fall to 0.
    max_norm : longest gradient.
    held_loss : of held-out texts, computed after each epoch; None for no early stopping.
    patience : epochs without a lower one after which training ends; the weights of the lowest are kept.
    advice : what to lower when the loss is no number any more.
    """

    stage: str
    modules: Sequence[torch.nn.Module]
    groups: Sequence[Group]
    epochs: int
    batches: Callable[[int], list[IntArray]]
    loss: Callable[[IntArray], torch.Tensor]
    warmup: float = 0.1
    max_norm: float = 1.0
    held_loss: Callable[[], float] | None = None
    patience: int = 2
    advice: str = "lower learning_rate"

    def run(self, tell: Tell = None) -> list[float]:
        """Train; the mean loss of each epoch.

        Raises
        ------
        WordstockError
            A loss that is no number; says at which step, and what to lower.
        """
        import torch

        optimizer = torch.optim.AdamW(self._options(), betas=_BETAS, eps=_EPSILON, fused=True)
        plan = [self.batches(epoch) for epoch in range(self.epochs)]
        total, done, began = sum(map(len, plan)), 0, time.perf_counter()
        history: list[float] = []
        best, best_epoch, kept = math.inf, 0, None
        for epoch, rounds in enumerate(plan):
            self._mode(training=True)
            self._unfreeze(epoch)
            losses = 0.0
            for step, rows in enumerate(rounds, 1):
                self._set_rates(optimizer, rate_share(done, total, self.warmup))
                loss = self.loss(rows)
                value = float(loss.detach())
                if not math.isfinite(value):
                    raise self._diverged(value, epoch, step)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                self._clip(torch)
                optimizer.step()
                done += 1
                losses += value
                if tell is not None:
                    seconds = time.perf_counter() - began
                    tell(TrainProgress(self.stage, epoch + 1, self.epochs, done, total, losses / step, seconds))
            history.append(losses / max(1, len(rounds)))
            _log.info("%s: epoch %d of %d, loss %.4f", self.stage, epoch + 1, self.epochs, history[-1])
            if self.held_loss is None:
                continue
            self._mode(training=False)
            with torch.no_grad():
                held = self.held_loss()
            if held < best:
                best, best_epoch, kept = held, epoch, self._weights()
            elif epoch - best_epoch >= self.patience:
                _log.info("%s: stopped after epoch %d, the best was %d", self.stage, epoch + 1, best_epoch + 1)
                break
        if kept is not None:
            for module, state in zip(self.modules, kept, strict=True):
                module.load_state_dict(state)
        self._mode(training=False)
        return history

    def _options(self) -> list[dict[str, Any]]:
        options = []
        for group in self.groups:
            for wide in (False, True):
                if chosen := [one for one in group.parameters if (one.ndim > 1) == wide]:
                    decay = group.decay if wide else 0.0
                    options.append({"params": chosen, "lr": 0.0, "weight_decay": decay, "rate": group.rate})
        return options

    def _unfreeze(self, epoch: int) -> None:
        """What begins later takes no gradient yet, so that no time is spent on it."""
        for group in self.groups:
            for one in group.parameters:
                one.requires_grad_(epoch >= group.first_epoch)

    def _set_rates(self, optimizer: Any, height: float) -> None:
        for options in optimizer.param_groups:
            options["lr"] = options["rate"] * height

    def _clip(self, torch: Any) -> None:
        parameters = [one for group in self.groups for one in group.parameters if one.grad is not None]
        torch.nn.utils.clip_grad_norm_(parameters, self.max_norm)

    def _mode(self, *, training: bool) -> None:
        for module in self.modules:
            module.train(training)

    def _weights(self) -> list[Any]:
        return [copy.deepcopy(module.state_dict()) for module in self.modules]

    def _diverged(self, value: float, epoch: int, step: int) -> WordstockError:
        return WordstockError(f"{self.stage}: the loss is {value} at step {step} of epoch {epoch + 1}; {self.advice}")


def rate_share(step: int, steps: int, warmup: float) -> float:
    """The share of the highest rate at a step, from 0: up in a line over a share of the steps, then down in a line.

    No step has a share of 0, so that a training of one step has one.
    """
    warm = max(1, round(warmup * steps))
    return (step + 1) / warm if step < warm else (steps - step) / (steps - warm)


@contextmanager
def drawn_from(seed: int, device: str = "cpu") -> Iterator[None]:
    """Torch's random numbers on the CPU and on ``device`` from ``seed``, and as before afterwards."""
    import torch

    kind = torch.device(device).type
    with torch.random.fork_rng(devices=[] if kind == "cpu" else [device], device_type=kind):
        torch.default_generator.manual_seed(seed)
        if kind != "cpu":
            module = torch.get_device_module(kind)
            with module.device(device):
                module.manual_seed(seed)
        yield


@contextmanager
def seeded(seed: int, device: str = "cpu") -> Iterator[None]:
    """``drawn_from``, with torch's threads as this library's."""
    import torch

    threads = torch.get_num_threads()
    with drawn_from(seed, device):
        torch.set_num_threads(thread_count())
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def length_batches(lengths: IntArray, size: int, random: np.random.Generator) -> list[IntArray]:
    """Rows of each step of one epoch: shuffled, with texts of about one length in each batch.

    Parameters
    ----------
    lengths : int64 (n,), of each text.
    size : texts in a batch.
    """
    order = random.permutation(len(lengths))
    rounds: list[IntArray] = []
    for start in range(0, len(order), _SORTED * size):
        part = order[start : start + _SORTED * size]
        part = part[np.argsort(lengths[part], kind="stable")]
        rounds += [part[at : at + size] for at in range(0, len(part), size)]
    return [rounds[place] for place in random.permutation(len(rounds))]
