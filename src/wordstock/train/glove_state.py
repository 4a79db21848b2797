"""What GloVe learns: rows of four lines for each word, their start, and their checkpoints."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from wordstock._files import atomic_write, storage_errors
from wordstock.errors import FormatError, InputError
from wordstock.protocols import FloatArray
from wordstock.train.state import TrainState

__all__ = ["GloVeCheckpoint", "Rows", "new_rows", "row_bytes"]

_LINE = 16  # float32 numbers in a cache line
_FIXED = 1e30  # sum of squares of an entry that must not move
_VERSION = 2


class Rows(NamedTuple):
    """Float32 (words, 4, width), see ``kernels.glove``."""

    data: FloatArray
    dim: int

    @property
    def words(self) -> FloatArray:
        """Word vectors, a view (words, dim)."""
        return self.data[:, 0, : self.dim]

    @property
    def contexts(self) -> FloatArray:
        """Context vectors, a view (words, dim)."""
        return self.data[:, 2, : self.dim]

    def hold(self) -> None:
        """Let nothing but the biases move."""
        self.data[:, 1::2, : self.dim] = _FIXED

    def release(self, scales: FloatArray | None = None) -> None:
        """Start the sums of squared steps: at 1, or at 1 / scale**2 with float32 (words,) scales, 0 for a fixed row.

        The first steps of a row are then ``scale`` times those of others; AdaGrad lets them come closer with time.
        """
        self.data[:, 1::2, : self.dim] = 1
        if scales is not None:
            with np.errstate(divide="ignore"):
                sums = np.minimum(np.float32(1) / scales**2, np.float32(_FIXED))
            self.data[:, 1::2, : self.dim] = sums[:, None, None]


def new_rows(words: int, dim: int, learning_rate: float, seed: int) -> Rows:
    """Vectors and biases uniform in -1/2..1/2 divided by dim; sums of squared steps 1.

    A bias starts with the sum ``learning_rate**2``, which gives it the learning rate 1, as in the authors' code:
    a bias has to reach log counts of 10 and more while components stay below 1.
    """
    rows = _aligned(words, dim)
    random = np.random.default_rng([seed, 0])
    rows[:] = 0
    for line, bias, one in ((0, dim, dim + 1), (2, dim + 1, dim)):
        rows[:, line, :dim] = (random.random((words, dim), np.float32) - 0.5) / dim
        rows[:, line, bias] = (random.random(words, np.float32) - 0.5) / dim
        rows[:, line, one] = 1
        rows[:, line + 1] = 1
        rows[:, line + 1, bias] = learning_rate**2
        rows[:, line + 1, one] = _FIXED
    return Rows(rows, dim)


def _aligned(words: int, dim: int) -> FloatArray:
    """An uninitialised array whose lines start at cache lines."""
    width = _width(dim)
    size = words * 4 * width
    memory = np.empty(size + _LINE, np.float32)
    start = (-memory.ctypes.data // 4) % _LINE
    return memory[start : start + size].reshape(words, 4, width)


def _width(dim: int) -> int:
    """Floats to a line: a vector, its bias and the other side's constant 1, in whole cache lines."""
    return -(-(dim + 2) // _LINE) * _LINE


def row_bytes(dim: int) -> int:
    """Memory of a word: its row, and in the end its two vectors."""
    return 4 * (4 * _width(dim) + 2 * dim)


class GloVeCheckpoint:
    """One file: a line of JSON, then the rows' bytes.

    Parameters
    ----------
    path : of the file.
    settings : what must be equal for a checkpoint to be continued.
    words, dim : of the rows.
    """

    def __init__(self, path: Path, settings: dict[str, Any], words: int, dim: int) -> None:
        self.path = path
        self.settings = json.loads(json.dumps(settings))
        self.words, self.dim = words, dim

    def save(self, rows: Rows, state: TrainState) -> None:
        """Replace the file atomically: a reader sees the old one or the new one.

        Raises
        ------
        StorageError
            The file cannot be written.
        """
        head = {
            "version": _VERSION, "settings": self.settings, "state": state.to_dict(), "shape": rows.data.shape,
            "crc32": zlib.crc32(rows.data.data),
        }  # fmt: skip
        with atomic_write(self.path) as stream:
            stream.write(json.dumps(head).encode() + b"\n")
            stream.write(rows.data.data)

    def load(self) -> tuple[Rows, TrainState] | None:
        """What was saved last; None if nothing was.

        Raises
        ------
        InputError
            It was made with other settings; names the first that differs.
        FormatError
            It is damaged.
        """
        if not self.path.exists():
            return None
        remedy = "delete it to begin anew"
        with storage_errors(self.path), self.path.open("rb") as stream:
            try:
                head = json.loads(stream.readline())
                found, state, shape = head["settings"], TrainState.from_dict(head["state"]), tuple(head["shape"])
                check = int(head["crc32"])
            except (ValueError, KeyError, TypeError) as error:
                expected = "a line of JSON with the state of a training"
                raise FormatError(self.path, expected=expected, found=str(error), offset=0, remedy=remedy) from error
            for name, value in self.settings.items():
                if found.get(name) != value:
                    raise InputError(
                        f"the checkpoint {self.path} was made with {name}={found.get(name)!r}, now {name}={value!r}; "
                        "use another folder, or delete this one to begin anew"
                    )
            rows = _aligned(self.words, self.dim)
            if shape != rows.shape:
                raise FormatError(self.path, expected=f"rows {rows.shape}", found=f"{shape}", remedy=remedy)
            count = stream.readinto(rows.data.cast("B"))
        if count != rows.nbytes:
            raise FormatError(self.path, expected=f"{rows.nbytes} bytes of rows", found=f"{count}", remedy=remedy)
        if (sum_found := zlib.crc32(rows.data)) != check:
            expected = f"rows with CRC-32 {check:#x}"
            raise FormatError(self.path, expected=expected, found=f"{sum_found:#x}", remedy=remedy)
        return Rows(rows, self.dim), state
