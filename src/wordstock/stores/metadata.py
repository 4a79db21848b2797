"""Metadata of one row as every store keeps it: what JSON gives back, within what a Milvus field holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from wordstock.errors import InputError

__all__ = ["checked_metadata", "plain"]

MAX_METADATA = 65_536  # bytes of UTF-8

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_INT64 = range(-(2**63), 2**63)
_PLAIN = frozenset((str, int, float, bool, type(None)))
_DEPTH = 100  # of metadata within metadata
_NUMBER, _ESCAPED = 32, 6  # bytes of JSON at most: of a number with what stands around it, of one ASCII character


def _without_nulls(one: Any) -> Any:
    """Fields that are None count as not there: some backends cannot tell the two apart."""
    if not isinstance(one, dict) or not any(value is None or isinstance(value, dict) for value in one.values()):
        return one
    return {key: _without_nulls(value) for key, value in one.items() if value is not None}


def checked_metadata(one: Any, row: str) -> Mapping[str, Any]:
    """A copy of a row's metadata as it comes back: of JSON's types, without fields that are None.

    Parameters
    ----------
    row : how messages name it.

    Raises
    ------
    InputError
        No mapping, no JSON, or more than a field holds.
    """
    if not isinstance(one, Mapping):
        raise InputError(f"metadata of {row} is a mapping of fields to values, not {one!r:.80}")
    if _plainly_good(one):
        return dict(one)
    try:
        copied: dict[str, Any] = _without_nulls(plain(one))
        why = _beyond_json(copied)
        size = 0 if why else len(_JSON.encode(copied).encode())
    except (TypeError, ValueError) as error:
        raise InputError(f"metadata of {row} cannot be written as JSON: {error}") from None
    if why:
        raise InputError(f"metadata of {row} has {why}")
    if size > MAX_METADATA:
        raise InputError(f"metadata of {row} has {size:,} bytes of JSON; a store holds {MAX_METADATA:,}")
    return copied


def plain(value: Any, depth: int = 0) -> Any:
    """A copy of metadata as JSON would give it back: of dicts, lists, and Python's own texts and numbers.

    Raises
    ------
    ValueError
        Nested too deep, or in itself.
    """
    if type(value) in _PLAIN:
        return value
    if depth > _DEPTH:
        raise ValueError(f"it is nested more than {_DEPTH} deep, or holds itself")
    if isinstance(value, Mapping):
        items = ((str(key) if isinstance(key, str) else key, one) for key, one in value.items())
        return {key: one if type(one) in _PLAIN else plain(one, depth + 1) for key, one in items}
    if isinstance(value, list | tuple):
        return [one if type(one) in _PLAIN else plain(one, depth + 1) for one in value]
    return next((kind(value) for kind in (str, int, float) if isinstance(value, kind)), value)


def _beyond_json(value: Any) -> str:
    """What Python would write as JSON and Milvus does not take; "" where there is nothing."""
    kind = type(value)
    if kind is int:
        return "" if value in _INT64 else f"a whole number of more than 64 bits: {value!r:.40}"
    if kind is dict:
        for key in value:
            if not isinstance(key, str):
                return f"a field whose name is no text: {key!r:.40}"
        value, kind = value.values(), list
    return next(filter(None, map(_beyond_json, value)), "") if kind is list else ""


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
