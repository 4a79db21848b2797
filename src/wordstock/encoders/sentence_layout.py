"""What a sentence-transformers folder adds to a model: pooling, layers after it, prompts, length.

``modules.json`` lists the steps with a folder each, whose ``config.json`` holds the step's settings;
``config_sentence_transformers.json`` holds prompts, ``sentence_bert_config.json`` the longest text. A folder without
``modules.json`` is a bare transformer, whose tokens are averaged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from wordstock.encoders.config import Pooling
from wordstock.encoders.head import ACTIVATIONS, Dense, Head, LayerNorm
from wordstock.errors import FormatError, InputError
from wordstock.protocols import FloatArray

__all__ = ["HEAD_STEPS", "SentenceLayout", "read_json", "read_layout", "read_steps"]

_LISTING = "modules.json"

_POOLING: dict[str, Pooling] = {
    "cls": "cls",
    "max": "max",
    "mean": "mean",
    "mean_sqrt_len_tokens": "mean_sqrt",
    "weightedmean": "weighted_mean",
    "lasttoken": "last",
}
# Switches of older folders, in the order in which their vectors are put side by side.
_SWITCHES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
HEAD_STEPS = ("Dense", "LayerNorm")  # what has weights after pooling
_STEPS = ("Transformer", "WeightedLayerPooling", "Pooling", *HEAD_STEPS, "Normalize", "Dropout")


@dataclass(frozen=True)
class SentenceLayout:
    """Settings of a sentence-transformers folder, or what stands for them where there are none."""

    transformer: str = ""
    pooling: tuple[Pooling, ...] = ("mean",)
    first_layer: int | None = None
    layer_weights: tuple[float, ...] | None = None
    head: Head = ()
    unit: bool = False
    prompts: dict[str, str] = field(default_factory=dict)
    prompt: str = ""
    max_length: int | None = None
    lower_case: bool = False


def read_layout(folder: Path, *, allow_pickle: bool = False) -> SentenceLayout:
    """Read the steps of a folder.

    Raises
    ------
    FormatError
        A step that is not supported, or a file that is missing or damaged.
    """
    layout = SentenceLayout()
    steps = read_steps(folder)
    if not steps:
        return layout
    listing = folder / _LISTING
    if steps[0][0] != "Transformer":
        raise FormatError(listing, expected="a Transformer as the first step", found=str([name for name, _ in steps]))
    for name, path in steps:
        if layout.unit and name not in ("Normalize", "Dropout"):
            raise FormatError(listing, expected="Normalize as the last step", found=f"{name} after it")
        layout = _add(layout, name, path, folder, allow_pickle)
    return replace(layout, **_of_the_model(folder, layout.transformer))


def read_steps(folder: Path) -> list[tuple[str, str]]:
    """Name and subfolder of each step that ``modules.json`` lists; empty for a bare transformer.

    Raises
    ------
    FormatError
        A step that is not supported, or a listing that is damaged.
    """
    listing = folder / _LISTING
    if not listing.is_file():
        return []
    try:
        steps = json.loads(listing.read_bytes())
        named = [(str(step["type"]).rsplit(".", 1)[-1], str(step["path"])) for step in steps]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(listing, expected="a list of steps with type and path", found=f"{error!r:.120}") from error
    if not named:
        raise FormatError(listing, expected="a Transformer as the first step", found="no step")
    for name, path in named:
        if name not in _STEPS:
            raise FormatError(listing, expected=f"steps among {', '.join(_STEPS)}", found=name)
        if Path(path).is_absolute() or ".." in Path(path).parts:
            raise FormatError(listing, expected="paths below the folder", found=repr(path))
    return named


def _add(layout: SentenceLayout, name: str, path: str, folder: Path, allow_pickle: bool) -> SentenceLayout:
    if name == "Transformer":
        return replace(layout, transformer=path)
    if name == "Normalize":
        return replace(layout, unit=True)
    if name == "Dropout":
        return layout
    place = folder / path
    settings = read_json(place / "config.json")
    if name == "Pooling":
        return replace(layout, pooling=_pooling(settings, place / "config.json"))
    if name == "WeightedLayerPooling":
        weights = _tensors(place, allow_pickle).get("layer_weights")
        if weights is None:
            raise FormatError(place, expected="a tensor 'layer_weights'", found="none")
        first = settings.get("layer_start", 4)
        if not isinstance(first, int) or isinstance(first, bool) or first < 0:
            raise FormatError(place / "config.json", expected="a layer as layer_start", found=repr(first))
        return replace(layout, first_layer=first, layer_weights=tuple(map(float, weights.ravel())))
    tensors = _tensors(place, allow_pickle)
    try:
        step = _dense(settings, tensors) if name == "Dense" else LayerNorm(tensors["norm.weight"], tensors["norm.bias"])
        step.check_shapes()
    except (KeyError, InputError) as error:
        raise FormatError(place, expected=f"a {name} step", found=str(error)) from error
    return replace(layout, head=(*layout.head, step))


def _dense(settings: dict[str, Any], tensors: dict[str, FloatArray]) -> Dense:
    activation = str(settings.get("activation_function", "Tanh")).rsplit(".", 1)[-1]
    if activation not in ACTIVATIONS:
        raise InputError(f"the activation {activation}; known are {', '.join(ACTIVATIONS)}")
    for key, usual in (("module_input_name", "sentence_embedding"), ("module_output_name", "sentence_embedding")):
        if settings.get(key) not in (None, usual):
            raise InputError(f"{key} {settings[key]!r}; known is {usual!r}")
    adds = bool(settings.get("use_residual"))
    return Dense(tensors["linear.weight"], tensors.get("linear.bias"), activation, adds, tensors.get("residual.weight"))


def _pooling(settings: dict[str, Any], path: Path) -> tuple[Pooling, ...]:
    if settings.get("include_prompt") is False:
        raise FormatError(path, expected="pooling over prompt and text", found="include_prompt false: not supported")
    given = settings.get("pooling_mode", [mode for switch, mode in _SWITCHES.items() if settings.get(switch)] or "mean")
    modes = [given] if isinstance(given, str) else given
    if not isinstance(modes, list) or not modes:
        raise FormatError(path, expected="a pooling mode or a list of them", found=repr(given))
    if unknown := [mode for mode in modes if mode not in _POOLING]:
        raise FormatError(path, expected=f"pooling among {', '.join(_POOLING)}", found=repr(unknown[0]))
    return tuple(_POOLING[mode] for mode in modes)


def _of_the_model(folder: Path, transformer: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    general = folder / "config_sentence_transformers.json"
    if general.is_file():
        values = read_json(general)
        prompts = values.get("prompts") or {}
        if not isinstance(prompts, dict):
            raise FormatError(general, expected="prompts by name", found=f"{prompts!r:.80}")
        found["prompts"] = {name: text for name, text in prompts.items() if isinstance(text, str)}
        default = values.get("default_prompt_name")
        found["prompt"] = default if isinstance(default, str) and default in found["prompts"] else ""
    for place in (folder / transformer, folder):
        limits = place / "sentence_bert_config.json"
        if limits.is_file():
            values = read_json(limits)
            length = values.get("max_seq_length")
            found["max_length"] = length if isinstance(length, int) and length > 0 else None
            found["lower_case"] = bool(values.get("do_lower_case"))
            break
    return found


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises
    ------
    FormatError
        The file is not there, or holds something else.
    """
    try:
        values = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        remedy = "fetch or save the model again"
        raise FormatError(path, expected="a JSON object", found="no such file", remedy=remedy) from error
    except (OSError, ValueError, RecursionError) as error:
        raise FormatError(path, expected="a JSON object", found=f"{error!r:.120}") from error
    if not isinstance(values, dict):
        raise FormatError(path, expected="a JSON object", found=type(values).__name__)
    return values


def _tensors(folder: Path, allow_pickle: bool) -> dict[str, FloatArray]:
    import safetensors
    from safetensors.numpy import load_file

    path = folder / "model.safetensors"
    if not path.is_file() and (folder / "pytorch_model.bin").is_file() and allow_pickle:
        from wordstock.encoders.backends.torch import read_pickled

        return read_pickled(folder / "pytorch_model.bin")
    try:
        return {name: np.asarray(array, np.float32) for name, array in load_file(path).items()}
    except (OSError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise FormatError(path, expected="tensors in safetensors format", found=f"{error!r:.120}") from error
