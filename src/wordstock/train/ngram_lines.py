"""Labelled lines read once: their words, their labels, and the rows that each line is the mean of."""

from __future__ import annotations

import itertools
import warnings
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from wordstock._wording import counted
from wordstock.errors import InputError, LabelError
from wordstock.kernels.labelledlines import hash_entries
from wordstock.kernels.linefeatures import Places, count_grams, number_buckets, write_features
from wordstock.kernels.linetraining import Lines
from wordstock.protocols import IntArray
from wordstock.train.corpus import IdArray
from wordstock.train.ngram_config import LABEL, NgramConfig
from wordstock.train.ngram_start import Bytes, GivenLabels, NgramStart
from wordstock.train.ngram_table import LINE_END_TOKEN, EntryTable
from wordstock.train.spool import Spool
from wordstock.train.workers import Workers
from wordstock.vocab import Subwords

__all__ = ["NgramLines", "read_ngram_lines"]

_HELD = 1 << 26  # bytes of numbers in memory, before a temporary file is used


@dataclass(frozen=True)
class NgramLines:
    """What training needs of the lines.

    Parameters
    ----------
    lines : the numbers, in memory or mapped.
    blob, offsets, counts : words in the order of their rows and then labels (with their prefix), most frequent first.
    n_words : how many of them are words.
    bucket_rows : int32 (buckets,), the row of each bucket of n-grams less ``n_words``, or -1.
    n_buckets : how many buckets have a row.
    names : of the labels, in their order.
    tokens : read, labels and line ends included.
    """

    lines: Lines
    blob: Bytes
    offsets: IntArray
    counts: IntArray
    n_words: int
    bucket_rows: IdArray
    n_buckets: int
    names: tuple[str, ...]
    tokens: int


def read_ngram_lines(
    blocks: Iterable[Bytes], config: NgramConfig, start: NgramStart | None = None, given: GivenLabels | None = None
) -> NgramLines:
    """Read blocks of whole lines, uint8 with a newline at the end, once.

    Parameters
    ----------
    start : words, n-grams and labels to have beside those of the lines.
    given : labels of the lines; without them they are the tokens that start with ``__label__``.

    Raises
    ------
    LabelError
        No line has a label, or all have the same one.
    InputError
        No word is left.
    """
    with Spool(_HELD) as spool:
        table, numbers, sources = _read(blocks, config.n_threads, spool)
        ids = spool.array()
    old = _add_start(table, start)
    order, n_words, places, counts = _ranked(table, config, *old, given)
    blob, offsets = _gathered(table, order)
    if given is None:
        names = _names(blob, offsets[n_words:])
    else:
        names, given, counts = _ranked_labels(given, counts, start)
        more, ends = _labels_text(names)
        blob, offsets = np.concatenate([blob, more]), np.concatenate([offsets, offsets[-1] + ends[1:]])
    if n_words == 0:
        raise InputError(f"no word occurs {config.min_count} times or more; lower min_count")
    bucket_rows, used = np.full(config.n_buckets, -1, np.int32), np.zeros(1, np.int64)
    if start is not None and len(bucket_rows):
        bucket_rows[start.buckets] = np.arange(len(start.buckets))
        used[0] = len(start.buckets)
    grams, gram_ends = _word_grams(blob, offsets[: n_words + 1], config, bucket_rows, used)
    places = _with_grams(places, table, config)
    lines = _features(ids, spool.bounds, numbers, sources, places, config, n_words, (bucket_rows, used), given)
    if not len(lines.labels):
        raise LabelError("no line has a label; fastText's labels are tokens that start with '__label__'")
    if len(names) < 2:
        raise LabelError(f"the only label is {names[0]!r}; a classifier needs examples of at least two")
    return NgramLines(
        lines._replace(grams=grams, gram_ends=gram_ends),
        blob,
        offsets,
        counts,
        n_words,
        bucket_rows,
        int(used[0]),
        names,
        int(table.arrays.counts[: len(table)].sum()),
    )


