"""Many small files: which of them are read in worker processes, one each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from wordstock.corpus.detect import detect_kind
from wordstock.corpus.onefile import FileOptions
from wordstock.corpus.report import ReadReport
from wordstock.corpus.source import STDIN, Tracker, open_source
from wordstock.corpus.workers import Task, worker_count
from wordstock.errors import WordstockError

__all__ = ["file_tasks", "file_workers"]

_LARGEST = 1 << 22  # bytes on disk; larger files are divided among workers by their readers
_SMALLEST = 1 << 25  # bytes of all small files from which on worker processes pay for their start
_KINDS = ("jsonl", "warc", "wikiextractor")  # that take longer to read than to send


def file_workers(files: Sequence[tuple[Path, bool]], options: FileOptions) -> int:
    """How many processes read whole files: none for a single one, or a few bytes."""
    if options.workers is not None and options.workers == 0:
        return 0
    sizes = [size for file, _ in files if file.is_file() and (size := file.stat().st_size) <= _LARGEST]
    if len(sizes) < 2:
        return 0
    return options.workers or worker_count(sum(sizes), _SMALLEST)


def file_tasks(files: Sequence[tuple[Path, bool]], options: FileOptions, *, sent: bool) -> Iterator[Task]:
    """A task for each file; with "here" where the caller reads it, as all are unless they may be ``sent``."""
    plain = {**asdict(options), "workers": 0}
    for number, (path, _) in enumerate(files):
        if sent and _pays(path, options):
            yield {"number": number, "file": str(path), "options": plain}
        else:
            yield {"number": number, "here": True}


def _pays(path: Path, options: FileOptions) -> bool:
    """Whether another process is better at reading this file; damaged ones are left to the caller."""
    report = ReadReport()
    try:
        if path == STDIN or not path.is_file() or path.stat().st_size > _LARGEST:
            return False
        with open_source(path, report, Tracker(0, report, None)) as source:
            kind = options.kind or detect_kind(source.head, path)
            return kind in _KINDS or (kind == "text" and source.compression is not None)
    except (WordstockError, OSError):
        return False
