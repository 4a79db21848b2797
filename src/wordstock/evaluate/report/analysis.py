"""What the points say: curves with intervals, labels to equal score, the crossover, and where pre-training wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import stdtrit  # Student's t; scipy.stats takes seconds to import

from wordstock.evaluate.report.methods import Method
from wordstock.evaluate.report.points import Point

__all__ = ["Analysis", "Curve", "Effort", "Equal", "Stop", "Verdict", "analyse"]

Said = Literal["wins", "not told apart", "loses"]


@dataclass(frozen=True)
class Stop:
    """A curve at one budget: mean score with half of its 95 % interval (None from one seed), medians of the costs."""

    budget: int
    score: float
    half: float | None
    macro_f1: float
    seconds: float
    peak_mb: float | None
    grown_mb: float | None
    cpu: float | None = None


@dataclass(frozen=True)
class Curve:
    """One method over growing budgets."""

    method: str
    family: str
    pretrained: bool
    stops: tuple[Stop, ...]

    def at(self, budget: int) -> Stop | None:
        """The stop at a budget, if the method was tried there."""
        return next((stop for stop in self.stops if stop.budget == budget), None)

    def labels_for(self, score: float) -> float | None:
        """Labels needed for a score, by straight lines over their logarithm; None if more than were tried.

        The curve is taken at the best it has reached so far, so that a dip by chance costs nothing.
        """
        scores = np.maximum.accumulate([stop.score for stop in self.stops])
        budgets = np.log([stop.budget for stop in self.stops])
        if score > scores[-1]:
            return None
        place = int(np.argmax(scores >= score))
        if place == 0:
            return float(self.stops[0].budget)
        low, high = scores[place - 1], scores[place]
        share = (score - low) / (high - low)
        return float(np.exp(budgets[place - 1] + share * (budgets[place] - budgets[place - 1])))


@dataclass(frozen=True)
class Equal:
    """So many labels with one method are worth so many with another.

    Parameters
    ----------
    needed : labels that ``other`` needs for the score; None if more than ``tried``, the most it was given.
    """

    method: str
    labels: int
    score: float
    other: str
    needed: float | None
    tried: int


@dataclass(frozen=True)
class Verdict:
    """The best method with pre-training against the best without, at one budget, on the same samples.

    Parameters
    ----------
    gain, half : mean of the paired differences in score and half of its 95 % interval; None from one seed.
    """

    budget: int
    method: str
    other: str
    gain: float
    half: float | None
    said: Said


@dataclass(frozen=True)
class Effort:
    """The least processor time in which a pre-trained method reaches a score of one without pre-training.

    Parameters
    ----------
    method, labels, cpu : of the pre-trained one; seconds with the encoding of its texts.
    other, other_labels, other_cpu : of the other, at the highest of its scores that a pre-trained one reaches.
    score : the other's.
    """

    method: str
    labels: int
    cpu: float
    other: str
    other_labels: int
    other_cpu: float
    score: float


@dataclass(frozen=True)
class Analysis:
    """Everything a page shows of the points.

    Parameters
    ----------
    crossovers : of each fine-tuned method, the budget from which it stays ahead of every other way to use pre-trained
        vectors; None if there is none.
    efforts : one for each method without pre-training whose score another reaches.
    """

    curves: tuple[Curve, ...]
    equals: tuple[Equal, ...]
    verdicts: tuple[Verdict, ...]
    crossovers: dict[str, int | None]
    efforts: tuple[Effort, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return asdict(self)


def analyse(methods: Sequence[Method], points: Sequence[Point]) -> Analysis:
    """Everything that follows from the points."""
    curves = tuple(_curve(method, [one for one in points if one.method == method.name]) for method in methods)
    curves = tuple(curve for curve in curves if curve.stops)
    ours, theirs = [one for one in curves if one.pretrained], [one for one in curves if not one.pretrained]
    equals = tuple(
        Equal(mine.method, stop.budget, stop.score, other.method, other.labels_for(stop.score), other.stops[-1].budget)
        for mine in ours
        for other in theirs
        for stop in mine.stops
    )
    budgets = sorted({stop.budget for curve in curves for stop in curve.stops})
    verdicts = tuple(found for one in budgets if (found := _verdict(one, ours, theirs, points)) is not None)
    crossovers = {
        curve.method: _crossover(curve, [one for one in ours if one.family != "fine-tuned"])
        for curve in ours
        if curve.family == "fine-tuned"
    }
    efforts = tuple(effort for one in theirs if (effort := _effort(one, ours)) is not None)
    return Analysis(curves, equals, verdicts, crossovers, efforts)


def _curve(method: Method, points: list[Point]) -> Curve:
    stops = []
    for budget in sorted({one.budget for one in points}):
        here = [one for one in points if one.budget == budget]
        mean, half = _interval([one.score for one in here])
        stops.append(
            Stop(
                budget,
                mean,
                half,
                float(np.mean([one.macro_f1 for one in here])),
                float(np.median([one.seconds for one in here])),
                _median([one.peak_mb for one in here]),
                _median([one.grown_mb for one in here]),
                _median([one.cpu for one in here]),
            )
        )
    return Curve(method.name, method.family, method.pretrained, tuple(stops))


def _verdict(budget: int, ours: Sequence[Curve], theirs: Sequence[Curve], points: Sequence[Point]) -> Verdict | None:
    mine, other = (max((one for one in side if one.at(budget)), key=lambda one: _score(one, budget), default=None)
                   for side in (ours, theirs))  # fmt: skip
    if mine is None or other is None:
        return None
    here = {(one.method, one.seed): one.score for one in points if one.budget == budget}
    gains = [
        score - here[other.method, seed]
        for (method, seed), score in sorted(here.items())
        if method == mine.method and (other.method, seed) in here
    ]
    if not gains:
        return None
    mean, half = _interval(gains)
    said: Said = "not told apart"
    if half is not None and abs(mean) > half:
        said = "wins" if mean > 0 else "loses"
    return Verdict(budget, mine.method, other.method, mean, half, said)


def _effort(other: Curve, ours: Sequence[Curve]) -> Effort | None:
    for stop in sorted(other.stops, key=lambda one: -one.score):
        reached = [
            (mine.cpu, curve.method, mine.budget)
            for curve in ours
            for mine in curve.stops
            if mine.cpu is not None and mine.score >= stop.score > 0
        ]
        if reached and stop.cpu is not None:
            cpu, method, labels = min(reached)
            return Effort(method, labels, cpu, other.method, stop.budget, stop.cpu, stop.score)
    return None


def _crossover(tuned: Curve, others: Sequence[Curve]) -> int | None:
    """The first budget from which on the tuned method is never behind."""
    found = None
    for stop in reversed(tuned.stops):
        rivals = [_score(one, stop.budget) for one in others if one.at(stop.budget)]
        if not rivals or stop.score < max(rivals):
            break
        found = stop.budget
    return found


def _score(curve: Curve, budget: int) -> float:
    stop = curve.at(budget)
    return -1.0 if stop is None else stop.score


def _interval(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean, and half of its 95 % interval by Student's t; None from one value."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, None
    return mean, float(stdtrit(len(values) - 1, 0.975) * np.std(values, ddof=1) / np.sqrt(len(values)))


def _median(values: Sequence[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return float(np.median(known)) if known else None
