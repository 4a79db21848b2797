"""A folder in the layout of model2vec, read as a table.

``model.safetensors`` holds ``embeddings`` (rows, dim; float32, float16 or int8), and perhaps ``mapping`` (row of each
token) and ``weights`` (factor of each token); ``tokenizer.json``, as the tokenizers library writes it, holds the
tokens; ``config.json`` says whether sentence vectors are scaled to length 1. See github.com/MinishLab/model2vec.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np

from wordstock._paths import user_path
from wordstock.embeddings import Card, Embeddings, EncodeConfig
from wordstock.embeddings.tensor_file import is_safetensors
from wordstock.errors import FormatError, InputError
from wordstock.text import Tokenizer

__all__ = ["FILES", "is_model2vec", "read_model2vec"]

FILES = ("model.safetensors", "tokenizer.json")

_Array = np.ndarray[Any, Any]
_NOTE = (
    "keys are pieces of words, and encode looks whole words up: wordstock.load of the folder encodes as model2vec does"
)
_PEEK = 4096  # bytes of the header that name the tensors


def is_model2vec(folder: Path) -> bool:
    """Whether a folder holds a tensor ``embeddings`` and a tokeniser."""
    weights, tokens = (folder / name for name in FILES)
    if not (weights.is_file() and tokens.is_file()):
        return False
    with weights.open("rb") as stream:
        start = stream.read(_PEEK)
    return is_safetensors(start) and b'"embeddings"' in start


def read_model2vec(folder: Path | str) -> Embeddings:
    """Read the tokens of a static model as keys.

    The table's ``encode`` looks whole words up; ``wordstock.encoders.StaticModel`` cuts text as the model does.

    Returns
    -------
    A table in memory; int8 values become float32 (model2vec keeps no scale, so lengths mean nothing there).

    Raises
    ------
    FormatError
        A file is missing or damaged.
    FileNotFoundError
        No such folder.
    """
    import safetensors
    from safetensors.numpy import load_file

    folder = user_path(folder, "folder")
    if not folder.is_dir():
        folder.stat()
        raise FormatError(folder, expected="a folder in the layout of model2vec", found="a file")
    weights_path, tokens_path = (folder / name for name in FILES)
    try:
        tensors = load_file(weights_path)
        vectors = tensors["embeddings"]
    except (OSError, KeyError, TypeError, AttributeError, safetensors.SafetensorError) as error:
        raise FormatError(weights_path, expected="a tensor 'embeddings'", found=f"{error!r:.200}") from error
    try:
        description = json.loads(tokens_path.read_bytes())
        keys, ids = _tokens(description)
        casing = _casing(description)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise FormatError(tokens_path, expected="tokens and their numbers", found=f"{error!r:.200}") from error
    factors = tensors.get("weights")
    _check_shapes(weights_path, vectors, tensors.get("mapping"), factors)
    rows = _rows(weights_path, ids, tensors.get("mapping"), len(vectors))
    matrix = vectors if vectors.dtype == np.float16 else vectors.astype(np.float32, copy=False)
    if factors is not None:
        _check_count(weights_path, "a weight", ids, len(factors))
        matrix, rows = matrix[rows] * factors[ids].astype(matrix.dtype)[:, None], np.arange(len(ids))
    unit = bool(read_settings(folder).get("normalize", False))
    config = EncodeConfig(pooling="mean", unit=unit, tokenizer=Tokenizer(casing=casing))
    matrix.flags.writeable = False  # spares a copy
    shared = None if len(rows) == len(matrix) and bool((rows == np.arange(len(rows))).all()) else rows
    try:
        return Embeddings.from_arrays(keys, matrix, rows=shared, card=Card(notes=(_NOTE,)), config=config)
    except InputError as error:
        raise FormatError(weights_path, expected="one usable vector per token", found=str(error)) from error


def read_settings(folder: Path) -> dict[str, Any]:
    """What ``config.json`` says.

    Raises
    ------
    FormatError
        It is not there, or no JSON object.
    """
    try:
        settings = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        settings = None
    if not isinstance(settings, dict):
        raise FormatError(folder / "config.json", expected="a JSON object", found="something else, or no file")
    return settings


def _check_shapes(path: Path, vectors: _Array, mapping: _Array | None, factors: _Array | None) -> None:
    for name, array, dimensions, kinds in (
        ("embeddings", vectors, 2, "fi"),
        ("mapping", mapping, 1, "iu"),
        ("weights", factors, 1, "f"),
    ):
        if array is not None and (array.ndim != dimensions or array.dtype.kind not in kinds):
            found = f"{array.dtype.name} of shape {array.shape}"
            raise FormatError(path, expected=f"{name!r} of {dimensions} dimensions", found=found)


def _check_count(path: Path, what: str, ids: _Array, count: int) -> None:
    if len(ids) and not 0 <= ids.min() <= ids.max() < count:
        raise FormatError(path, expected=f"{what} for each of {ids.max() + 1:,} tokens", found=f"{count:,}")


def _tokens(description: dict[str, Any]) -> tuple[list[str], np.ndarray[Any, np.dtype[np.int64]]]:
    """Tokens and their numbers, in order of number."""
    vocabulary = description["model"]["vocab"]
    if isinstance(vocabulary, dict):
        numbers = {str(token): int(number) for token, number in vocabulary.items()}
    else:  # Unigram: a list of (token, score)
        numbers = {str(token): number for number, (token, _) in enumerate(vocabulary)}
    for added in description.get("added_tokens") or []:
        numbers[str(added["content"])] = int(added["id"])
    keys = sorted(numbers, key=numbers.__getitem__)
    return keys, np.array([numbers[key] for key in keys], np.int64)


def _rows(path: Path, ids: _Array, mapping: _Array | None, size: int) -> Any:
    _check_count(path, "a row", ids, size if mapping is None else len(mapping))
    rows = ids if mapping is None else mapping[ids].astype(np.int64)
    if len(rows) and not 0 <= rows.min() <= rows.max() < size:
        raise FormatError(path, expected=f"rows from 0 to {size - 1:,}", found=f"{rows.min()} to {rows.max()}")
    return rows


def _casing(description: dict[str, Any]) -> Literal["lower", "keep"]:
    normalizer = description.get("normalizer") or {}
    steps = normalizer.get("normalizers", [normalizer])
    lowered = any(step.get("type") == "Lowercase" or step.get("lowercase") is True for step in steps)
    return "lower" if lowered else "keep"
