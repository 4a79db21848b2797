"""From checked sentences to a trained network, and from a file back to one; needs PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from wordstock.encoders import ContextualEncoder
from wordstock.errors import FormatError, InputError
from wordstock.protocols import Encoder
from wordstock.tasks.tagging.features import WordVectors
from wordstock.tasks.tagging.plan import Epoch
from wordstock.tasks.tagging.scoring import score_spans
from wordstock.tasks.tagging.settings import NetworkShape, TaggerSettings
from wordstock.tasks.tagging.tagset import TagSet
from wordstock.tasks.tagging.validation import Tagged
from wordstock.tasks.torch.crf import Allowed
from wordstock.tasks.torch.tagger_batches import Prepared
from wordstock.tasks.torch.tagger_network import TaggerNetwork
from wordstock.tasks.torch.tagger_training import answers, train_tagger
from wordstock.tasks.tuning.loop import drawn_from

if TYPE_CHECKING:
    from wordstock.encoders.training import TrainableEncoder
    from wordstock.tasks.tagging.artefact import TaggerArtefact

__all__ = ["learn", "rebuilt"]


def learn(
    settings: TaggerSettings,
    encoder: Encoder,
    tagset: TagSet,
    alphabet: str,
    train: Tagged,
    held: Tagged | None,
    *,
    progress: Callable[[Epoch], object] | None,
) -> tuple[TaggerNetwork, list[Epoch]]:
    """Train a network; the state of torch's own random numbers is left as it was.

    Raises
    ------
    InputError
        "finetune" with something that is no ``ContextualEncoder``, a device that is not there.
    WordstockError
        The loss is no number any more.
    """
    device = _device(settings.device)
    plan = settings.plan(len(train[0]))
    with drawn_from(settings.seed, device):
        trainable = _trainable(encoder, device) if settings.model == "finetune" else None
        sources: Any = trainable or WordVectors(encoder, train[0])
        mean = deviation = None
        width = trainable.word_dim if trainable else 0
        if trainable is None:
            mean, deviation = map(torch.from_numpy, sources.statistics())
            width = len(mean)
        options: dict[str, Any] = {"characters": settings.characters, "alphabet": alphabet, "device": device}
        data = Prepared(train[0], sources, tags=tagset.encode(train[1]), **options)
        shape = NetworkShape(
            model=settings.model,
            word_dim=width,
            tags=len(tagset.names),
            hidden=settings.hidden,
            characters=settings.characters,
            letters=len(alphabet),
            dropout=settings.dropout,
        )
        network = TaggerNetwork(shape, _allowed(tagset), mean, deviation, trainable).to(device)
        score = None
        if held is not None:
            there = Prepared(held[0], trainable or WordVectors(encoder, held[0]), **options)
            expected = held[1]

            def score() -> float:
                scores = score_spans(expected, [tagset.decode(one) for one in answers(network, there)])
                return scores.accuracy if tagset.scheme == "plain" else scores.f1

        groups = None if trainable is None else trainable.parameter_groups()
        history = train_tagger(network, data, plan, groups=groups, score=score, progress=progress)
    return network.eval(), history


def rebuilt(path: Path, artefact: TaggerArtefact, encoder: Encoder, device: str | None) -> TaggerNetwork:
    """The network of a file.

    Raises
    ------
    FormatError
        Tensors of other names or shapes than the network's.
    InputError
        A device that is not there, or an encoder that cannot be trained along where the file's was.
    """
    place = _device(device)
    trainable = _trainable(encoder, place) if artefact.shape.model == "finetune" else None
    network = TaggerNetwork(artefact.shape, _allowed(artefact.tagset), trainable=trainable)
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in artefact.tensors.items()}
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise FormatError(
            path,
            expected="the tensors of its network",
            found=f"others ({error!s:.200})",
            remedy="save the tagger again",
        ) from error
    return network.to(place).eval()


def _trainable(encoder: Encoder, device: str) -> TrainableEncoder:
    if not isinstance(encoder, ContextualEncoder):
        raise InputError(
            f"model='finetune' trains a contextual encoder along, not {type(encoder).__name__}; "
            "pass one such as 'all-minilm-l6-v2', or take model='bilstm-crf'"
        )
    return encoder.trainable(device=device)


def _allowed(tagset: TagSet) -> Allowed:
    return Allowed(*(torch.from_numpy(one) for one in tagset.allowed()))


def _device(asked: str | None) -> str:
    seen = torch.cuda.is_available()
    if asked is None:
        return "cuda" if seen else "cpu"
    if asked != "cpu" and not seen:
        raise InputError(f"device={asked!r}: torch sees only the cpu here")
    return asked
