"""Checkpoints that survive a kill at any moment.

A checkpoint is two files: ``tables-N.safetensors`` with the float32 matrices ``inputs`` and ``outputs`` (rows, dim),
and ``checkpoint.json``, which names it and is replaced last, in one step. Until then the earlier pair counts.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from wordstock._files import atomic_write, storage_errors
from wordstock.errors import FormatError, InputError
from wordstock.kernels.windows import Tables
from wordstock.train.state import TrainState

__all__ = ["Checkpoint"]

_VERSION = 1
_BLOCK = 4096  # rows written or read at once
_FREE_TO_CHANGE = ("threads",)  # settings that a resumed training may have otherwise


class Checkpoint:
    """One training's checkpoints in a folder of its own.

    Parameters
    ----------
    folder : made if it is not there.
    identity : what must be equal for a checkpoint to be continued: settings, corpus, starting vectors.
    rows : of the input and of the output matrix.
    dim : of both.
    """

    def __init__(self, folder: Path | str, identity: Mapping[str, Any], rows: tuple[int, int], dim: int) -> None:
        self.folder = Path(folder)
        self.identity = json.loads(json.dumps(dict(identity)))
        self.rows, self.dim = rows, dim
        self._number = 0
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def _head(self) -> Path:
        return self.folder / "checkpoint.json"

    def save(self, tables: Tables, state: TrainState) -> None:
        """Write both files, then remove earlier matrices.

        Raises
        ------
        StorageError
            The disk is full or the folder read-only; the earlier checkpoint still counts.
        """
        self._number += 1
        path = self.folder / f"tables-{self._number}.safetensors"
        middle, end = (rows * self.dim * 4 for rows in (self.rows[0], sum(self.rows)))
        entries = {
            name: {"dtype": "F32", "shape": [rows, self.dim], "data_offsets": span}
            for name, rows, span in zip(("inputs", "outputs"), self.rows, ([0, middle], [middle, end]), strict=True)
        }
        header = json.dumps(entries).encode()
        header += b" " * (-(8 + len(header)) % 64)
        check = 0
        with atomic_write(path) as stream:
            stream.write(len(header).to_bytes(8, "little") + header)
            for table, rows in zip((tables.inputs, tables.outputs), self.rows, strict=True):
                for start in range(0, rows, _BLOCK):
                    block = table[start : min(start + _BLOCK, rows), : self.dim].astype("<f4").tobytes()
                    check = zlib.crc32(block, check)
                    stream.write(block)
        head = {
            "version": _VERSION,
            "tables": path.name,
            "number": self._number,
            "crc32": check,
            "identity": self.identity,
            "state": state.to_dict(),
        }
        with atomic_write(self._head) as stream:
            stream.write(json.dumps(head, indent=1).encode())
        for other in self.folder.glob("tables-*.safetensors"):
            if other != path:
                with suppress(OSError):
                    other.unlink()

    def load(self, tables: Tables) -> TrainState | None:
        """Fill the matrices from the last checkpoint and return its state; None if there is none yet.

        Raises
        ------
        InputError
            It belongs to other settings, another corpus or other starting vectors; the differences are named.
        FormatError
            It is damaged.
        """
        try:
            text = self._head.read_bytes()
        except FileNotFoundError:
            return None
        try:
            head = json.loads(text)
            identity, state = head["identity"], TrainState.from_dict(head["state"])
            name, check, self._number = str(head["tables"]), int(head["crc32"]), int(head["number"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(self._head, "the state of a training", f"something else ({error!r:.80})") from error
        self._compare(identity)
        self._fill(tables, self.folder / Path(name).name, check)
        return state

    def _compare(self, identity: Mapping[str, Any]) -> None:
        differing = [
            f"{name} (checkpoint {identity.get(name)!r}, now {self.identity.get(name)!r})"
            for name in sorted({*identity, *self.identity} - {*_FREE_TO_CHANGE})
            if identity.get(name) != self.identity.get(name)
        ]
        if differing:
            raise InputError(
                f"{self.folder} holds a checkpoint of another training; different are {', '.join(differing)}: "
                "give the same values, or another folder"
            )

    def _fill(self, tables: Tables, path: Path, check: int) -> None:
        found = 0
        try:
            with path.open("rb") as stream:
                stream.seek(int.from_bytes(stream.read(8), "little"), 1)
                for table, rows in zip((tables.inputs, tables.outputs), self.rows, strict=True):
                    for start in range(0, rows, _BLOCK):
                        stop = min(start + _BLOCK, rows)
                        data = stream.read((stop - start) * self.dim * 4)
                        found = zlib.crc32(data, found)
                        table[start:stop, : self.dim] = np.frombuffer(data, "<f4").reshape(stop - start, self.dim)
        except (OSError, ValueError) as error:
            raise self._damaged(
                path, f"matrices of {self.rows[0]} and {self.rows[1]} rows of {self.dim}", f"{error}"
            ) from error
        if found != check:
            raise self._damaged(path, f"contents with CRC-32 {check:#x}", f"{found:#x}")

    def _damaged(self, path: Path, expected: str, found: str) -> FormatError:
        remedy = f"delete {self.folder} to start afresh"
        return FormatError(path, expected=expected, found=found, remedy=remedy)
