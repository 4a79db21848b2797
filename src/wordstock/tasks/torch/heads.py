"""Heads: from vectors of words to scores of texts or words."""

from __future__ import annotations

from typing import Any, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from wordstock._settings import check_whole
from wordstock.errors import InputError
from wordstock.tasks.head_config import (
    BiLSTMConfig,
    CNNConfig,
    HeadConfig,
    HeadName,
    Level,
    MLPConfig,
    Pooling,
    TransformerConfig,
    head_config,
)

__all__ = ["Head", "build_head", "pool_words"]


def build_head(head: HeadName | HeadConfig, dim_in: int, n_out: int, *, level: Level = "text", **changes: Any) -> Head:
    """A head by name or settings; its weights are drawn from PyTorch's generator.

    Parameters
    ----------
    head : "linear", "mlp", "bilstm", "transformer" or "cnn", or its settings.
    dim_in : length of the vectors that come in.
    n_out : scores that go out.
    level : "text" gives scores of each text, "word" of each word.
    changes : settings other than the default: ``build_head("bilstm", 50, 6, hidden=64)``.

    Raises
    ------
    InputError
        An unknown head, setting or level, or a number out of range.
    """
    return Head(head_config(head, **changes), dim_in, n_out, level=level)


class Head(nn.Module):
    """A body that sees all words of a text, pooling, and the weights of the scores.

    Attributes
    ----------
    config : its settings.
    width : length of what ``features`` gives for each word.
    """

    def __init__(self, config: HeadConfig, dim_in: int, n_out: int, *, level: Level = "text") -> None:
        super().__init__()
        if level not in get_args(Level):
            raise InputError(f"level={level!r}: known are {', '.join(map(repr, get_args(Level)))}")
        for name, value in (("dim_in", dim_in), ("n_out", n_out)):
            check_whole(name, value, 1)
        self.config, self.level, self.dim_in, self.n_out = config, level, dim_in, n_out
        self.body, self.width = _body(config, dim_in)
        pooled = self.width * (2 if level == "text" and config.pooling == "mean_max" else 1)
        self.scores = _scores(config, pooled, n_out)

    def features(self, vectors: Tensor, mask: Tensor | None = None) -> Tensor:
        """What the body makes of each word in its text, (texts, words, width); zeros where no word is.

        Parameters
        ----------
        vectors : floating (texts, words, dim_in).
        mask : bool (texts, words), True where a word is; None = everywhere. Words come first, padding after them.
        """
        self._check(vectors)
        if vectors.ndim != 3:
            raise InputError(f"vectors have shape {tuple(vectors.shape)}; a head takes (texts, words, {self.dim_in})")
        if mask is None:
            mask = vectors.new_ones(vectors.shape[:2], dtype=torch.bool)
        if mask.shape != vectors.shape[:2]:
            raise InputError(f"a mask of shape {tuple(mask.shape)} for vectors of shape {tuple(vectors.shape)}")
        if not mask.numel():  # no text, or none with a word: LSTM, attention and convolution refuse that
            return vectors.new_zeros(*mask.shape, self.width)
        mask = mask.bool()
        blank = ~mask[..., None]
        states: Tensor = self.body(vectors.masked_fill(blank, 0), mask)
        return states.masked_fill(blank, 0)

    def forward(self, vectors: Tensor, mask: Tensor | None = None) -> Tensor:
        """Scores: (texts, n_out), or (texts, words, n_out) where each word is scored.

        Parameters
        ----------
        vectors, mask : as in ``features``; "linear" and "mlp" also take one vector per text, (texts, dim_in).
        """
        self._check(vectors)
        if vectors.ndim == 2 and self.level == "text" and isinstance(self.body, _Words):
            if self.config.pooling == "mean_max":
                vectors = torch.cat([vectors, vectors], dim=-1)
            return self._scored(vectors)
        states = self.features(vectors, mask)
        if self.level == "text":
            states = pool_words(states, mask, self.config.pooling)
        return self._scored(states)

    def _check(self, vectors: Tensor) -> None:
        if not isinstance(vectors, Tensor):
            raise InputError(f"a head takes a tensor of vectors, not {type(vectors).__name__}")
        if not vectors.ndim or vectors.shape[-1] != self.dim_in:
            found = vectors.shape[-1] if vectors.ndim else "no"
            raise InputError(f"vectors have {found} components; this head was built for {self.dim_in}")
        weights = next(self.parameters(), vectors).dtype  # a quantised head may have none
        if vectors.dtype != weights and not torch.is_autocast_enabled(vectors.device.type):
            raise InputError(
                f"vectors of {vectors.dtype} for a head of {weights}; bring one to the other's, as with "
                f"head.to({vectors.dtype})"
            )

    def _scored(self, states: Tensor) -> Tensor:
        scores: Tensor = self.scores(states)
        return scores

    def extra_repr(self) -> str:
        """For ``print``."""
        return f"{self.config}, level={self.level!r}"


