"""A growing hash table of words: bytes to numbers in order of first sight, with counts.

Open addressing with linear steps. A slot holds a 64-bit key beside the number: up to seven bytes of text are the key
themselves, with their count in the top byte, so that most words are found in one cache line and compared in one step;
of longer words it is a hash. Text is read eight bytes at a time. Some hundred words are found before they are looked
up, so that the memory of their slots is on its way meanwhile. The kernels never allocate: where the table is full
they stop, the caller makes room, and they go on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wordstock.kernels.compiled import compiled
from wordstock.kernels.fetch_ahead import fetch_ahead

__all__ = [
    "PADDING",
    "Found",
    "WordArrays",
    "eights",
    "fold_words",
    "number_found",
    "place_words",
    "remember",
    "split_words",
    "word_key",
]

PADDING = 8  # bytes that must follow a text which is read eight at a time

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_LONG = np.uint64(0xFF << 56)
_ALL, _ONE, _TWO = np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(1), np.uint64(2)
_THREE, _THIRTY_TWO, _FIFTY_SIX, _SIXTY_FOUR = np.uint64(3), np.uint64(32), np.uint64(56), np.uint64(64)
_WORD_END, _SENTENCE_END = 0xFF, 0xFE  # bytes that UTF-8 never uses
_AHEAD = 16  # words of a table whose slots in another are fetched ahead


class WordArrays(NamedTuple):
    """The table: ``size`` words, number i being ``blob[offsets[i] : offsets[i + 1]]``.

    slots : uint64 (2**k,), pairs of a key and a number + 1, 0 = empty; at least twice as many as there may be words.
    offsets : int64 (capacity + 1,); ``counts`` int64 (capacity,); ``blob`` uint8, and ``parts``, its eights.
    state : int64 (1,), the number of words.
    """

    slots: np.ndarray
    offsets: np.ndarray
    counts: np.ndarray
    blob: np.ndarray
    parts: np.ndarray
    state: np.ndarray


class Found(NamedTuple):
    """Words that were found in a text and are not looked up yet.

    starts, stops : int64 (n,), where each is; a sentence's end is empty.
    keys : uint64 (n,).
    longs : int64 (n,), which of them have 8 bytes or more.
    """

    starts: np.ndarray
    stops: np.ndarray
    keys: np.ndarray
    longs: np.ndarray

    @classmethod
    def room(cls, size: int = 256) -> Found:
        """Room for some words."""
        places = (np.empty(size, np.int64) for _ in range(3))
        return cls(next(places), next(places), np.empty(size, np.uint64), next(places))


def eights(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """The eight bytes of ``data`` from each position on, little-endian: a view, uint64 (n - 7,)."""
    return np.ndarray(max(0, len(data) - 7), "<u8", data, strides=(1,))


@compiled
def _mix(value, eight):
    value = (value ^ eight) * _MULTIPLIER
    return value ^ (value >> _THIRTY_TWO)


@compiled(inline="always")
def word_key(words, start, stop):
    """Key of the word from ``start`` to ``stop``, where ``words`` are the eights of its text.

    The last eight of a long word may overlap the one before.
    """
    length = stop - start
    size = np.uint64(length)
    if length < 8:
        return (words[start] & (_ALL >> (_SIXTY_FOUR - (size << _THREE)))) | (size << _FIFTY_SIX)
    value = _mix(size, words[start])
    for p in range(start + 8, stop - 8, 8):
        value = _mix(value, words[p])
    return _mix(value, words[stop - 8]) | _LONG


@compiled
def _first_slot(key, slots):
    """Place in ``slots`` where the search for a key begins."""
    value = key * _MULTIPLIER
    half = np.uint64(len(slots) // 2 - 1)
    return (((value >> _THIRTY_TWO) ^ (value >> _FIFTY_SIX)) & half) << _ONE


@compiled
def _is_number(offsets, parts, words, start, stop, number):
    """Whether a word of 8 bytes or more is the one with this number in the table."""
    begin, end = offsets[number], offsets[number + _ONE]
    same = end - begin == stop - start
    p, q = begin, start
    while same and p < end - 8:
        same = parts[p] == words[q]
        p += 8
        q += 8
    return same and parts[end - 8] == words[stop - 8]


@compiled(inline="always")
def _slot_of(slots, offsets, parts, words, start, stop, key):
    """Place in ``slots`` of the word from ``start`` to ``stop``, or the empty one where it belongs."""
    slot = _first_slot(key, slots)
    last = np.uint64(len(slots) - 1)
    # A loop with a single way out: with others, references to the arrays would be counted at each call.
    while slots[slot + _ONE] and not (
        slots[slot] == key
        and (key < _LONG or _is_number(offsets, parts, words, start, stop, slots[slot + _ONE] - _ONE))
    ):
        slot = (slot + _TWO) & last
    return slot


@compiled
def _insert(slots, offsets, blob, state, room, text, start, stop, key, slot):
    """Number of a new word, or -1 if there is no room; ``room`` is how many words there may be."""
    length = stop - start
    number = state[0]
    begin = offsets[number]
    if number == room or begin + length > len(blob) - PADDING:
        return np.int64(-1)
    for i in range(length):
        blob[begin + i] = text[start + i]
    offsets[number + 1] = begin + length
    slots[slot] = key
    slots[slot + _ONE] = np.uint64(number + 1)
    state[0] = number + 1
    return number


@compiled
def place_words(old, new):
    """Fill the empty slots ``new`` with the entries of ``old``."""
    last = np.uint64(len(new) - 1)
    for i in range(0, len(old), 2):
        if old[i + 1]:
            slot = _first_slot(old[i], new)
            while new[slot + _ONE]:
                slot = (slot + _TWO) & last
            new[slot] = old[i]
            new[slot + _ONE] = old[i + 1]


@compiled
def fold_words(source, target, numbers, start):
    """Add words ``start`` … of one table to another, with their counts.

    Parameters
    ----------
    source, target : ``WordArrays``.
    numbers : int32 (words of ``source``,), written: the number of each in ``target``.

    Returns
    -------
    The first word that found no room; the number of words where all did.
    """
    slots, offsets, counts, blob, parts, state = target
    _, bounds, times, text, words, sizes = source
    size = sizes[0]
    for i in range(start, size):
        ahead = min(i + _AHEAD, size - 1)
        fetch_ahead(slots, _first_slot(word_key(words, bounds[ahead], bounds[ahead + 1]), slots))
        begin, end = bounds[i], bounds[i + 1]
        key = word_key(words, begin, end)
        slot = _slot_of(slots, offsets, parts, words, begin, end, key)
        number = np.int64(slots[slot + _ONE]) - 1
        if number < 0:
            number = _insert(slots, offsets, blob, state, len(counts), text, begin, end, key, slot)
            if number < 0:
                return i
            counts[number] = 0
        counts[number] += times[i]
        numbers[i] = number
    return size


@compiled(inline="always")
def remember(slots, starts, stops, keys, longs, size, n_longs, start, stop, key):
    """Put a word behind the others that were found and have its slot fetched; an empty one ends a sentence.

    Returns
    -------
    How many words there are now, and how many long ones.
    """
    fetch_ahead(slots, _first_slot(key, slots))
    starts[size], stops[size], keys[size] = start, stop, key
    longs[n_longs] = size
    return size + 1, n_longs + np.int64(key >= _LONG)


@compiled
def number_found(found, size, n_longs, table, text, words, ids, written):
    """Look up the words of ``found`` and add those that are new.

    Parameters
    ----------
    found : ``Found`` with ``size`` words, ``n_longs`` of them long.
    table : ``WordArrays``.
    text, words : uint8, and its eights.
    ids : int32, written from ``written`` on: numbers, -1 after each sentence that has words.

    Returns
    -------
    How many were looked up, less than ``size`` where the table is full; and how much of ``ids`` is used.
    """
    slots, offsets, counts, blob, parts, state = table
    starts, stops, keys, longs = found
    for i in range(n_longs):
        slot = _first_slot(keys[longs[i]], slots)
        if slots[slot] == keys[longs[i]]:
            fetch_ahead(offsets, np.int64(slots[slot + _ONE] - _ONE))
    for i in range(n_longs):
        slot = _first_slot(keys[longs[i]], slots)
        if slots[slot] == keys[longs[i]]:
            fetch_ahead(blob, offsets[np.int64(slots[slot + _ONE] - _ONE)])
    for i in range(size):
        start, stop = starts[i], stops[i]
        if start == stop:
            if written and ids[written - 1] != -1:
                ids[written] = -1
                written += 1
            continue
        slot = _slot_of(slots, offsets, parts, words, start, stop, keys[i])
        number = np.int64(slots[slot + _ONE]) - 1
        if number < 0:
            number = _insert(slots, offsets, blob, state, len(counts), text, start, stop, keys[i], slot)
            if number < 0:
                return i, written
            counts[number] = 0
        counts[number] += 1
        ids[written] = number
        written += 1
    return size, written


@compiled
def split_words(text, words, size, start, found, table, ids, written):
    """Number the words of ``text`` where byte 0xFF ends a word and 0xFE a word and its sentence.

    Parameters
    ----------
    text : uint8, ``size`` bytes and eight more; ``words`` its eights.
    start, written : where to go on in ``text`` and in ``ids``.
    found : ``Found``, for this call's own use.
    table : ``WordArrays``.
    ids : int32 (size + 1,), written: word numbers, -1 after each sentence that has words. Empty words are skipped.

    Returns
    -------
    The position up to which the text was read, less than ``size`` where the table is full; and how much of ``ids`` is
    used.
    """
    slots = table.slots
    starts, stops, keys, longs = found
    most = len(starts) - 1  # a word and its sentence's end come together
    n = n_longs = 0
    begin = start
    for p in range(start, size):
        if text[p] >= _SENTENCE_END:
            if p > begin:
                key = word_key(words, begin, p)
                n, n_longs = remember(slots, starts, stops, keys, longs, n, n_longs, begin, p, key)
            if text[p] == _SENTENCE_END:
                n, n_longs = remember(slots, starts, stops, keys, longs, n, n_longs, p, p, np.uint64(0))
            begin = p + 1
        if n >= most or p == size - 1:
            done, written = number_found(found, n, n_longs, table, text, words, ids, written)
            if done < n:
                return starts[done], written
            n = n_longs = 0
    return size, written
