"""The learning curves as a PNG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from wordstock._optional import require
from wordstock.evaluate.report.colours import bands, looks

if TYPE_CHECKING:
    from wordstock.evaluate.report.report import TransferReport

__all__ = ["picture"]


def picture(report: TransferReport) -> bytes:
    """Score over labels, with 95 % intervals.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    require("matplotlib", extra="report", purpose="the picture of a report")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    figure = Figure(figsize=(9, 5.4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    curves = report.analysis.curves
    for curve in curves:
        colour, dashed = looks(curves)[curve.method]
        budgets = np.array([stop.budget for stop in curve.stops])
        scores = 100 * np.array([stop.score for stop in curve.stops])
        halves = 100 * np.array([stop.half or 0.0 for stop in curve.stops])
        line = axes.plot(budgets, scores, "--" if dashed else "-", marker="o", markersize=4, color=colour)
        line[0].set_label(_plain(curve.method))
        if not bands(report.facts["seeds"]):
            continue
        axes.fill_between(
            budgets,
            np.maximum(scores - halves, 0),
            np.minimum(scores + halves, 100),
            color=colour,
            alpha=0.12,
            linewidth=0,
        )
    axes.set_xscale("log")
    axes.set_xticks(sorted({stop.budget for curve in curves for stop in curve.stops}))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(str(report.facts["unit"]))
    axes.set_ylabel(f"{report.facts['metric']}, %")
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": "wordstock"})
    return out.getvalue()


def _plain(name: str) -> str:
    """Text in which matplotlib sees no formula."""
    return name.replace("$", r"\$")