def _read(blocks: Iterable[Bytes], threads: int, spool: Spool) -> tuple[EntryTable, list[IdArray], list[int]]:
    """One table of all entries; the numbers there of each of the tables that threads made; which one a block used."""
    tables = [EntryTable() for _ in range(threads)]
    free = deque(range(threads))

    def read(block: Bytes) -> tuple[IdArray, int]:
        mine = free.popleft()
        try:
            return tables[mine].number(block), mine
        finally:
            free.append(mine)

    sources = []
    with Workers(threads) as workers:
        for ids, source in workers.map(read, blocks, ahead=1):
            spool.append(ids)
            sources.append(source)
    numbers = [np.arange(len(tables[0]), dtype=np.int32), *(tables[0].fold(table) for table in tables[1:])]
    return tables[0], numbers, sources


def _add_start(table: EntryTable, start: NgramStart | None) -> tuple[IdArray, IdArray]:
    """Entries of the words and of the labels to start from."""
    if start is None:
        return np.empty(0, np.int32), np.empty(0, np.int32)
    words = table.add_packed(start.blob, start.offsets, np.zeros(len(start.offsets) - 1, np.int64))
    labels = [(LABEL + name).encode() for name in start.names]
    return words, table.add(labels, np.zeros(len(labels), np.int64), label=True)


def _ranked(
    table: EntryTable, config: NgramConfig, old_words: IdArray, old_labels: IdArray, given: GivenLabels | None
) -> tuple[IntArray, int, Places, IntArray]:
    """(entries in their order, how many are words, where each went, their counts)."""
    size = len(table)
    counts, kinds, hashes = (getattr(table.arrays, name)[:size] for name in ("counts", "kinds", "hashes"))
    is_label = kinds == 1
    keep = np.where(is_label, given is None, counts >= config.min_count)
    keep[old_words] = True
    turn = np.zeros(size, np.int64)  # labels that are there already stay before the new ones, in their order
    turn[is_label] = len(old_labels)
    turn[old_labels] = np.arange(len(old_labels))
    # Ties are broken by hash: the order then does not depend on which thread saw a word first.
    order = np.lexsort((hashes, -counts, turn, kinds))
    order = order[keep[order]]
    n_words = int(np.count_nonzero(~is_label[order]))
    rows = np.full(size, -1, np.int32)
    rows[order] = np.arange(len(order))
    rows[order[n_words:]] -= n_words
    none = np.empty(0, np.int32)
    return order, n_words, Places(rows, kinds, hashes, none, np.zeros(size + 1, np.int64)), counts[order]


def _gathered(table: EntryTable, order: IntArray) -> tuple[Bytes, IntArray]:
    from wordstock.kernels.parse import copy_keys

    spans = np.stack([table.arrays.offsets[order], table.arrays.offsets[order + 1]], axis=1)
    offsets = np.zeros(len(order) + 1, np.int64)
    np.cumsum(spans[:, 1] - spans[:, 0], out=offsets[1:])
    blob = np.empty(int(offsets[-1]), np.uint8)
    copy_keys(table.arrays.blob, spans, offsets, blob)
    return blob, offsets


def _names(blob: Bytes, offsets: IntArray) -> tuple[str, ...]:
    text, bounds = blob.tobytes(), offsets.tolist()
    return tuple(
        text[begin:end].decode(errors="replace").removeprefix(LABEL) for begin, end in itertools.pairwise(bounds)
    )


def _ranked_labels(
    given: GivenLabels, counts: IntArray, start: NgramStart | None
) -> tuple[tuple[str, ...], GivenLabels, IntArray]:
    """Given labels, most frequent first, as fastText's tree of them wants it; and the counts of words and labels."""
    times = np.bincount(given.codes, minlength=len(given.names))
    old = {} if start is None else {name: at for at, name in enumerate(start.names)}
    turn = np.array([old.get(name, len(old)) for name in given.names])
    text, offsets = _labels_text(given.names)
    hashes = np.empty(len(times), np.uint32)
    hash_entries(text, offsets, hashes)
    order = np.lexsort((hashes, -times, turn))  # as labels in lines are ordered
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order))
    names = tuple(given.names[i] for i in order.tolist())
    return names, GivenLabels(names, rank[given.codes], given.ends), np.concatenate([counts, times[order]])


