"""Count adjacent pairs of ids in a hash table, and join the chosen ones from left to right."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled

__all__ = ["count_pairs", "join_pairs", "move_pairs", "place_pairs"]

_MIX = np.uint64(0x9E3779B1)
_LOW_32 = np.uint64(0xFFFFFFFF)


@compiled
def _spread(first, second):
    """A 32-bit hash of two ids, in uint64; every product stays below 2**64."""
    value = ((np.uint64(first) * _MIX) & _LOW_32) ^ np.uint64(second)
    value = (value ^ (value >> np.uint64(15))) * _MIX & _LOW_32
    return value ^ (value >> np.uint64(16))


@compiled
def count_pairs(ids, frequent, part, parts, pairs, counts, size):
    """Count every two adjacent ids of one sentence that are both frequent.

    Parameters
    ----------
    ids : int32 (n,), -1 after each sentence, -2 for dropped words.
    frequent : bool (n_ids,), the ids to look at.
    part, parts : count only the pairs whose hash modulo ``parts`` is ``part``.
    pairs : int64 (2**k,), ``first << 32 | second``, -1 = empty; ``counts`` int64 (2**k,).
    size : pairs that the table holds already.

    Returns
    -------
    The number of pairs in the table, which the caller makes large enough: ``size + n`` must stay below its length.
    """
    mask = np.uint64(len(pairs) - 1)
    last = np.int64(-1)
    for i in range(len(ids)):
        token = np.int64(ids[i])
        if token < 0 or not frequent[token]:
            last = np.int64(-1)
            continue
        if last >= 0:
            value = _spread(last, token)
            if parts == 1 or np.int64(value % np.uint64(parts)) == part:
                key = (last << 32) | token
                slot = (value // np.uint64(parts)) & mask
                while pairs[slot] != key and pairs[slot] != -1:
                    slot = (slot + np.uint64(1)) & mask
                if pairs[slot] == -1:
                    pairs[slot] = key
                    size += 1
                counts[slot] += 1
        last = token
    return size


@compiled
def move_pairs(pairs, counts, parts, wider, moved):
    """Copy the entries of ``count_pairs``'s table to a larger empty one, ``wider`` all -1 and ``moved`` all 0."""
    mask = np.uint64(len(wider) - 1)
    for i in range(len(pairs)):
        key = pairs[i]
        if key != -1:
            slot = (_spread(key >> 32, key & 0xFFFFFFFF) // np.uint64(parts)) & mask
            while wider[slot] != -1:
                slot = (slot + np.uint64(1)) & mask
            wider[slot] = key
            moved[slot] = counts[i]


@compiled
def place_pairs(keys, values, pairs, numbers):
    """Fill ``pairs`` int64 (2**k,), all -1, and ``numbers`` int32 (2**k,) with keys and their values."""
    mask = np.uint64(len(pairs) - 1)
    for i in range(len(keys)):
        slot = _spread(keys[i] >> 32, keys[i] & 0xFFFFFFFF) & mask
        while pairs[slot] != -1:
            slot = (slot + np.uint64(1)) & mask
        pairs[slot] = keys[i]
        numbers[slot] = values[i]


@compiled
def join_pairs(ids, pairs, numbers, starts):
    """Replace chosen pairs by their phrase, in place, greedily from the left; a phrase is not joined on in one pass.

    Parameters
    ----------
    ids : int32 (n,); ``pairs`` and ``numbers`` as ``place_pairs`` fills them.
    starts : bool (n_ids,), ids that begin a chosen pair.

    Returns
    -------
    The position after the last id written.
    """
    mask = np.uint64(len(pairs) - 1)
    out = 0
    i = 0
    n = len(ids)
    while i < n:
        first = np.int64(ids[i])
        joined = np.int32(-1)
        if first >= 0 and starts[first] and i + 1 < n and ids[i + 1] >= 0:
            second = np.int64(ids[i + 1])
            key = (first << 32) | second
            slot = _spread(first, second) & mask
            while pairs[slot] != -1:
                if pairs[slot] == key:
                    joined = numbers[slot]
                    break
                slot = (slot + np.uint64(1)) & mask
        if joined >= 0:
            ids[out] = joined
            i += 2
        else:
            ids[out] = first
            i += 1
        out += 1
    return out
