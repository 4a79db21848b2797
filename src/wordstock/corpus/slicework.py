"""What a worker process does: slices of dumps, lines of JSON, web pages, small files; plain values in and out.

The answer {"again": True} leaves a slice to the caller, who reads it himself and reports what is wrong with it: workers
have no report, and damage is rare.
"""

from __future__ import annotations

from pathlib import Path

from wordstock.corpus import wikiwork
from wordstock.corpus.jsonl import texts_of_lines
from wordstock.corpus.onefile import FileOptions, read_file
from wordstock.corpus.report import ReadReport
from wordstock.corpus.source import Tracker
from wordstock.corpus.warc import page_or_reason
from wordstock.corpus.workers import Task
from wordstock.errors import WordstockError
from wordstock.protocols import TextBlock

__all__ = ["work"]

_MOST = 1 << 26  # bytes of text that one answer may hold
_AGAIN: Task = {"again": True}


def work(task: Task) -> Task:
    """The answer to one task."""
    try:
        if "lines" in task:
            return _lines(task)
        if "pages" in task:
            return {"pages": [page_or_reason(raw) for raw in task["pages"]]}
        if "file" in task:
            return _file(task)
    except (WordstockError, OSError):
        return _AGAIN
    return wikiwork.work(task)


def _lines(task: Task) -> Task:
    report = ReadReport(strict=True)
    lines = enumerate(TextBlock(task["lines"]).lines(), 1)
    texts = list(texts_of_lines(lines, Path(), report, task["field"]))
    return {"texts": texts, "left_out": dict(report.left_out)}


def _file(task: Task) -> Task:
    """All texts of a file; lines of plain text as bytes."""
    report = ReadReport(strict=True)
    options = FileOptions(**task["options"])
    items: list[str | bytes] = []
    size = 0
    for found in read_file(Path(task["file"]), options, report, Tracker(0, report, None)):
        item = bytes(found.data) if isinstance(found, TextBlock) else found
        size += len(item)
        if size > _MOST:
            return _AGAIN
        items.append(item)
    return {"items": items, "documents": report.documents, "left_out": dict(report.left_out)}
