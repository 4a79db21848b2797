"""Training a head, on vectors that stay as they are or together with the encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from wordstock._settings import check_number, check_whole, store_plain
from wordstock.errors import InputError
from wordstock.protocols import Encoder, FloatArray, IntArray
from wordstock.tasks.head_config import HeadConfig
from wordstock.tasks.head_model import HeadModel, over_words, padded, stretched, word_scaling, word_vectors
from wordstock.tasks.scaling import Scaling
from wordstock.tasks.tuning.config import FineTune
from wordstock.tasks.tuning.loop import Group, Loop, length_batches, seeded
from wordstock.tasks.tuning.progress import Tell

if TYPE_CHECKING:
    import torch

__all__ = ["HeadTraining", "Target", "fine_tune", "joint", "train_head"]

_HEAD_STEPS, _TUNE_STEPS = 2000, 600  # where the number of epochs is left open
_FEWEST = 200  # texts below which none is held out unless asked for
_SAMPLE = 1024  # texts that give the scale of vectors before tuning
_SHARE = 0.1  # held out of the texts of a head's training


@dataclass(frozen=True)
class HeadTraining:
    """How a neural head is trained; None takes what suits the number of texts.

    Parameters
    ----------
    epochs : None takes so many that there are some 2,000 steps, from 5 to 100.
    batch_size : texts in one step.
    learning_rate : at its highest; AdamW with a warm-up in a tenth of the steps and a linear decay to 0.
    weight_decay : towards 0.
    held_out : share of the texts kept out of training to stop by; None takes a tenth from 200 texts on.
    patience : epochs without a lower loss on the held-out texts after which training ends; the best weights are kept.
    """

    epochs: int | None = None
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    held_out: float | None = None
    patience: int = 5

    def __post_init__(self) -> None:
        store_plain(self)
        check_whole("epochs", self.epochs, 1, optional=True)
        check_whole("batch_size", self.batch_size, 1)
        check_whole("patience", self.patience, 1)
        check_number("learning_rate", self.learning_rate, 0)
        check_number("weight_decay", self.weight_decay, 0, least=True)
        check_number("held_out", self.held_out, 0, 1, least=True, optional=True)


@dataclass(frozen=True)
class Target:
    """What a head has to learn.

    Parameters
    ----------
    codes : int64 (n,), class codes; or bool (n, k).
    weights : float64, shaped like ``codes``.
    n_out : number of classes or labels.
    """

    codes: npt.NDArray[Any]
    weights: npt.NDArray[np.float64]
    n_out: int

    @property
    def multilabel(self) -> bool:
        """Whether each text may have several labels."""
        return self.codes.ndim == 2

    def loss(self, scores: torch.Tensor, rows: IntArray) -> torch.Tensor:
        """Weighted mean cross-entropy of some texts, or of their answers to each label."""
        import torch

        weights = torch.from_numpy(self.weights[rows].astype(np.float32)).to(scores.device)
        given = torch.from_numpy(self.codes[rows]).to(scores.device)
        if self.multilabel:
            each = torch.nn.functional.binary_cross_entropy_with_logits(scores, given.float(), reduction="none")
        else:
            each = torch.nn.functional.cross_entropy(scores, given, reduction="none")
        return (each * weights).sum() / weights.sum()

    def split(self, share: float, seed: int) -> tuple[IntArray, IntArray]:
        """(training rows, held-out rows), the latter with each class in its share; a class of one stays in training."""
        codes = self.codes if self.codes.ndim == 1 else np.unique(self.codes, axis=0, return_inverse=True)[1].ravel()
        random = np.random.default_rng(seed)
        held = [np.empty(0, np.int64)]
        for code in np.unique(codes):
            rows = random.permutation(np.flatnonzero(codes == code))
            held.append(rows[: int(share * len(rows) + random.random())] if len(rows) > 1 else rows[:0])
        chosen = np.sort(np.concatenate(held))
        return np.setdiff1d(np.arange(len(codes)), chosen), chosen


def train_head(
    config: HeadConfig,
    training: HeadTraining,
    encoder: Encoder,
    texts: Sequence[str],
    vectors: FloatArray | None,
    target: Target,
    *,
    seed: int,
    tell: Tell = None,
) -> HeadModel:
    """Train a head on an encoder's vectors, each of which is computed once.

    Parameters
    ----------
    vectors : of the texts, for a head that reads one per text.

    Raises
    ------
    WordstockError
        The loss became NaN or infinite; says what to lower.
    """
    if over_words(config):
        words = word_vectors(encoder, texts)
        dim = words[0].shape[1]
        scaling, lengths = word_scaling(words, dim), np.array([len(one) for one in words], np.int64)

        def given(rows: IntArray) -> tuple[torch.Tensor, ...]:
            return padded([words[row] for row in rows], scaling)

    else:
        if vectors is None:
            raise InputError("a head over texts needs their vectors")
        dim, lengths = vectors.shape[1], np.ones(len(texts), np.int64)
        scaling = Scaling.fit(vectors)
        ready = stretched(vectors, scaling)

        def given(rows: IntArray) -> tuple[torch.Tensor, ...]:
            return (ready[rows],)

    share = (_SHARE if len(texts) >= _FEWEST else 0.0) if training.held_out is None else training.held_out
    trained, held = target.split(share, seed)
    with seeded(seed):
        head = _built(config, dim, target.n_out)
        _run(
            "head",
            [head],
            [Group(list(head.parameters()), training.learning_rate, training.weight_decay)],
            lambda rows: target.loss(head(*given(rows)), rows),
            _Rows(trained, held, lengths, training.batch_size),
            epochs=training.epochs or _epochs(len(trained), training.batch_size, _HEAD_STEPS, 5, 100),
            patience=training.patience,
            seed=seed,
            advice=f"lower learning_rate of HeadTraining (now {training.learning_rate:g})",
            tell=tell,
        )
    return HeadModel(config, scaling, target.n_out, target.multilabel, _tensors(head))


def fine_tune(
    tuner: Any,
    head: HeadConfig,
    training: HeadTraining,
    config: FineTune,
    texts: Sequence[str],
    target: Target,
    *,
    seed: int,
    tell: Tell = None,
) -> HeadModel:
    """Train a head together with the encoder; the tuner holds the encoder's new weights afterwards.

    Parameters
    ----------
    tuner : a ``ContextualTuner`` or ``TableTuner``.

    Raises
    ------
    WordstockError
        The loss became NaN or infinite; says what to lower.
    """
    words = over_words(head)
    read = tuner.read_words(texts) if words else tuner.read(texts)
    sample = np.random.default_rng(seed).permutation(len(texts))[:_SAMPLE]
    trained, held = target.split(config.held_out, seed)
    with seeded(seed, tuner.device):
        scaling = _scaling_before(tuner, read, sample, words)
        epochs = config.epochs or _epochs(len(trained), config.batch_size, _TUNE_STEPS, 3, 20)
        # Zeros in the head hand no gradient down: with them a single step would not reach the encoder.
        alike = epochs * len(trained) > config.batch_size
        module, loss = joint(tuner, read, head, scaling, target, alike=alike)
        groups = tuner.groups()
        _run(
            "fine-tuning",
            [tuner.module, module],
            [Group(list(module.parameters()), training.learning_rate, training.weight_decay), *groups],
            loss,
            _Rows(trained, held, read.lengths, config.batch_size),
            epochs=epochs,
            patience=config.patience,
            seed=seed,
            warmup=config.warmup,
            max_norm=config.max_norm,
            advice=f"lower learning_rate (now {groups[0].rate:g}) or max_norm (now {config.max_norm:g}), "
            "or set precision='float32'",
            tell=tell,
        )
    return HeadModel(head, scaling, target.n_out, target.multilabel, _tensors(module))


def joint(
    tuner: Any, read: Any, head: HeadConfig, scaling: Scaling, target: Target, *, alike: bool = True
) -> tuple[Any, Callable[[IntArray], torch.Tensor]]:
    """A head on the tuner's device, and the loss of some texts as it scores what the tuner makes of them.

    Parameters
    ----------
    read : what ``tuner.read`` gave, or ``tuner.read_words`` for a head over words.
    alike : whether the head's first answer is the same for all.
    """
    import torch

    module = _built(head, len(scaling.center), target.n_out, alike=alike).to(tuner.device)
    center = torch.from_numpy(scaling.center.astype(np.float32)).to(tuner.device)

    def loss(rows: IntArray) -> torch.Tensor:
        if over_words(head):
            vectors, mask = tuner.words(read, rows)
            return target.loss(module(vectors / scaling.scale, mask), rows)
        vectors = tuner.vectors(read, rows)
        known = (vectors.detach() != 0).any(dim=1, keepdim=True)
        unit = torch.nn.functional.normalize(vectors, dim=1) - center * known
        return target.loss(module(unit * (len(center) ** 0.5 / scaling.scale)), rows)

    return module, loss


@dataclass(frozen=True)
class _Rows:
    trained: IntArray
    held: IntArray
    lengths: IntArray
    size: int


def _run(
    stage: str,
    modules: list[Any],
    groups: list[Group],
    loss: Callable[[IntArray], torch.Tensor],
    rows: _Rows,
    *,
    epochs: int,
    patience: int,
    seed: int,
    advice: str,
    tell: Tell,
    warmup: float = 0.1,
    max_norm: float = 1.0,
) -> None:
    random = np.random.default_rng(seed)

    def held_loss() -> float:
        parts = [rows.held[at : at + rows.size] for at in range(0, len(rows.held), rows.size)]
        return float(np.average([float(loss(part)) for part in parts], weights=[len(part) for part in parts]))

    Loop(
        stage=stage,
        modules=modules,
        groups=groups,
        epochs=epochs,
        batches=lambda _: [
            rows.trained[part] for part in length_batches(rows.lengths[rows.trained], rows.size, random)
        ],
        loss=loss,
        warmup=warmup,
        max_norm=max_norm,
        held_loss=held_loss if len(rows.held) else None,
        patience=patience,
        advice=advice,
    ).run(tell)


def _scaling_before(tuner: Any, read: Any, sample: IntArray, words: bool) -> Scaling:
    import torch

    parts = [sample[at : at + 64] for at in range(0, len(sample), 64)]
    tuner.module.eval()
    with torch.no_grad():
        if not words:
            return Scaling.fit(np.concatenate([tuner.vectors(read, part).cpu().numpy() for part in parts]))
        found = (tuner.words(read, part) for part in parts)
        return word_scaling((vectors[mask].cpu().numpy() for vectors, mask in found), tuner.word_dim)


def _built(config: HeadConfig, dim: int, n_out: int, *, alike: bool = True) -> Any:
    """A head, with ``alike`` one whose first answer is the same for all: its last weights are zeros."""
    import torch

    from wordstock.tasks.torch import build_head

    head = build_head(config, dim, n_out)
    if not alike:
        return head
    last = [one for one in head.modules() if isinstance(one, torch.nn.Linear)][-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.zeros_(last.bias)
    return head


def _epochs(texts: int, size: int, steps: int, least: int, most: int) -> int:
    return int(np.clip(round(steps * size / max(1, texts)), least, most))


def _tensors(module: Any) -> dict[str, npt.NDArray[Any]]:
    state = module.state_dict()
    return {name: np.ascontiguousarray(value.detach().cpu().numpy()) for name, value in state.items()}
