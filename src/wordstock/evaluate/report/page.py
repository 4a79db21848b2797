"""The report as one HTML page that needs no network: figures by plotly, whose script is part of the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from wordstock._optional import require
from wordstock.evaluate.report.colours import bands, looks
from wordstock.evaluate.report.words import equal_row

if TYPE_CHECKING:
    from wordstock.evaluate.report.analysis import Stop
    from wordstock.evaluate.report.report import TransferReport

__all__ = ["page"]

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem; margin-bottom: .2rem } h2 { font-size: 1.2rem; margin-top: 2.2rem }
.under { color: #555; margin-top: 0 }
.best { background: #f3f7ee; border-left: 4px solid #5c8a2b; padding: .8rem 1rem }
table { border-collapse: collapse; font-size: .9rem; margin: .6rem 0 1rem } .wide { overflow-x: auto }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap }
th:first-child, td:first-child, .words td, .words th { text-align: left } thead th { border-bottom: 2px solid #999 }
code, pre { font-size: .85rem; background: #f5f5f5; padding: .1rem .3rem } pre { padding: .7rem; overflow-x: auto }
.note { color: #555; font-size: .9rem }
"""
_HOW = """Each method learns from samples of growing size; a larger sample holds the smaller ones of its seed, and all
methods see the same samples and the same test set. Lines are means over the samples; bands and ± are 95 %
intervals of the mean (Student's t), which tell how much the choice of the sample matters, not the test
set's own sampling error. Seconds are of training, with the encoding of its texts; vectors of a frozen
encoder are computed once for all points and counted in each by their rate. CPU seconds are those of all threads and
processes together; what a GPU does is not in them. Memory is the process's largest
resident size while a method was trained and used; the loaded encoders are part of it. “The best” of several
methods is chosen by the same test scores, which flatters it a little."""


def page(report: TransferReport) -> str:
    """The page as text.

    Raises
    ------
    MissingExtraError
        plotly is not installed.
    """
    facts = report.facts
    title = f"Transfer report: {facts['data']}"
    classes = f", {facts['classes']} classes" if facts["classes"] else ""
    under = (
        f"{facts['training texts']:,} training and {facts['test texts']:,} test {_things(facts)}{classes}; "
        f"{facts['metric']}, {facts['seeds']} samples of each size; made {facts['made']}"
    )
    parts = [
        f"<h1>{escape(title)}</h1><p class='under'>{escape(under)}</p>",
        f"<p class='best' id='recommendation'>{escape(report.recommendation)}</p>",
        "<ul id='findings'>" + "".join(f"<li>{escape(one)}</li>" for one in report.findings) + "</ul>",
        *_figures(report),
        "<h2>Methods</h2>",
        _table(["method", "what it does"], ([name, told] for name, told in report.methods.items()), kind="words"),
        _left_out(facts["left out"]),
        "<h2>Labels needed for an equal score</h2>",
        _equals(report),
        "<h2>With pre-training against without</h2>",
        _verdicts(report),
        "<h2>Every point</h2>",
        _scores(report),
        "<h2>How it was measured</h2>",
        f"<p>{escape(_HOW)}</p>",
        _repeat(facts),
    ]
    body = "\n".join(parts)
    head = f"<meta charset='utf-8'><title>{escape(title)}</title><style>{_STYLE}</style>"
    viewport = "<meta name='viewport' content='width=device-width, initial-scale=1'>"
    return f"<!doctype html>\n<html lang='en'><head>{head}{viewport}</head>\n<body>\n{body}\n</body></html>\n"


def _figures(report: TransferReport) -> Iterable[str]:
    plotly = require("plotly.graph_objects", extra="report", purpose="the page of a report")
    written = require("plotly.io", extra="report", purpose="the page of a report")
    unit, metric = report.facts["unit"], report.facts["metric"]
    yield "<h2>Learning curves</h2>"
    yield _drawn(plotly, written, report, f"{metric}, %", lambda stop: 100 * stop.score, name="curves", first=True)
    wide = "" if bands(report.facts["seeds"]) else " Intervals of one or two samples are in the table alone."
    yield f"<p class='note'>Logarithmic in the number of {escape(unit)}; click a name to hide it.{wide}</p>"
    yield "<h2>Seconds of training</h2>"
    yield _drawn(plotly, written, report, "seconds", lambda stop: stop.seconds, name="seconds", log=True)
    if any(stop.peak_mb is not None for curve in report.analysis.curves for stop in curve.stops):
        yield "<h2>Peak memory</h2>"
        yield _drawn(plotly, written, report, "MiB", lambda stop: stop.peak_mb, name="memory")


