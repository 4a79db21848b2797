"""Heads: from vectors of words to scores of texts or words, as functions of Keras tensors.

The same as ``wordstock.tasks.torch.Head``, number for number where the weights are the same.
"""

from __future__ import annotations

from typing import Any, get_args

import keras
from keras import layers, ops

from wordstock._settings import check_whole
from wordstock.errors import InputError
from wordstock.tasks.head_config import (
    BiLSTMConfig,
    CNNConfig,
    HeadConfig,
    HeadName,
    Level,
    LinearConfig,
    MLPConfig,
    Pooling,
    TransformerConfig,
    head_config,
)

__all__ = ["AddPositions", "HideOthers", "PoolWords", "WordMask", "apply_head"]


def apply_head(
    head: HeadName | HeadConfig, vectors: Any, n_out: int, *, mask: Any = None, level: Level = "text", **changes: Any
) -> Any:
    """Scores of each text, (texts, n_out), or of each word, (texts, words, n_out); no softmax.

    Parameters
    ----------
    head : "linear", "mlp", "bilstm", "transformer" or "cnn", or its settings.
    vectors : (texts, words, dim), or (texts, dim) for "linear" and "mlp".
    n_out : scores that go out.
    mask : bool (texts, words), True where a word is; None takes the one that ``vectors`` carry, or all.
    level : "text" or "word".
    changes : settings other than the default: ``apply_head("bilstm", vectors, 6, hidden=64)``.

    Raises
    ------
    InputError
        An unknown head, setting or level, a number out of range, or vectors of another shape.
    """
    config = head_config(head, **changes)
    if level not in get_args(Level):
        raise InputError(f"level={level!r}: known are {', '.join(map(repr, get_args(Level)))}")
    check_whole("n_out", n_out, 1)
    shape = tuple(getattr(vectors, "shape", ()))
    single = len(shape) == 2 and level == "text" and isinstance(config, LinearConfig | MLPConfig)
    if len(shape) != 3 and not single:
        raise InputError(f"vectors have shape {shape}; this head takes a tensor (texts, words, dim)")
    if single:
        states = layers.Concatenate()([vectors, vectors]) if config.pooling == "mean_max" else vectors
    else:
        mask = WordMask()(vectors) if mask is None else mask
        states = HideOthers()(_body(config, HideOthers()(vectors, mask=mask), mask), mask=mask)
        if level == "text":
            states = PoolWords(config.pooling)(states, mask=mask)
    for hidden in config.hidden if isinstance(config, MLPConfig) else ():
        states = layers.Dense(hidden, activation="relu")(layers.Dropout(config.dropout)(states))
    return layers.Dense(n_out)(layers.Dropout(config.dropout)(states))


def _body(config: HeadConfig, vectors: Any, mask: Any) -> Any:
    if isinstance(config, BiLSTMConfig):
        return _lstms(config, vectors, mask)
    if isinstance(config, TransformerConfig):
        return _transformer(config, vectors, mask)
    if isinstance(config, CNNConfig):
        found = [
            layers.Conv1D(config.filters, width, padding="same", activation="relu")(vectors) for width in config.windows
        ]
        return layers.Concatenate()(found) if len(found) > 1 else found[0]
    return vectors


def _lstms(config: BiLSTMConfig, vectors: Any, mask: Any) -> Any:
    for _ in range(config.layers):
        vectors = layers.Dropout(config.dropout)(vectors)
        vectors = layers.Bidirectional(layers.LSTM(config.hidden, return_sequences=True))(vectors, mask=mask)
    return vectors


def _transformer(config: TransformerConfig, vectors: Any, mask: Any) -> Any:
    states = layers.Dropout(config.dropout)(AddPositions()(layers.Dense(config.width)(vectors)))
    for _ in range(config.layers):
        normed = layers.LayerNormalization(epsilon=1e-5)(states)
        attention = layers.MultiHeadAttention(
            config.attention_heads, config.width // config.attention_heads, dropout=config.dropout
        )
        seen = attention(normed, normed, query_mask=mask, value_mask=mask, key_mask=mask)
        states = layers.Add()([states, layers.Dropout(config.dropout)(seen)])
        inner = layers.Dense(config.feedforward, activation="gelu")(layers.LayerNormalization(epsilon=1e-5)(states))
        inner = layers.Dense(config.width)(layers.Dropout(config.dropout)(inner))
        states = layers.Add()([states, layers.Dropout(config.dropout)(inner)])
    return layers.LayerNormalization(epsilon=1e-5)(states)


