"""Labels as callers hold them, as class codes for the solver, and back in the caller's own form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from wordstock.errors import LabelError
from wordstock.tasks.label_forms import CONTAINERS, FORMS, Layout, ReadLabels, read_labels

__all__ = ["ClassWeight", "LabelCodec", "Layout"]

ClassWeight = Literal["balanced"] | dict[Any, float] | None

_KINDS: dict[str, type] = {"str": str, "int": int, "bool": bool}
_SHOWN = 12  # known labels named in an error


@dataclass(frozen=True)
class LabelCodec:
    """The known classes, and the form in which labels came.

    Parameters
    ----------
    classes : (k,) str, int or bool, sorted; of an indicator matrix the names of its columns, or their numbers.
    layout : "single" for one label per text; "list", "tuple", "set", "frozenset" for several; "indicator" for a 0/1
        matrix with a column per label.
    """

    classes: npt.NDArray[Any]
    layout: Layout

    @property
    def multilabel(self) -> bool:
        """Whether a text may have several labels."""
        return self.layout != "single"

    @classmethod
    def fit(cls, labels: Any) -> Self:
        """Learn classes and form from training labels.

        Raises
        ------
        LabelError
            None, NaN or another unusable label, with its position; labels of different types; fewer than two classes;
            a 0/1 matrix as lists.
        """
        return cls._of(read_labels(labels))

    @classmethod
    def _of(cls, read: ReadLabels) -> Self:
        layout, values, columns = read
        if layout == "indicator" and columns is None:
            return cls(np.arange(np.asarray(values).shape[1]), layout)
        if layout not in ("single", "indicator") and len(values):
            _refuse_rows(values)
        flat = columns or (values if layout == "single" else [label for group in values for label in group])
        kinds = {_kind(label) for label in flat}
        if len(kinds) > 1:
            raise LabelError(
                f"labels are of different types ({', '.join(sorted(kinds))}); make them all str or all int"
            )
        classes = columns or sorted(set(flat))
        codec = cls(np.array(classes), layout)
        if len(classes) < (1 if codec.multilabel else 2):
            only = f"the only label is {classes[0]!r}" if classes else "no text has a label"
            raise LabelError(f"{only}; a classifier needs examples of at least two classes")
        return codec

    @classmethod
    def learn(cls, labels: Any) -> tuple[Self, npt.NDArray[Any]]:
        """Codec and class codes of training labels, which may be an iterator.

        Raises
        ------
        LabelError
            As ``fit``, or every text has the same labels.
        """
        read = read_labels(labels)
        codec = cls._of(read)
        target = codec._codes(read)
        if codec.multilabel and (target == target[:1]).all():
            raise LabelError("every text has the same labels; a classifier needs examples with and without a label")
        return codec, target

    def encode(self, labels: Any) -> npt.NDArray[Any]:
        """Class codes int64 (n,), or for several labels bool (n, k).

        Raises
        ------
        LabelError
            A label that was not there in training, with its position and the known ones; another form than in training.
        """
        return self._codes(read_labels(labels))

    def _codes(self, read: ReadLabels) -> npt.NDArray[Any]:
        layout, values, columns = read
        if (layout == "single") == self.multilabel or (layout == "indicator") != (self.layout == "indicator"):
            raise LabelError(f"labels come as {FORMS[layout]}, in training they were {FORMS[self.layout]}")
        if layout == "indicator":
            matrix = np.asarray(values)
            if matrix.shape[1] != len(self.classes):
                raise LabelError(f"{matrix.shape[1]} label columns; in training there were {len(self.classes)}")
            names = self.classes.tolist()
            if columns is not None and columns != names:
                if set(columns) != set(names):
                    other = next(name for name in columns if name not in names)
                    raise LabelError(f"unknown label column {other!r}; known are {self._known()}")
                matrix = matrix[:, [columns.index(name) for name in names]]
            return matrix.astype(bool)
        code = {label: number for number, label in enumerate(self.classes.tolist())}
        kind = _kind(self.classes[0].item())

        def number(label: Any, position: int) -> int:
            if label not in code or _kind(label) != kind:
                message = f"unknown label {label!r} at position {position}; known are {self._known()}"
                raise LabelError(message, at=(position,))
            return code[label]

        if layout == "single":
            return np.array([number(label, position) for position, label in enumerate(values)], np.int64)
        out = np.zeros((len(values), len(code)), bool)
        for position, group in enumerate(values):
            out[position, [number(label, position) for label in group]] = True
        return out

    def to_dict(self) -> dict[str, Any]:
        """For JSON: ``classes``, ``kind`` (of a class: str, int or bool) and ``layout``."""
        classes = self.classes.tolist()
        return {"classes": classes, "kind": type(classes[0]).__name__, "layout": self.layout}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read back what ``to_dict`` gave, among other keys; ValueError, KeyError or TypeError for anything else."""
        classes, kind, layout = values["classes"], _KINDS[values["kind"]], values["layout"]
        if layout not in get_args(Layout) or not all(type(label) is kind for label in classes):
            raise ValueError(f"labels of kind {values['kind']} in layout {layout}")
        if len(set(classes)) < max(len(classes), 1 + (layout == "single")):
            raise ValueError(f"{len(classes)} labels in layout {layout}, not all different")
        return cls(np.array(classes, dtype=None if kind is str else kind), layout)

    def choose(self, probabilities: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
        """The likeliest class, int64 (n,), or every label of at least 0.5, bool (n, k), from probabilities (n, k)."""
        return probabilities >= 0.5 if self.multilabel else probabilities.argmax(axis=1)

    def decode(self, chosen: npt.NDArray[Any]) -> Any:
        """Codes (n,) or choices bool (n, k), in the form in which training labels came."""
        if self.layout == "single":
            return self.classes[chosen]
        if self.layout == "indicator":
            return chosen.astype(np.int64)
        names = self.classes.tolist()
        build = CONTAINERS[self.layout]
        return [build(names[column] for column in np.flatnonzero(row)) for row in chosen]

    def weights(self, target: npt.NDArray[Any], class_weight: ClassWeight) -> npt.NDArray[np.float64]:
        """How much each training answer counts, float64 shaped like ``target``.

        "balanced" gives every class (every answer of a yes/no label) the same total; a dict multiplies the examples
        that have the label.

        Raises
        ------
        LabelError
            A key that is no known label, or a weight that is not a positive number.
        """
        if class_weight is None:
            return np.ones(target.shape)
        if not isinstance(class_weight, dict):
            if class_weight != "balanced":
                raise LabelError(
                    f"class_weight={class_weight!r}: known are None, 'balanced', or a dict label -> weight"
                )
            if target.ndim == 1:
                per_class = len(target) / (len(self.classes) * np.bincount(target, minlength=len(self.classes)))
                return np.asarray(per_class[target])
            yes = np.clip(target.sum(axis=0), 1, len(target) - 1 or 1)
            no = np.maximum(len(target) - yes, 1)
            return np.asarray(np.where(target, len(target) / (2 * yes), len(target) / (2 * no)))
        per_class = np.ones(len(self.classes))
        names = self.classes.tolist()
        for label, weight in class_weight.items():
            if label not in names:
                raise LabelError(f"class_weight names the unknown label {label!r}; known are {self._known()}")
            if not (isinstance(weight, int | float | np.number) and 0 < weight < np.inf):
                raise LabelError(f"class_weight of {label!r} must be a positive number, not {weight!r}")
            per_class[names.index(label)] = weight
        return np.asarray(per_class[target] if target.ndim == 1 else np.where(target, per_class, 1.0))

    def _known(self) -> str:
        names = [repr(name) for name in self.classes.tolist()]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return ", ".join(names[:_SHOWN]) + more


def _refuse_rows(groups: Sequence[Any]) -> None:
    """Refuse a 0/1 matrix that came as lists, which would be learned as the two labels 0 and 1."""
    width = len(groups[0])
    if width > 1 and all(len(group) == width and set(group) <= {0, 1} for group in groups):
        raise LabelError(
            f"each text has {width} labels that are 0 or 1: that is a 0/1 matrix as lists; pass numpy.array(labels), "
            "or for each text the list of its labels"
        )


def _kind(label: str | int | bool) -> str:
    return type(label).__name__
