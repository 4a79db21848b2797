"""A growing hash table of words: bytes to numbers in order of first sight, with counts.

Open addressing with linear steps. A slot holds ``hash << 32 | number``, so that most probes never touch the words
themselves. The kernels never allocate: where the table is full they stop, the caller makes room, and they go on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from wordstock.kernels.compiled import compiled

__all__ = ["WordArrays", "fold_words", "place_words", "split_words"]

BASIS = np.uint64(2166136261)
_PRIME = np.uint64(16777619)
_LOW_32 = np.uint64(0xFFFFFFFF)
_GOLDEN = np.uint64(2654435769)
_WORD_END, _SENTENCE_END = 0xFF, 0xFE  # bytes that UTF-8 never uses


class WordArrays(NamedTuple):
    """The table: ``size`` words, number i being ``blob[offsets[i] : offsets[i + 1]]``.

    slots : int64 (2**k,), at least twice the capacity; -1 = empty.
    offsets : int64 (capacity + 1,); ``counts`` int64 (capacity,); ``blob`` uint8.
    state : int64 (1,), the number of words.
    """

    slots: np.ndarray
    offsets: np.ndarray
    counts: np.ndarray
    blob: np.ndarray
    state: np.ndarray


@compiled
def hash_bytes(text, start, stop):
    """FNV-1a, 32 bits in uint64."""
    value = BASIS
    for i in range(start, stop):
        value = hash_step(value, text[i])
    return value


@compiled
def hash_step(value, byte):
    """The hash with one more byte."""
    return ((value ^ np.uint64(byte)) * _PRIME) & _LOW_32


@compiled
def add_word(table, text, start, stop, times):
    """Number of the word ``text[start:stop]``, seen ``times`` more times; -1 if it is new and there is no room."""
    return add_hashed(table, text, start, stop, times, hash_bytes(text, start, stop))


@compiled
def add_hashed(table, text, start, stop, times, value):
    """``add_word`` where the word's hash is known already."""
    slots, offsets, counts, blob, state = table
    mask = np.uint64(len(slots) - 1)
    slot = ((value * _GOLDEN) >> np.uint64(16)) & mask
    length = stop - start
    while slots[slot] != -1:
        entry = np.uint64(slots[slot])
        if entry >> np.uint64(32) == value:
            number = np.int64(entry & _LOW_32)
            begin = offsets[number]
            if offsets[number + 1] - begin == length:
                i = 0
                while i < length and blob[begin + i] == text[start + i]:
                    i += 1
                if i == length:
                    counts[number] += times
                    return number
        slot = (slot + np.uint64(1)) & mask
    number = state[0]
    begin = offsets[number]
    if number == len(counts) or begin + length > len(blob):
        return np.int64(-1)
    for i in range(length):
        blob[begin + i] = text[start + i]
    offsets[number + 1] = begin + length
    counts[number] = times
    slots[slot] = np.int64((value << np.uint64(32)) | np.uint64(number))
    state[0] = number + 1
    return number


@compiled
def place_words(old, new):
    """Fill the empty slots ``new`` with the entries of ``old``, both int64 (2**k,)."""
    mask = np.uint64(len(new) - 1)
    for i in range(len(old)):
        if old[i] != -1:
            value = np.uint64(old[i]) >> np.uint64(32)
            slot = ((value * _GOLDEN) >> np.uint64(16)) & mask
            while new[slot] != -1:
                slot = (slot + np.uint64(1)) & mask
            new[slot] = old[i]


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
    offsets = source.offsets
    size = source.state[0]
    for i in range(start, size):
        number = add_word(target, source.blob, offsets[i], offsets[i + 1], source.counts[i])
        if number < 0:
            return i
        numbers[i] = number
    return size


@compiled
def split_words(text, start, table, ids, written):
    """Number the words of ``text`` where byte 0xFF ends a word and 0xFE a word and its sentence.

    Parameters
    ----------
    text : uint8 (n,).
    start, written : where to go on in ``text`` and in ``ids``.
    table : ``WordArrays``.
    ids : int32 (n + 1,), written: word numbers, -1 after each sentence that has words. Empty words are skipped.

    Returns
    -------
    The position up to which the text was read, less than n where the table is full; and how much of ``ids`` is used.
    """
    begin = start
    for p in range(start, len(text)):
        if text[p] >= _SENTENCE_END:
            if p > begin:
                number = add_word(table, text, begin, p, 1)
                if number < 0:
                    return begin, written
                ids[written] = number
                written += 1
            if text[p] == _SENTENCE_END and written and ids[written - 1] != -1:
                ids[written] = -1
                written += 1
            begin = p + 1
    return len(text), written
