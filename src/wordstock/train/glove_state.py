"""What GloVe learns: rows of four lines for each word, their start, and their checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from wordstock._files import atomic_write, storage_errors
from wordstock.errors import FormatError, InputError
from wordstock.protocols import FloatArray

__all__ = ["State", "load_state", "new_state", "save_state"]

_LINE = 16  # float32 numbers in a cache line
_FIXED = 1e30  # sum of squares of an entry that must not move
_VERSION = 1


class State(NamedTuple):
    """Rows float32 (words, 4, width), see ``kernels.glove``; and the mean cost of each epoch so far."""

    rows: FloatArray
    dim: int
    costs: list[float]

    @property
    def words(self) -> FloatArray:
        """Word vectors, a view (words, dim)."""
        return self.rows[:, 0, : self.dim]

    @property
    def contexts(self) -> FloatArray:
        """Context vectors, a view (words, dim)."""
        return self.rows[:, 2, : self.dim]


def new_state(words: int, dim: int, learning_rate: float, seed: int) -> State:
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
    return State(rows, dim, [])


def _aligned(words: int, dim: int) -> FloatArray:
    """An uninitialised array whose lines start at cache lines."""
    width = -(-(dim + 2) // _LINE) * _LINE
    size = words * 4 * width
    memory = np.empty(size + _LINE, np.float32)
    start = (-memory.ctypes.data // 4) % _LINE
    return memory[start : start + size].reshape(words, 4, width)


def save_state(path: Path, state: State, settings: dict[str, Any]) -> None:
    """Write a checkpoint: one line of JSON, then the rows' bytes. Atomic: a reader sees the old one or the new one.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    head = {"version": _VERSION, "settings": settings, "costs": state.costs, "shape": state.rows.shape}
    with atomic_write(path) as stream:
        stream.write(json.dumps(head).encode() + b"\n")
        stream.write(state.rows.data)


def load_state(path: Path, words: int, settings: dict[str, Any]) -> State | None:
    """The checkpoint at ``path``; None if there is none.

    Raises
    ------
    InputError
        It was made with other settings; names the first that differs.
    FormatError
        It is damaged.
    """
    if not path.exists():
        return None
    remedy = "delete it to begin anew"
    with storage_errors(path), path.open("rb") as stream:
        try:
            head = json.loads(stream.readline())
            found, costs, shape = head["settings"], [float(cost) for cost in head["costs"]], tuple(head["shape"])
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(path, expected="a line of JSON", found=str(error), offset=0, remedy=remedy) from error
        for name, value in settings.items():
            if found.get(name) != value:
                raise InputError(
                    f"the checkpoint {path} was made with {name}={found.get(name)!r}, now {name}={value!r}; "
                    "use another folder, or delete this one to begin anew"
                )
        rows = _aligned(words, int(settings["dim"]))
        if shape != rows.shape:
            raise FormatError(path, expected=f"rows {rows.shape}", found=f"{shape}", remedy=remedy)
        count = stream.readinto(rows.data.cast("B"))
    if count != rows.nbytes:
        raise FormatError(path, expected=f"{rows.nbytes} bytes of rows", found=f"{count}", remedy=remedy)
    return State(rows, int(settings["dim"]), costs)
