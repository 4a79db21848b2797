"""How well an estimator does on the test set; what its sample had no example of counts as missed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wordstock.evaluate.report.data import ReportData

__all__ = ["scores"]


def scores(estimator: Any, data: ReportData) -> tuple[float, float]:
    """Accuracy, or micro-F1 of several labels or of tags' spans; and macro-F1, of tags the same once more."""
    found = estimator.predict(data.test_texts)
    if data.task == "tagging":
        score = _spans(data, found)
        return score, score
    from sklearn.metrics import f1_score

    if data.multilabel:
        gold, answers = _several(data.test_labels, found)
        micro, macro = (float(f1_score(gold, answers, average=how, zero_division=0)) for how in ("micro", "macro"))
        return micro, macro
    given, answered = list(data.test_labels), np.asarray(found).tolist()
    accuracy = float(np.mean([a == b for a, b in zip(given, answered, strict=True)]))
    return accuracy, float(f1_score(given, answered, average="macro", zero_division=0))


def _spans(data: ReportData, found: Sequence[Sequence[str]]) -> float:
    from wordstock.tasks.tagging import score_spans

    if data.scheme == "plain":  # each word is a span of its own
        return score_spans(*([[f"S-{tag}" for tag in one] for one in side] for side in (data.test_labels, found))).f1
    return score_spans(data.test_labels, found).f1


def _several(given: Sequence[Sequence[Any]], found: Sequence[Sequence[Any]]) -> list[Any]:
    """Bool (n, k) of both sides, with a column for each label that either has."""
    known = sorted({label for side in (given, found) for one in side for label in one})
    column = {label: number for number, label in enumerate(known)}
    made = []
    for side in (given, found):
        matrix = np.zeros((len(side), max(2, len(known))), bool)  # scikit-learn takes one column for single labels
        for row, one in zip(matrix, side, strict=True):
            row[[column[label] for label in one]] = True
        made.append(matrix)
    return made
