"""What stands between word vectors and scores: the heads' settings, the same for PyTorch and Keras.

A head takes padded vectors of words, (texts, words, dim), with a mask that is true where a word is, and gives scores of
each text, or of each word. "linear" and "mlp" also take one vector per text, (texts, dim).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from wordstock._settings import check_known, check_number, store_plain
from wordstock.errors import InputError

__all__ = [
    "BiLSTMConfig",
    "CNNConfig",
    "HeadConfig",
    "HeadName",
    "LinearConfig",
    "MLPConfig",
    "Level",
    "Pooling",
    "TransformerConfig",
    "head_config",
]

HeadName = Literal["linear", "mlp", "bilstm", "transformer", "cnn"]
Pooling = Literal["mean", "max", "mean_max"]
Level = Literal["text", "word"]


@dataclass(frozen=True)
class HeadConfig:
    """What all heads have.

    Parameters
    ----------
    pooling : how the vectors of a text's words become one: their mean, the largest of each component, or both side by
        side. Of no meaning where each word is scored.
    dropout : share of the numbers that training sets to zero, before the scores and inside the head.
    """

    pooling: Pooling = "mean"
    dropout: float = 0.1

    def __post_init__(self) -> None:
        store_plain(self)
        check_known("pooling", self.pooling, get_args(Pooling))
        check_number("dropout", self.dropout, 0, 1, least=True)
        for field in fields(self):
            value = getattr(self, field.name)
            numbers = value if isinstance(value, tuple) else (value,)
            if field.name not in ("pooling", "dropout") and not all(type(n) is int and n > 0 for n in numbers):
                raise InputError(f"{field.name}={value!r}: needs a whole number of at least 1")


@dataclass(frozen=True)
class LinearConfig(HeadConfig):
    """One layer of weights on the pooled vectors."""

    dropout: float = 0.0


@dataclass(frozen=True)
class MLPConfig(HeadConfig):
    """Layers of weights with ReLU between them.

    Parameters
    ----------
    hidden : width of each hidden layer.
    """

    dropout: float = 0.2
    hidden: tuple[int, ...] = (128,)


@dataclass(frozen=True)
class BiLSTMConfig(HeadConfig):
    """LSTMs over the words in both directions (Graves & Schmidhuber 2005), side by side.

    Parameters
    ----------
    hidden : width of each direction.
    layers : one above the other.
    """

    pooling: Pooling = "mean_max"
    dropout: float = 0.3
    hidden: int = 128
    layers: int = 1


@dataclass(frozen=True)
class TransformerConfig(HeadConfig):
    """A small transformer encoder (Vaswani et al. 2017) with normalisation first and sinusoidal positions.

    Parameters
    ----------
    width : to which vectors are brought by one layer of weights; a multiple of ``attention_heads``, and even.
    layers, attention_heads : how many.
    feedforward : width inside each layer.
    """

    width: int = 128
    layers: int = 2
    attention_heads: int = 4
    feedforward: int = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % self.attention_heads or self.width % 2:
            raise InputError(
                f"width={self.width} must be even and a multiple of attention_heads={self.attention_heads}"
            )


@dataclass(frozen=True)
class CNNConfig(HeadConfig):
    """Convolutions over windows of words, ReLU, and the largest answer of each filter (Kim 2014).

    Parameters
    ----------
    windows : words that each kind of filter sees at once.
    filters : of each kind.
    """

    pooling: Pooling = "max"
    dropout: float = 0.5
    windows: tuple[int, ...] = (3, 4, 5)
    filters: int = 100


_CONFIGS: dict[str, type[HeadConfig]] = {
    "linear": LinearConfig,
    "mlp": MLPConfig,
    "bilstm": BiLSTMConfig,
    "transformer": TransformerConfig,
    "cnn": CNNConfig,
}


def head_config(head: HeadName | HeadConfig, **changes: Any) -> HeadConfig:
    """Settings of a head by its name, or given ones, with changes: ``head_config("bilstm", hidden=64)``.

    Raises
    ------
    InputError
        An unknown head or setting, or a value out of range.
    """
    if isinstance(head, str):
        if head not in _CONFIGS:
            raise InputError(f"head={head!r}: known are {', '.join(map(repr, _CONFIGS))}")
        config = _CONFIGS[head]()
    elif type(head) in _CONFIGS.values():
        config = head
    else:
        raise InputError(f"head must be a name or settings such as BiLSTMConfig(), not {head!r:.80}")
    known = {field.name for field in fields(config)}
    if unknown := changes.keys() - known:
        raise InputError(
            f"{type(config).__name__} has no setting {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}"
        )
    return replace(config, **changes)
