"""Buckets of the character n-grams of many words at once; ``vocab.subwords`` defines them for one."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled

__all__ = ["BASIS", "CLOSE", "LOW", "OPEN", "continues", "count_ngrams", "hash_byte", "hash_ngrams"]

BASIS, LOW = np.uint64(2166136261), np.uint64(0xFFFFFFFF)  # of 32-bit FNV-1a, kept in 64 bits
OPEN, CLOSE = np.uint8(60), np.uint8(62)  # "<" and ">"
_PRIME = np.uint64(16777619)
_SIGN = np.uint64(0xFFFFFF00)  # a byte from 128 on is taken as a negative 32-bit number


@compiled(inline="always")
def hash_byte(value, byte):
    """The hash of what has the hash ``value``, followed by one more byte."""
    wide = np.uint64(byte)
    if byte >= 128:
        wide |= _SIGN
    return ((value ^ wide) * _PRIME) & LOW


@compiled(inline="always")
def continues(byte):
    """Whether a byte of UTF-8 is not the first of its character."""
    return (byte & np.uint8(0xC0)) == np.uint8(0x80)


@compiled
def count_ngrams(blob, offsets, min_n, max_n, first, last, counts):
    """Number of n-grams of each of the words ``first`` to ``last`` into ``counts`` int64 (words,).

    ``blob`` uint8, the words in UTF-8 one after the other; ``offsets`` int64 (words + 1,).
    """
    for word in range(first, last):
        size = 2
        for place in range(offsets[word], offsets[word + 1]):
            size += not continues(blob[place])
        total = np.int64(0)
        for n in range(min_n, max_n + 1):
            total += max(size - n + 1, 0)
        counts[word] = total - (2 if min_n == 1 else 0)  # single characters at either edge are left out


@compiled
def hash_ngrams(blob, offsets, min_n, max_n, buckets, starts, first, last, out):
    """Bucket of each n-gram of the words ``first`` to ``last``.

    Word w writes ``out[starts[w]:starts[w + 1]]``, int32, in fastText's order; the other parameters are those of
    ``count_ngrams``.
    """
    for word in range(first, last):
        begin, end = offsets[word] - 1, offsets[word + 1]  # where "<" and ">" stand
        at = starts[word]
        for start in range(begin, end + 1):
            if begin < start < end and continues(blob[start]):
                continue
            value = BASIS
            place = start
            for n in range(1, max_n + 1):
                if place > end:
                    break
                following = True
                while following:
                    byte = OPEN if place == begin else (CLOSE if place == end else blob[place])
                    value = hash_byte(value, byte)
                    place += 1
                    following = begin < place < end and continues(blob[place])
                if n >= min_n and not (n == 1 and (start == begin or place > end)):
                    out[at] = value % np.uint64(buckets)
                    at += 1
