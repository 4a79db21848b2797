"""Number the words of a corpus in one pass, in several threads and within a memory limit.

Every thread has a table of its own and numbers the batches it gets. A table that outgrows its share of the limit is
spilled as a sorted run and replaced by an empty one. In the end the tables, or the runs, are merged, and each batch's
numbers are translated by the map of the table that gave them; so the result does not depend on the threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from types import TracebackType
from typing import NamedTuple

import numpy as np

from wordstock._mapped import mapped_zeros
from wordstock._threads import thread_count
from wordstock.errors import InputError
from wordstock.protocols import IntArray
from wordstock.text import Tokenizer
from wordstock.vocab.batches import Batch, Sentences, batches
from wordstock.vocab.folding import Workspace
from wordstock.vocab.key_block import ByteArray, take_keys
from wordstock.vocab.ranking import rank_words
from wordstock.vocab.runs import Merged, WordRuns
from wordstock.vocab.wordtable import IdArray, WordTable

__all__ = ["Numbered", "Numbering", "Top", "WordList", "nothing_left", "top_word"]

_SMALLEST = 1 << 16  # bytes; a table is never spilled below this


class Numbered(NamedTuple):
    """A batch as int32 ids, -1 after each sentence, by the map number ``source``."""

    ids: IdArray
    source: int


class _Work(NamedTuple):
    """What was made of a batch, and the memory that it is in."""

    numbered: Numbered
    room: IdArray


class WordList(NamedTuple):
    """Words in vocabulary order, and for each source of ids the place of each of its numbers there, or -1.

    blob, offsets, counts : uint8, int64 (n + 1,), int64 (n,).
    """

    blob: ByteArray
    offsets: IntArray
    counts: IntArray
    numbers: list[IdArray]


class Top(NamedTuple):
    """A word and its count."""

    word: str
    times: int


class _Slot:
    """One thread's table, the number of the source it is, and room to work in."""

    def __init__(self, source: int, tokenizer: Tokenizer) -> None:
        self.table, self.source = WordTable(), source
        self.workspace = Workspace(tokenizer)


