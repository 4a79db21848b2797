"""How good words and classifiers are: similarity to human judgements, analogies, and the report on each class.

What is about classifiers loads scikit-learn, so it is resolved on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from wordstock.evaluate.analogy import AnalogyResult, SectionScore, evaluate_analogy
from wordstock.evaluate.calibration_error import expected_calibration_error
from wordstock.evaluate.read_analogies import AnalogyLayout, read_analogies
from wordstock.evaluate.read_set import Layout, read_set
from wordstock.evaluate.read_similarity import SimilarityLayout, read_similarity
from wordstock.evaluate.sets import AnalogySection, AnalogySet, Question, SimilaritySet
from wordstock.evaluate.similarity import SimilarityResult, evaluate_similarity

if TYPE_CHECKING:
    from wordstock.evaluate.classes import Averages, ClassReport, ClassScore, Confusion, class_report
    from wordstock.evaluate.confusion import plot_confusion

_HOMES = dict.fromkeys(("Averages", "ClassReport", "ClassScore", "Confusion", "class_report"), "classes")
_HOMES["plot_confusion"] = "confusion"

__all__ = [
    "AnalogyLayout",
    "AnalogyResult",
    "AnalogySection",
    "AnalogySet",
    "Averages",
    "ClassReport",
    "ClassScore",
    "Confusion",
    "Layout",
    "Question",
    "SectionScore",
    "SimilarityLayout",
    "SimilarityResult",
    "SimilaritySet",
    "class_report",
    "evaluate_analogy",
    "evaluate_similarity",
    "expected_calibration_error",
    "plot_confusion",
    "read_analogies",
    "read_set",
    "read_similarity",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'wordstock.evaluate' has no attribute {name!r}")
    return getattr(importlib.import_module(f"wordstock.evaluate.{home}"), name)
