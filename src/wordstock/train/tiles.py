"""Co-occurrences on disk as GloVe trains on them: tiles of words by words, each small enough for the cache.

A folder holds ``pairs.npy`` int32 (n, 2), words i >= j; ``targets.npy`` float32 (n, 2), log x and min(1, (x /
x_max)^alpha); ``offsets.npy`` int64 (tiles + 1,), where each tile starts; and ``cells.json``, written last, with the
settings and the fingerprint of the corpus. Tile (a, b), a <= b, holds the pairs of group a with group b, word w being
in group w mod groups.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from wordstock._files import atomic_write, reserve, storage_errors
from wordstock.errors import FormatError, InputError
from wordstock.kernels.tiles import count_tiles, place_cells, weigh_cells
from wordstock.protocols import FloatArray, IntArray
from wordstock.train.cooccurrence import Run, cut_rows
from wordstock.train.workers import Workers

__all__ = ["Tiles", "open_tiles", "rounds_of", "write_tiles"]

_MANIFEST = "cells.json"
_BLOCK = 1 << 20  # cells handled at once


class Tiles(NamedTuple):
    """Memory-mapped cells, read-only."""

    pairs: npt.NDArray[np.int32]
    targets: FloatArray
    offsets: IntArray
    groups: int
    start_cost: float

    @classmethod
    def mapped(cls, folder: Path, manifest: dict[str, Any]) -> Self:
        """The arrays of a finished folder."""
        arrays = (np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in ("pairs", "targets"))
        pairs, targets = arrays
        offsets = np.load(folder / "offsets.npy")
        if not len(pairs) == len(targets) == offsets[-1] == manifest["cells"]:
            raise ValueError(f"{len(pairs)} pairs, {len(targets)} targets, offsets to {offsets[-1]}")
        return cls(pairs, targets, offsets, int(manifest["groups"]), float(manifest["start_cost"]))

    @property
    def cells(self) -> int:
        """Cells of the whole matrix: two for each pair of two words."""
        return 2 * len(self.pairs) - int(np.count_nonzero(self.pairs[:, 0] == self.pairs[:, 1]))


def open_tiles(folder: Path, settings: dict[str, Any], words: int) -> Tiles | None:
    """Finished tiles of the same settings, of pairs of that many words; None where there are none.

    Raises
    ------
    InputError
        Tiles of other settings; names the first that differs.
    FormatError
        A damaged folder.
    """
    path = folder / _MANIFEST
    if not path.exists():
        return None
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        found = manifest["settings"]
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(path, expected="a manifest", found=f"{error}", remedy=f"delete {folder}") from error
    for name, value in settings.items():
        if found.get(name) != value:
            raise InputError(
                f"the checkpoint in {folder} was made with {name}={found.get(name)!r}, now {name}={value!r}; "
                "use another folder, or delete this one to begin anew"
            )
    try:
        tiles = Tiles.mapped(folder, manifest)
        # The kernel goes where these numbers say.
        low, high = int(tiles.pairs.min()), int(tiles.pairs.max())
        if low < 0 or high >= words or tiles.offsets[0] != 0 or (np.diff(tiles.offsets) < 0).any():
            raise ValueError(f"pairs of the words {low} to {high} of {words}, or tiles that do not follow each other")
        return tiles
    except (ValueError, KeyError, OSError, EOFError) as error:
        raise FormatError(
            folder, expected="the co-occurrences that the manifest tells of", found=f"{error}", remedy="delete it"
        ) from error


def write_tiles(run: Run, folder: Path, groups: int, settings: dict[str, Any], workers: Workers) -> Tiles:
    """Sort the cells of a run into tiles.

    Parameters
    ----------
    run : the lower triangle, row after row; not empty.
    groups : a power of two.
    settings : with ``x_max`` and ``alpha``; kept in the manifest.

    Raises
    ------
    StorageError
        The disk is full or the folder cannot be written.
    """
    blocks = list(cut_rows(np.diff(run.bounds), _BLOCK))
    tiles = groups * (groups + 1) // 2
    size = int(run.bounds[-1])

    def count(rows: tuple[int, int]) -> IntArray:
        counts = np.zeros(tiles, np.int64)
        count_tiles(rows[0], _lengths(run, rows), run.read(*rows)[0], groups, counts)
        return counts

    def weigh(rows: tuple[int, int]) -> tuple[int, IntArray, npt.NDArray[np.int32], FloatArray]:
        columns, values = run.read(*rows)
        targets = np.empty((len(values), 2), np.float32)
        weigh_cells(values, float(settings["x_max"]), float(settings["alpha"]), targets)
        return rows[0], _lengths(run, rows), columns, targets

    counts = np.zeros(tiles, np.int64)
    for part in workers.map(count, blocks):
        counts += part
    offsets = np.concatenate([[0], np.cumsum(counts)])
    cursors = offsets[:-1].copy()
    cost = 0.0
    with storage_errors(folder):
        np.save(folder / "offsets.npy", offsets)
        pairs, placed = (
            np.lib.format.open_memmap(folder / f"{name}.npy", "w+", dtype, (size, 2))
            for name, dtype in (("pairs", np.int32), ("targets", np.float32))
        )
        for name in ("pairs", "targets"):
            reserve(folder / f"{name}.npy")
        for row, lengths, columns, targets in workers.map(weigh, blocks):
            place_cells(row, lengths, columns, targets, groups, cursors, pairs, placed)
            cost += float(np.einsum("i,i,i->", targets[:, 1], targets[:, 0], targets[:, 0], dtype=np.float64))
        for array in (pairs, placed):
            array.flush()
    manifest = {"settings": settings, "cells": size, "groups": groups, "start_cost": cost / size / 2}
    with atomic_write(folder / _MANIFEST) as stream:
        stream.write(json.dumps(manifest, indent=1).encode())
    return Tiles.mapped(folder, manifest)


def _lengths(run: Run, rows: tuple[int, int]) -> IntArray:
    return np.diff(run.bounds[rows[0] : rows[1] + 1])


def rounds_of(groups: int) -> list[IntArray]:
    """Numbers of the tiles in rounds such that no two tiles of a round share a group (a round-robin tournament).

    The tiles of a round can be trained at the same time, in any order, by any number of threads, with one result.
    """
    diagonal = [(g, g) for g in range(groups)]
    last = groups - 1
    pairings = [diagonal]
    for r in range(last):
        others = [((r + k) % last, (r - k) % last) for k in range(1, groups // 2)]
        pairings.append([(last, r), *others])
    rounds = []
    for pairing in pairings:
        low, high = np.sort(np.array(pairing), axis=1).T
        rounds.append(low * groups - low * (low - 1) // 2 + high - low)
    return rounds