def pool_words(vectors: Tensor, mask: Tensor | None = None, pooling: Pooling = "mean") -> Tensor:
    """One vector per text, (texts, dim) or (texts, 2 * dim) for "mean_max"; zeros for a text without words.

    Parameters
    ----------
    vectors : floating (texts, words, dim).
    mask : bool (texts, words), True where a word is; None = everywhere.
    """
    if mask is None:
        mask = vectors.new_ones(vectors.shape[:2], dtype=torch.bool)
    if not vectors.shape[1]:  # the largest of no words is an error, of one that is hidden zero
        vectors, mask = functional.pad(vectors, (0, 0, 0, 1)), functional.pad(mask, (0, 1))
    there = mask.bool()[..., None]
    found = []
    if pooling != "max":
        found.append((vectors * there).sum(dim=1) / there.sum(dim=1).clamp(min=1))
    if pooling != "mean":
        peaks = vectors.masked_fill(~there, float("-inf")).amax(dim=1)
        found.append(torch.where(there.any(dim=1), peaks, torch.zeros_like(peaks)))
    return torch.cat(found, dim=-1)


def _body(config: HeadConfig, dim_in: int) -> tuple[nn.Module, int]:
    if isinstance(config, BiLSTMConfig):
        return _BiLSTM(config, dim_in), 2 * config.hidden
    if isinstance(config, TransformerConfig):
        return _Transformer(config, dim_in), config.width
    if isinstance(config, CNNConfig):
        return _CNN(config, dim_in), config.filters * len(config.windows)
    return _Words(), dim_in


def _scores(config: HeadConfig, width: int, n_out: int) -> nn.Module:
    layers: list[nn.Module] = []
    for hidden in config.hidden if isinstance(config, MLPConfig) else ():
        layers += [nn.Dropout(config.dropout), nn.Linear(width, hidden), nn.ReLU()]
        width = hidden
    return nn.Sequential(*layers, nn.Dropout(config.dropout), nn.Linear(width, n_out))


class _Words(nn.Module):
    """The vectors as they come."""

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        return vectors


class _BiLSTM(nn.Module):
    def __init__(self, config: BiLSTMConfig, dim_in: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.dropout)
        self.lstm = nn.LSTM(
            dim_in,
            config.hidden,
            config.layers,
            batch_first=True,
            bidirectional=True,
            dropout=config.dropout if config.layers > 1 else 0.0,
        )

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        lengths = mask.sum(dim=1).clamp(min=1).cpu()  # packing needs one word at least, and its lengths on the CPU
        packed = nn.utils.rnn.pack_padded_sequence(
            self.dropout(vectors), lengths, batch_first=True, enforce_sorted=False
        )
        states, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=mask.shape[1])
        return states


class _Transformer(nn.Module):
    def __init__(self, config: TransformerConfig, dim_in: int) -> None:
        super().__init__()
        self.project = nn.Linear(dim_in, config.width)
        self.dropout = nn.Dropout(config.dropout)
        layer = nn.TransformerEncoderLayer(
            config.width,
            config.attention_heads,
            config.feedforward,
            config.dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        norm = nn.LayerNorm(config.width)
        self.encoder = nn.TransformerEncoder(layer, config.layers, norm, enable_nested_tensor=False)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        states = self.project(vectors)
        states = self.dropout(states + sinusoids(states.shape[1], states.shape[2], states))
        hidden = ~mask
        hidden[:, 0] = False  # attention to nothing at all is not a number
        encoded: Tensor = self.encoder(states, src_key_padding_mask=hidden)
        return encoded


def sinusoids(length: int, width: int, like: Tensor) -> Tensor:
    """Positions as sines and cosines (Vaswani et al. 2017, section 3.5), (length, width)."""
    rates = torch.exp(torch.arange(0, width, 2, device=like.device) * (-9.210340371976184 / width))  # log 10,000
    angles = torch.arange(length, device=like.device)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).to(like.dtype)


class _CNN(nn.Module):
    def __init__(self, config: CNNConfig, dim_in: int) -> None:
        super().__init__()
        self.windows = config.windows
        self.convolutions = nn.ModuleList(nn.Conv1d(dim_in, config.filters, width) for width in config.windows)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        turned = vectors.transpose(1, 2)
        found = []
        for one, width in zip(self.convolutions, self.windows, strict=True):
            padded = functional.pad(turned, ((width - 1) // 2, width // 2))
            found.append(functional.relu(one(padded)))
        return torch.cat(found, dim=1).transpose(1, 2)
