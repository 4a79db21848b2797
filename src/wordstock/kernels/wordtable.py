"""A growing hash table of words: bytes to numbers in order of first sight, with counts.

Open addressing with linear steps. A slot holds a 64-bit key beside the number: up to seven bytes of text are the key
themselves, with their count in the top byte, so that most words are found in one cache line and compared in one step;
of longer words it is a hash. Text is read eight bytes at a time. The kernels never allocate: where the table is full
they stop, the caller makes room, and they go on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wordstock.kernels.compiled import compiled

__all__ = ["PADDING", "WordArrays", "eights", "fold_words", "place_words", "split_words"]

PADDING = 8  # bytes that must follow a text which is read eight at a time

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_LONG = np.uint64(0xFF << 56)
_ALL, _ONE = np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(1)
_THREE, _THIRTY_TWO, _FIFTY_SIX, _SIXTY_FOUR = np.uint64(3), np.uint64(32), np.uint64(56), np.uint64(64)
_WORD_END, _SENTENCE_END = 0xFF, 0xFE  # bytes that UTF-8 never uses


class WordArrays(NamedTuple):
    """The table: ``size`` words, number i being ``blob[offsets[i] : offsets[i + 1]]``.

    slots : uint64 (2**k, 2), 2**k at least twice the capacity: key and number + 1, 0 = empty.
    offsets : int64 (capacity + 1,); ``counts`` int64 (capacity,); ``blob`` uint8.
    state : int64 (1,), the number of words.
    """

    slots: np.ndarray
    offsets: np.ndarray
    counts: np.ndarray
    blob: np.ndarray
    state: np.ndarray


def eights(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """The eight bytes of ``data`` from each position on, little-endian: a view, uint64 (n - 7,)."""
    return np.ndarray(max(0, len(data) - 7), "<u8", data, strides=(1,))


@compiled(inline="always")
def mix(value, eight):
    """The hash of a long word with eight more bytes, or its last ones and zeros, or its length."""
    value = (value ^ eight) * _MULTIPLIER
    return value ^ (value >> _THIRTY_TWO)


@compiled(inline="always")
def short_key(eight, length):
    """Key of a word of 1 to 7 bytes, all other bytes of ``eight`` being zero."""
    return eight | (np.uint64(length) << _FIFTY_SIX)


@compiled(inline="always")
def long_key(value, length):
    """Key of a word of 8 bytes or more whose parts are mixed into ``value``."""
    return mix(value, np.uint64(length)) | _LONG


@compiled(inline="always")
def first_bytes(eight, length):
    """``eight`` with all but its first ``length`` bytes, 1 to 7, made zero."""
    return eight & (_ALL >> (_SIXTY_FOUR - (np.uint64(length) << _THREE)))


@compiled
def word_key(words, start, stop):
    """Key of the word from ``start`` to ``stop``, where ``words`` are the eights of its text."""
    length = stop - start
    if length < 8:
        return short_key(first_bytes(words[start], length), length)
    value = np.uint64(0)
    p = start
    while stop - p >= 8:
        value = mix(value, words[p])
        p += 8
    if p < stop:
        value = mix(value, first_bytes(words[p], stop - p))
    return long_key(value, length)


@compiled
def _same(blob, begin, end, text, start, length):
    if end - begin != length:
        return False
    i = 0
    while i < length and blob[begin + i] == text[start + i]:
        i += 1
    return i == length


@compiled(inline="always")
def add_keyed(slots, offsets, counts, blob, state, text, start, stop, times, key):
    """Number of the word ``text[start:stop]``, seen ``times`` more times; -1 if it is new and there is no room.

    The arrays of the table come one by one: taking the tuple apart for each word would count references to each.
    """
    mask = np.int64(len(slots) - 1)
    slot = _first_slot(key, mask)
    length = stop - start
    while slots[slot, 1]:
        if slots[slot, 0] == key:
            number = np.int64(slots[slot, 1] - _ONE)
            if key < _LONG or _same(blob, offsets[number], offsets[number + 1], text, start, length):
                counts[number] += times
                return number
        slot = (slot + 1) & mask
    number = state[0]
    begin = offsets[number]
    if number == len(counts) or begin + length > len(blob) - PADDING:
        return np.int64(-1)
    for i in range(length):
        blob[begin + i] = text[start + i]
    offsets[number + 1] = begin + length
    counts[number] = times
    slots[slot, 0] = key
    slots[slot, 1] = np.uint64(number + 1)
    state[0] = number + 1
    return number


@compiled(inline="always")
def _first_slot(key, mask):
    value = key * _MULTIPLIER
    return np.int64((value >> _THIRTY_TWO) ^ (value >> _FIFTY_SIX)) & mask


@compiled
def place_words(old, new):
    """Fill the empty slots ``new`` with the entries of ``old``, both uint64 (2**k, 2)."""
    mask = np.int64(len(new) - 1)
    for i in range(len(old)):
        if old[i, 1]:
            slot = _first_slot(old[i, 0], mask)
            while new[slot, 1]:
                slot = (slot + 1) & mask
            new[slot, 0] = old[i, 0]
            new[slot, 1] = old[i, 1]


@compiled
def fold_words(source, words, target, numbers, start):
    """Add words ``start`` … of one table to another, with their counts.

    Parameters
    ----------
    source, target : ``WordArrays``.
    words : the eights of ``source.blob``.
    numbers : int32 (words of ``source``,), written: the number of each in ``target``.

    Returns
    -------
    The first word that found no room; the number of words where all did.
    """
    slots, offsets, counts, blob, state = target
    _, bounds, times, text, sizes = source
    size = sizes[0]
    for i in range(start, size):
        begin, end = bounds[i], bounds[i + 1]
        key = word_key(words, begin, end)
        number = add_keyed(slots, offsets, counts, blob, state, text, begin, end, times[i], key)
        if number < 0:
            return i
        numbers[i] = number
    return size


@compiled
def split_words(text, words, size, start, table, ids, written):
    """Number the words of ``text`` where byte 0xFF ends a word and 0xFE a word and its sentence.

    Parameters
    ----------
    text : uint8, ``size`` bytes and eight more; ``words`` its eights.
    start, written : where to go on in ``text`` and in ``ids``.
    table : ``WordArrays``.
    ids : int32 (size + 1,), written: word numbers, -1 after each sentence that has words. Empty words are skipped.

    Returns
    -------
    The position up to which the text was read, less than ``size`` where the table is full; and how much of ``ids`` is
    used.
    """
    slots, offsets, counts, blob, state = table
    begin = start
    for p in range(start, size):
        if text[p] >= _SENTENCE_END:
            if p > begin:
                key = word_key(words, begin, p)
                number = add_keyed(slots, offsets, counts, blob, state, text, begin, p, 1, key)
                if number < 0:
                    return begin, written
                ids[written] = number
                written += 1
            if text[p] == _SENTENCE_END and written and ids[written - 1] != -1:
                ids[written] = -1
                written += 1
            begin = p + 1
    return size, written
