"""The forms in which callers hold labels: one per text, collections of them, 0/1 matrices and data frames."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse

from wordstock.errors import LabelError
from wordstock.tasks.inputs import as_list

__all__ = ["CONTAINERS", "FORMS", "Layout", "ReadLabels", "read_labels"]

Layout = Literal["single", "list", "tuple", "set", "frozenset", "indicator"]

CONTAINERS: dict[str, type] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
FORMS: dict[str, str] = {
    "single": "one label per text",
    "indicator": "a 0/1 matrix",
    **dict.fromkeys(CONTAINERS, "a collection of labels per text"),
}


class ReadLabels(NamedTuple):
    """Labels as plain values.

    Parameters
    ----------
    layout : the form in which they came.
    values : str, int or bool, or lists of them; or the matrix, (n, k).
    columns : names of the matrix's columns; None where it has none.
    """

    layout: Layout
    values: Any
    columns: list[Any] | None = None


def read_labels(labels: Any) -> ReadLabels:
    """Labels of any form.

    A data frame of one column is that column, of several a 0/1 matrix with names; a sparse matrix is one without.

    Raises
    ------
    LabelError
        None, NaN or another unusable label, with its position; a matrix or data frame that holds other numbers.
    InputError
        No sequence.
    """
    if issparse(labels):
        labels = labels.toarray()
    if hasattr(labels, "columns"):
        return _frame(labels)
    if isinstance(labels, np.ndarray) and labels.ndim == 2:
        return ReadLabels("indicator", _indicator(labels))
    listed = as_list(labels, "labels")
    first = listed[0] if listed else None
    for name, kind in CONTAINERS.items():
        if isinstance(first, kind) or (name == "list" and isinstance(first, np.ndarray)):
            return ReadLabels(name, [_group(group, position) for position, group in enumerate(listed)])  # type: ignore[arg-type]
    return ReadLabels("single", [_plain(label, position) for position, label in enumerate(listed)])


def _frame(frame: Any) -> ReadLabels:
    columns = [_plain(name, position) for position, name in enumerate(frame.columns)]
    values = frame.to_numpy()
    if len(columns) == 1:
        return read_labels(values[:, 0])
    shown = ", ".join(map(repr, columns[:6]))
    if len(set(columns)) < len(columns):
        raise LabelError(f"the data frame of labels has two columns of one name: {shown}")
    if values.dtype.kind == "O":  # columns of different types, or of pandas' own
        values = np.array(values.tolist())
    try:
        return ReadLabels("indicator", _indicator(values), columns)
    except LabelError as error:
        raise LabelError(
            f"labels are a data frame with the columns {shown}, which do not hold 0 and 1 alone; pick the column of "
            "the labels, or give a column of 0 and 1 for each label"
        ) from error


def _indicator(matrix: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if matrix.shape[1] < 2:
        raise LabelError(f"labels have shape {matrix.shape}; for one label per text use .ravel()")
    if matrix.dtype.kind not in "biuf" or not np.isin(matrix, (0, 1)).all():
        raise LabelError("a matrix of labels must hold only 0 and 1, one column per label")
    return matrix


def _group(group: Any, position: int) -> list[Any]:
    if isinstance(group, str) or not hasattr(group, "__iter__"):
        raise LabelError(
            f"labels at position {position} must be a collection, as in the first text, not {group!r:.80}; "
            "write [] for a text without labels"
        )
    return [_plain(label, position) for label in group]


def _plain(label: Any, position: int) -> str | int | bool:
    if isinstance(label, np.generic):
        label = label.item()
    if isinstance(label, str) and not label.endswith("\0"):  # which numpy would cut off
        return label
    if isinstance(label, int) and -(1 << 63) <= label < 1 << 63:  # a bool is an int
        return label
    if label is None or (isinstance(label, float) and label != label):
        raise LabelError(f"the label at position {position} is missing ({label}); drop the text or give it a label")
    if isinstance(label, float) and label.is_integer():
        return int(label)
    raise LabelError(
        f"the label at position {position} must be a str without a closing NUL, an int of 64 bits or a bool, "
        f"not {type(label).__name__}: {label!r:.80}"
    )
