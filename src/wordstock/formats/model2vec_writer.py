"""A table as a folder in the layout of model2vec, which then gives the vectors that the table's ``encode`` gives.

``model.safetensors``: ``embeddings`` float32 (n_keys + 1, dim), weighted as ``encode`` weighs them, with the directions
that it removes removed; the last row, zeros, is that of unknown words, which model2vec leaves out of its means.
``tokenizer.json``: keys and word borders in the words of the tokenizers library. ``config.json``: whether sentence
vectors are scaled to length 1. ``modules.json``: for sentence-transformers, which counts unknown words in its means.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from wordstock._files import storage_errors
from wordstock._paths import user_path
from wordstock.embeddings import Embeddings
from wordstock.embeddings.sentence import sif_weights
from wordstock.embeddings.storage import BLOCK_ROWS
from wordstock.errors import InputError
from wordstock.protocols import FloatArray
from wordstock.text import Tokenizer
from wordstock.text.scripts import script_ranges

__all__ = ["write_model2vec"]

_WORD = r"\p{L}\p{N}"  # what Python's \w holds, the underscore aside
_MARK = r"\p{Mn}\p{Mc}"


def write_model2vec(table: Embeddings, folder: Path | str) -> None:
    """Write a folder that ``model2vec.StaticModel.from_pretrained`` opens.

    Its ``encode`` gives the vectors that ``table.encode`` gives, but where ``wordstock.formats.losses`` says otherwise.

    Parameters
    ----------
    folder : a name that is free, or an empty folder; written beside and moved into place.

    Raises
    ------
    InputError
        A folder that holds something, an empty table, or settings that such a folder cannot express: ``phrases``,
        ``case="fallback"``, ``unknown="subword"``, a segmenter, a splitter of one's own.
    StorageError
        The folder cannot be written.
    """
    folder = user_path(folder, "folder")
    _check(table)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists already; remove it or write to another name")
    part = folder.parent / f".{folder.name}.{secrets.token_hex(6)}.part"
    with storage_errors(folder):
        try:
            part.mkdir(parents=True)
            _write_vectors(_encoded_vectors(table), part / "model.safetensors")
            unit = table.config.unit
            for name, value in {
                "tokenizer.json": _tokenizer(table),
                "config.json": _config(table),
                "modules.json": _modules(unit),
            }.items():
                _write(part / name, json.dumps(value, ensure_ascii=False).encode())
            if unit:
                (part / "1_Normalize").mkdir()
            part.replace(folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise


def _check(table: Embeddings) -> None:
    config, tokenizer = table.config, table.config.tokenizer
    settings = {
        f"phrases={config.phrases!r}": config.phrases is not None,
        f"case={config.case!r}": config.case != "exact",
        f"unknown={config.unknown!r}": config.unknown != "skip",
        f"split={tokenizer.split!r}": tokenizer.split != "words",
        f"unspaced={tokenizer.unspaced!r}": tokenizer.unspaced not in ("characters", "keep"),
    }
    if found := [name for name, there in settings.items() if there]:
        raise InputError(
            f"a model2vec folder cannot express {', '.join(found)}; change the table's settings with with_config first"
        )
    if not len(table):
        raise InputError("the table is empty: there is nothing to write")


def _free_key(table: Embeddings) -> str:
    """What unknown words become: something that is no key."""
    key = "[UNK]"
    while key in table.vocabulary:
        key = f"[{key}]"
    return key


def _encoded_vectors(table: Embeddings) -> FloatArray:
    """The vector that each key adds to a mean, float32 (n_keys + 1, dim); zeros last."""
    vocabulary, storage = table.vocabulary, table.storage
    rows = np.arange(len(table)) if vocabulary.rows is None else vocabulary.rows
    weights = None
    if table.config.pooling == "sif":
        weights = sif_weights(table.frequencies, vocabulary.rows, len(storage), table.config.sif_a)
    out = np.zeros((len(table) + 1, table.dim), np.float32)
    for start in range(0, len(table), BLOCK_ROWS):
        part = rows[start : start + BLOCK_ROWS]
        block = storage.take(part)
        if weights is not None:
            block *= weights[part, None]
        if table.common is not None:
            block -= (block @ table.common.T) @ table.common
        out[start : start + len(part)] = block
    return out


def _write_vectors(vectors: FloatArray, path: Path) -> None:
    """One tensor by hand, so that nothing is copied: safetensors is a JSON header with its length, then the bytes."""
    entry = {"dtype": "F32", "shape": list(vectors.shape), "data_offsets": [0, vectors.nbytes]}
    header = json.dumps({"embeddings": entry}).encode()
    header += b" " * (-len(header) % 8)
    _write(path, len(header).to_bytes(8, "little") + header, vectors.astype("<f4", copy=False).data)


def _write(path: Path, *pieces: bytes | memoryview) -> None:
    with path.open("xb") as stream:
        for piece in pieces:
            stream.write(piece)
        stream.flush()
        os.fsync(stream.fileno())


def _config(table: Embeddings) -> dict[str, Any]:
    return {
        "model_type": "model2vec",
        "architectures": ["StaticModel"],
        "tokenizer_name": table.card.name,
        "hidden_dim": table.dim,
        "seq_length": 1_000_000,
        "max_length": None,  # texts are not cut
        "normalize": table.config.unit,
        "embedding_dtype": "float32",
    }


def _modules(unit: bool) -> list[dict[str, Any]]:
    steps = [("", "StaticEmbedding")] + ([("1_Normalize", "Normalize")] if unit else [])
    return [
        {"idx": number, "name": str(number), "path": path or ".", "type": f"sentence_transformers.models.{kind}"}
        for number, (path, kind) in enumerate(steps)
    ]


def _tokenizer(table: Embeddings) -> dict[str, Any]:
    unknown = _free_key(table)
    vocabulary = {key: number for number, key in enumerate(table.keys)}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Sequence", "normalizers": _normalizers(table.config.tokenizer)},
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"Regex": _pattern(table.config.tokenizer)},
            "behavior": "Removed",
            "invert": True,  # keeps what the pattern finds
        },
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": {**vocabulary, unknown: len(vocabulary)}, "unk_token": unknown},
    }


def _normalizers(tokenizer: Tokenizer) -> list[dict[str, Any]]:
    """``Tokenizer.normalize``, and the space that it puts before ``n't``."""
    steps: list[dict[str, Any]] = [{"type": "NFC"}, _replace({"String": "’"}, "'")]
    if tokenizer.casing == "lower":
        # The library lowers each letter by itself; Python knows the sigma at the end of a word.
        steps += [_replace({"Regex": r"(?<=\p{L})Σ(?!\p{L})"}, "ς"), {"type": "Lowercase"}]
    if tokenizer.digits == "zero":
        steps.append(_replace({"Regex": r"\p{Nd}"}, "0"))
    if tokenizer.contractions == "english":
        steps += [_replace({"String": "n't"}, " n't"), _replace({"String": "N'T"}, " N'T")]
    return steps


def _replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


def _pattern(tokenizer: Tokenizer) -> str:
    """The tokeniser's words in the words of the Oniguruma library, whose character classes are other ones."""
    letter, apart = f"[{_WORD}{_MARK}]", ""
    if tokenizer.unspaced == "characters":
        ranges = script_ranges()
        letter = f"(?:(?![{ranges}])[{_WORD}]|[{_MARK}])"
        apart = f"(?=[{_WORD}])[{ranges}][{_MARK}]*|"
    other = rf"[^{_WORD}_\s]"
    if tokenizer.contractions == "none":
        return rf"{apart}(?:{letter}|_)+|{other}"
    ends = rf"(?![{_WORD}_])"
    short = rf"[nN]'[tT]{ends}|'(?:s|re|ve|ll|d|m|S|RE|VE|LL|D|M){ends}|"
    return rf"{apart}{short}{letter}+(?:_{letter}+)*|{other}|_"
