"""Count and renumber the ids of a corpus, in parallel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from wordstock.kernels.tokenstream import count_ids, renumber
from wordstock.protocols import IntArray
from wordstock.vocab.idfiles import IdFiles
from wordstock.vocab.wordtable import IdArray

__all__ = ["StreamCounts", "count_stream", "translate"]


class StreamCounts(NamedTuple):
    """Counts of each id, int64 (n_ids,), and how many words and sentences there are, dropped words included."""

    counts: IntArray
    words: int
    sentences: int


def count_stream(files: IdFiles, n_ids: int) -> StreamCounts:
    """Count what is in the files."""

    def on_slice(parts: Iterator[IdArray]) -> StreamCounts:
        counts = np.zeros(n_ids, np.int64)
        totals = np.zeros(2, np.int64)
        for ids in parts:
            totals += count_ids(ids, counts)
        return StreamCounts(counts, *totals.tolist())

    parts = files.in_slices(on_slice)
    total = np.zeros(n_ids, np.int64)
    for part in parts:
        total += part.counts
    return StreamCounts(total, sum(part.words for part in parts), sum(part.sentences for part in parts))


def translate(files: IdFiles, numbers: Sequence[IdArray], *, gaps: bool = False) -> tuple[int, int]:
    """Renumber each section of the files by the map of its source; returns how many words and sentences are left.

    ``gaps`` keeps a -2 where a word is dropped.
    """
    left: list[tuple[int, int]] = []  # appended to by several threads, which lists allow

    def on_section(ids: IdArray, source: int) -> int:
        stop, words, sentences = renumber(ids, numbers[source], gaps)
        left.append((words, sentences))
        return int(stop)

    files.rewrite(on_section)
    words, sentences = np.array(left, np.int64).reshape(-1, 2).sum(axis=0).tolist()
    return words, sentences
