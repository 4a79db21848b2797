"""What a file or folder holds, told by its first bytes or its ``config.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wordstock.embeddings.tensor_file import is_safetensors

__all__ = ["config_of", "is_encoder", "is_static_model", "looks_native"]

_PEEK = 4096  # bytes read to tell a native file: its header names wordstock within the first hundred


def looks_native(path: Path) -> bool:
    """Whether the file's first bytes are those of a wordstock table."""
    with path.open("rb") as stream:
        start = stream.read(_PEEK)
    return is_safetensors(start) and b'"wordstock"' in start


def is_encoder(folder: Path) -> bool:
    """Whether a folder holds a contextual model: its configuration counts layers.

    Older sentence-transformers folders keep that configuration in a subfolder.
    """
    config = config_of(folder) or config_of(folder / "0_Transformer") or {}
    return bool({"num_hidden_layers", "n_layers", "n_layer", "num_layers"} & config.keys())


def is_static_model(folder: Path) -> bool:
    """Whether a folder holds a static model in the layout of model2vec: a tensor ``embeddings`` and a tokeniser."""
    from wordstock.formats.model2vec import is_model2vec

    return not is_encoder(folder) and is_model2vec(folder)


def config_of(folder: Path) -> dict[str, Any] | None:
    """What the folder's ``config.json`` says; None if it is not there or no JSON object."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return config if isinstance(config, dict) else None
