"""The dictionary of a fastText model: its entries, read and indexed by their hash, and the rows of n-grams' buckets.

Hashes are 32-bit FNV-1a over bytes taken as signed, as fastText's ``dictionary.cc`` has them (Joulin et al. 2017).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wordstock.kernels.compiled import compiled
from wordstock.kernels.ngrams import BASIS, LOW, hash_byte

__all__ = [
    "Dictionary",
    "bucket_row",
    "find_entry",
    "has_row",
    "hash_bytes",
    "index_rows",
    "index_words",
    "scan_entries",
    "slot_of",
]

Array = npt.NDArray[Any]

_GOLDEN = np.uint64(2654435769)
_SIX, _LOW_SIX, _ONE = np.uint64(6), np.uint64(63), np.uint64(1)


class Dictionary(NamedTuple):
    """The entries of a model, words first and then labels, and how n-grams find their rows.

    ``blob`` uint8 and ``offsets`` int64 (entries + 1,): the entries' bytes; ``slots`` int32 (2**k,) and ``hashes``
    uint32 (entries,): the index that ``index_words`` makes. ``buckets`` is 0 where n-grams have no rows.

    Where neither ``kept`` nor ``direct`` has a length every bucket has a row. ``kept`` int32 (2**k, 2): the (bucket,
    row) of a pruned model as ``index_rows`` lays them out. ``direct`` int32 (buckets,): the row of each bucket or -1,
    and ``seen`` uint64 (buckets / 64,), a bit for each that has one, which fits in a cache where ``direct`` does not.
    Rows are counted from that of the first bucket on. ``counted``: whether an n-gram without a row counts as one of the
    text's all the same, as if its row were zeros.
    """

    blob: Array
    offsets: Array
    slots: Array
    hashes: Array
    kept: Array
    n_words: int
    min_n: int
    max_n: int
    buckets: int
    word_ngrams: int
    direct: Array = np.empty(0, np.int32)
    seen: Array = np.empty(0, np.uint64)
    counted: bool = False


@compiled
def scan_entries(data, at, spans, counts, kinds):
    """Entries of a dictionary from byte ``at`` on: bytes up to a NUL, an int64 count, an int8 kind.

    Parameters
    ----------
    data : uint8, the file.
    spans : int64 (n, 2), counts : int64 (n,), kinds : int8 (n,); written.

    Returns
    -------
    Number of whole entries, and the byte after the last of them.
    """
    for entry in range(len(spans)):
        stop = at
        while stop < len(data) and data[stop] != 0:
            stop += 1
        if stop + 10 > len(data):
            return entry, at
        count = np.uint64(0)
        for i in range(8):
            count |= np.uint64(data[stop + 1 + i]) << np.uint64(8 * i)
        spans[entry, 0], spans[entry, 1] = at, stop
        counts[entry] = np.int64(count)
        kinds[entry] = np.int8(data[stop + 9])
        at = stop + 10
    return len(spans), at


@compiled
def hash_bytes(data, start, stop):
    """Hash of ``data[start:stop]``."""
    value = BASIS
    for place in range(start, stop):
        value = hash_byte(value, data[place])
    return value


@compiled
def slot_of(value, size):
    """Where to begin looking for a hash among ``size`` slots, a power of two."""
    return np.int64((value * _GOLDEN) & LOW) & (size - 1)


@compiled
def index_words(blob, offsets, slots, hashes):
    """Fill ``slots`` int32, all -1, longer than the entries, and ``hashes`` uint32 (entries,); the first wins."""
    for entry in range(len(offsets) - 1):
        start, stop = offsets[entry], offsets[entry + 1]
        value = hash_bytes(blob, start, stop)
        hashes[entry] = value
        slot = slot_of(value, len(slots))
        same = False
        while slots[slot] >= 0 and not same:
            other = offsets[slots[slot]]
            same = hashes[slots[slot]] == value and offsets[slots[slot] + 1] - other == stop - start
            i = start
            while same and i < stop:
                same = blob[i] == blob[other + i - start]
                i += 1
            slot = (slot + 1) & (len(slots) - 1)
        if not same:
            slots[slot] = entry


@compiled
def index_rows(pairs, kept):
    """Lay the (bucket, row) ``pairs`` int32 (n, 2) out in ``kept`` int32 (2**k, 2), all -1, 2**k > n."""
    for i in range(len(pairs)):
        slot = slot_of(np.uint64(pairs[i, 0]), len(kept))
        while kept[slot, 0] >= 0 and kept[slot, 0] != pairs[i, 0]:
            slot = (slot + 1) & (len(kept) - 1)
        kept[slot, 0], kept[slot, 1] = pairs[i, 0], pairs[i, 1]


@compiled
def find_entry(data, start, stop, value, blob, offsets, slots, hashes):
    """Number of the entry with these bytes, whose hash is ``value``; -1 if there is none."""
    slot = slot_of(value, len(slots))
    while slots[slot] >= 0:
        entry = slots[slot]
        begin = offsets[entry]
        if hashes[entry] == value and offsets[entry + 1] - begin == stop - start:
            i = start
            while i < stop and data[i] == blob[begin + i - start]:
                i += 1
            if i == stop:
                return np.int64(entry)
        slot = (slot + 1) & (len(slots) - 1)
    return np.int64(-1)


@compiled(inline="always")
def has_row(seen, bucket):
    """Whether a bucket has a row, as far as ``seen`` tells: True where it has no length."""
    return len(seen) == 0 or (seen[bucket >> _SIX] >> (bucket & _LOW_SIX)) & _ONE == _ONE


@compiled
def bucket_row(kept, direct, n_words, bucket):
    """Row of an n-gram's bucket; -1 if it has none."""
    if len(direct):
        row = np.int64(direct[bucket])
        return n_words + row if row >= 0 else np.int64(-1)
    if len(kept) == 0:
        return n_words + np.int64(bucket)
    slot = slot_of(bucket, len(kept))
    while kept[slot, 0] >= 0:
        if np.uint64(kept[slot, 0]) == bucket:
            return n_words + np.int64(kept[slot, 1])
        slot = (slot + 1) & (len(kept) - 1)
    return np.int64(-1)