def _drawn(
    plotly: Any, written: Any, report: TransferReport, axis: str, value: Any, *, name: str, first: bool = False,
    log: bool = False,
) -> str:  # fmt: skip
    curves = report.analysis.curves
    figure = plotly.Figure()
    for curve in curves:
        colour, dashed = looks(curves)[curve.method]
        budgets, values = [stop.budget for stop in curve.stops], [value(stop) for stop in curve.stops]
        if first and bands(report.facts["seeds"]):  # the band of the interval, below the line
            low = [100 * max(0.0, stop.score - (stop.half or 0)) for stop in curve.stops]
            high = [100 * min(1.0, stop.score + (stop.half or 0)) for stop in curve.stops]
            figure.add_scatter(
                x=budgets + budgets[::-1],
                y=high + low[::-1],
                mode="lines",
                fill="toself",
                fillcolor=_faint(colour),
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
                legendgroup=curve.method,
            )
        figure.add_scatter(
            x=budgets,
            y=values,
            name=curve.method,
            legendgroup=curve.method,
            mode="lines+markers",
            line={"color": colour, "dash": "dash" if dashed else "solid"},
            hovertemplate="%{x:,}: %{y:.4g}<extra>" + escape(curve.method) + "</extra>",
        )
    ticks = sorted({stop.budget for curve in curves for stop in curve.stops})
    figure.update_layout(
        template="plotly_white",
        height=460 if first else 340,
        margin={"l": 60, "r": 10, "t": 10, "b": 50},
        xaxis={"type": "log", "title": report.facts["unit"], "tickvals": ticks, "ticktext": [f"{t:,}" for t in ticks]},
        yaxis={"title": axis, "type": "log", "dtick": 1} if log else {"title": axis},
    )
    drawn: str = written.to_html(
        figure,
        include_plotlyjs="inline" if first else False,
        full_html=False,
        div_id=name,
        config={"displaylogo": False, "responsive": True},
    )
    return drawn


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.12)"


def _left_out(told: dict[str, str]) -> str:
    if not told:
        return ""
    said = "; ".join(f"{name} ({why})" for name, why in told.items())
    return f"<p class='note' id='left-out'>Not compared: {escape(said)}.</p>"


def _equals(report: TransferReport) -> str:
    others = list(dict.fromkeys(one.other for one in report.analysis.equals))
    if not others:
        return "<p>There was nothing without pre-training to compare with.</p>"
    known = {(one.method, one.labels, one.other): one for one in report.analysis.equals}
    rows = []
    for method, labels in dict.fromkeys((one.method, one.labels) for one in report.analysis.equals):
        found = [known[method, labels, other] for other in others]
        rows.append([f"{method}, {labels:,}", _percent(found[0].score), *map(equal_row, found)])
    unit = report.facts["unit"]
    note = f"<p class='note'>Between the numbers tried: straight lines over the logarithm of the {escape(unit)}.</p>"
    return _table([f"method and {unit}", "score", *(f"with {other}" for other in others)], rows) + note


def _verdicts(report: TransferReport) -> str:
    rows = [
        [
            f"{one.budget:,}",
            one.method,
            one.other,
            f"{100 * one.gain:+.1f}" + ("" if one.half is None else f" ± {100 * one.half:.1f}"),
            one.said,
        ]
        for one in report.analysis.verdicts
    ]
    return _table([report.facts["unit"], "best with", "best without", "points", "pre-training"], rows)


def _scores(report: TransferReport) -> str:
    rows = [
        [curve.method, f"{stop.budget:,}", _with_interval(stop), _percent(stop.macro_f1), f"{stop.seconds:.2f}",
         "" if stop.cpu is None else f"{stop.cpu:.2f}", _megabytes(stop.peak_mb), _megabytes(stop.grown_mb)]
        for curve in report.analysis.curves
        for stop in curve.stops
    ]  # fmt: skip
    metric = report.facts["metric"]
    return _table(
        ["method", report.facts["unit"], metric, "macro-F1", "seconds", "CPU seconds", "peak MiB", "grown MiB"], rows
    )


def _repeat(facts: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    encoders = ", ".join(f"{name} ({fingerprint[:12]})" for name, fingerprint in facts["encoders"].items())
    settings = ", ".join(f"{name}={value!r}" for name, value in facts["settings"].items())
    return (
        f"<h2>Again</h2><pre id='command'>{escape(facts['command'])}</pre>"
        f"<p class='note'>Encoders: {escape(encoders)}. Settings: {escape(settings)}. Versions: {escape(versions)}. "
        f"Machine: {escape(facts['machine'])}. This run took {facts['seconds']:,.0f} s; all points together "
        f"trained for {facts['training seconds']:,.0f} s, {facts['training CPU seconds']:,.0f} s of CPU.</p>"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, kind: str = "numbers") -> str:
    top = "".join(f"<th>{escape(one)}</th>" for one in head)
    lines = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<div class='wide'><table class='{kind}'><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></div>"


def _with_interval(stop: Stop) -> str:
    return f"{100 * stop.score:.1f}" + ("" if stop.half is None else f" ± {100 * stop.half:.1f}") + " %"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _megabytes(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _things(facts: dict[str, Any]) -> str:
    return "texts" if facts["task"] == "classification" else "sentences"
