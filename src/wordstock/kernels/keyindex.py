"""The hash index over keys, built in one walk that also finds repeated keys."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled

__all__ = ["CRC_TABLE", "index_keys"]

_GOLDEN = np.uint64(2654435769)
_LOW_32 = np.uint64(0xFFFFFFFF)


def _crc_table():
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(0xEDB88320), table >> 1).astype(np.uint32)
    return table


CRC_TABLE = _crc_table()


@compiled
def _crc32(blob, start, stop, table):
    crc = np.uint32(0xFFFFFFFF)
    for p in range(start, stop):
        crc = table[(crc ^ np.uint32(blob[p])) & np.uint32(0xFF)] ^ (crc >> np.uint32(8))
    return crc ^ np.uint32(0xFFFFFFFF)


@compiled
def _same(blob, start, stop, other_start, other_stop):
    if stop - start != other_stop - other_start:
        return False
    i = start
    while i < stop and blob[i] == blob[other_start + i - start]:
        i += 1
    return i == stop


@compiled
def index_keys(blob, offsets, table, slots, hashes, repeated):
    """Fill ``slots`` with the numbers of the keys, the layout being that of ``vocab.vocabulary``.

    Parameters
    ----------
    blob : uint8, the keys' bytes; ``offsets`` int64 (n + 1,), where each starts.
    table : uint32 (256,), ``CRC_TABLE``.
    slots : int32 (2**bits,), all -1, more than n.
    hashes : uint32 (n,), scratch: written.
    repeated : bool (n,), all False; set for each key that an earlier one equals, which then has no slot.

    Returns
    -------
    Number of repeated keys.
    """
    size = len(offsets) - 1
    bits = 0
    while (1 << bits) < len(slots):
        bits += 1
    shift = np.uint64(32 - bits)
    mask = len(slots) - 1
    found = 0
    for number in range(size):
        start, stop = offsets[number], offsets[number + 1]
        crc = _crc32(blob, start, stop, table)
        hashes[number] = crc
        slot = np.int64(((np.uint64(crc) * _GOLDEN) & _LOW_32) >> shift)
        while slots[slot] >= 0:
            other = slots[slot]
            if hashes[other] == crc and _same(blob, start, stop, offsets[other], offsets[other + 1]):
                repeated[number] = True
                found += 1
                break
            slot = (slot + 1) & mask
        if not repeated[number]:
            slots[slot] = number
    return found
