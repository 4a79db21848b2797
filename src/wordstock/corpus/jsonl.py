"""One field of JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from wordstock.corpus.lines import decoded_lines
from wordstock.corpus.source import Source
from wordstock.errors import FormatError

__all__ = ["read_jsonl"]


def read_jsonl(source: Source, *, field: str = "text") -> Iterator[str]:
    """The text in ``field`` of every line; ``a.b`` is the field b of the object in a.

    A line that is no object, or whose field is missing or no text, is reported; null and "" are counted as "empty".

    Raises
    ------
    FormatError
        The first object has no such field, with the fields it has; any damage where the reading is strict.
    """
    report = source.report
    first = True
    for number, line in decoded_lines(source):
        if not line or line.isspace():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            report.damage(
                FormatError(source.path, line=number, expected="a JSON object", found=f"{error}: {line[:40]!r}")
            )
            continue
        text, problem = _field(value, field)
        if problem:
            remedy = "name the field: field=" if first else ""
            wrong = FormatError(source.path, line=number, expected=f"a text in {field!r}", found=problem, remedy=remedy)
            if first and isinstance(value, dict):
                raise wrong
            report.damage(wrong)
            continue
        first = False
        if text:
            report.documents += 1
            yield text
        else:
            report.left_out["empty"] += 1


def _field(value: Any, field: str) -> tuple[str, str]:
    """(text, "") or ("", what is wrong)."""
    if isinstance(value, dict) and field in value:
        value = value[field]
    else:
        for name in field.split("."):
            if not isinstance(value, dict):
                return "", f"{type(value).__name__} where an object should be"
            if name not in value:
                return "", f"the fields {', '.join(map(repr, list(value)[:20])) or 'none'}"
            value = value[name]
    if value is None:
        return "", ""
    return (value, "") if isinstance(value, str) else ("", f"a value of type {type(value).__name__}")
