"""Rows of a fastText model that a text or a word calls on: words, character n-grams and word n-grams, and their sum.

The rules are those of fastText's ``dictionary.cc`` (Joulin et al. 2017): tokens end at white space, a text ends with
the token ``</s>``, and hashes are 32-bit FNV-1a over bytes taken as signed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wordstock.kernels.compiled import compiled

__all__ = [
    "Dictionary",
    "Matrix",
    "add_text",
    "compose_words",
    "decode_rows",
    "index_rows",
    "index_words",
    "scan_entries",
    "sum_rows",
]

Array = npt.NDArray[Any]


class Dictionary(NamedTuple):
    """The entries of a model, words first and then labels, and how n-grams find their rows.

    ``blob`` uint8 and ``offsets`` int64 (entries + 1,): the entries' bytes; ``slots`` int32 (2**k,) and ``hashes``
    uint32 (entries,): the index that ``index_words`` makes. ``kept`` int32 (2**k, 2): the (bucket, row) of a pruned
    model as ``index_rows`` lays them out; of no length where every bucket has a row. ``buckets``
    is 0 where n-grams have no rows.
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


class Matrix(NamedTuple):
    """Rows of float32, as they are or product-quantised (Jégou et al. 2011).

    ``data`` uint8 (rows * dim * 4,): float32 numbers that may begin at any byte of a file. Where ``codes`` uint8
    (rows, parts) has a length, part p of a row is ``norms[row]`` times its code's centroid among the 256 of that part,
    which lie one after the other in ``centroids`` float32 (256 * dim,); each part has ``width`` numbers, the last one
    what is left.
    """

    data: Array
    codes: Array
    centroids: Array
    norms: Array
    width: int
    dim: int


_BASIS, _PRIME, _LOW = np.uint64(2166136261), np.uint64(16777619), np.uint64(0xFFFFFFFF)
_SIGN = np.uint64(0xFFFFFF00)  # a byte from 128 on is taken as a negative 32-bit number
_GOLDEN = np.uint64(2654435769)
_WORD_PRIME = np.uint64(116049371)
_UPPER = np.uint64(0xFFFFFFFF00000000)
_OPEN, _CLOSE = np.uint8(60), np.uint8(62)  # "<" and ">"
_END = np.frombuffer(b"</s>", np.uint8)
_LABEL = np.frombuffer(b"__label__", np.uint8)


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
def _hashed(value, byte):
    wide = np.uint64(byte)
    if byte >= 128:
        wide |= _SIGN
    return ((value ^ wide) * _PRIME) & _LOW


@compiled
def _hash(data, start, stop):
    value = _BASIS
    for place in range(start, stop):
        value = _hashed(value, data[place])
    return value


@compiled
def _slot(value, size):
    return np.int64((value * _GOLDEN) & _LOW) & (size - 1)


@compiled
def index_words(blob, offsets, slots, hashes):
    """Fill ``slots`` int32, all -1, longer than the entries, and ``hashes`` uint32 (entries,); the first wins."""
    for entry in range(len(offsets) - 1):
        start, stop = offsets[entry], offsets[entry + 1]
        value = _hash(blob, start, stop)
        hashes[entry] = value
        slot = _slot(value, len(slots))
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
        slot = _slot(np.uint64(pairs[i, 0]), len(kept))
        while kept[slot, 0] >= 0 and kept[slot, 0] != pairs[i, 0]:
            slot = (slot + 1) & (len(kept) - 1)
        kept[slot, 0], kept[slot, 1] = pairs[i, 0], pairs[i, 1]


@compiled
def _find(data, start, stop, value, blob, offsets, slots, hashes):
    """Number of the entry with these bytes, whose hash is ``value``; -1 if there is none."""
    slot = _slot(value, len(slots))
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


@compiled
def sum_rows(matrix, rows, size, total):
    """Add the rows ``rows[:size]`` of the matrix to ``total`` float32 (dim,)."""
    dim = len(total)
    if len(matrix.codes) == 0:
        cells = matrix.data.view(np.float32)
        for i in range(size):
            first = rows[i] * dim
            for d in range(dim):
                total[d] += cells[first + d]
        return
    codes, centroids, norms = matrix.codes, matrix.centroids, matrix.norms
    for i in range(size):
        norm = norms[rows[i]]
        for part in range(codes.shape[1]):
            begin = part * matrix.width
            width = min(matrix.width, dim - begin)
            first = 256 * begin + np.int64(codes[rows[i], part]) * width
            for d in range(width):
                total[begin + d] += norm * centroids[first + d]


@compiled
def decode_rows(matrix, first, last, out):
    """Write the rows ``first`` to ``last`` of the matrix to ``out`` float32 (rows, dim), which holds zeros."""
    rows = np.empty(1, np.int64)
    for row in range(first, last):
        rows[0] = row
        sum_rows(matrix, rows, 1, out[row])


@compiled
def _bucket_row(kept, n_words, bucket):
    """Row of an n-gram's bucket; -1 if it was pruned."""
    if len(kept) == 0:
        return n_words + np.int64(bucket)
    slot = _slot(bucket, len(kept))
    while kept[slot, 0] >= 0:
        if np.uint64(kept[slot, 0]) == bucket:
            return n_words + np.int64(kept[slot, 1])
        slot = (slot + 1) & (len(kept) - 1)
    return np.int64(-1)


@compiled
def _continues(byte):
    """Whether a byte of UTF-8 is not the first of its character."""
    return (byte & np.uint8(0xC0)) == np.uint8(0x80)


