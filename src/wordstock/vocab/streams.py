"""Count and renumber the ids of a corpus, its files in parallel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from wordstock.kernels.tokenstream import count_ids, renumber
from wordstock.protocols import IntArray
from wordstock.vocab.idfiles import IdFiles, Section
from wordstock.vocab.wordtable import IdArray

__all__ = ["StreamCounts", "count_stream", "translate"]


class StreamCounts(NamedTuple):
    """Counts of each id, int64 (n_ids,), and how many words and sentences there are, dropped words included."""

    counts: IntArray
    words: int
    sentences: int


def count_stream(files: IdFiles, n_ids: int) -> StreamCounts:
    """Count what is in the files."""

    def on_file(ids: IdArray, _number: int) -> StreamCounts:
        counts = np.zeros(n_ids, np.int64)
        return StreamCounts(counts, *count_ids(ids, counts))

    parts = files.map(on_file)
    total = np.zeros(n_ids, np.int64)
    for part in parts:
        total += part.counts
    return StreamCounts(total, sum(part.words for part in parts), sum(part.sentences for part in parts))


def translate(files: IdFiles, numbers: Sequence[IdArray], *, gaps: bool = False) -> tuple[int, int]:
    """Renumber each section of the files by the map of its source; returns how many words and sentences are left.

    ``gaps`` keeps a -2 where a word is dropped.
    """
    left = np.zeros((len(files.paths), 2), np.int64)

    def on_file(ids: IdArray, number: int) -> int:
        start = out = 0
        for section in files.sections[number]:
            out, words, sentences = renumber(ids, start, section.stop, numbers[section.source], gaps, out)
            start = section.stop
            left[number] += words, sentences
        files.sections[number] = [Section(out, 0)]
        return out

    files.rewrite(on_file)
    words, sentences = left.sum(axis=0).tolist()
    return words, sentences
