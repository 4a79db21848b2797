"""A filter over metadata, written once for every store.

``{"year": 2020}`` asks for equality; ``{"year": {">": 2000, "<=": 2020}}`` for several things at once; conditions on
several fields must all hold. Operators: ``==  !=  <  <=  >  >=  in  not in  startswith  contains`` (an element of a
list) and ``exists`` (True or False). ``{"and": [...]}``, ``{"or": [...]}`` and ``{"not": {...}}`` combine filters;
``a.b`` is the field b of the object in a.

A field that is missing, null or of another type meets no condition, so that ``!=``, ``not in`` and ``not`` are met:
they are the exact opposites. Numbers are compared with numbers, texts with texts by code point; True is not 1.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

from wordstock.errors import InputError
from wordstock.protocols import Filter

__all__ = ["And", "Condition", "Expression", "Not", "Operator", "Or", "fields_of", "matches", "parse", "parse_text"]

Operator = Literal["==", "<", "<=", ">", ">=", "startswith", "contains", "exists"]
Scalar: TypeAlias = str | int | float | bool

_OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in", "startswith", "contains", "exists")
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_KINDS: dict[type, Any] = {bool: bool, str: str, float: int | float}  # the first that fits
_INT64 = range(-(2**63), 2**63)
_DEEPEST = 50


@dataclass(frozen=True)
class Condition:
    """One field compared with one value."""

    path: tuple[str, ...]
    operator: Operator
    value: Scalar


@dataclass(frozen=True)
class And:
    """All parts hold; none is always true."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Or:
    """One part holds; none is never true."""

    parts: tuple[Expression, ...]

    @cached_property
    def choice(self) -> tuple[tuple[str, ...], frozenset[Any]] | None:
        """The field and its values with their kinds, where every part is "==" on one field: a long list is one look."""
        paths = {part.path if isinstance(part, Condition) and part.operator == "==" else None for part in self.parts}
        path = paths.pop() if len(paths) == 1 else None
        if path is None:
            return None
        return path, frozenset((_kind(one.value), one.value) for one in self.parts if isinstance(one, Condition))


@dataclass(frozen=True)
class Not:
    """The opposite."""

    part: Expression


Expression: TypeAlias = Condition | And | Or | Not


def parse(where: Filter, *, depth: int = 0) -> Expression:
    """Check a filter and give it a form that stores can translate.

    Raises
    ------
    InputError
        Not a mapping, an unknown operator, or a value that cannot be compared.
    """
    if not isinstance(where, Mapping):
        raise InputError(f'a filter is a mapping such as {{"year": {{">": 2020}}}}, not {where!r:.80}')
    if depth > _DEEPEST:
        raise InputError(f"a filter of more than {_DEEPEST} levels")
    parts: list[Expression] = []
    for name, asked in where.items():
        if name in ("and", "or"):
            if not isinstance(asked, list | tuple):
                raise InputError(f"{name!r} in a filter takes a list of filters, not {asked!r:.80}")
            inner = tuple(parse(one, depth=depth + 1) for one in asked)
            parts.append(And(inner) if name == "and" else Or(inner))
        elif name == "not":
            parts.append(Not(parse(asked, depth=depth + 1)))
        else:
            parts += _field(name, asked)
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _field(name: Any, asked: Any) -> Iterator[Expression]:
    if not isinstance(name, str) or not all(name.split(".")):
        raise InputError(f"a field in a filter is named by a text such as 'year' or 'author.name', not {name!r:.80}")
    path = tuple(name.split("."))
    if not isinstance(asked, Mapping):
        asked = {"==": asked}
    if not asked:
        raise InputError(f"no condition on {name!r} in the filter; known are {', '.join(_OPERATORS)}")
    for sign, value in asked.items():
        yield _condition(name, path, sign, value)


def _condition(name: str, path: tuple[str, ...], sign: Any, value: Any) -> Expression:
    if sign not in _OPERATORS:
        raise InputError(f"{sign!r} on {name!r} in the filter: known are {', '.join(_OPERATORS)}")
    if sign in ("in", "not in"):
        if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__iter__"):
            raise InputError(f"{sign!r} on {name!r} in the filter takes a list, not {value!r:.80}")
        any_of = Or(tuple(Condition(path, "==", _scalar(name, one)) for one in value))
        return any_of if sign == "in" else Not(any_of)
    if sign == "exists":
        if not isinstance(value, bool):
            raise InputError(f"'exists' on {name!r} in the filter takes True or False, not {value!r:.80}")
        there = Condition(path, "exists", True)
        return there if value else Not(there)
    value = _scalar(name, value)
    if sign == "startswith" and not isinstance(value, str):
        raise InputError(f"'startswith' on {name!r} in the filter takes a text, not {value!r}")
    if sign in _ORDERED and isinstance(value, bool):
        raise InputError(f"{sign!r} on {name!r} in the filter: {value} has no order; use == or !=")
    if sign == "!=":
        return Not(Condition(path, "==", value))
    return Condition(path, sign, value)


