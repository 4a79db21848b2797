"""The training loop of the tagger's networks, and their answers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from wordstock.errors import WordstockError
from wordstock.protocols import IntArray
from wordstock.tasks.tagging.plan import Epoch, TrainingPlan
from wordstock.tasks.torch.tagger_batches import Prepared
from wordstock.tasks.torch.tagger_network import TaggerNetwork
from wordstock.tasks.tuning.loop import rate_share

__all__ = ["answers", "probabilities", "train_tagger"]

_WARM_UP = 0.1  # share of the steps in which the learning rate rises
_CLIP = 5.0  # largest norm of a gradient
_DECAY = 0.01  # of the weights


def train_tagger(
    network: TaggerNetwork,
    data: Prepared,
    plan: TrainingPlan,
    *,
    groups: list[list[Any]] | None = None,
    score: Callable[[], float] | None = None,
    progress: Callable[[Epoch], object] | None = None,
) -> list[Epoch]:
    """Train in place; with ``score`` the weights of the best epoch are taken in the end.

    Parameters
    ----------
    groups : parameters of the encoder from the bottom to the top, each layer with its own learning rate.
    score : judges the network after each epoch.
    progress : called after each epoch.

    Raises
    ------
    WordstockError
        The loss is no number any more.
    """
    generator = np.random.default_rng(plan.seed)
    steps = plan.epochs * math.ceil(len(data.lengths) / plan.batch_size)
    optimizer = torch.optim.AdamW(_parameters(network, plan, groups or []), weight_decay=_DECAY)

    def share(step: int) -> float:
        return rate_share(step, steps, _WARM_UP) if step < steps else 0.0  # torch asks once more after the last

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
    history: list[Epoch] = []
    best: tuple[float, dict[str, torch.Tensor]] | None = None
    begun = time.perf_counter()
    for number in range(1, plan.epochs + 1):
        network.train()
        total = 0.0
        for batch in data.epoch(plan.batch_size, generator):
            optimizer.zero_grad(set_to_none=True)
            loss = network(batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), _CLIP)
            value = loss.item()
            if not math.isfinite(value):
                raise WordstockError(_diverged(number, plan, bool(groups)))
            optimizer.step()
            schedule.step()
            total += value * len(batch.mask)
        network.eval()
        judged = None if score is None else score()
        history.append(Epoch(number, plan.epochs, total / len(data.lengths), judged, time.perf_counter() - begun))
        if progress is not None:
            progress(history[-1])
        if judged is not None and (best is None or judged > best[0]):
            best = judged, {name: value.clone() for name, value in network.state_dict().items()}
        if best is not None and _stale(history) >= plan.patience:
            break
    if best is not None:
        network.load_state_dict(best[1])
    return history


@torch.inference_mode()
def answers(network: TaggerNetwork, data: Prepared) -> list[IntArray]:
    """The best tags of each sentence, int64 (words,)."""
    network.eval()
    found: list[Any] = [None] * len(data.lengths)
    for rows, batch in data.ordered():
        tags, _ = network.crf.decode(network.emissions(batch), batch.mask)
        for row, one in zip(rows.tolist(), tags.cpu().numpy(), strict=True):
            found[row] = one[: data.lengths[row]].astype(np.int64)
    return found


@torch.inference_mode()
def probabilities(network: TaggerNetwork, data: Prepared) -> list[Any]:
    """Marginal probability of each tag at each word, float32 (words, k) per sentence."""
    network.eval()
    found: list[Any] = [None] * len(data.lengths)
    for rows, batch in data.ordered():
        shares = network.crf.marginals(network.emissions(batch), batch.mask)
        for row, one in zip(rows.tolist(), shares.cpu().numpy(), strict=True):
            found[row] = one[: data.lengths[row]].copy()
    return found


def _parameters(network: TaggerNetwork, plan: TrainingPlan, groups: list[list[Any]]) -> list[dict[str, Any]]:
    low = {id(one) for group in groups for one in group}
    own = [one for one in network.parameters() if id(one) not in low]
    listed: list[dict[str, Any]] = [{"params": own, "lr": plan.learning_rate}]
    for depth, group in enumerate(reversed([group for group in groups if group])):
        listed.append({"params": group, "lr": plan.encoder_learning_rate * plan.layer_decay**depth})
    return listed


def _stale(history: list[Epoch]) -> int:
    """Epochs since the best score."""
    scores = [one.score or 0.0 for one in history]
    return len(scores) - 1 - scores.index(max(scores))


def _diverged(number: int, plan: TrainingPlan, encoder: bool) -> str:
    rate = f"learning_rate={plan.learning_rate / 3:.1g}"
    if encoder:
        rate += f" or encoder_learning_rate={plan.encoder_learning_rate / 3:.1g}"
    return (
        f"the loss is no number any more in epoch {number}: training diverged at learning_rate={plan.learning_rate:g}; "
        f"try {rate}, and look for huge values in the word vectors"
    )
