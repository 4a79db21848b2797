"""Contrastive tuning: texts of one class near each other, those of others apart.

Batches of several texts of several classes are drawn one after the other, and every pair within a batch counts: the
work is linear in the texts that are drawn, and the only square is that of a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from wordstock.protocols import IntArray
from wordstock.tasks.tuning.config import Contrastive
from wordstock.tasks.tuning.loop import Loop, seeded
from wordstock.tasks.tuning.progress import Tell

if TYPE_CHECKING:
    import torch

__all__ = ["class_batches", "cosine_loss", "supervised_loss", "tune_contrastively"]

# Where the settings leave the number of epochs open; more pull apart what the encoder knew.
_STEPS, _EPOCHS = 40, (2, 10)
ADVICE = "lower learning_rate (now {rate:g}), raise temperature (now {temperature:g}), or set precision='float32'"


def tune_contrastively(
    tuner: Any, texts: Sequence[str], target: npt.NDArray[Any], config: Contrastive, *, seed: int, tell: Tell = None
) -> list[float]:
    """Tune an encoder; the mean loss of each epoch.

    Parameters
    ----------
    tuner : a ``ContextualTuner`` or ``TableTuner``.
    target : int64 (n,), class codes; or bool (n, k), of which equal rows are one class.

    Raises
    ------
    WordstockError
        The loss became NaN or infinite; says what to lower.
    """
    import torch

    codes = target if target.ndim == 1 else np.unique(target, axis=0, return_inverse=True)[1].reshape(-1)
    codes = np.unique(codes, return_inverse=True)[1]
    epochs = config.epochs or int(np.clip(np.ceil(_STEPS * config.batch_size / len(codes)), *_EPOCHS))
    random = np.random.default_rng(seed)
    plan = [class_batches(codes, config.batch_size, config.per_class, random) for _ in range(epochs)]
    read = tuner.read(texts)

    def loss(rows: IntArray) -> torch.Tensor:
        vectors = torch.nn.functional.normalize(tuner.vectors(read, rows), dim=1)
        labels = torch.from_numpy(codes[rows]).to(vectors.device)
        if config.loss == "cosine":
            return cosine_loss(vectors, labels)
        return supervised_loss(vectors, labels, config.temperature)

    groups = tuner.groups(sum(map(len, plan)))
    with seeded(seed, tuner.device):
        return Loop(
            stage="contrastive",
            modules=[tuner.module],
            groups=groups,
            epochs=epochs,
            batches=plan.__getitem__,
            loss=loss,
            warmup=config.warmup,
            max_norm=config.max_norm,
            advice=ADVICE.format(rate=groups[0].rate, temperature=config.temperature),
        ).run(tell)


def class_batches(codes: IntArray, size: int, per_class: int, random: np.random.Generator) -> list[IntArray]:
    """Rows of each step of an epoch: ``per_class`` texts of each of some classes, at least two.

    Every text is drawn about once; those of small classes more often, so that no group is short. A class with a single
    text gives it twice or more. With few classes each gives more texts to a batch.

    Parameters
    ----------
    codes : int64 (n,), classes from 0, all of which occur.
    size : texts in a batch, at most.
    """
    count = int(codes.max()) + 1
    share = max(per_class, min(size // count, int(np.bincount(codes).max())))
    groups: list[list[IntArray]] = []
    for code in range(count):
        rows = random.permutation(np.flatnonzero(codes == code))
        short = -len(rows) % share if len(rows) > share else share - len(rows)
        rows = np.concatenate([rows, random.choice(rows, short)])
        groups.append(np.split(rows, len(rows) // share))
    together = max(2, size // share)
    # Rounds over the classes, each in an order of its own: the groups of one batch are then of different classes.
    rounds = [[one[turn] for one in groups if turn < len(one)] for turn in range(max(map(len, groups)))]
    batches = []
    for turn in rounds:
        order = random.permutation(len(turn))
        if len(turn) == 1:  # the last groups of the largest class: set against another class
            largest = int(codes[turn[0][0]])
            others = [group for code, one in enumerate(groups) if code != largest for group in one]
            turn, order = [*turn, others[random.integers(len(others))]], np.arange(2)
        parts = np.array_split(order, max(1, len(order) // together))
        batches += [np.concatenate([turn[place] for place in part]) for part in parts]
    return [batches[place] for place in random.permutation(len(batches))]


def supervised_loss(vectors: torch.Tensor, labels: torch.Tensor, temperature: float) -> torch.Tensor:
    """The supervised contrastive loss (Khosla et al. 2020, equation 2), over anchors that have a positive.

    Parameters
    ----------
    vectors : (n, dim) of length 1.
    labels : int64 (n,).
    """
    import torch

    scores = vectors @ vectors.T / temperature
    own = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    scores = scores.masked_fill(own, float("-inf"))
    share = torch.log_softmax(scores, dim=1)
    alike = (labels[:, None] == labels) & ~own
    counts = alike.sum(dim=1)
    each = -torch.where(alike, share, torch.zeros_like(share)).sum(dim=1) / counts.clamp(min=1)
    return each[counts > 0].mean()


def cosine_loss(vectors: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean squared distance of each pair's cosine from 1 within a class and 0 between classes; both count a half."""
    import torch

    upper = torch.triu(torch.ones(len(labels), len(labels), dtype=torch.bool, device=labels.device), diagonal=1)
    cosines, alike = (vectors @ vectors.T)[upper], (labels[:, None] == labels)[upper]
    parts = [(cosines[alike] - 1).square().mean(), cosines[~alike].square().mean()]
    kept = [part for part, size in zip(parts, (alike.sum(), (~alike).sum()), strict=True) if size]
    return torch.stack(kept).mean()
