"""Two rankings made one: by reciprocal ranks (Cormack, Clarke & Büttcher 2009) or by weighted scores."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Literal

from wordstock.errors import InputError
from wordstock.protocols import Hit

__all__ = ["Fusion", "check_fusion", "fuse"]

Fusion = Literal["rrf"] | tuple[float, float]

_K = 60  # of reciprocal rank fusion, as in its paper


def check_fusion(fusion: Fusion) -> None:
    """Refuse what is no way of fusing.

    Raises
    ------
    InputError
        Neither "rrf" nor two weights.
    """
    if fusion == "rrf":
        return
    good = isinstance(fusion, tuple) and len(fusion) == 2 and all(isinstance(one, int | float) for one in fusion)
    if not good or min(fusion) < 0 or sum(fusion) <= 0:
        raise InputError(f"fusion={fusion!r}: 'rrf', or the weights of vectors and of keywords such as (0.6, 0.4)")


def fuse(dense: Sequence[Hit], keyword: Sequence[Hit], k: int, fusion: Fusion) -> list[Hit]:
    """The k best of both lists; equal scores in the order of the first list, then of the second.

    With "rrf" a row scores 1 / (60 + rank) in each list it is in. With weights, each list's scores are moved to 0..1
    (its last row 0, its first 1) and a row that is missing scores 0.
    """
    scores: dict[str, float] = {}
    hits: dict[str, Hit] = {}
    for place, found in enumerate((dense, keyword)):
        parts = _ranks(found) if fusion == "rrf" else _scaled(found, float(fusion[place]))
        for hit, part in zip(found, parts, strict=True):
            scores[hit.id] = scores.get(hit.id, 0.0) + part
            if hit.id not in hits or (hit.text and not hits[hit.id].text):
                hits[hit.id] = hit
    best = heapq.nsmallest(k, enumerate(scores), key=lambda one: (-scores[one[1]], one[0]))
    return [hits[name]._replace(score=scores[name]) for _, name in best]


def _ranks(found: Sequence[Hit]) -> list[float]:
    return [1 / (_K + rank) for rank in range(1, len(found) + 1)]


def _scaled(found: Sequence[Hit], weight: float) -> list[float]:
    if not found:
        return []
    low, high = found[-1].score, found[0].score
    width = high - low
    return [weight * ((hit.score - low) / width if width > 0 else 1.0) for hit in found]
