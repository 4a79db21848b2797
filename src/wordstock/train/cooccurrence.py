"""Weighted co-occurrence counts of a corpus, within a memory limit.

A pair of words at distance d counts 1/d (Pennington, Socher & Manning 2014), within sentences. The corpus is counted
in chunks that fit in memory; each chunk's counts are a run on disk, its rows in order; several runs are added up to
one. The weights are rounded to multiples of 2**-22, so that every sum below 2**31 is exact: the counts depend neither
on the number of threads nor on the memory limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wordstock._files import storage_errors
from wordstock.kernels.cooccurrence import count_rows, count_words, merge_rows, place_words
from wordstock.protocols import IntArray
from wordstock.train.workers import Workers

__all__ = ["Plan", "Run", "count_cooccurrences", "cut_rows"]

_STEPS = 2.0**22  # weights are whole multiples of 1 / _STEPS
_TASK_CELLS = 1 << 22
_MERGED_AT_ONCE = 64  # runs open at the same time

Ids = npt.NDArray[np.int32]
Cells = tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], IntArray]  # columns, values, lengths of rows
Report = Callable[[int, int], None]  # done, of how many


class Plan(NamedTuple):
    """How much is held in memory at once: tokens of the corpus, and cells that one task may write."""

    chunk_tokens: int
    task_cells: int

    @classmethod
    def within(cls, memory_limit: int, words: int, threads: int) -> Plan:
        """Half of ``memory_limit`` bytes for tokens (8 bytes each), half for cells (12 bytes) under way."""
        cells = memory_limit // 2 // (12 * (threads + 3))
        return cls(max(1 << 16, min(memory_limit // 16, 1 << 30)), max(words, min(cells, _TASK_CELLS)))


class Run(NamedTuple):
    """Cells on disk, row after row: bare files of int32 and float64; row r is at ``bounds[r]:bounds[r + 1]``."""

    columns: Path
    values: Path
    bounds: IntArray

    def read(self, row: int, stop: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
        """Columns and values of the rows row..stop."""
        begin, count = int(self.bounds[row]), int(self.bounds[stop] - self.bounds[row])
        columns = np.fromfile(self.columns, np.int32, count, offset=begin * 4)
        return columns, np.fromfile(self.values, np.float64, count, offset=begin * 8)

    def remove(self) -> None:
        """Delete the files."""
        self.columns.unlink(missing_ok=True)
        self.values.unlink(missing_ok=True)


def count_cooccurrences(
    arrays: Sequence[Ids],
    words: int,
    folder: Path,
    workers: Workers,
    *,
    window: int,
    plan: Plan,
    report: Report | None = None,
) -> Run:
    """Count the lower triangle (column <= row) of the co-occurrence matrix; both triangles are equal.

    Parameters
    ----------
    arrays : int32 ids, -1 after each sentence.
    words : size of the vocabulary; every id is below it.
    folder : where runs are written.
    window : largest distance counted, on either side.
    report : called with tokens counted and tokens in all.

    Returns
    -------
    One run. A word beside itself counts in both directions, as any other pair does.

    Raises
    ------
    StorageError
        The disk is full or the folder cannot be written.
    """
    weights = np.rint(_STEPS / np.arange(1, window + 1)) / _STEPS
    total = sum(map(len, arrays))
    runs: list[Run] = []
    done = 0
    for ids, first, last in _chunks(arrays, plan.chunk_tokens, window):

        def tell(share: float, done: int = done, size: int = last - first) -> None:
            if report:
                report(min(total, done + int(share * size)), total)

        blocks = _count_chunk(ids, first, last, words, weights, plan, workers, tell)
        runs.append(_write(blocks, words, folder / f"run-{len(runs)}"))
        done += last - first
    merged = 0
    while len(runs) > 1:
        part, runs = runs[:_MERGED_AT_ONCE], runs[_MERGED_AT_ONCE:]
        runs.append(_write(_merge(part, words, plan, workers), words, folder / f"merged-{merged}"))
        merged += 1
        for run in part:
            run.remove()
    return runs[0]


def cut_rows(amounts: npt.NDArray[Any], most: float) -> Iterator[tuple[int, int]]:
    """Cut rows into ranges whose ``amounts`` add up to at most ``most``; a larger row is a range of its own."""
    ends = np.cumsum(amounts)
    row = 0
    while row < len(amounts):
        before = ends[row - 1] if row else 0
        stop = max(row + 1, int(np.searchsorted(ends, before + most, side="right")))
        yield row, stop
        row = stop


def _chunks(arrays: Sequence[Ids], size: int, window: int) -> Iterator[tuple[Ids, int, int]]:
    """(ids, first, last): positions to count, with what surrounds them; no window is cut at the end of a chunk."""
    edge = np.full(window, -1, np.int32)
    parts: list[Ids] = []
    held = 0
    for array in arrays:
        start = 0
        while start < len(array):
            stop = min(len(array), start + size - held)
            before = array[max(0, start - window) : start] if not parts else edge[:1]
            if not parts:
                parts = [edge[: window - len(before)], before]
            else:
                parts.append(before)
                held += 1
            parts.append(array[start:stop])
            held += stop - start
            start = stop
            if held >= size:
                yield _joined([*parts, array[stop : stop + window], edge], window, held)
                parts, held = [], 0
    if parts:
        yield _joined([*parts, edge], window, held)


def _joined(parts: list[Ids], window: int, held: int) -> tuple[Ids, int, int]:
    return np.concatenate(parts), window, window + held


def _count_chunk(
    ids: Ids,
    first: int,
    last: int,
    words: int,
    weights: npt.NDArray[np.float64],
    plan: Plan,
    workers: Workers,
    tell: Callable[[float], None],
) -> Iterator[Cells]:
    positions, starts = _sorted_positions(ids, first, last, words, workers)
    counts = np.diff(starts)
    room = np.minimum(np.arange(1, words + 1), 2 * len(weights) * counts)
    # Tasks small in cells bound the memory; tasks small in tokens keep all threads busy to the end.
    tokens = max(1, len(positions) // (16 * workers.threads))
    tasks = list(cut_rows(np.maximum(room / plan.task_cells, counts / tokens), 1))

    def count(rows: tuple[int, int]) -> Cells:
        row, stop = rows
        size = int(room[row:stop].sum()) + 1
        columns, values = np.empty(size, np.int32), np.empty(size)
        lengths = np.empty(stop - row, np.int64)
        end = count_rows(ids, positions, starts, weights, row, stop, np.zeros(words), columns, values, lengths)
        return columns[:end], values[:end], lengths

    for (_, stop), cells in zip(tasks, workers.map(count, tasks), strict=True):
        yield cells
        tell(float(starts[stop]) / max(1, len(positions)))


def _sorted_positions(
    ids: Ids, first: int, last: int, words: int, workers: Workers
) -> tuple[npt.NDArray[np.int32], IntArray]:
    """Positions of the words in order, int32, and where each word's start: a counting sort, a slice to a thread."""
    cuts = [first + (last - first) * i // workers.threads for i in range(workers.threads + 1)]
    counts = np.zeros((workers.threads, words), np.int64)
    slices = range(workers.threads)
    _finish(workers.map(lambda i: count_words(ids, cuts[i], cuts[i + 1], counts[i]), slices))
    starts = np.concatenate([[0], np.cumsum(counts.sum(axis=0))])
    cursors = np.cumsum(counts, axis=0) - counts + starts[:-1]
    positions = np.empty(int(starts[-1]), np.int32)
    _finish(workers.map(lambda i: place_words(ids, cuts[i], cuts[i + 1], cursors[i], positions), slices))
    return positions, starts


def _finish(results: Iterator[object]) -> None:
    for _ in results:
        pass


def _merge(runs: Sequence[Run], words: int, plan: Plan, workers: Workers) -> Iterator[Cells]:
    def merge(rows: tuple[int, int]) -> Cells:
        row, stop = rows
        parts = [run.read(row, stop) for run in runs]
        columns, values = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        ends = np.cumsum([len(part[0]) for part in parts])
        bounds = np.stack(
            [run.bounds[row : stop + 1] - run.bounds[row] + end - len(part[0])
             for run, part, end in zip(runs, parts, ends, strict=True)]
        )  # fmt: skip
        out, sums, lengths = np.empty(len(columns) + 1, np.int32), np.empty(len(columns) + 1), np.empty(stop - row, int)
        end = merge_rows(columns, values, bounds, np.zeros(words), out, sums, lengths)
        return out[:end], sums[:end], lengths

    cells = np.diff(np.sum([run.bounds for run in runs], axis=0))
    yield from workers.map(merge, cut_rows(cells, plan.task_cells))


def _write(blocks: Iterator[Cells], words: int, stem: Path) -> Run:
    run = Run(stem.with_suffix(".columns"), stem.with_suffix(".values"), np.zeros(words + 1, np.int64))
    row = 0
    with storage_errors(stem), run.columns.open("wb") as columns, run.values.open("wb") as values:
        for block in blocks:
            columns.write(block[0].data)
            values.write(block[1].data)
            run.bounds[row + 1 : row + 1 + len(block[2])] = block[2]
            row += len(block[2])
    np.cumsum(run.bounds, out=run.bounds)
    return run
