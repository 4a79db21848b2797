"""Numbers that are written once and read several times: in memory while they are few, else in a temporary file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Self

import numpy as np

from wordstock._files import storage_errors
from wordstock.train.corpus import IdArray

__all__ = ["Spool"]

_WIDTH = 4  # bytes of an int32


class Spool:
    """A context: blocks of int32, one after the other. The file has no name and is gone when its last array is.

    Parameters
    ----------
    limit : bytes that are held in memory.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.bounds = [0]
        self._held: list[IdArray] = []
        self._file: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def append(self, block: IdArray) -> None:
        """Add a block.

        Raises
        ------
        StorageError
            The disk for temporary files is full.
        """
        self.bounds.append(self.bounds[-1] + len(block))
        self._held.append(block)
        if self._file is not None or self.bounds[-1] * _WIDTH > self.limit:
            with storage_errors(Path(tempfile.gettempdir())):
                if self._file is None:
                    self._file = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as its arrays
                for held in self._held:
                    self._file.write(held.data)
                self._held = []

    def array(self) -> IdArray:
        """All blocks, int32, in memory or mapped; a mapped one outlives the context."""
        if self._file is None:
            joined = np.concatenate(self._held) if self._held else np.empty(0, np.int32)
            self._held = [joined]
            return joined
        self._file.flush()
        return np.asarray(np.memmap(self._file, np.int32, "r+"))