class Numbering:
    """Counts and numbers words; use it as a context manager, which ends its threads.

    Parameters
    ----------
    tokenizer : how a str becomes words.
    memory_limit : bytes for all tables together, the sorting of one included; at least 64 KiB a table are taken.
    scratch : folder for runs, made when one is spilled.
    threads : None takes one per core.
    """

    def __init__(self, tokenizer: Tokenizer, *, memory_limit: int, scratch: Path, threads: int | None = None) -> None:
        self.tokenizer = tokenizer
        self._threads = threads or thread_count()
        self._share = max(_SMALLEST, memory_limit // (2 * self._threads))
        self._slots = [_Slot(i, tokenizer) for i in range(self._threads)]
        self._free: SimpleQueue[_Slot] = SimpleQueue()
        for slot in self._slots:
            self._free.put(slot)
        self._runs = WordRuns(scratch)
        self._run_of: dict[int, int] = {}
        self._n_sources = self._threads
        self._lock = Lock()
        self._rooms: SimpleQueue[IdArray] = SimpleQueue()  # for ids, used again when these have been taken
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="wordstock-vocab")

    def __enter__(self) -> Numbering:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def number(self, sentences: Sentences) -> Iterator[Numbered]:
        """Numbered batches in the order of the sentences; at most two per thread are under way.

        The ids of one are overwritten when the next has been asked for.
        """
        under_way: deque[Future[_Work]] = deque()
        for batch in batches(sentences, self.tokenizer):
            if self._threads == 1:
                yield from self._taken(self._work(batch))
                continue
            if len(under_way) >= 2 * self._threads:
                yield from self._taken(under_way.popleft().result())
            under_way.append(self._pool.submit(self._work, batch))
        while under_way:
            yield from self._taken(under_way.popleft().result())

    def _taken(self, work: _Work) -> Iterator[Numbered]:
        yield work.numbered
        self._rooms.put(work.room)

    def _work(self, batch: Batch) -> _Work:
        slot = self._free.get()
        try:
            folded = slot.workspace.fold(batch)
            room = self._room(folded.size + 1)
            numbered = Numbered(room[: slot.table.write(folded, slot.workspace, room)], slot.source)
            if slot.table.nbytes > self._share // 2:  # the next growth would double it
                self._spill(slot)
            return _Work(numbered, room)
        finally:
            self._free.put(slot)

    def _room(self, size: int) -> IdArray:
        try:
            room = self._rooms.get_nowait()
        except Empty:
            return mapped_zeros(size, np.int32)
        return room if len(room) >= size else mapped_zeros(size, np.int32)

    def _spill(self, slot: _Slot) -> None:
        with self._lock:
            self._run_of[slot.source] = self._runs.spill(slot.table)
            slot.table, slot.source = WordTable(), self._n_sources
            self._n_sources += 1

    @property
    def spilled(self) -> int:
        """Number of runs on disk."""
        return len(self._runs)

    def words(self, *, min_count: int, max_size: int | None = None, none_is_fine: bool = False) -> WordList:
        """The words seen at least ``min_count`` times, at most ``max_size`` of them, most frequent first.

        Call it once, when every batch has been numbered.

        Raises
        ------
        InputError
            There were no words, or none was frequent enough and ``none_is_fine`` is False; the highest count is named.
        """
        words, top = self._merged(min_count, max_size) if self._runs else self._folded(min_count, max_size)
        if top is None:
            raise InputError("the corpus is empty: not one word was found in it")
        if not len(words.counts) and not none_is_fine:
            raise nothing_left(min_count, top)
        return words

    def _folded(self, min_count: int, max_size: int | None) -> tuple[WordList, Top | None]:
        slots = sorted(self._slots, key=lambda slot: -len(slot.table))
        table = slots[0].table
        maps = {slot.source: table.fold(slot.table) for slot in slots[1:]}
        counts = table.counts
        frequent = np.flatnonzero(counts >= min_count)
        order = rank_words(table.blob, table.offsets, frequent, counts)[:max_size]
        places = np.full(len(table), -1, np.int32)
        places[order] = np.arange(len(order), dtype=np.int32)
        numbers = [places] * self._n_sources
        for source, places_there in maps.items():
            numbers[source] = places[places_there]
        blob, offsets = take_keys(table.blob, table.offsets, order)
        return WordList(blob, offsets, counts[order], numbers), top_word(table.blob, table.offsets, counts)

    def _merged(self, min_count: int, max_size: int | None) -> tuple[WordList, Top | None]:
        for slot in self._slots:
            if len(slot.table):
                self._spill(slot)
        merged = self._runs.merge(min_count)
        order = np.argsort(-merged.counts, kind="stable")[:max_size]
        places = np.full(len(merged.counts) + 1, -1, np.int32)  # the last entry stands for the number -1
        places[order] = np.arange(len(order), dtype=np.int32)
        numbers = [np.empty(0, np.int32)] * self._n_sources
        for source, run in self._run_of.items():
            there = merged.numbers[run]
            np.take(places, there, out=there, mode="wrap")
            numbers[source] = there
        blob, offsets = take_keys(merged.blob, merged.offsets, order)
        return WordList(blob, offsets, merged.counts[order], numbers), self._top(merged)

    def _top(self, merged: Merged) -> Top | None:
        if merged.largest and not len(merged.counts):
            merged = self._runs.merge(merged.largest)
        return top_word(merged.blob, merged.offsets, merged.counts)


def top_word(blob: ByteArray, offsets: IntArray, counts: IntArray) -> Top | None:
    """The most frequent word, of several the first by bytes; None where no word was seen."""
    largest = int(counts.max(initial=0))
    if not largest:
        return None
    first = rank_words(blob, offsets, np.flatnonzero(counts == largest))[0]
    return Top(blob[offsets[first] : offsets[first + 1]].tobytes().decode(), largest)


def nothing_left(min_count: int, top: Top | None) -> InputError:
    """The error where no word is frequent enough."""
    seen = "there is none at all" if top is None else f"the most frequent one is {top.word!r} with {top.times}"
    return InputError(f"no word occurs {min_count} times, {seen}; lower min_count")
