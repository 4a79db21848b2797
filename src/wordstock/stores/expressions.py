"""A filter as a Milvus boolean expression over the JSON field ``metadata``.

Every name and value is written as a quoted literal, so nothing that a user passes is read as an operator. Negation is
pushed down to the conditions, where each dialect says "missing or otherwise": in a server ``k != 1`` holds where k is
missing, in Milvus Lite 3 it is unknown there, as in SQL.
"""

from __future__ import annotations

from typing import Literal

from wordstock.errors import InputError
from wordstock.stores.filters import And, Condition, Expression, Not, Or

__all__ = ["Dialect", "NOTHING", "expression", "id_in", "quoted"]

Dialect = Literal["server", "lite3", "lite2"]

NOTHING = 'id == ""'  # no row has an empty id
_EVERYTHING = 'id != ""'
_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))  # the backslash first
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def expression(where: Expression, dialect: Dialect) -> str:
    """The expression that meets the same rows.

    Raises
    ------
    InputError
        A condition that this backend cannot express.
    """
    return _written(where, dialect, positive=True)


def _written(where: Expression, dialect: Dialect, *, positive: bool) -> str:
    if isinstance(where, Not):
        return _written(where.part, dialect, positive=not positive)
    if isinstance(where, And | Or):
        all_of = isinstance(where, And) == positive
        if not where.parts:
            return _EVERYTHING if all_of else NOTHING
        if dialect != "lite3" and (lists := _one_of(where, dialect, positive=positive)):
            return lists
        parts = [_written(part, dialect, positive=positive) for part in where.parts]
        return parts[0] if len(parts) == 1 else "(" + (" and " if all_of else " or ").join(parts) + ")"
    return _met(where, dialect) if positive else _unmet(where, dialect)


def _one_of(where: And | Or, dialect: Dialect, *, positive: bool) -> str | None:
    """Equality of one field with one of several values, or with none, told as lists of one type each.

    A server looks at every part of a long "or" for every row, and fails on one of 50; Milvus Lite 3 has no such lists.
    """
    if not isinstance(where, Or) or where.choice is None:
        return None
    lists: dict[type, list[str]] = {}
    for part in where.parts:
        if isinstance(part, Condition):
            lists.setdefault(type(part.value), []).append(_value(part, dialect))
    key = _key(where.choice[0])
    sign, join = ("in", " or ") if positive else ("not in", " and ")
    return "(" + join.join(f"{key} {sign} [{', '.join(values)}]" for values in lists.values()) + ")"


def _met(condition: Condition, dialect: Dialect) -> str:
    key, value = _key(condition.path), condition.value
    if condition.operator == "exists":
        return _exists(key, dialect)
    if condition.operator == "contains":
        return f"json_contains({key}, {_value(condition, dialect)})"
    if condition.operator == "startswith":
        return _prefixed(key, str(value))
    return f"{key} {condition.operator} {_value(condition, dialect)}"


def _unmet(condition: Condition, dialect: Dialect) -> str:
    met = _met(condition, dialect)
    if condition.operator == "==" and dialect != "lite3":
        return f"{_key(condition.path)} != {_value(condition, dialect)}"
    if dialect == "server":
        return f"not ({met})"
    if dialect == "lite2":
        raise InputError(
            f"'not' with {condition.operator!r} on {'.'.join(condition.path)!r}: Milvus Lite 2 cannot filter so; "
            "use Milvus Lite 3 or a server"
        )
    key = _key(condition.path)
    if condition.operator in ("exists", "contains"):
        return f"not ({met})"
    parts = [f"not (exists {key})", f"not ({met})"]
    if condition.operator in _OPPOSITE or condition.operator == "startswith":
        text = f'{key} like "%"'  # holds for every text and for nothing else
        parts.append(f"not ({text})" if isinstance(condition.value, str) else text)
    return "(" + " or ".join(parts) + ")"


def _exists(key: str, dialect: Dialect) -> str:
    if dialect == "lite2":
        raise InputError("'exists' in a filter: Milvus Lite 2 has no such test; use Milvus Lite 3 or a server")
    return f"(exists {key})"  # Milvus 2.3 wants the brackets beside "and"


def _prefixed(key: str, prefix: str) -> str:
    """Texts from the prefix up to its successor: LIKE would read % and _ in it as wildcards."""
    start = f"{key} >= {quoted(prefix)}"
    for end in range(len(prefix), 0, -1):
        following = ord(prefix[end - 1]) + 1
        if following == 0xD800:
            following = 0xE000  # surrogates are no characters
        if following <= 0x10FFFF:
            return f"({start} and {key} < {quoted(prefix[: end - 1] + chr(following))})"
    return start


def _key(path: tuple[str, ...]) -> str:
    return "metadata" + "".join(f"[{quoted(step)}]" for step in path)


def _value(condition: Condition, dialect: Dialect) -> str:
    value = condition.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    if dialect == "lite2" and any(character in value for character in "\n\r\t"):
        raise InputError(f"{value!r:.80} in a filter: Milvus Lite 2 cannot compare with tabs and line ends; use 3")
    return quoted(value)


def quoted(text: str) -> str:
    """A text as a string literal.

    Raises
    ------
    InputError
        A character that no Milvus string can hold.
    """
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InputError(f"{text!r:.80} holds a zero byte or half a character, which Milvus cannot compare with")
    for character, written in _ESCAPES:
        text = text.replace(character, written)
    return f'"{text}"'


def id_in(ids: list[str]) -> str:
    """Rows with one of these ids."""
    return f"id in [{', '.join(map(quoted, ids))}]"
