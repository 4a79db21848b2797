"""Token ids in files of bounded size: written once, then rewritten in place, each file by itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import numpy as np

from wordstock._files import storage_errors
from wordstock._threads import run_slices
from wordstock.kernels.tokenstream import close_up
from wordstock.protocols import IntArray
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

    def view(self, number: int) -> IdArray:
        """The ids of one file, read-only."""
        return self._open(number, "r")

    def in_slices(self, work: Callable[[Iterator[IdArray]], Result]) -> list[Result]:
        """Call ``work`` in every thread, on the sections that are its part, read-only; results in corpus order."""
        places = [
            (number, start, section.stop)
            for number, sections in enumerate(self.sections)
            for start, section in zip(_starts(sections), sections, strict=True)
        ]

        def on_slice(first: int, last: int) -> Result:
            return work(self.view(number)[start:stop] for number, start, stop in places[first:last])

        return run_slices(on_slice, len(places)) if places else []

    def rewrite(self, work: Callable[[IdArray, int], int]) -> None:
        """Let ``work(ids, source)`` change every section in place; it returns how many ids remain at its front.

        Sections are worked on in parallel. All have source 0 afterwards.
        """
        for number, sections in enumerate(self.sections):
            ids = self._open(number, "r+")
            starts = _starts(sections)
            lengths = np.zeros(len(sections), np.int64)

            def on_slice(
                first: int,
                last: int,
                ids: IdArray = ids,
                sections: list[Section] = sections,
                starts: list[int] = starts,
                lengths: IntArray = lengths,
            ) -> None:
                for i in range(first, last):
                    lengths[i] = work(ids[starts[i] : sections[i].stop], sections[i].source)

            run_slices(on_slice, len(sections))
            close_up(ids, np.array(starts, np.int64), lengths)
            del ids
            stops = np.cumsum(lengths).tolist()
            self.sections[number] = [Section(stop, 0) for stop in stops]
            if stops[-1] != self.lengths[number]:
                os.truncate(self.paths[number], stops[-1] * _LITTLE.itemsize)
                self.lengths[number] = stops[-1]

    def finish(self) -> None:
        """Remove files that have become empty."""
        kept = [i for i, length in enumerate(self.lengths) if length]
        for i in set(range(len(self.paths))) - set(kept):
            self.paths[i].unlink()
        self.paths = [self.paths[i] for i in kept]
        self.lengths = [self.lengths[i] for i in kept]
        self.sections = []

    def _open(self, number: int, mode: Literal["r", "r+"]) -> IdArray:
        if not self.lengths[number]:  # an empty file cannot be mapped
            return np.empty(0, np.int32)
        return np.asarray(np.memmap(self.paths[number], _LITTLE, mode))


def _starts(sections: list[Section]) -> list[int]:
    return [0, *(section.stop for section in sections[:-1])]
