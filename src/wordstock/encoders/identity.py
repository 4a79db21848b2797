"""What tells one contextual encoder from another: its fingerprint."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from wordstock.embeddings.digest import digest_of
from wordstock.encoders.config import ContextConfig
from wordstock.encoders.file_digests import file_digest
from wordstock.encoders.folder import ModelFolder
from wordstock.encoders.head import Dense, LayerNorm

__all__ = ["fingerprint_of", "weights_digest"]

# Notes in config.json that change nothing of what the model computes.
_NOTES = {"_name_or_path", "architectures", "auto_map", "dtype", "torch_dtype", "transformers_version", "use_cache"}
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "merges.txt", "sentencepiece.bpe.model")


def weights_digest(model: ModelFolder) -> str:
    """SHA-256 over the weights' files, the tokeniser and the configuration; what a converted copy is kept under."""
    state = hashlib.sha256()
    for path in (*model.weights, *_tokenizer_files(model.weights_folder)):
        state.update(file_digest(path))
    plain = {name: value for name, value in model.config.items() if name not in _NOTES}
    state.update(json.dumps([plain, model.layout.lower_case], sort_keys=True).encode())
    return state.hexdigest()


def fingerprint_of(digest: str, model: ModelFolder, config: ContextConfig, family: str = "") -> str:
    """Hash of the weights' digest, the layers after pooling, and every setting that is not the default one.

    Parameters
    ----------
    family : the backend, where its vectors are not those of the others.
    """
    usual = ContextConfig().to_dict()
    chosen: dict[str, Any] = {name: value for name, value in config.to_dict().items() if value != usual[name]}
    chosen["max_length"] = config.max_length or model.max_length
    if family:
        chosen["backend"] = family
    arrays: dict[str, np.ndarray[Any, Any] | None] = {}
    for number, step in enumerate(model.head):
        arrays |= {f"{number} weight": step.weight, f"{number} bias": step.bias}
        if isinstance(step, Dense):
            arrays[f"{number} residual"] = step.residual
            chosen[f"{number} dense"] = [step.activation, step.add_input]
        elif isinstance(step, LayerNorm):
            chosen[f"{number} norm"] = step.epsilon
    return digest_of(arrays, f"{digest} {json.dumps(chosen, sort_keys=True)}")


def _tokenizer_files(folder: Path) -> list[Path]:
    found = [folder / name for name in _TOKENIZERS if (folder / name).is_file()]
    return found[:1] if found and found[0].name == _TOKENIZERS[0] else found
