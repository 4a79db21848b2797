"""A picture of what a classifier takes for what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from wordstock._files import atomic_write
from wordstock._optional import require
from wordstock.errors import InputError
from wordstock.evaluate.classes import ClassReport

__all__ = ["plot_confusion"]

_NUMBERED = 40  # classes up to which each cell has its number
_FEW = 20  # classes that get wide cells
_GAMMA = 0.5  # so that one mistake in fifty is seen
_LONGEST = 30  # characters of a name that are shown


def plot_confusion(report: ClassReport, path: Path | str, *, most: int = 40, title: str = "") -> None:
    """Draw the confusion matrix and write a PNG, atomically.

    A row is a label, a column what was predicted; colours are shares of a row, numbers are texts.

    Parameters
    ----------
    most : classes at most; of more, those with the most mistakes from or to them are drawn.

    Raises
    ------
    InputError
        A report on several labels per text, which has no such matrix; or ``most`` below 2.
    MissingExtraError
        matplotlib is not installed.
    StorageError
        The file cannot be written.
    """
    if report.matrix is None:
        raise InputError("several labels per text have no confusion matrix; look at the figures of each label")
    if most < 2:
        raise InputError(f"most={most}: at least 2 classes")
    figures = require("matplotlib.figure", extra="plot", purpose="drawing a confusion matrix")
    require("matplotlib.backends.backend_agg", extra="plot", purpose="drawing a confusion matrix")
    matrix, names, note = report.matrix, [_short(one.label) for one in report.classes], ""
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    if len(names) > most:
        wrong = matrix.sum(axis=0) + matrix.sum(axis=1) - 2 * np.diag(matrix)
        kept = np.sort(np.argsort(-wrong, kind="stable")[:most])
        note = f"the {most} of {len(names)} classes with the most mistakes"
        matrix, share, names = matrix[np.ix_(kept, kept)], share[np.ix_(kept, kept)], [names[i] for i in kept]
    side = 2.8 + (0.42 if len(names) <= _FEW else 0.26) * max(len(names), 5)
    figure = figures.Figure(figsize=(side + 0.8, side), dpi=110, layout="constrained")
    axes = figure.subplots()
    colours = require("matplotlib.colors", extra="plot", purpose="drawing a confusion matrix")
    drawn = axes.imshow(share, cmap="Blues", norm=colours.PowerNorm(_GAMMA, vmin=0, vmax=1))
    size = 9 if len(names) <= _FEW else 7
    # names are text: between two dollar signs matplotlib would read a formula
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=size, parse_math=False)
    axes.set_yticks(range(len(names)), names, fontsize=size, parse_math=False)
    axes.set(xlabel="predicted", ylabel="label")
    lines = (title or _headline(report), note)
    axes.set_title("\n".join(line for line in lines if line), fontsize=10, parse_math=False)
    if len(names) <= _NUMBERED:
        _number(axes, matrix, share)
    figure.colorbar(drawn, ax=axes, shrink=0.6, label="share of the label's texts")
    with atomic_write(path) as stream:
        figure.savefig(stream, format="png")


def _number(axes: Any, matrix: Any, share: Any) -> None:
    for row, column in zip(*matrix.nonzero(), strict=True):
        colour = "white" if share[row, column] ** _GAMMA > 0.55 else "black"
        axes.text(
            column,
            row,
            f"{matrix[row, column]:,}",
            ha="center",
            va="center",
            color=colour,
            fontsize=8 if len(matrix) <= _FEW else 6,
        )


def _headline(report: ClassReport) -> str:
    return f"{report.texts:,} texts, accuracy {report.accuracy:.3f}, macro-F1 {report.macro.f1:.3f}"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
