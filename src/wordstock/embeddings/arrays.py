"""Keys and a matrix from a caller, checked before they become a table."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from wordstock.embeddings.storage import Storage
from wordstock.errors import InputError
from wordstock.protocols import FloatArray
from wordstock.vocab import Vocabulary

__all__ = ["check_norms", "checked_arrays"]


def checked_arrays(
    keys: Iterable[str], vectors: npt.ArrayLike, rows: npt.ArrayLike | None, counts: npt.ArrayLike | None
) -> tuple[Vocabulary, Storage]:
    """The parts of a table; a writable matrix is copied, so that the caller's stays the caller's.

    Raises
    ------
    InputError
        Shapes that do not agree, rows out of range, a key that is repeated or not a str.
    """
    try:
        matrix = np.asarray(vectors)
        if matrix.dtype.kind == "c":
            raise InputError("vectors hold complex numbers; give real ones")
        if matrix.dtype != np.float16:
            with np.errstate(over="ignore"):  # refused as infinity
                matrix = np.ascontiguousarray(matrix, np.float32)
    except InputError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"vectors must be a matrix of numbers: {error}") from error
    if matrix.ndim != 2:
        raise InputError(f"vectors must have two dimensions (keys, dim), not shape {matrix.shape}")
    if not matrix.flags.c_contiguous or (matrix.flags.writeable and np.may_share_memory(matrix, np.asarray(vectors))):
        matrix = np.array(matrix, order="C")
    row_array = None if rows is None else _whole_numbers("rows", rows)
    count_array = None if counts is None else _whole_numbers("counts", counts)
    if count_array is not None and count_array.min(initial=0) < 0:
        raise InputError(f"counts hold {count_array.min()}; a count is 0 or more")
    if row_array is not None and len(row_array) and not 0 <= row_array.min() <= row_array.max() < len(matrix):
        raise InputError(f"rows run from {row_array.min()} to {row_array.max()}; there are {len(matrix)} vectors")
    places = None
    if row_array is not None:
        used, inverse = np.unique(row_array, return_inverse=True)
        if len(used) < len(matrix):  # a vector without key could only hide others from a search
            matrix = matrix[used]
        places = inverse.astype(np.int32)
    vocabulary = Vocabulary.from_keys(keys, rows=places, counts=count_array)
    if places is None and len(vocabulary) != len(matrix):
        raise InputError(f"{len(vocabulary)} keys for {len(matrix)} vectors; give one vector per key, or rows=")
    return vocabulary, Storage(matrix)


def check_norms(vocabulary: Vocabulary, norms: FloatArray) -> None:
    """Refuse vectors whose length is no finite number.

    Raises
    ------
    InputError
        Names the first such key.
    """
    bad = np.flatnonzero(~np.isfinite(norms))
    if len(bad):
        numbers = bad if vocabulary.rows is None else np.flatnonzero(vocabulary.rows == bad[0])
        key = repr(vocabulary.key(int(numbers[0]))) if len(numbers) else f"row {bad[0]}"
        raise InputError(
            f"the vector of {key} holds NaN, infinity or numbers too large for float32 "
            f"({len(bad)} such rows); drop or repair them first"
        )


def _whole_numbers(name: str, values: npt.ArrayLike) -> npt.NDArray[np.int64]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise InputError(f"{name} must be a list of whole numbers, not {array.dtype} of shape {array.shape}")
    return array.astype(np.int64)
