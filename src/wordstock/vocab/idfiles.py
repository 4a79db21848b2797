"""Token ids in files of bounded size: written once, then rewritten in place, each file by itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import numpy as np

from wordstock._files import storage_errors
from wordstock._threads import run_slices
from wordstock.vocab.wordtable import IdArray

__all__ = ["IdFiles", "Section"]

Result = TypeVar("Result")
_LITTLE = np.dtype("<i4")


class Section(NamedTuple):
    """Ids up to ``stop`` in a file, by the map number ``source``."""

    stop: int
    source: int


class IdFiles:
    """Little-endian int32 files ``shard-00000.ids`` … in one folder.

    Parameters
    ----------
    limit : a new file is begun when one holds this many ids. Blocks are never divided, so a file may be larger.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self.paths: list[Path] = []
        self.lengths: list[int] = []
        self.sections: list[list[Section]] = []

    def append(self, ids: IdArray, source: int) -> None:
        """Write a block of whole sentences after the last one.

        Raises
        ------
        StorageError
            The disk is full or cannot be written to.
        """
        if not len(ids):
            return
        if not self.paths or self.lengths[-1] >= self.limit:
            self.paths.append(self.folder / f"shard-{len(self.paths):05d}.ids")
            self.lengths.append(0)
            self.sections.append([])
        with storage_errors(self.paths[-1]), self.paths[-1].open("ab") as stream:
            stream.write(ids.astype(_LITTLE, copy=False).data)
        self.lengths[-1] += len(ids)
        self.sections[-1].append(Section(self.lengths[-1], source))

    def map(self, work: Callable[[IdArray, int], Result]) -> list[Result]:
        """Call ``work(ids, number)`` on every file's ids, read-only, files in parallel; results in file order."""

        def on_file(number: int) -> Result:
            return work(self.view(number), number)

        return _each(on_file, len(self.paths))

    def view(self, number: int) -> IdArray:
        """The ids of one file, read-only."""
        return self._open(number, "r")

    def rewrite(self, work: Callable[[IdArray, int], int]) -> None:
        """Let ``work(ids, number)`` change every file's ids in place; it returns how many of them remain."""

        def on_file(number: int) -> None:
            ids = self._open(number, "r+")
            remaining = work(ids, number)
            del ids
            if remaining != self.lengths[number]:
                os.truncate(self.paths[number], remaining * _LITTLE.itemsize)
                self.lengths[number] = remaining

        _each(on_file, len(self.paths))

    def finish(self) -> None:
        """Remove files that have become empty and make the others durable."""
        kept = [i for i, length in enumerate(self.lengths) if length]
        for i in set(range(len(self.paths))) - set(kept):
            self.paths[i].unlink()
        self.paths = [self.paths[i] for i in kept]
        self.lengths = [self.lengths[i] for i in kept]
        self.sections = []
        for path in self.paths:
            with storage_errors(path), path.open("rb") as stream:
                os.fsync(stream.fileno())

    def _open(self, number: int, mode: Literal["r", "r+"]) -> IdArray:
        if not self.lengths[number]:  # an empty file cannot be mapped
            return np.empty(0, np.int32)
        return np.asarray(np.memmap(self.paths[number], _LITTLE, mode))


def _each(work: Callable[[int], Result], size: int) -> list[Result]:
    if not size:
        return []
    slices = run_slices(lambda start, stop: [work(i) for i in range(start, stop)], size)
    return [result for part in slices for result in part]
