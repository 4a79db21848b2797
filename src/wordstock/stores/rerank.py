"""A second look at the best rows: a cross-encoder reads query and text together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wordstock._optional import require
from wordstock.errors import InputError
from wordstock.protocols import Hit

__all__ = ["Reranker", "reranked", "resolve_reranker"]

Reranker = Callable[[str, Sequence[str]], Sequence[float]]  # query, texts → a score each, higher is better


def resolve_reranker(given: Any) -> Reranker:
    """A function of (query, texts), the ``predict`` of a CrossEncoder, or a CrossEncoder loaded from a folder.

    Raises
    ------
    InputError
        Something else.
    MissingExtraError
        A folder, and sentence-transformers is not installed.
    """
    if isinstance(given, str | Path):
        module = require("sentence_transformers", extra="rerank", purpose="a cross-encoder")
        given = module.CrossEncoder(str(given), local_files_only=Path(given).is_dir())
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
