"""Layers and lengths that settings give with a model, known without its weights."""

from __future__ import annotations

from wordstock.encoders.config import ContextConfig
from wordstock.encoders.folder import ModelFolder
from wordstock.errors import InputError
from wordstock.protocols import Encoder

__all__ = ["resolved_layers", "states_dim", "text_dim", "word_dim_of"]


def resolved_layers(config: ContextConfig, model: ModelFolder) -> tuple[int, ...]:
    """The layers of the settings, counted from 0.

    Raises
    ------
    InputError
        A layer that the model does not have.
    """
    count = model.n_layers
    for layer in config.layers:
        if not -count - 1 <= layer <= count:
            raise InputError(f"layer {layer}: this model has 0 (its embedding layer) to {count}, or -{count + 1} to -1")
    return tuple(layer if layer >= 0 else count + 1 + layer for layer in config.layers)


def states_dim(config: ContextConfig, model: ModelFolder) -> int:
    """Length of a token's vector: its layers put side by side or mixed."""
    return model.hidden * (len(config.layers) if config.combine == "concat" else 1)


def text_dim(config: ContextConfig, model: ModelFolder) -> int:
    """Length of a text's vector.

    Raises
    ------
    InputError
        Fewer numbers than ``truncate_dim``.
    """
    dim = states_dim(config, model) * len(config.pooling)
    for step in model.head:
        dim = step.dim(dim)
    if config.truncate_dim is not None and config.truncate_dim > dim:
        raise InputError(f"truncate_dim={config.truncate_dim}: this model's vectors have {dim} numbers")
    return config.truncate_dim or dim


def word_dim_of(encoder: Encoder) -> int:
    """Length of an encoder's word vectors: its ``dim``, but where it says otherwise by ``word_dim``."""
    return int(getattr(encoder, "word_dim", encoder.dim))
