"""What every store asks of rows and queries before it takes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from wordstock.errors import InputError
from wordstock.protocols import FloatArray

__all__ = [
    "Metric",
    "Precision",
    "Rows",
    "check_k",
    "check_queries",
    "check_row",
    "check_rows",
    "choice",
    "lowest_score",
]

Metric = Literal["cosine", "ip", "l2"]
Precision = Literal["float32", "float16", "bfloat16", "binary"]

# Bytes of UTF-8 that a Milvus field holds; kept in memory too, so that a store can move to a server as it is.
MAX_ID = 512
MAX_TEXT = 65_535
MAX_METADATA = 65_536

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_INT64 = range(-(2**63), 2**63)
_NUMBER, _ESCAPED = 32, 6  # bytes of JSON at most: of a number with what stands around it, of one ASCII character


class Rows(NamedTuple):
    """Rows that passed, each id once."""

    ids: list[str]
    vectors: FloatArray
    metadata: list[Mapping[str, Any]]
    texts: list[str]
    digests: list[str]


def choice(name: str, value: str, kinds: Any) -> None:
    """Refuse what is not one of a Literal's values.

    Raises
    ------
    InputError
        With the known ones.
    """
    if value not in get_args(kinds):
        raise InputError(f"{name}={value!r}: known are {', '.join(get_args(kinds))}")


def check_rows(
    ids: Sequence[str],
    vectors: npt.ArrayLike,
    metadata: Sequence[Mapping[str, Any]] | None,
    texts: Sequence[str] | None,
    digests: Sequence[str] | None,
    *,
    dim: int,
    metric: Metric,
) -> Rows:
    """Rows that a store can take; of an id given twice the last counts.

    Raises
    ------
    InputError
        Lengths that differ, a wrong dimension, NaN or infinity, a zero vector under cosine, an id, text or metadata
        that does not fit into a field; with the row.
    """
    names = _texts("id", ids)
    matrix = np.asarray(vectors, dtype=np.float32)
    if matrix.ndim != 2 or (matrix.shape[1] != dim and len(matrix)):
        raise InputError(f"vectors of shape {matrix.shape}; this store takes ({len(names)}, {dim})")
    lists: dict[str, Sequence[Any] | None] = {"metadata": metadata, "texts": texts, "digests": digests}
    given = {"vectors": len(matrix)} | {name: len(one) for name, one in lists.items() if one is not None}
    if wrong := [f"{count} {name}" for name, count in given.items() if count != len(names)]:
        raise InputError(f"{len(names)} ids but {', '.join(wrong)}; give one each")
    _check_vectors(matrix, names, metric)
    told: list[Mapping[str, Any]] = [{}] * len(names) if metadata is None else [_without_nulls(one) for one in metadata]
    written = [""] * len(names) if texts is None else _texts("text", texts)
    for row, name in enumerate(names):
        _check_row(name, row, written[row])
    if metadata is not None:
        for row, one in enumerate(told):
            _check_metadata(one, names[row])
    rows = Rows(names, matrix, told, written, [""] * len(names) if digests is None else list(digests))
    last = {name: row for row, name in enumerate(names)}
    if len(last) == len(names):
        return rows
    kept = sorted(last.values())
    return Rows(
        [names[i] for i in kept],
        matrix[kept],
        [told[i] for i in kept],
        [written[i] for i in kept],
        [rows.digests[i] for i in kept],
    )


def check_row(name: str, text: str, metadata: Mapping[str, Any]) -> None:
    """Refuse one row that no store takes, whatever its vector.

    Raises
    ------
    InputError
        An id, text or metadata that does not fit into a field.
    """
    _check_row(name, 0, text)
    _check_metadata(_without_nulls(metadata), name)


def _texts(what: str, given: Sequence[str]) -> list[str]:
    if isinstance(given, str):
        raise InputError(f"{what}s are a list, not one text: {given!r:.80}")
    values = list(given)
    for row, value in enumerate(values):
        if type(value) is not str:
            if not isinstance(value, str):
                raise InputError(f"{what} of row {row} is no text: {value!r:.80}")
            values[row] = str(value)  # a subclass, such as NumPy's
    return values


def _check_row(name: str, row: int, text: str) -> None:
    if not name:
        raise InputError(f"row {row} has an empty id")
    _check_size("id", name, name, MAX_ID, "use shorter ids")
    _check_size("text", name, text, MAX_TEXT, "cut it into parts")


def _check_size(what: str, name: str, value: str, most: int, remedy: str) -> None:
    if value.isascii() and len(value) <= most and "\0" not in value:
        return
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise InputError(f"{what} of row {name!r:.80} holds half a character (a surrogate)") from None
    if size > most:
        raise InputError(f"{what} of row {name!r:.80} has {size:,} bytes; a store holds {most:,} of it: {remedy}")
    if what == "id" and "\0" in value:
        raise InputError(f"id {name!r:.80} holds a zero byte")


def _without_nulls(one: Any) -> Any:
    """Fields that are None count as not there: some backends cannot tell the two apart."""
    if not isinstance(one, dict) or not any(value is None or isinstance(value, dict) for value in one.values()):
        return one
    return {key: _without_nulls(value) for key, value in one.items() if value is not None}


def _check_metadata(one: Any, name: str) -> None:
    if not isinstance(one, Mapping):
        raise InputError(f"metadata of row {name!r:.80} is a mapping of fields to values, not {one!r:.80}")
    if _plainly_good(one):
        return
    try:
        size = len(_JSON.encode(one if isinstance(one, dict) else dict(one)).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"metadata of row {name!r:.80} cannot be written as JSON: {error}") from None
    if size > MAX_METADATA:
        raise InputError(f"metadata of row {name!r:.80} has {size:,} bytes of JSON; a store holds {MAX_METADATA:,}")
    if why := _beyond_json(one):
        raise InputError(f"metadata of row {name!r:.80} has {why}")


def _beyond_json(value: Any) -> str:
    """What Python would write as JSON and Milvus does not take; "" where there is nothing."""
    if isinstance(value, Mapping):
        wrong = (f"a field whose name is no text: {key!r:.40}" for key in value if not isinstance(key, str))
        return next(wrong, "") or _beyond_json(list(value.values()))
    if isinstance(value, list | tuple):
        return next(filter(None, map(_beyond_json, value)), "")
    if isinstance(value, int) and value not in _INT64:
        return f"a whole number of more than 64 bits: {value!r:.40}"
    return ""


def _plainly_good(one: Mapping[str, Any]) -> bool:
    """A few numbers and short texts: seen without writing them down, which would take longer than all other checks."""
    size = 0
    for key, value in one.items():
        kind = type(value)
        if kind is str:
            size += len(value)
        elif kind is not bool and not (kind is int and value in _INT64) and not (kind is float and value - value == 0):
            return False
        if type(key) is not str or not key.isascii() or (kind is str and not value.isascii()):
            return False
        size += len(key) + _NUMBER
    return _ESCAPED * size <= MAX_METADATA


def _check_vectors(matrix: FloatArray, names: list[str], metric: Metric) -> None:
    squares = np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(squares))
    if len(bad):
        raise InputError(f"the vector of row {names[bad[0]]!r:.80} holds NaN or infinity ({len(bad)} such rows)")
    if metric == "cosine":
        zero = np.flatnonzero(squares == 0)
        if len(zero):
            raise InputError(
                f"the vector of row {names[zero[0]]!r:.80} is zero, which has no cosine ({len(zero)} such rows)"
            )


def check_queries(vectors: npt.ArrayLike, *, dim: int, metric: Metric) -> FloatArray:
    """Query vectors as float32 (n, dim).

    Raises
    ------
    InputError
        A wrong shape, NaN or infinity, or a zero vector under cosine.
    """
    queries = np.asarray(vectors, dtype=np.float32)
    if queries.ndim != 2 or queries.shape[1] != dim:
        raise InputError(f"queries of shape {queries.shape}; this store takes (n, {dim})")
    _check_vectors(queries, [f"query {i}" for i in range(len(queries))], metric)
    return queries


def check_k(k: int) -> None:
    """Refuse a number of neighbours that is none.

    Raises
    ------
    InputError
        Not a whole number of at least 1.
    """
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InputError(f"k={k!r}: needs a whole number of at least 1")


def lowest_score(query: FloatArray, metric: Metric) -> float:
    """The score that the opposite of a query, float32 (dim,), would have."""
    length = float(np.linalg.norm(query))
    return {"cosine": -1.0, "ip": -(length**2), "l2": -2 * length}[metric]
