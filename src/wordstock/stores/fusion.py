"""Two rankings made one: by weighted scores (Bruch, Gai & Ingber 2023, doi:10.1145/3596512) or by reciprocal ranks
(Cormack, Clarke & Büttcher 2009).

With weights, a list's scores are divided by its best one after the lowest that could be, not the lowest found, was
taken off both: vectors that all rows are near to, as means of word vectors are, then move little, and their ranking
cannot drown a better one of the words, which reciprocal ranks let it do.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import Literal

from wordstock.errors import InputError
from wordstock.protocols import Hit

__all__ = ["WEIGHTS", "Fusion", "check_fusion", "fuse"]

Fusion = Literal["rrf"] | tuple[float, float]

WEIGHTS = (0.8, 0.2)  # of vectors and of keywords: as in the paper
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
    if not good or not all(0 <= one < math.inf for one in fusion) or sum(fusion) <= 0:
        raise InputError(f"fusion={fusion!r}: 'rrf', or the weights of vectors and of keywords such as {WEIGHTS}")


def fuse(
    dense: Sequence[Hit], keyword: Sequence[Hit], k: int, fusion: Fusion, *, depth: int, lowest: float = -1.0
) -> list[Hit]:
    """The k best of both lists; equal scores in the order of the first list, then of the second.

    Parameters
    ----------
    dense, keyword : best first, each of ``depth`` rows, or of all that have a score.
    fusion : with "rrf" a row scores 1 / (60 + rank) in each list it is in. With weights it scores its share of the best
        score there; in a list that went on, a row that is missing counts as the last one: it has no more than that.
    lowest : score that the opposite of the query would have among the vectors; BM25's is 0.
    """
    scores: dict[str, float] = {}
    hits: dict[str, Hit] = {}
    missing = 0.0
    for place, (found, low) in enumerate(((dense, lowest), (keyword, 0.0))):
        if fusion == "rrf":
            parts, rest = _ranks(found), 0.0
        else:
            parts, rest = _shares(found, float(fusion[place]), low, goes_on=len(found) >= depth)
        missing += rest
        for hit, part in zip(found, parts, strict=True):
            scores[hit.id] = scores.get(hit.id, 0.0) + part - rest
            if hit.id not in hits or (hit.text and not hits[hit.id].text):
                hits[hit.id] = hit
    best = heapq.nsmallest(k, enumerate(scores), key=lambda one: (-scores[one[1]], one[0]))
    return [hits[name]._replace(score=scores[name] + missing) for _, name in best]


def _ranks(found: Sequence[Hit]) -> list[float]:
    return [1 / (_K + rank) for rank in range(1, len(found) + 1)]


def _shares(found: Sequence[Hit], weight: float, low: float, *, goes_on: bool) -> tuple[list[float], float]:
    """What each row adds, and what a row that is not in the list does."""
    if not found:
        return [], 0.0
    low = min(low, found[-1].score)
    width = found[0].score - low
    parts = [weight * ((hit.score - low) / width if width > 0 else 1.0) for hit in found]
    return parts, parts[-1] if goes_on else 0.0