def _scalar(name: str, value: Any) -> Scalar:
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a NumPy scalar
        value = value.item()
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= one <= "\udfff" for one in value)):
        raise InputError(f"{value!r:.80} on {name!r} in the filter holds a zero byte or half a character")
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int) and value in _INT64:
        return value
    if isinstance(value, float) and value - value == 0:
        return value
    if value is None:
        raise InputError(f'None on {name!r} in the filter: write {{"exists": False}} for fields that are not there')
    raise InputError(f"{value!r:.80} on {name!r} in the filter: compare with a text, a finite number, True or False")


def fields_of(expression: Expression) -> list[str]:
    """The fields that an expression names, each once, in order."""
    if isinstance(expression, Condition):
        return [".".join(expression.path)]
    parts = (expression.part,) if isinstance(expression, Not) else expression.parts
    return list(dict.fromkeys(name for part in parts for name in fields_of(part)))


def matches(expression: Expression, metadata: Mapping[str, Any]) -> bool:
    """Whether a row with this metadata meets the filter; the definition that every store is tested against."""
    if isinstance(expression, And):
        return all(matches(part, metadata) for part in expression.parts)
    if isinstance(expression, Or):
        if (choice := expression.choice) is not None:
            found = _found(choice[0], metadata)
            return (kind := _kind(found)) is not None and (kind, found) in choice[1]
        return any(matches(part, metadata) for part in expression.parts)
    if isinstance(expression, Not):
        return not matches(expression.part, metadata)
    return _holds(_found(expression.path, metadata), expression.operator, expression.value)


def _found(path: tuple[str, ...], metadata: Mapping[str, Any]) -> Any:
    found: Any = metadata
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _kind(value: Any) -> type | None:
    """What a value can be compared with: True is not 1, and 1 is 1.0."""
    return next((kind for kind, types in _KINDS.items() if isinstance(value, types)), None)


def _holds(found: Any, sign: Operator, value: Scalar) -> bool:
    if found is None:
        return False
    if sign == "exists":
        return True
    if sign == "contains":
        return isinstance(found, list | tuple) and any(_kind(one) is _kind(value) and one == value for one in found)
    if _kind(found) is not _kind(value):
        return False
    if sign == "==":
        return bool(found == value)
    if sign == "startswith":
        return bool(found.startswith(value))
    return _ORDERED[sign](found, value)


_TEXT = re.compile(
    r"\s*([^\s=!<>]+)\s*(==|!=|<=|>=|=|<|>|\bnot in\b|\bin\b|\bstartswith\b|\bcontains\b|\bexists\b)\s*(.*)"
)


def parse_text(condition: str) -> dict[str, Any]:
    """A filter from one line such as ``year >= 2020``, ``lang in ["en", "de"]`` or ``tag contains heart``.

    What follows the operator is read as JSON where it is JSON, in single quotes or without quotes as a text.

    Raises
    ------
    InputError
        Not of that form, or without a value, or one whose quotes or brackets do not close.
    """
    found = _TEXT.fullmatch(condition)
    if found is None:
        raise InputError(f"filter {condition!r}: write FIELD OPERATOR VALUE with one of {', '.join(_OPERATORS)}")
    name, sign, written = found.groups()
    value = True if sign == "exists" and written == "" else _value(written, condition)
    where = {name: {"==" if sign == "=" else sign: value}}
    parse(where)
    return where


def _value(written: str, condition: str) -> Any:
    try:
        return json.loads(written)
    except ValueError:
        if len(written) > 1 and written[0] == written[-1] == "'":
            return written[1:-1]
        if written[:1] in ("", "'", '"', "[", "{", "="):
            wrong = f"{written!r} is neither JSON nor a text without quotes" if written else "the value is missing"
            raise InputError(f'filter {condition!r}: {wrong}; write 2020, "two words", ["en", "de"] or true') from None
        return written
