"""Lines of labelled text to numbers, by fastText's rules, each token looked up in a growing table as it is found.

Tokens end at white space, a line is followed by the token ``</s>``, and a token that starts with ``__label__`` is a
label wherever in the line it stands (``dictionary.cc``, Joulin et al. 2017).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wordstock.kernels.compiled import compiled
from wordstock.kernels.fasttextdictionary import hash_bytes, slot_of
from wordstock.kernels.ngrams import BASIS, hash_byte

__all__ = ["LINE_END", "Entries", "fold_entries", "hash_entries", "place_entries", "read_lines"]

Array = npt.NDArray[Any]

LINE_END = 0  # number of "</s>", the first entry of every table
_LABEL = np.frombuffer(b"__label__", np.uint8)
_NEWLINE, _SPACE = 10, 32


class Entries(NamedTuple):
    """A growing table of words and labels; number i is ``blob[offsets[i] : offsets[i + 1]]``.

    slots : int32 (2**k,), 2**k at least twice the capacity; the number of an entry, -1 = empty.
    hashes : uint32 (capacity,), fastText's of the bytes; ``kinds`` uint8 (capacity,), 1 for a label.
    offsets : int64 (capacity + 1,); ``counts`` int64 (capacity,); ``blob`` uint8.
    state : int64 (1,), the number of entries.
    """

    slots: Array
    hashes: Array
    kinds: Array
    offsets: Array
    counts: Array
    blob: Array
    state: Array


@compiled(inline="always")
def _find(slots, hashes, offsets, blob, data, start, stop, value):
    """Number of the entry with these bytes, or -1, and its slot or the empty one where it belongs."""
    mask = len(slots) - 1
    slot = slot_of(value, len(slots))
    length = stop - start
    while slots[slot] >= 0:
        entry = np.int64(slots[slot])
        begin = offsets[entry]
        if hashes[entry] == value and offsets[entry + 1] - begin == length:
            i = 0
            while i < length and data[start + i] == blob[begin + i]:
                i += 1
            if i == length:
                return entry, slot
        slot = (slot + 1) & mask
    return np.int64(-1), slot


@compiled(inline="always")
def _is_label(data, start, stop):
    if stop - start < len(_LABEL):
        return False
    i = 0
    while i < len(_LABEL) and data[start + i] == _LABEL[i]:
        i += 1
    return i == len(_LABEL)


@compiled
def read_lines(data, start, stop, table, ids, written):
    """Number the tokens of whole lines, ``data[start:stop]``, the last of which ends with a newline.

    Parameters
    ----------
    table : ``Entries``, ``</s>`` being in it.
    ids : int32, as long as the bytes or longer; written from ``written`` on: the entries of each line, then
        ``LINE_END``. What follows a ``</s>`` that stands in a line is left out.

    Returns
    -------
    The position up to which the data was read, less than ``stop`` where the table is full; and how much of ``ids`` is
    used.
    """
    slots, hashes, kinds, offsets, counts, blob, state = table
    place = start
    while place < stop:
        byte = data[place]
        if byte <= _SPACE and (byte == _SPACE or 9 <= byte <= 13 or byte == 0):
            place += 1
            if byte == _NEWLINE:
                ids[written] = LINE_END
                written += 1
                counts[LINE_END] += 1
            continue
        begin = place
        value = BASIS
        while byte > _SPACE or not (byte == _SPACE or 9 <= byte <= 13 or byte == 0):
            value = hash_byte(value, byte)
            place += 1
            byte = data[place]  # a newline stands at the end
        entry, slot = _find(slots, hashes, offsets, blob, data, begin, place, value)
        if entry < 0:
            entry = state[0]
            at = offsets[entry]
            if entry == len(counts) or at + place - begin > len(blob):
                return begin, written
            for i in range(place - begin):
                blob[at + i] = data[begin + i]
            offsets[entry + 1] = at + place - begin
            hashes[entry] = value
            kinds[entry] = _is_label(data, begin, place)
            slots[slot] = entry
            state[0] = entry + 1
        if entry == LINE_END:
            while data[place] != _NEWLINE:
                place += 1
            continue
        counts[entry] += 1
        ids[written] = entry
        written += 1
    return place, written


@compiled
def hash_entries(blob, offsets, hashes):
    """Hash of each of the words of ``blob`` uint8 into ``hashes`` uint32 (words,)."""
    for word in range(len(hashes)):
        hashes[word] = hash_bytes(blob, offsets[word], offsets[word + 1])


@compiled
def place_entries(hashes, size, slots):
    """Fill ``slots`` int32 (2**k,), all -1, with the entries 0 to ``size``, which all differ."""
    for entry in range(size):
        slot = slot_of(np.uint64(hashes[entry]), len(slots))
        while slots[slot] >= 0:
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = entry


@compiled
def fold_entries(source, target, numbers, start):
    """Add the entries ``start`` … of one table to another, with their counts.

    ``numbers`` int32 (entries of ``source``,) is written: the number of each in ``target``. Returns the first entry
    that found no room; the number of entries where all did.
    """
    slots, hashes, kinds, offsets, counts, blob, state = target
    size = source.state[0]
    for old in range(start, size):
        begin, end = source.offsets[old], source.offsets[old + 1]
        value = np.uint64(source.hashes[old])
        entry, slot = _find(slots, hashes, offsets, blob, source.blob, begin, end, value)
        if entry < 0:
            entry = state[0]
            at = offsets[entry]
            if entry == len(counts) or at + end - begin > len(blob):
                return old
            for i in range(end - begin):
                blob[at + i] = source.blob[begin + i]
            offsets[entry + 1] = at + end - begin
            hashes[entry] = value
            kinds[entry] = source.kinds[old]
            slots[slot] = entry
            state[0] = entry + 1
            counts[entry] = 0
        counts[entry] += source.counts[old]
        numbers[old] = entry
    return size
