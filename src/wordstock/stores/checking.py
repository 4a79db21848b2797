"""What every store asks of rows and queries before it takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from wordstock.errors import InputError
from wordstock.protocols import FloatArray
from wordstock.stores.metadata import checked_metadata

__all__ = [
    "Columns",
    "Metric",
    "Precision",
    "Rows",
    "check_columns",
    "check_encoded",
    "check_ids",
    "check_k",
    "check_queries",
    "check_rows",
    "check_vectors",
    "choice",
    "lowest_score",
    "whole",
]

Metric = Literal["cosine", "ip", "l2"]
Precision = Literal["float32", "float16", "bfloat16", "binary"]

# Bytes of UTF-8 that a Milvus field holds; kept in memory too, so that a store can move to a server as it is.
MAX_ID = 512
MAX_TEXT = 65_535

_LEAST = float(np.finfo(np.float32).tiny)  # length of a vector: below, its numbers lose their digits


class Columns(NamedTuple):
    """What rows hold beside their vectors, as a store keeps it."""

    ids: list[str]
    texts: list[str]
    metadata: list[Mapping[str, Any]]


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
    matrix = _matrix(vectors)
    _check_shape(matrix, len(names), dim)
    lists: dict[str, Sequence[Any] | None] = {"metadata": metadata, "texts": texts, "digests": digests}
    given = {"vectors": len(matrix)} | {name: len(one) for name, one in lists.items() if one is not None}
    if wrong := [f"{count} {name}" for name, count in given.items() if count != len(names)]:
        raise InputError(f"{len(names)} ids but {', '.join(wrong)}; give one each")
    numbers = range(len(names))
    check_vectors(matrix, names, numbers, metric)
    _, written, told = check_columns(names, texts, metadata, numbers)
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


def check_columns(
    ids: Sequence[str],
    texts: Sequence[str] | None,
    metadata: Sequence[Mapping[str, Any]] | None,
    numbers: Sequence[int],
) -> Columns:
    """Ids, texts and metadata as a store keeps them, of rows with these numbers; metadata are copies of JSON's types.

    Raises
    ------
    InputError
        One that is no text, no mapping or no JSON, or does not fit into a field; with the row.
    """
    names = _texts("id", ids, numbers)
    written = [""] * len(names) if texts is None else _texts("text", texts, numbers)
    for name, text, number in zip(names, written, numbers, strict=True):
        if not name:
            raise InputError(f"row {number} has an empty id")
        _check_size("id", name, number, name, MAX_ID, "use shorter ids")
        _check_size("text", name, number, text, MAX_TEXT, "cut it into parts")
    if metadata is None:
        return Columns(names, written, [{} for _ in names])
    told = [
        checked_metadata(one, _row(name, number)) for one, name, number in zip(metadata, names, numbers, strict=True)
    ]
    return Columns(names, written, told)


def _row(name: str, number: int) -> str:
    return f"row {number} {name!r:.80}"


def _texts(what: str, given: Sequence[str], numbers: Sequence[int] | None = None) -> list[str]:
    if isinstance(given, str):
        raise InputError(f"{what}s are a list, not one text: {given!r:.80}")
    values = list(given)
    for place, value in enumerate(values):
        if type(value) is not str:
            if not isinstance(value, str):
                raise InputError(
                    f"{what} of row {place if numbers is None else numbers[place]} is no text: {value!r:.80}"
                )
            values[place] = str(value)  # a subclass, such as NumPy's
    return values


def _check_size(what: str, name: str, number: int, value: str, most: int, remedy: str) -> None:
    if value.isascii() and len(value) <= most and "\0" not in value:
        return
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise InputError(f"{what} of {_row(name, number)} holds half a character (a surrogate)") from None
    if size > most:
        raise InputError(f"{what} of {_row(name, number)} has {size:,} bytes; a store holds {most:,} of it: {remedy}")
    if what == "id" and "\0" in value:
        raise InputError(f"id of {_row(name, number)} holds a zero byte")


def check_ids(ids: Any) -> list[str]:
    """One id or several, as a list.

    Raises
    ------
    InputError
        Something that is no text.
    """
    if isinstance(ids, str):
        return [ids]
    if isinstance(ids, bytes) or not isinstance(ids, Iterable):
        raise InputError(f"an id is a text, several are a list of texts; not {ids!r:.80}")
    names = list(ids)
    if wrong := [name for name in names if not isinstance(name, str)]:
        raise InputError(f"an id is a text, not {wrong[0]!r:.80}")
    return names


def _matrix(vectors: npt.ArrayLike, which: str = "vectors") -> FloatArray:
    try:
        return np.asarray(vectors, dtype=np.float32)
    except (TypeError, ValueError):
        raise InputError(f"{which} are not numbers, or not as many for each") from None


def _check_shape(matrix: FloatArray, count: int, dim: int) -> None:
    if matrix.ndim != 2 or (matrix.shape[1] != dim and len(matrix)):
        raise InputError(f"vectors of shape {matrix.shape}; this store takes ({count}, {dim})")


def check_vectors(
    vectors: npt.ArrayLike, ids: Sequence[str], numbers: Sequence[int], metric: Metric, dim: int | None = None
) -> FloatArray:
    """Vectors of rows with these ids and numbers, as float32 (n, dim).

    Raises
    ------
    InputError
        Another shape, where ``dim`` is told; NaN or infinity, or under cosine a zero vector, with the row.
    """
    matrix = _matrix(vectors, f"vectors of rows {numbers[0]} to {numbers[-1]}" if numbers else "vectors")
    if dim is not None:
        _check_shape(matrix, len(ids), dim)
    _check_numbers(matrix, metric, lambda place: _row(ids[place], numbers[place]))
    return matrix


def _check_numbers(matrix: FloatArray, metric: Metric, named: Callable[[int], str]) -> None:
    squares = np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(squares))
    if len(bad):
        raise InputError(f"the vector of {named(int(bad[0]))} holds NaN or infinity ({len(bad)} such rows)")
    if metric == "cosine":
        zero = np.flatnonzero(squares < _LEAST**2)
        if len(zero):
            length = squares[zero[0]] ** 0.5
            what = f"so short ({length:.2g}) that it has no exact" if length else "zero, which has no"
            raise InputError(f"the vector of {named(int(zero[0]))} is {what} cosine ({len(zero)} such rows)")


def check_encoded(vectors: Any, count: int, dim: int) -> FloatArray:
    """What an encoder gave for a number of texts, float32 (count, dim).

    Raises
    ------
    InputError
        Not one vector of that dimension for each text.
    """
    matrix = _matrix(vectors)
    if matrix.shape != (count, dim):
        raise InputError(
            f"the encoder gave an array of shape {matrix.shape} for {count} texts; this store needs ({count}, {dim})"
        )
    return matrix


def check_queries(vectors: npt.ArrayLike, *, dim: int, metric: Metric) -> FloatArray:
    """Query vectors as float32 (n, dim).

    Raises
    ------
    InputError
        A wrong shape, NaN or infinity, or a zero vector under cosine.
    """
    queries = _matrix(vectors)
    if queries.ndim != 2 or queries.shape[1] != dim:
        raise InputError(f"queries of shape {queries.shape}; this store takes (n, {dim})")
    _check_numbers(queries, metric, lambda place: f"query {place}")
    return queries


def check_k(k: int) -> int:
    """A number of neighbours.

    Raises
    ------
    InputError
        Not a whole number of at least 1.
    """
    return whole("k", k)


def whole(name: str, value: int) -> int:
    """A number of at least 1, as Python's own int.

    Raises
    ------
    InputError
        Something else, with its name.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InputError(f"{name}={value!r}: needs a whole number of at least 1")
    return int(value)


def lowest_score(query: FloatArray, metric: Metric) -> float:
    """The score that the opposite of a query, float32 (dim,), would have."""
    length = float(np.linalg.norm(query))
    return {"cosine": -1.0, "ip": -(length**2), "l2": -2 * length}[metric]
