"""One field of JSON lines, parsed in parallel processes where the file is large."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from wordstock.corpus.lines import decoded_lines, text_blocks
from wordstock.corpus.report import ReadReport
from wordstock.corpus.source import Source
from wordstock.corpus.workers import Task, in_order, worker_count
from wordstock.errors import FormatError
from wordstock.protocols import TextBlock

__all__ = ["read_jsonl", "texts_of_lines"]

_SMALLEST = 1 << 28  # bytes of text from which on worker processes pay for their start
_PACKED = 4  # bytes of text to one of a compressed file, about


def read_jsonl(source: Source, *, field: str = "text", workers: int | None = 0) -> Iterator[str]:
    """The text in ``field`` of every line; ``a.b`` is the field b of the object in a.

    A line that is no object, or whose field is missing or no text, is reported; null and "" are counted as "empty".

    Parameters
    ----------
    workers : processes; None for one per core if the file is large enough, 0 for none.

    Raises
    ------
    FormatError
        The first object has no such field, with the fields it has; any damage where the reading is strict.
    """
    if workers is None:
        size = source.size if source.seekable else _SMALLEST
        workers = worker_count(size * (_PACKED if source.compression else 1), _SMALLEST)
    if workers == 0:
        yield from texts_of_lines(decoded_lines(source), source.path, source.report, field)
        return
    tasks: Iterator[Task] = ({"lines": bytes(block.data), "field": field} for block in text_blocks(source))
    number, first = 1, True
    with closing(in_order(tasks, lambda task: task, workers)) as results:
        for task, result in results:
            if "again" in result:
                lines = enumerate(TextBlock(task["lines"]).lines(), number)
                yield from texts_of_lines(lines, source.path, source.report, field, first=first)
            else:
                source.report.documents += len(result["texts"])
                source.report.left_out.update(Counter(result["left_out"]))
                yield from result["texts"]
                first = first and not result["texts"] and not result["left_out"]
            number += task["lines"].count(b"\n")


def texts_of_lines(
    lines: Iterable[tuple[int, str]], path: Path, report: ReadReport, field: str, *, first: bool = True
) -> Iterator[str]:
    """The texts of numbered lines; ``first`` says that no object came before them."""
    for number, line in lines:
        if not line or line.isspace():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            report.damage(FormatError(path, line=number, expected="a JSON object", found=f"{error}: {line[:40]!r}"))
            continue
        text, problem = _field(value, field)
        if problem:
            remedy = "name the field: field=" if first else ""
            wrong = FormatError(path, line=number, expected=f"a text in {field!r}", found=problem, remedy=remedy)
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