@compiled
def _ngram_rows(data, first, last, start, kept, n_words, lengths, buckets, rows, size):
    """Rows of the character n-grams of ``data[first:last]``, a word, that begin at ``start`` or later.

    ``lengths``: least and most characters. They are put in ``rows`` from ``size`` on as long as there is room for all
    that begin at one place. Returns how many rows there are now, and where the n-grams that found no room begin: after
    ``last`` if there are none.
    """
    min_n, max_n = lengths
    begin, end = first - 1, last  # where "<" and ">" would stand
    while start <= end and size + max_n <= len(rows):
        if begin < start < end and _continues(data[start]):
            start += 1
            continue
        value = _BASIS
        place = start
        for n in range(1, max_n + 1):
            if place > end:
                break
            value = _hashed(value, _OPEN if place == begin else (_CLOSE if place == end else data[place]))
            place += 1
            while begin < place - 1 and place < end and _continues(data[place]):
                value = _hashed(value, data[place])
                place += 1
            if n >= min_n and not (n == 1 and (start == begin or place > end)):
                row = _bucket_row(kept, n_words, value % np.uint64(buckets))
                if row >= 0:
                    rows[size] = row
                    size += 1
        start += 1
    return size, start


@compiled
def _starts_with(data, start, stop, wanted):
    same = 0
    while same < len(wanted) and start + same < stop and data[start + same] == wanted[same]:
        same += 1
    return same == len(wanted)


@compiled
def _word_ngram_rows(running, value, kept, n_words, buckets, rows, size):
    """Rows of the word n-grams that end with the word of this hash; returns how many rows there are now."""
    wide = value | _UPPER if value >= np.uint64(1 << 31) else value  # a signed hash, widened
    for i in range(len(running) - 1, -1, -1):  # those that began 1, 2, ... words ago, each one word longer now
        if running[i, 1]:
            longer = running[i, 0] * _WORD_PRIME + wide
            row = _bucket_row(kept, n_words, longer % np.uint64(buckets))
            if row >= 0:
                rows[size] = row
                size += 1
            if i + 1 < len(running):
                running[i + 1, 0], running[i + 1, 1] = longer, np.uint64(1)
    running[0, 0], running[0, 1] = wide, np.uint64(1)
    return size


@compiled
def _is_space(byte):
    return byte == 32 or 9 <= byte <= 13 or byte == 0


@compiled
def add_text(dictionary, matrix, data, first, last, scratch, total):
    """Add the rows of a text, ``data[first:last]``, and of its end to ``total`` float32 (dim,), which holds zeros.

    ``data`` begins with the four bytes ``</s>``, whatever the text. ``scratch``: uint64 (word_ngrams - 1, 2), and int64
    of any length above ``max_n`` and ``word_ngrams``. Returns the number of rows.
    """
    running, rows = scratch
    blob, offsets, slots, hashes, kept, n_words, min_n, max_n, buckets, word_ngrams = dictionary
    running[:] = 0
    count = size = 0
    place = first
    goes_on = True
    while goes_on:
        while place < last and _is_space(data[place]):
            place += 1
        start = place
        while place < last and not _is_space(data[place]):
            place += 1
        stop = place
        ends = place - start == len(_END) and _starts_with(data, start, place, _END)
        if stop == start or ends:
            start, stop, goes_on, ends = 0, len(_END), False, True
        value = _hash(data, start, stop)
        entry = _find(data, start, stop, value, blob, offsets, slots, hashes)
        if entry >= n_words or (entry < 0 and _starts_with(data, start, stop, _LABEL)):
            continue  # a label in the text is no word
        if size + word_ngrams >= len(rows):
            sum_rows(matrix, rows, size, total)
            count, size = count + size, 0
        if entry >= 0:
            rows[size] = entry
            size += 1
        if buckets == 0:
            continue
        if word_ngrams > 1:
            size = _word_ngram_rows(running, value, kept, n_words, buckets, rows, size)
        at = stop + 1 if ends or max_n == 0 else start - 1
        while at <= stop:
            size, at = _ngram_rows(data, start, stop, at, kept, n_words, (min_n, max_n), buckets, rows, size)
            if at <= stop:
                sum_rows(matrix, rows, size, total)
                count, size = count + size, 0
    sum_rows(matrix, rows, size, total)
    return count + size


@compiled
def compose_words(dictionary, matrix, first, last, rows, out):
    """Write the mean of the rows of each of the words ``first`` to ``last`` to ``out`` float32 (words, dim).

    ``rows`` int64 is scratch, of any length above ``max_n``.
    """
    blob, offsets, _, _, kept, n_words, min_n, max_n, buckets, _ = dictionary
    for word in range(first, last):
        total = out[word]
        total[:] = 0
        start, stop = offsets[word], offsets[word + 1]
        rows[0] = word
        size, count = 1, 0
        ends = stop - start == len(_END) and _starts_with(blob, start, stop, _END)
        at = stop + 1 if ends or max_n == 0 or buckets == 0 else start - 1
        while at <= stop:
            size, at = _ngram_rows(blob, start, stop, at, kept, n_words, (min_n, max_n), buckets, rows, size)
            if at <= stop:
                sum_rows(matrix, rows, size, total)
                count, size = count + size, 0
        sum_rows(matrix, rows, size, total)
        share = np.float32(1.0 / (count + size))
        for d in range(len(total)):
            total[d] *= share
