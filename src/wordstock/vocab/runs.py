"""Word counts that outgrew memory: sorted runs on disk, merged at the end."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from wordstock._files import reserve, storage_errors
from wordstock.protocols import IntArray
from wordstock.vocab.key_block import ByteArray, take_keys
from wordstock.vocab.ranking import rank_words
from wordstock.vocab.wordtable import IdArray, WordTable

__all__ = ["Merged", "WordRuns"]

_CHUNK = 1 << 18  # words merged at once


class Merged(NamedTuple):
    """The words of all runs that are frequent enough, ascending by bytes.

    blob, offsets, counts : uint8, int64 (n + 1,), int64 (n,).
    numbers : one int32 array per run, on disk: the place here of each word of the table that was spilled, or -1.
    largest : the highest count of any word, those dropped included.
    """

    blob: ByteArray
    offsets: IntArray
    counts: IntArray
    numbers: list[IdArray]
    largest: int


class WordRuns:
    """Runs of words in one folder; each holds a table's words in the order of their bytes.

    Four files grow with every run: the words' bytes, where each ends, their counts, and the numbers they had.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sizes: list[int] = []
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._sizes)

    def spill(self, table: WordTable) -> int:
        """Append the table's words; returns the number of the run.

        Raises
        ------
        StorageError
            The disk is full or cannot be written to.
        """
        order = rank_words(table.blob, table.offsets, np.arange(len(table)))
        blob, offsets = take_keys(table.blob, table.offsets, order)
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            for name, array in (
                ("blob", blob),
                ("offsets", offsets[1:] + self._bytes if self._sizes else offsets),
                ("counts", table.counts[order]),
                ("places", order),
            ):
                with (self.folder / name).open("ab") as stream:
                    stream.write(np.ascontiguousarray(array).data)  # tofile would lose the system's reason
        self._sizes.append(len(order))
        self._bytes += int(offsets[-1])
        return len(self._sizes) - 1

    def merge(self, min_count: int) -> Merged:
        """Add up the counts over all runs and keep the words that occur at least ``min_count`` times.

        Memory: the surviving words; all else stays on disk.

        Raises
        ------
        StorageError
            The disk is full or cannot be written to.
        """
        from wordstock.kernels.runs import merge_runs

        blob = np.asarray(np.memmap(self.folder / "blob", np.uint8, "r"))
        offsets, counts, places = (
            np.asarray(np.memmap(self.folder / name, np.int64, "r")) for name in ("offsets", "counts", "places")
        )
        with storage_errors(self.folder):
            numbers = np.memmap(self.folder / "numbers", np.int32, "w+", shape=(len(counts),))
            reserve(self.folder / "numbers")
            numbers[:] = -1
        stops = np.cumsum(np.array(self._sizes, np.int64))
        heads = stops - self._sizes
        blobs, lengths, totals = [], [], []
        found, largest = 0, 0
        while True:
            first, total = np.empty(_CHUNK, np.int64), np.empty(_CHUNK, np.int64)
            more, top = merge_runs(
                blob, offsets, counts, heads, stops, min_count, np.asarray(numbers), first, total, found
            )
            largest = max(largest, top)
            taken, taken_offsets = take_keys(blob, offsets, first[:more])
            blobs.append(taken)
            lengths.append(np.diff(taken_offsets))
            totals.append(total[:more])
            found += more
            if more < _CHUNK:
                break
        return Merged(
            np.concatenate(blobs),
            np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64),
            np.concatenate(totals),
            [self._by_place(run, stops, numbers, places) for run in range(len(self))],
            largest,
        )

    def _by_place(self, run: int, stops: IntArray, numbers: IdArray, places: IntArray) -> IdArray:
        """The numbers of one run, in the order its table had them."""
        part = slice(int(stops[run]) - self._sizes[run], int(stops[run]))
        with storage_errors(self.folder):
            ordered = np.memmap(self.folder / f"numbers-{run}", np.int32, "w+", shape=(self._sizes[run],))
            reserve(self.folder / f"numbers-{run}")
        ordered[places[part]] = numbers[part]
        return np.asarray(ordered)
