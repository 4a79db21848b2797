"""A second look at the best rows: a cross-encoder reads query and text together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wordstock._optional import require
from wordstock._paths import user_path
from wordstock.errors import FormatError, InputError
from wordstock.hub import fetch
from wordstock.protocols import Hit

__all__ = ["Reranker", "reranked", "resolve_reranker"]

Reranker = Callable[[str, Sequence[str]], Sequence[float]]  # query, texts → a score each, higher is better


def resolve_reranker(given: Any) -> Reranker:
    """A function of (query, texts), the ``predict`` of a CrossEncoder, or one of a folder or ``hf:org/name``.

    Raises
    ------
    InputError
        Something else, or no such folder.
    FormatError
        A folder that holds no cross-encoder, or one whose weights are not in safetensors.
    MissingExtraError
        A folder, and sentence-transformers is not installed.
    DownloadError, OfflineError, StorageError
        As ``wordstock.hub.fetch``.
    """
    if isinstance(given, str | Path):
        module = require("sentence_transformers", extra="rerank", purpose="a cross-encoder")
        given = _opened(module, _folder(str(given)))
    predict = getattr(given, "predict", None)
    if callable(predict):

        def read_together(query: str, texts: Sequence[str]) -> Sequence[float]:
            scores: Sequence[float] = predict([(query, text) for text in texts], show_progress_bar=False)
            return scores

        return read_together
    if not callable(given):
        raise InputError(f"rerank is a function of (query, texts), a CrossEncoder or its folder, not {given!r:.80}")
    reranker: Reranker = given
    return reranker


def _folder(name: str) -> Path:
    if name.startswith("hf:"):
        return fetch(name)
    path = user_path(name, "rerank")
    if not path.is_dir():
        raise InputError(f"rerank={name!r}: no such folder; a cross-encoder on the Hugging Face hub is 'hf:org/name'")
    return path


def _opened(module: Any, folder: Path) -> Any:
    """The cross-encoder of a folder, whose weights are never unpickled and whose code is never run."""
    try:
        return module.CrossEncoder(str(folder), local_files_only=True, model_kwargs={"use_safetensors": True})
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise FormatError(
            folder,
            expected="a cross-encoder with its tokenizer and safetensors weights",
            found=f"something else ({' '.join(str(error).split())[:160]})",
            remedy="give the folder of a sequence classification model",
        ) from error


def reranked(reranker: Reranker, query: str, hits: Sequence[Hit], k: int) -> list[Hit]:
    """The k best by the reranker's scores, which take the place of those before.

    Raises
    ------
    InputError
        Not one finite score a text.
    """
    if not hits:
        return []
    scores = np.asarray(reranker(query, [hit.text for hit in hits]), np.float64)
    if scores.shape != (len(hits),) or not np.isfinite(scores).all():
        raise InputError(f"the reranker gave scores of shape {scores.shape} for {len(hits)} texts, or not all finite")
    order = np.argsort(-scores, kind="stable")[:k]
    return [hits[i]._replace(score=float(scores[i])) for i in order.tolist()]
