"""Texts as callers hold them: a list, a tuple, a numpy array, a column of a data frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import issparse

from wordstock.embeddings.sentence import check_texts
from wordstock.errors import InputError

__all__ = ["as_list", "as_texts"]


def as_list(values: Any, what: str) -> list[Any]:
    """A list of plain Python values from any ordered sequence or column.

    Raises
    ------
    InputError
        A single str, a mapping, a set, a data frame, a sparse matrix, or anything else that is no sequence of values.
    """
    if isinstance(values, str | bytes):
        raise InputError(f"{what} must be a sequence, not a single {type(values).__name__}; pass a list with it")
    if isinstance(values, Mapping | set | frozenset):
        raise InputError(f"{what} must be an ordered sequence, not a {type(values).__name__}; pass a list")
    if hasattr(values, "columns"):
        raise InputError(f"{what} must be one column, not a whole {type(values).__name__}; pick a column of it")
    if issparse(values):
        raise InputError(f"{what} must be a sequence, not a sparse matrix; use .toarray()")
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise InputError(f"{what} must have one dimension, not shape {values.shape}; use .ravel() or one column")
    for method in ("to_list", "tolist"):
        if hasattr(values, method):
            return list(getattr(values, method)())
    try:
        return list(values)
    except TypeError as error:
        raise InputError(f"{what} must be a sequence, not {type(values).__name__}") from error


def as_texts(texts: Any) -> list[str]:
    """A list of str.

    Raises
    ------
    InputError
        Not a sequence, or an item that is not a str; names its position and type.
    """
    return check_texts(as_list(texts, "texts"))
