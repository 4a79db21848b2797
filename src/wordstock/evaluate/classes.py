"""How well a classifier does on labelled texts: each class, averages, and whether its probabilities hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from wordstock.errors import InputError
from wordstock.evaluate.calibration_error import expected_calibration_error
from wordstock.tasks.inputs import as_texts
from wordstock.tasks.labels import LabelCodec

__all__ = ["Averages", "ClassReport", "ClassScore", "Confusion", "TextLabeller", "class_report"]


class TextLabeller(Protocol):
    """``TextClassifier``, ``NgramClassifier`` and what else has their methods."""

    codec_: LabelCodec
    classes_: npt.NDArray[Any]

    def predict(self, X: Any) -> Any:
        """Labels in the form in which they came in training."""
        ...

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Probability of each class, float64 (n, k)."""
        ...


class ClassScore(NamedTuple):
    """A class: shares from 0 to 1, and how many texts have it."""

    label: str
    precision: float
    recall: float
    f1: float
    texts: int


class Averages(NamedTuple):
    """Shares from 0 to 1."""

    precision: float
    recall: float
    f1: float


class Confusion(NamedTuple):
    """How many texts with one label were given another."""

    label: str
    predicted: str
    texts: int


@dataclass(frozen=True)
class ClassReport:
    """Figures of a classifier on labelled texts; ``str`` shows them as a table.

    Parameters
    ----------
    texts : how many.
    accuracy : share of texts whose label, or whole set of labels, was right.
    macro : means over the classes that the texts or the predictions have.
    micro : over all answers; for one label per text each figure is the accuracy.
    weighted : means over the classes, each by its texts.
    classes : in the order of the classifier's ``classes_``.
    matrix : int64 (k, k), texts by label (row) and by prediction (column); None for several labels per text.
    calibration_error : expected calibration error, 0 to 1: see ``expected_calibration_error``.
    """

    texts: int
    accuracy: float
    macro: Averages
    micro: Averages
    weighted: Averages
    classes: tuple[ClassScore, ...]
    matrix: npt.NDArray[np.int64] | None
    calibration_error: float

    @property
    def confusions(self) -> list[Confusion]:
        """Mistakes by label and prediction, the commonest first."""
        if self.matrix is None:
            return []
        names = [one.label for one in self.classes]
        wrong = [
            Confusion(names[i], names[j], int(self.matrix[i, j]))
            for i, j in zip(*self.matrix.nonzero(), strict=True)
            if i != j
        ]
        return sorted(wrong, key=lambda one: -one.texts)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        out: dict[str, Any] = {
            "texts": self.texts,
            "accuracy": self.accuracy,
            "macro_f1": self.macro.f1,
            "calibration_error": self.calibration_error,
            **{name: getattr(self, name)._asdict() for name in ("macro", "micro", "weighted")},
            "classes": {
                one.label: {"precision": one.precision, "recall": one.recall, "f1": one.f1, "texts": one.texts}
                for one in self.classes
            },
        }
        if self.matrix is not None:
            out["confusions"] = [one._asdict() for one in self.confusions]
        return out

    def __str__(self) -> str:
        width = max([len("weighted"), *(len(one.label) for one in self.classes)])
        lines = [f"{'':{width}}  precision  recall      F1   texts"]
        lines += [
            f"{name:{width}}  {scores.precision:9.3f}  {scores.recall:6.3f}  {scores.f1:6.3f}  {texts:6,}"
            for name, scores, texts in [
                *((one.label, one, one.texts) for one in self.classes),
                *((name, getattr(self, name), self.texts) for name in ("macro", "micro", "weighted")),
            ]
        ]
        tail = f"accuracy {self.accuracy:.3f}, expected calibration error {self.calibration_error:.3f}"
        return "\n".join([*lines, tail])


def class_report(classifier: TextLabeller, texts: Sequence[str], labels: Any) -> ClassReport:
    """Compare a classifier's predictions with the labels of texts it was not trained on.

    Parameters
    ----------
    classifier : ``TextClassifier``, ``NgramClassifier``, or anything with their ``predict``, ``predict_proba``,
        ``codec_`` and ``classes_``.

    Raises
    ------
    InputError
        No texts, or another number of labels than texts.
    LabelError
        A label that was not there in training.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    texts = as_texts(texts)
    codec = classifier.codec_
    target = codec.encode(labels)
    if not texts or len(target) != len(texts):
        raise InputError(f"{len(texts)} texts and {len(target)} labels to evaluate; give at least one of each")
    found = codec.encode(classifier.predict(texts))
    names = [str(name) for name in classifier.classes_.tolist()]
    numbers = range(len(names))
    each = precision_recall_fscore_support(target, found, labels=numbers, zero_division=0)
    # A class that neither the texts nor the predictions have has no F1; it would only dilute the means.
    present = [bool(there) for there in (each[3] > 0) | _given(found, len(names))]
    averages = {}
    for name, only in (("macro", np.flatnonzero(present)), ("micro", numbers), ("weighted", numbers)):
        scores = precision_recall_fscore_support(target, found, labels=only, average=name, zero_division=0)
        averages[name] = Averages(*map(float, scores[:3])) if len(only) else Averages(0.0, 0.0, 0.0)
    right = found == target if target.ndim == 1 else (found == target).all(axis=1)
    return ClassReport(
        len(texts),
        float(right.mean()),
        **averages,
        classes=tuple(
            ClassScore(name, float(p), float(r), float(f), int(n))
            for name, p, r, f, n in zip(names, *each, strict=True)
        ),
        matrix=confusion_matrix(target, found, labels=numbers) if target.ndim == 1 else None,
        calibration_error=expected_calibration_error(classifier.predict_proba(texts), target),
    )


def _given(found: npt.NDArray[Any], size: int) -> npt.NDArray[np.bool_]:
    return np.asarray(found.any(axis=0) if found.ndim == 2 else np.bincount(found, minlength=size) > 0)
