"""Measured points of a report, kept as they come, so that a stopped run goes on where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import NamedTuple

from wordstock._files import storage_errors
from wordstock._paths import user_path

__all__ = ["Point", "PointStore", "ReportProgress", "Skipped"]


@dataclass(frozen=True)
class Point:
    """One method trained once.

    Parameters
    ----------
    method : its name in the report.
    budget, seed : labels it had, and which sample.
    score : accuracy, or F1, from 0 to 1, on the test set.
    macro_f1 : mean of the classes' F1; of tags the same as ``score``.
    seconds : of training, the encoding of the training texts included.
    peak_mb : the process's largest resident memory while it was trained and used, in 2**20 bytes; None if the system
        does not tell.
    grown_mb : how much of that was not resident before.
    cpu : seconds of all its threads and processes together for what ``seconds`` counts; None in a point that was kept
        before they were measured.
    """

    method: str
    budget: int
    seed: int
    score: float
    macro_f1: float
    seconds: float
    peak_mb: float | None
    grown_mb: float | None
    cpu: float | None = None


@dataclass(frozen=True)
class Skipped:
    """A point that cannot be had.

    Parameters
    ----------
    method, budget, seed : as of a ``Point``.
    why : what the method says about the sample.
    """

    method: str
    budget: int
    seed: int
    why: str


class ReportProgress(NamedTuple):
    """How far a report has come.

    Parameters
    ----------
    done, total : points, those that were skipped among them.
    point : the one that is done; ``reused`` if an earlier run had measured it.
    seconds : since the run began.
    """

    done: int
    total: int
    point: Point
    reused: bool
    seconds: float


class PointStore:
    """A file of JSON lines, one per point, under the key of what was measured.

    Parameters
    ----------
    path : the file, made when the first point comes; None keeps nothing.
    fresh : forget what the file holds.

    Raises
    ------
    StorageError
        The file cannot be written.
    """

    def __init__(self, path: Path | str | None, *, fresh: bool = False) -> None:
        self.path = None if path is None else user_path(path, "keep")
        if fresh and self.path is not None:
            with storage_errors(self.path):
                self.path.unlink(missing_ok=True)
        self._known = dict(self._read())

    def get(self, key: str) -> Point | None:
        """The point of this key, if it was measured."""
        return self._known.get(key)

    def add(self, key: str, point: Point) -> None:
        """Keep a point; it is on the disk when this returns.

        Raises
        ------
        StorageError
            The file cannot be written.
        """
        self._known[key] = point
        if self.path is None:
            return
        with storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as stream:
                stream.write(json.dumps({"key": key, **asdict(point)}).encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())

    def _read(self) -> Iterator[tuple[str, Point]]:
        if self.path is None or not self.path.is_file():
            return
        content = self.path.read_bytes()
        if content and not content.endswith(b"\n"):  # the run was stopped in the middle of a line
            with storage_errors(self.path), self.path.open("ab") as stream:
                stream.write(b"\n")
        names = {one.name for one in fields(Point)}
        since = {"cpu"}  # not in the files of before
        for line in content.split(b"\n"):
            try:
                record = json.loads(line)
                key = record.pop("key")
            except (ValueError, KeyError, AttributeError, TypeError):
                continue
            if isinstance(key, str) and names - since <= set(record) <= names:
                yield key, Point(**record)
