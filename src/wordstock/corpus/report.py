"""What was read, what was left out, and what was damaged."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from wordstock.errors import FormatError

__all__ = ["Damage", "ReadReport"]

_KEPT = 1000  # damages remembered one by one; all are counted
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Damage:
    """One place that could not be read.

    Parameters
    ----------
    path : the file, "<stdin>" for standard input.
    offset : byte at which the trouble starts: of the file on disk for a bzip2 stream of a dump and a gzip member of a
        WARC file, else of the uncompressed stream; None if unknown.
    problem : what is wrong, in words.
    """

    path: str
    offset: int | None
    problem: str


@dataclass
class ReadReport:
    """Counts of one reading, filled while the texts are taken; complete when the last one has been.

    Parameters
    ----------
    strict : raise at the first damage instead of counting it.
    files : files opened.
    documents : articles, pages or records that gave text; lines of plain text files, rows of JSONL and tables.
    texts : strings yielded.
    bytes : bytes of the files on disk that were read.
    left_out : how many documents or lines were left out on purpose, by reason ("redirect", "namespace", "language",
        "duplicate", "empty", "not HTML", ...).
    damaged : number of damages, more than ``damages`` holds if there were thousands.
    damages : the first 1,000 of them.
    """

    strict: bool = False
    files: int = 0
    documents: int = 0
    texts: int = 0
    bytes: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    damaged: int = 0
    damages: list[Damage] = field(default_factory=list)

    def damage(self, error: FormatError) -> None:
        """Count one damage and log it.

        Raises
        ------
        FormatError
            ``error`` itself where the reading is strict.
        """
        if self.strict:
            raise error
        self.damaged += 1
        if len(self.damages) < _KEPT:
            self.damages.append(Damage(error.path, error.offset, str(error)))
            _log.warning("damaged: %s", error)
        elif self.damaged == _KEPT + 1:
            _log.warning("more than %d damages; further ones are counted, not told", _KEPT)

    def __str__(self) -> str:
        parts = [f"{self.texts:,} texts of {self.documents:,} documents in {self.files:,} files, {self.bytes:,} bytes"]
        if self.left_out:
            parts.append("left out: " + ", ".join(f"{n:,} {why}" for why, n in sorted(self.left_out.items())))
        if self.damaged:
            parts.append(f"damaged: {self.damaged:,}")
            parts += [one.problem for one in self.damages[:3]]
        return "; ".join(parts)


def damage_error(path: Path, message: dict[str, object]) -> FormatError:
    """The error that a worker process described in plain values."""
    offset = message.get("offset")
    return FormatError(
        path,
        offset=offset if isinstance(offset, int) else None,
        expected=str(message["expected"]),
        found=str(message["found"]),
        remedy=str(message.get("remedy", "")),
    )