def _labels_text(names: Sequence[str]) -> tuple[Bytes, IntArray]:
    from wordstock.train.ngram_table import packed

    return packed([(LABEL + "_".join(name.split())).encode(errors="replace") for name in names])


def _word_grams(
    blob: Bytes, offsets: IntArray, config: NgramConfig, bucket_rows: IdArray, used: IntArray
) -> tuple[IdArray, IntArray]:
    """Rows of the n-grams of characters of each word that has a row, and where each word's begin."""
    if not config.max_n:
        return np.empty(0, np.int32), np.zeros(1, np.int64)
    n_words = len(offsets) - 1
    buckets, starts = Subwords(config.min_n, config.max_n, config.buckets).buckets_of(blob, offsets)
    buckets, starts = _without_line_end(buckets, starts, blob, offsets)
    grams = np.empty(len(buckets), np.int32)
    number_buckets(buckets, n_words, bucket_rows, used, grams)
    return grams, starts


def _with_grams(places: Places, table: EntryTable, config: NgramConfig) -> Places:
    """The same with the buckets of the words that are too rare for a row."""
    rare = np.flatnonzero((places.rows < 0) & (places.kinds == 0))
    if not config.max_n or not len(rare):
        return places
    blob, offsets = _gathered(table, rare)
    buckets, starts = Subwords(config.min_n, config.max_n, config.buckets).buckets_of(blob, offsets)
    buckets, starts = _without_line_end(buckets, starts, blob, offsets)
    lengths = np.zeros(len(places.rows) + 1, np.int64)
    lengths[rare + 1] = np.diff(starts)
    return places._replace(grams=buckets, starts=np.cumsum(lengths))


def _without_line_end(buckets: IdArray, starts: IntArray, blob: Bytes, offsets: IntArray) -> tuple[IdArray, IntArray]:
    """Take the n-grams of ``</s>`` out, which has none."""
    lengths = np.diff(starts)
    for word in np.flatnonzero(np.diff(offsets) == len(LINE_END_TOKEN)).tolist():
        if blob[offsets[word] : offsets[word + 1]].tobytes() == LINE_END_TOKEN:
            buckets = np.delete(buckets, slice(starts[word], starts[word + 1]))
            lengths[word] = 0
    return buckets, np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


def _features(
    ids: IdArray,
    bounds: list[int],
    numbers: list[IdArray],
    sources: list[int],
    places: Places,
    config: NgramConfig,
    n_words: int,
    buckets: tuple[IdArray, IntArray],
    given: GivenLabels | None,
) -> Lines:
    labels: list[IdArray] = []
    so_far = unlabelled = 0
    ends, label_ends = [np.zeros(1, np.int64)], [np.zeros(1, np.int64)]
    lengths = np.diff(places.starts)
    with Spool(_HELD) as spool:
        for begin, end, source in zip(bounds, bounds[1:], sources, strict=False):
            block = np.ascontiguousarray(ids[begin:end])
            most = len(block) * config.word_ngrams
            if len(places.grams):
                most += int(count_grams(block, numbers[source], lengths))
            n_lines = int(np.count_nonzero(block == 0))
            out = (
                np.empty(most, np.int32),
                np.empty(n_lines, np.int64),
                np.empty(0 if given else len(block), np.int32),
                np.empty(n_lines, np.int64),
            )
            written, size, n_labels, without = write_features(
                block, numbers[source], places, config.word_ngrams, n_words, *buckets, given is not None, out
            )
            ends.append(out[1][:written] + spool.bounds[-1])
            label_ends.append(out[3][:written] + so_far)
            so_far += int(n_labels)
            unlabelled += int(without)
            spool.append(out[0][:size].copy())
            labels.append(out[2][:n_labels].copy())
        features = spool.array()
    none = np.empty(0, np.int32), np.zeros(1, np.int64)
    if given is None:
        if unlabelled and so_far:
            told = f"{counted(unlabelled, 'line')} without a label left out"
            warnings.warn(told, stacklevel=6)  # at the call of ``fit_file``
        return Lines(features, np.concatenate(ends), np.concatenate(labels), np.concatenate(label_ends), *none)
    return Lines(features, np.concatenate(ends), given.codes, given.ends, *none)
