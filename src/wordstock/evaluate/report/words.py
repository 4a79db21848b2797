"""What the report says in words."""

from __future__ import annotations

from collections.abc import Sequence

from wordstock.evaluate.report.analysis import Analysis, Curve, Equal, Stop, Verdict
from wordstock.evaluate.report.data import ReportData
from wordstock.evaluate.report.points import Skipped

__all__ = ["findings", "recommendation"]

_CLEAR = 0.005  # of a score: less is no reason to wait for a slower training
_TIE = 0.0005  # of a score: less is not seen in the figures


def findings(analysis: Analysis, data: ReportData, unit: str, skipped: Sequence[Skipped] = ()) -> list[str]:
    """Sentences, the most telling first; they also say where pre-training does not win, and what was skipped."""
    out = [
        *_savings(analysis, unit),
        *_efforts(analysis, unit),
        *_gains(analysis.verdicts, unit),
        *_not_won(analysis.verdicts, unit),
    ]
    for method, budget in analysis.crossovers.items():
        if budget is None:
            out.append(
                f"{method} is not ahead of the other ways to use pre-trained vectors, up to the most {unit} tried."
            )
        else:
            first = analysis.curves[0].stops[0].budget
            since = "at every number tried" if budget == first else f"from {budget:,} {unit} on"
            out.append(f"{method} is ahead of every other way to use pre-trained vectors {since}.")
    return out + _skipped(skipped, unit)


def recommendation(analysis: Analysis, data: ReportData, unit: str) -> str:
    """What to use with all the labels there are, and whether more would help."""
    largest = max(stop.budget for curve in analysis.curves for stop in curve.stops)
    here = [(curve, stop) for curve in analysis.curves if (stop := curve.at(largest)) is not None]
    highest = max(stop.score for _, stop in here)
    if highest == 0:
        return f"With {largest:,} {unit} no method gets anything right: there is too little to learn from."
    tied = sorted((pair for pair in here if highest - pair[1].score < _TIE), key=lambda pair: pair[1].seconds)
    best, top = tied[0]
    close = [
        (curve, stop)
        for curve, stop in here
        if top.score - stop.score <= max(_CLEAR, (top.half or 0.0)) and stop.seconds < top.seconds / 2
    ]
    said = f"With {largest:,} {unit}, use {best.method}: {_percent(top.score)} in {_time(top.seconds)} of training."
    if len(tied) > 1:
        said += _tie(tied)
    elif close:
        curve, stop = min(close, key=lambda pair: pair[1].seconds)
        said += (
            f" {curve.method} comes within what these samples can tell apart ({_percent(stop.score)}) and trains in "
            f"{_time(stop.seconds)}: take it where time matters."
        )
    if len(best.stops) > 1:
        before = best.stops[-2]
        gained = top.score - before.score
        said += f" From {before.budget:,} to {largest:,} {unit} it gained {100 * gained:.1f} points: "
        more = gained > 2 * _CLEAR and top.score < 1 - 2 * _CLEAR
        said += "more labels would still help." if more else "more labels would add little."
    last = next((one for one in analysis.verdicts if one.budget == largest), None)
    if last is not None and not any(curve.pretrained for curve, _ in tied):
        if last.said == "loses" or last.half is None:
            said += " On this data pre-training does not pay at this size."
        else:
            said += f" Whether pre-training ({last.method}) is as good these samples cannot tell."
    return said


def _tie(tied: Sequence[tuple[Curve, Stop]]) -> str:
    """What is said of methods with the same score, the quickest first."""
    others = " and ".join(f"{curve.method} ({_time(stop.seconds)})" for curve, stop in tied[1:])
    said = f" It ties with {others}; the cheaper one is enough."
    if len({curve.pretrained for curve, _ in tied}) > 1:
        said += " Pre-training neither gains nor costs accuracy here."
    return said