class _Masked(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """A layer without weights that reads the mask of its input."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True

    def compute_mask(self, vectors: Any, previous: Any = None) -> Any:
        """The heads hand the mask on themselves."""
        return None


@keras.saving.register_keras_serializable(package="wordstock")
class WordMask(_Masked):
    """The mask that vectors carry, as a tensor, bool (texts, words); True everywhere where they carry none."""

    def call(self, vectors: Any, mask: Any = None) -> Any:
        """(texts, words, dim) -> bool (texts, words)."""
        return ops.ones_like(vectors[..., 0], dtype="bool") if mask is None else mask

    def compute_output_spec(self, vectors: Any, mask: Any = None) -> Any:
        """Shape and dtype of the mask."""
        return keras.KerasTensor(vectors.shape[:2], dtype="bool")


@keras.saving.register_keras_serializable(package="wordstock")
class HideOthers(_Masked):
    """Zeros where no word is."""

    def call(self, vectors: Any, mask: Any = None) -> Any:
        """(texts, words, dim) -> the same."""
        return vectors if mask is None else ops.where(ops.expand_dims(mask, -1), vectors, ops.zeros_like(vectors))

    def compute_output_shape(self, shape: Any) -> Any:
        """As it comes."""
        return shape


@keras.saving.register_keras_serializable(package="wordstock")
class PoolWords(_Masked):
    """One vector per text: the mean, the maximum, or both of its words; zeros without any."""

    def __init__(self, pooling: Pooling = "mean", **options: Any) -> None:
        super().__init__(**options)
        self.pooling = pooling

    def call(self, vectors: Any, mask: Any = None) -> Any:
        """(texts, words, dim) -> (texts, dim), or (texts, 2 * dim) for "mean_max"."""
        there = ops.ones_like(vectors[..., :1], dtype="bool") if mask is None else ops.expand_dims(mask, -1)
        words = ops.cast(there, vectors.dtype)
        found = []
        if self.pooling != "max":
            found.append(ops.sum(vectors * words, axis=1) / ops.maximum(ops.sum(words, axis=1), 1))
        if self.pooling != "mean":
            lowest = ops.full_like(vectors, -60000.0)  # float16 has no larger
            peaks = ops.max(ops.where(there, vectors, lowest), axis=1)
            found.append(ops.where(ops.any(there, axis=1), peaks, ops.zeros_like(peaks)))
        return ops.concatenate(found, axis=-1)

    def compute_output_shape(self, shape: Any) -> Any:
        """(texts, width)."""
        return (shape[0], shape[2] * (2 if self.pooling == "mean_max" else 1))

    def get_config(self) -> dict[str, Any]:
        """The way of pooling."""
        config: dict[str, Any] = super().get_config() | {"pooling": self.pooling}
        return config


@keras.saving.register_keras_serializable(package="wordstock")
class AddPositions(_Masked):
    """Positions as sines and cosines (Vaswani et al. 2017, section 3.5), added."""

    def call(self, vectors: Any) -> Any:
        """(texts, words, width) -> the same."""
        length, width = ops.shape(vectors)[1], vectors.shape[2]
        rates = ops.exp(ops.arange(0, width, 2, dtype="float32") * (-9.210340371976184 / width))  # log 10,000
        angles = ops.expand_dims(ops.arange(length, dtype="float32"), -1) * rates
        turned = ops.reshape(ops.stack([ops.sin(angles), ops.cos(angles)], axis=-1), (-1, width))
        return vectors + ops.cast(turned, vectors.dtype)

    def compute_output_shape(self, shape: Any) -> Any:
        """As it comes."""
        return shape
