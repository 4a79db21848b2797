"""A picture of words as points in the plane, near where their vectors are near."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wordstock._files import atomic_write
from wordstock._optional import require
from wordstock.embeddings import Embeddings
from wordstock.errors import InputError

__all__ = ["plane_coordinates", "word_map"]


def plane_coordinates(embeddings: Embeddings, words: Sequence[str], *, seed: int = 0) -> npt.NDArray[np.float64]:
    """Two coordinates per word by t-SNE over cosine distance (van der Maaten & Hinton 2008), float64 (n, 2).

    Raises
    ------
    UnknownWordError
        A word that is not in the table.
    InputError
        Fewer than four words.
    """
    from sklearn.manifold import TSNE

    if len(words) < 4:
        raise InputError(f"a map needs at least 4 words, not {len(words)}")
    vectors = embeddings.vectors(words)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    perplexity = min(12.0, (len(words) - 1) / 3)
    method = "exact" if len(words) <= 1000 else "barnes_hut"
    model = TSNE(2, perplexity=perplexity, init="pca", method=method, random_state=seed)
    coordinates: npt.NDArray[np.float64] = np.asarray(model.fit_transform(vectors), np.float64)
    return coordinates


def word_map(
    embeddings: Embeddings, groups: Mapping[str, Sequence[str]], path: Path | str, *, title: str = "", seed: int = 0
) -> None:
    """Draw the words of several groups, one colour each, and write a PNG, atomically.

    Only the colours know the groups; the places come from the vectors alone.

    Raises
    ------
    UnknownWordError, InputError
        As ``plane_coordinates``.
    MissingExtraError
        matplotlib is not installed.
    StorageError
        The file cannot be written.
    """
    figures = require("matplotlib.figure", extra="plot", purpose="drawing a word map")
    require("matplotlib.backends.backend_agg", extra="plot", purpose="drawing a word map")
    words = [word for group in groups.values() for word in group]
    places = plane_coordinates(embeddings, words, seed=seed)
    figure = figures.Figure(figsize=(10, 7), dpi=110, layout="constrained")
    axes = figure.subplots()
    labels, start = [], 0
    for number, (name, group) in enumerate(groups.items()):
        points = places[start : start + len(group)]
        start += len(group)
        colour = f"C{number % 10}"
        axes.scatter(points[:, 0], points[:, 1], s=18, color=colour, label=name)
        labels += [
            axes.annotate(word, tuple(point), (5, 0), textcoords="offset points", fontsize=9, color=colour, va="center")
            for word, point in zip(group, points, strict=True)
        ]
    axes.set(xticks=[], yticks=[], title=title)
    axes.margins(0.08)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.legend(loc="best", frameon=False, fontsize=9)
    figure.canvas.draw()
    _spread(labels, axes.transData.transform(places))
    with atomic_write(path) as stream:
        figure.savefig(stream, format="png")


def _spread(labels: Sequence[Any], dots: npt.NDArray[np.float64]) -> None:
    """Move each label to the side of its dot where it covers the least of the dots and of the labels placed before."""
    reach = 5.0  # pixels around a dot that a label should leave free
    taken = np.column_stack([dots - reach, dots + reach])
    for number, label in enumerate(labels):
        box = label.get_window_extent()
        others = np.delete(taken, number, axis=0)
        costs = []
        for (x, y), horizontal, vertical in _SIDES:
            left = dots[number, 0] + 1.5 * x - {"left": 0.0, "center": 0.5, "right": 1.0}[horizontal] * box.width
            low = dots[number, 1] + 1.5 * y - {"bottom": 0.0, "center": 0.5, "top": 1.0}[vertical] * box.height
            mine = np.array([left, low, left + box.width, low + box.height])
            sides = np.minimum(mine[2:], others[:, 2:]) - np.maximum(mine[:2], others[:, :2])
            costs.append((float(np.prod(np.maximum(sides, 0), axis=1).sum()), mine))
        best = min(range(len(_SIDES)), key=lambda side: costs[side][0])
        offset, horizontal, vertical = _SIDES[best]
        label.set(position=offset, ha=horizontal, va=vertical)
        taken = np.vstack([taken, costs[best][1]])


# Offset in points, horizontal and vertical alignment of a label, the best-looking side first.
_SIDES = (
    ((5, 0), "left", "center"),
    ((-5, 0), "right", "center"),
    ((0, 5), "center", "bottom"),
    ((0, -5), "center", "top"),
)
