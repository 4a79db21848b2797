"""A folder of a Hugging Face encoder, read without loading its weights.

``config.json`` names the family and its sizes; ``model.safetensors``, or the shards that its ``.index.json`` lists,
hold the weights; ``tokenizer.json`` and ``tokenizer_config.json`` the tokeniser. A sentence-transformers folder adds
what ``sentence_layout`` reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wordstock._paths import user_path
from wordstock.encoders.architectures import Architecture, architecture_of
from wordstock.encoders.head import Head
from wordstock.encoders.sentence_layout import SentenceLayout, read_json, read_layout
from wordstock.errors import FormatError, UnknownModelError

__all__ = ["ModelFolder", "read_folder"]

_SAFE, _INDEX, _PICKLED = "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"


@dataclass(frozen=True)
class ModelFolder:
    """What a folder says of its model.

    Parameters
    ----------
    path : the folder; ``weights_folder`` is it or the subfolder that holds the transformer.
    kind : ``model_type``, such as "bert".
    weights : the files of the weights; ``pickled`` if they are in PyTorch's old format.
    n_layers, hidden : layers beyond the embedding layer, and the length of a hidden state.
    max_length : tokens that the model takes at once, special ones included.
    layout : pooling, prompts and the like, of a sentence-transformers folder or the defaults.
    """

    path: Path
    weights_folder: Path
    kind: str
    architecture: Architecture
    config: dict[str, Any]
    weights: tuple[Path, ...]
    pickled: bool
    n_layers: int
    hidden: int
    max_length: int
    pad_id: int
    layout: SentenceLayout

    @property
    def head(self) -> Head:
        """What comes after pooling."""
        return self.layout.head


def read_folder(path: Path | str, *, allow_pickle: bool = False) -> ModelFolder:
    """Read what a folder says of its model.

    Parameters
    ----------
    allow_pickle : also take weights in PyTorch's pickle format, where there are no others.

    Raises
    ------
    UnknownModelError
        No such folder.
    ModelError
        A family that is not supported.
    FormatError
        A file that is missing, damaged or, unless ``allow_pickle``, pickled.
    """
    path = user_path(path)
    if not path.is_dir():
        raise UnknownModelError(f"no such folder: {str(path)!r}")
    layout = read_layout(path, allow_pickle=allow_pickle)
    inner = path / layout.transformer
    config = read_json(inner / "config.json")
    architecture = architecture_of(config, inner)
    weights, pickled = _weights(inner, allow_pickle)
    sizes = [_size(config, key, inner) for key in (architecture.layers, architecture.hidden, architecture.positions)]
    pad = config.get("pad_token_id")
    pad_id = pad if isinstance(pad, int) and pad >= 0 else 0
    positions = sizes[2] - (pad_id + 1 if architecture.shifted else 0)
    lengths = [positions, layout.max_length, _tokenizer_length(inner)]
    return ModelFolder(
        path=path,
        weights_folder=inner,
        kind=str(config["model_type"]),
        architecture=architecture,
        config=config,
        weights=weights,
        pickled=pickled,
        n_layers=sizes[0],
        hidden=sizes[1],
        max_length=min(length for length in lengths if length),
        pad_id=pad_id,
        layout=layout,
    )


def _weights(folder: Path, allow_pickle: bool) -> tuple[tuple[Path, ...], bool]:
    if (folder / _SAFE).is_file():
        return (folder / _SAFE,), False
    if (folder / _INDEX).is_file():
        return _shards(folder), False
    if not (folder / _PICKLED).is_file():
        raise FormatError(folder, expected=_SAFE, found="no weights", remedy="fetch or save the model again")
    if not allow_pickle:
        raise FormatError(
            folder / _PICKLED,
            expected=f"weights in {_SAFE}",
            found="only pickled ones, which can run any code when they are opened",
            remedy="convert them to safetensors, or pass allow_pickle=True if you trust whoever made the file",
        )
    return (folder / _PICKLED,), True


def _shards(folder: Path) -> tuple[Path, ...]:
    listed = read_json(folder / _INDEX).get("weight_map")
    names = sorted({str(name) for name in listed.values()}) if isinstance(listed, dict) else []
    for name in names:
        if Path(name).name != name or not (folder / name).is_file():
            raise FormatError(folder / _INDEX, expected="names of files beside it", found=repr(name))
    if not names:
        raise FormatError(folder / _INDEX, expected="a weight_map of shards", found="none")
    return tuple(folder / name for name in names)


def _size(config: dict[str, Any], key: str, folder: Path) -> int:
    value = config.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise FormatError(folder / "config.json", expected=f"a positive whole number as {key}", found=repr(value))
    return value


def _tokenizer_length(folder: Path) -> int | None:
    path = folder / "tokenizer_config.json"
    if not path.is_file():
        return None
    length = read_json(path).get("model_max_length")  # 1e30 stands for no limit
    return int(length) if isinstance(length, int | float) and length >= 1 else None
