"""What is known of one file while its passages are brought into a store."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wordstock.stores.documents.document import Passage

__all__ = ["CONTESTED", "FileState", "version_of", "versioned"]

CONTESTED = "-contested"
"""Ends the version of a file of which rows are left out, as another file has their ids: it is always read again."""
_FEW = 8


class FileState:
    """A file that is being read.

    Parameters
    ----------
    name, version : of the file as it is now.
    marks : ids of its marks in the store; empty for a file that the store does not know.
    """

    def __init__(self, name: str, version: str, marks: Iterable[str] = ()) -> None:
        self.name, self.version = name, version
        self.marks: dict[str, Passage | None] = dict.fromkeys(marks)  # as the store has them, once that was asked
        self.known = bool(self.marks)
        self.begun = False  # the store has a mark of it, and none that has a version
        self.held: dict[str, Passage] = {}  # passages of these ids, held back until the others are in the store
        self.some: list[str] = []  # ids of the first few of the others
        self.stored: int | None = 0  # how many others the store has; None if it cannot be told
        self.written = 0  # passages written or deleted in requests in which it was
        self._ids = array("q")  # hashes of all ids
        self._now: npt.NDArray[np.int64] | None = None

    def take(self, passage: Passage) -> list[Passage]:
        """The passages that can be written now: all but those of marks."""
        if self.known:
            self._ids.append(_hash(passage.id))
        if passage.id in self.marks or passage.id in self.held or not (self.marks or self.held):
            self.held[passage.id] = passage
            return []
        if len(self.some) < _FEW:
            self.some.append(passage.id)
        return [passage]

    @property
    def sure(self) -> Passage | None:
        """One held passage that the store takes for certain, as it has the same text already."""
        there = ((self.marks.get(name), one) for name, one in self.held.items())
        return next((one for mark, one in there if mark is not None and mark.text == one.text), None)

    def had(self, passage: Passage) -> bool:
        """Whether the store had this passage, but for a version, before the file was read."""
        mark = self.marks.get(passage.id) if self.known else None
        return mark is not None and versioned(mark, "") == versioned(passage, "")

    @property
    def doubled(self) -> bool:
        """Whether an id stands in the file twice."""
        return len(self._distinct()) < len(self._ids)

    def has(self, name: str) -> bool:
        """Whether a passage of this id is in the file as it is now, or a mark of it."""
        now, key = self._distinct(), _hash(name)
        at = int(np.searchsorted(now, key))
        return name in self.marks or (at < len(now) and int(now[at]) == key)

    def _distinct(self) -> npt.NDArray[np.int64]:
        if self._now is None:
            self._now = np.unique(np.frombuffer(self._ids, np.int64))
        return self._now


def versioned(passage: Passage, version: str) -> Passage:
    """The passage as the mark of its file."""
    return passage._replace(metadata={**passage.metadata, "version": version})


def version_of(path: Path, settings: str, known: str | None) -> str:
    """``settings-size-time-hash``; the hash is taken from the known version where size and time are its own."""
    status = path.stat()
    quick = f"{settings}-{status.st_size}-{status.st_mtime_ns}"
    if known is not None and known.startswith(quick + "-"):
        return known
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()[:32]
    if known is not None and known.startswith(settings + "-") and known.endswith("-" + digest):
        return known
    return f"{quick}-{digest}"


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little", signed=True)