def _savings(analysis: Analysis, unit: str) -> list[str]:
    """For each method without pre-training, the pre-trained one whose labels are worth most of its own."""
    out = []
    for other in [curve for curve in analysis.curves if not curve.pretrained]:
        chosen = [one for one in analysis.equals if one.other == other.method and one.labels < one.tried]
        worth = [one for one in chosen if one.needed is None or one.needed > one.labels]
        if not worth:
            out.append(f"No pre-trained method saves {unit} against {_called(other)}.")
            continue
        known = [one for one in worth if one.needed is not None]
        if known:
            best = max(known, key=lambda one: (one.needed or 0) / one.labels)
            out.append(
                f"{best.labels:,} {unit} with {best.method} = {_round(best.needed or 0):,} with {_called(other)} "
                f"({_percent(best.score)})."
            )
        beyond = [one for one in worth if one.needed is None]
        if beyond:
            least = min(beyond, key=lambda one: (one.labels, -one.score))
            out.append(
                f"{least.labels:,} {unit} with {least.method} reach {_percent(least.score)}, which {_called(other)} "
                f"does not reach with {least.tried:,}."
            )
    return out


def _efforts(analysis: Analysis, unit: str) -> list[str]:
    """What pre-training saves in processor time, or costs."""
    called = {curve.method: _called(curve) for curve in analysis.curves}
    out = []
    for one in analysis.efforts:
        said = f"{one.method} with {one.labels:,} {unit} reaches the score that {called[one.other]} has with "
        said += f"{one.other_labels:,} ({_percent(one.score)}) in {_time(one.cpu)} of CPU, encoding included, "
        if one.cpu < one.other_cpu:
            out.append(said + f"instead of {_time(one.other_cpu)}.")
        else:
            out.append(said + f"which itself takes {_time(one.other_cpu)}: no pre-trained method saves CPU time there.")
    return out


def _skipped(skipped: Sequence[Skipped], unit: str) -> list[str]:
    samples: dict[tuple[int, str, str], list[int]] = {}
    for one in skipped:
        samples.setdefault((one.budget, one.why, one.method), []).append(one.seed)
    groups: dict[tuple[int, str, tuple[int, ...]], list[str]] = {}
    for (budget, why, method), seeds in samples.items():
        groups.setdefault((budget, why, tuple(sorted(seeds))), []).append(method)
    return [
        f"Skipped with {budget:,} {unit}, sample {', '.join(map(str, seeds))}: {', '.join(methods)}; {why}."
        for (budget, why, seeds), methods in groups.items()
    ]


def _gains(verdicts: tuple[Verdict, ...], unit: str) -> list[str]:
    if not verdicts:
        return []
    first, last = verdicts[0], verdicts[-1]
    said = f"At {first.budget:,} {unit} the best with pre-training ({first.method}) is {_points(first)} "
    said += f"against the best without ({first.other})"
    if last.budget == first.budget:
        return [said + "."]
    said += f"; at {last.budget:,} it is {_points(last)} ({last.method} against {last.other})."
    if first.gain > last.gain:
        return [said + " It wins more at few labels than at many."]
    return [said + " Here it does not win less at many labels than at few, as it usually does."]


def _not_won(verdicts: tuple[Verdict, ...], unit: str) -> list[str]:
    lost = [one for one in verdicts if one.said == "loses"]
    open_ = [one for one in verdicts if one.said == "not told apart"]
    out = []
    if lost:
        where = ", ".join(f"{one.budget:,}" for one in lost)
        out.append(f"Pre-training does not win with {where} {unit}: {lost[-1].other} is better.")
    if open_:
        where = ", ".join(f"{one.budget:,}" for one in open_)
        out.append(
            f"With {where} {unit} these samples cannot tell pre-training from {open_[-1].other}: "
            "the interval of the difference holds 0, or there is one seed only."
        )
    if verdicts and not lost and not open_:
        out.append("Pre-training wins at every number tried, by more than the interval of the difference.")
    return out


def _called(curve: Curve) -> str:
    return "the same network from random vectors" if curve.family == "from scratch" else curve.method


def _points(one: Verdict) -> str:
    half = "" if one.half is None else f" ± {100 * one.half:.1f}"
    return f"{100 * one.gain:+.1f}{half} points"


def _percent(score: float) -> str:
    return f"{100 * score:.1f} %"


def _round(labels: float) -> int:
    """To two digits: more would be a pretence."""
    size = 10 ** max(0, len(str(int(labels))) - 2)
    return int(round(labels / size) * size)


def _time(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds:.1f} s" if seconds >= 0.1 else f"{seconds:.2f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def equal_row(one: Equal) -> str:
    """Labels that the other needs, for a table."""
    return f"> {one.tried:,}" if one.needed is None else f"{_round(one.needed):,}"
