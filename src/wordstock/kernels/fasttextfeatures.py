"""Rows of a fastText model that a text or a word calls on: words, character n-grams and word n-grams, and their sum.

The rules are those of fastText's ``dictionary.cc`` (Joulin et al. 2017): tokens end at white space, a text ends with
the token ``</s>``, and hashes are 32-bit FNV-1a over bytes taken as signed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wordstock.kernels.compiled import compiled
from wordstock.kernels.fasttextdictionary import bucket_row, find_entry, has_row, hash_bytes
from wordstock.kernels.fetch_ahead import fetch_ahead
from wordstock.kernels.ngrams import BASIS, CLOSE, OPEN, continues, hash_byte

__all__ = ["Matrix", "add_text", "compose_words", "decode_rows", "sum_rows"]

Array = npt.NDArray[Any]


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


_AHEAD = 8  # rows fetched before they are needed
_LINE = 16  # floats in a cache line
_WORD_PRIME = np.uint64(116049371)
_UPPER = np.uint64(0xFFFFFFFF00000000)
_END = np.frombuffer(b"</s>", np.uint8)
_LABEL = np.frombuffer(b"__label__", np.uint8)


@compiled(inline="always")
def _fetch_row(cells, first, dim):
    for d in range(0, dim, _LINE):
        fetch_ahead(cells, first + d)


@compiled
def sum_rows(matrix, rows, size, total):
    """Add the rows ``rows[:size]`` of the matrix to ``total`` float32 (dim,)."""
    dim = len(total)
    if len(matrix.codes) == 0:
        cells = matrix.data.view(np.float32)
        for i in range(min(size, _AHEAD)):
            _fetch_row(cells, rows[i] * dim, dim)
        for i in range(size):
            if i + _AHEAD < size:
                _fetch_row(cells, rows[i + _AHEAD] * dim, dim)
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


@compiled(inline="always")
def _later(seen, direct, bucket, rows, size):
    """Put a bucket that has a row in ``rows``, as a negative number: it is looked up when ``direct`` is near there.

    Returns how many there are now.
    """
    if not has_row(seen, bucket):
        return size
    if len(direct):
        fetch_ahead(direct, np.int64(bucket))
    rows[size] = -1 - np.int64(bucket)
    return size + 1


@compiled
def _sum_found(matrix, kept, direct, n_words, rows, size, total):
    """Look up the rows of the buckets in ``rows[:size]`` and add all rows to ``total``; returns how many there are."""
    found = 0
    for i in range(size):
        row = rows[i]
        if row < 0:
            row = bucket_row(kept, direct, n_words, np.uint64(-1 - row))
        if row >= 0:
            rows[found] = row
            found += 1
    sum_rows(matrix, rows, found, total)
    return found


@compiled
def _ngram_buckets(data, first, last, start, places, lengths, buckets, rows, size):
    """Buckets of the character n-grams of ``data[first:last]``, a word, that begin at ``start`` or later.

    ``places``: the ``seen`` and ``direct`` of the dictionary; ``lengths``: least and most characters. They are put in
    ``rows`` from ``size`` on as long as there is room for all that begin at one place. Returns how many there are now,
    where the n-grams that found no room begin, after ``last`` if there are none, and how many were looked at.
    """
    seen, direct = places
    min_n, max_n = lengths
    begin, end = first - 1, last  # where "<" and ">" would stand
    tried = 0
    while start <= end and size + max_n <= len(rows):
        if begin < start < end and continues(data[start]):
            start += 1
            continue
        value = BASIS
        place = start
        for n in range(1, max_n + 1):
            if place > end:
                break
            value = hash_byte(value, OPEN if place == begin else (CLOSE if place == end else data[place]))
            place += 1
            while begin < place - 1 and place < end and continues(data[place]):
                value = hash_byte(value, data[place])
                place += 1
            if n >= min_n and not (n == 1 and (start == begin or place > end)):
                size = _later(seen, direct, value % np.uint64(buckets), rows, size)
                tried += 1
        start += 1
    return size, start, tried


@compiled
def _starts_with(data, start, stop, wanted):
    same = 0
    while same < len(wanted) and start + same < stop and data[start + same] == wanted[same]:
        same += 1
    return same == len(wanted)


@compiled
def _word_ngram_buckets(running, value, seen, direct, buckets, rows, size):
    """Buckets of the word n-grams that end with the word of this hash.

    Returns how many rows there are now, and how many n-grams were looked at.
    """
    tried = 0
    wide = value | _UPPER if value >= np.uint64(1 << 31) else value  # a signed hash, widened
    for i in range(len(running) - 1, -1, -1):  # those that began 1, 2, ... words ago, each one word longer now
        if running[i, 1]:
            longer = running[i, 0] * _WORD_PRIME + wide
            size = _later(seen, direct, longer % np.uint64(buckets), rows, size)
            tried += 1
            if i + 1 < len(running):
                running[i + 1, 0], running[i + 1, 1] = longer, np.uint64(1)
    running[0, 0], running[0, 1] = wide, np.uint64(1)
    return size, tried


@compiled
def _is_space(byte):
    return byte == 32 or 9 <= byte <= 13 or byte == 0


@compiled
def add_text(dictionary, matrix, data, first, last, scratch, total):
    """Add the rows of a text, ``data[first:last]``, and of its end to ``total`` float32 (dim,), which holds zeros.

    ``data`` begins with the four bytes ``</s>``, whatever the text. ``scratch``: uint64 (word_ngrams - 1, 2), and int64
    of any length above ``max_n`` and ``word_ngrams``. Returns the number of rows, with those of zeros that ``counted``
    stands for.
    """
    running, rows = scratch
    blob, offsets, slots, hashes, kept, n_words, min_n, max_n, buckets, word_ngrams, direct, seen, counted = dictionary
    running[:] = 0
    found = size = words = tried = 0
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
        value = hash_bytes(data, start, stop)
        entry = find_entry(data, start, stop, value, blob, offsets, slots, hashes)
        if entry >= n_words or (entry < 0 and _starts_with(data, start, stop, _LABEL)):
            continue  # a label in the text is no word
        if size + word_ngrams >= len(rows):
            found += _sum_found(matrix, kept, direct, n_words, rows, size, total)
            size = 0
        if entry >= 0:
            rows[size] = entry
            size += 1
            words += 1
        if buckets == 0:
            continue
        if word_ngrams > 1:
            size, more = _word_ngram_buckets(running, value, seen, direct, buckets, rows, size)
            tried += more
        at = stop + 1 if ends or max_n == 0 else start - 1
        while at <= stop:
            size, at, more = _ngram_buckets(data, start, stop, at, (seen, direct), (min_n, max_n), buckets, rows, size)
            tried += more
            if at <= stop:
                found += _sum_found(matrix, kept, direct, n_words, rows, size, total)
                size = 0
    found += _sum_found(matrix, kept, direct, n_words, rows, size, total)
    return words + tried if counted else found


@compiled
def compose_words(dictionary, matrix, first, last, rows, out):
    """Write the mean of the rows of each of the words ``first`` to ``last`` to ``out`` float32 (words, dim).

    ``rows`` int64 is scratch, of any length above ``max_n``.
    """
    blob, offsets, _, _, kept, n_words, min_n, max_n, buckets, _, direct, seen, counted = dictionary
    for word in range(first, last):
        total = out[word]
        total[:] = 0
        start, stop = offsets[word], offsets[word + 1]
        rows[0] = word
        size, found, tried = 1, 0, 0
        ends = stop - start == len(_END) and _starts_with(blob, start, stop, _END)
        at = stop + 1 if ends or max_n == 0 or buckets == 0 else start - 1
        while at <= stop:
            size, at, more = _ngram_buckets(blob, start, stop, at, (seen, direct), (min_n, max_n), buckets, rows, size)
            tried += more
            if at <= stop:
                found += _sum_found(matrix, kept, direct, n_words, rows, size, total)
                size = 0
        found += _sum_found(matrix, kept, direct, n_words, rows, size, total)
        share = np.float32(1.0 / (1 + tried if counted else found))
        for d in range(len(total)):
            total[d] *= share
