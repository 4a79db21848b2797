"""Networks that give every word of a sentence a score for every tag, with a CRF over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy.typing as npt
import torch
from torch import Tensor, nn

from wordstock.tasks.head_config import BiLSTMConfig, LinearConfig
from wordstock.tasks.tagging.characters import BUCKETS, FIELDS
from wordstock.tasks.tagging.settings import NetworkShape
from wordstock.tasks.torch.crf import Allowed, LinearChainCRF
from wordstock.tasks.torch.heads import build_head

if TYPE_CHECKING:
    from wordstock.encoders.training import TrainableEncoder, TrainingBatch

__all__ = ["CharacterCNN", "HashedFields", "TaggerBatch", "TaggerNetwork"]

_FIELD_DIM = 16
_LETTER_DIM, _FILTERS, _WIDTH = 24, 64, 3
_WINDOW = 2  # words to each side that the linear CRF looks at
_WORD_LOSS = 0.5  # share of words whose own identity is hidden in training, so that affixes are learned too


class TaggerBatch(NamedTuple):
    """Some sentences.

    Parameters
    ----------
    vectors : float32 (b, t, dim), or tokens for the encoder that is trained along.
    characters : int64 (u, f), of the distinct words; None where there are none.
    places : int64 (b, t), rows of ``characters``.
    mask : bool (b, t).
    tags : int64 (b, t); None where they are to be found.
    """

    vectors: Tensor | TrainingBatch
    characters: Tensor | None
    places: Tensor
    mask: Tensor
    tags: Tensor | None


class HashedFields(nn.Module):
    """Vectors of a word's hashed affixes and shapes, side by side: float32 (u, ``dim``) of int64 (u, FIELDS)."""

    dim = FIELDS * _FIELD_DIM
    first: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(FIELDS * BUCKETS, _FIELD_DIM)
        nn.init.normal_(self.table.weight, std=0.3)
        self.register_buffer("first", torch.arange(FIELDS) * BUCKETS, persistent=False)

    def forward(self, fields: Tensor) -> Tensor:
        """As the class says."""
        found: Tensor = self.table(fields + self.first)
        if self.training:
            kept = torch.rand(len(fields), device=found.device) >= _WORD_LOSS
            found = torch.cat([found[:, :1] * kept[:, None, None], found[:, 1:]], 1)
        return found.flatten(1)


class CharacterCNN(nn.Module):
    """The largest answers of filters over a word's letters (Ma & Hovy 2016): float32 (u, ``dim``) of int64 (u, l)."""

    dim = _FILTERS

    def __init__(self, letters: int) -> None:
        super().__init__()
        self.table = nn.Embedding(letters + 2, _LETTER_DIM, padding_idx=0)
        self.filters = nn.Conv1d(_LETTER_DIM, _FILTERS, _WIDTH, padding=_WIDTH - 1)

    def forward(self, letters: Tensor) -> Tensor:
        """As the class says."""
        answers = self.filters(self.table(letters).transpose(1, 2))
        return torch.relu(answers.amax(2))


def _windows(inputs: Tensor, mask: Tensor) -> Tensor:
    """The inputs of the words around each word, side by side: what a linear CRF's features look at."""
    shown = nn.functional.pad(inputs * mask[:, :, None], (0, 0, _WINDOW, _WINDOW))
    length = inputs.shape[1]
    return torch.cat([shown[:, at : at + length] for at in range(2 * _WINDOW + 1)], 2)


class TaggerNetwork(nn.Module):
    """Word vectors and character features to tags.

    Parameters
    ----------
    shape : the sizes.
    allowed : what the tag scheme allows.
    mean, deviation : of the word vectors in training, (dim,): they are brought to mean 0 and deviation 1.
    trainable : the encoder that is trained along, for "finetune".
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        shape: NetworkShape,
        allowed: Allowed,
        mean: Tensor | None = None,
        deviation: Tensor | None = None,
        trainable: TrainableEncoder | None = None,
    ) -> None:
        super().__init__()
        self.shape = shape
        self._trainable: Any = trainable  # no module itself; its module is registered below
        self.encoder = None if trainable is None else trainable.module
        self.characters = _characters(shape)
        width = shape.word_dim + (0 if self.characters is None else self.characters.dim)
        self.register_buffer("mean", torch.zeros(shape.word_dim) if mean is None else mean)
        scale = torch.ones(shape.word_dim) if deviation is None else 1 / deviation.clamp(min=1e-6)
        self.register_buffer("scale", scale)
        if shape.model == "crf":
            width *= 2 * _WINDOW + 1
        config = BiLSTMConfig(hidden=shape.hidden) if shape.model == "bilstm-crf" else LinearConfig()
        self.head = build_head(config, width, shape.tags, level="word", dropout=shape.dropout)
        self.crf = LinearChainCRF(shape.tags, allowed)

    def emissions(self, batch: TaggerBatch) -> Tensor:
        """Scores of every tag at every word, (b, t, k)."""
        vectors = batch.vectors if isinstance(batch.vectors, Tensor) else self._encoded(batch)
        inputs = (vectors - self.mean) * self.scale
        if self.characters is not None:
            inputs = torch.cat([inputs, self.characters(batch.characters)[batch.places]], 2)
        if self.shape.model == "crf":
            inputs = _windows(inputs, batch.mask)
        scores: Tensor = self.head(inputs, batch.mask)
        return scores

    @property
    def trainable(self) -> TrainableEncoder | None:
        """The encoder that is trained along."""
        found: TrainableEncoder | None = self._trainable
        return found

    @property
    def device(self) -> str:
        """Where the network is."""
        return str(self.mean.device)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All weights and buffers by name."""
        return {name: value.detach().cpu().numpy() for name, value in self.state_dict().items()}

    def __reduce__(self) -> tuple[Any, ...]:
        """Weights on the CPU, and of an encoder that was trained along where it comes from."""
        allowed = Allowed(*(getattr(self.crf, f"allowed_{name}").cpu() for name in Allowed._fields))
        encoder = None if self.trainable is None else self.trainable.encoder
        weights = {name: value.cpu() for name, value in self.state_dict().items()}
        return _rebuilt, (self.shape, allowed, encoder, self.device, weights, self.training)

    def _encoded(self, batch: TaggerBatch) -> Tensor:
        words = self._trainable.words(batch.vectors)
        return words.new_zeros(*batch.mask.shape, words.shape[1]).masked_scatter(batch.mask[:, :, None], words)  # type: ignore[no-any-return]

    def forward(self, batch: TaggerBatch) -> Tensor:
        """The loss: minus the log-likelihood of the tags, a mean over sentences of each."""
        return -self.crf(self.emissions(batch), batch.tags, batch.mask).mean()  # type: ignore[no-any-return]


def _characters(shape: NetworkShape) -> HashedFields | CharacterCNN | None:
    if shape.characters == "none":
        return None
    return HashedFields() if shape.characters == "hashed" else CharacterCNN(shape.letters)


def _rebuilt(
    shape: NetworkShape, allowed: Allowed, encoder: Any, device: str, weights: dict[str, Tensor], training: bool
) -> TaggerNetwork:
    """What ``__reduce__`` gave, on its device where that is there, else on the CPU."""
    asked = torch.device(device)
    place = device if asked.type == "cpu" or (asked.index or 0) < torch.cuda.device_count() else "cpu"
    with torch.random.fork_rng(devices=[]):  # the weights that are drawn are not those that stay
        trainable = None if encoder is None else encoder.trainable(device=place)
        network = TaggerNetwork(shape, allowed, trainable=trainable)
    network.load_state_dict(weights)
    return network.to(place).train(training)
