"""Buckets of the character n-grams of many words at once; ``vocab.subwords`` defines them for one."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled

__all__ = ["count_ngrams", "hash_ngrams"]

_BASIS, _PRIME, _LOW = np.uint64(2166136261), np.uint64(16777619), np.uint64(0xFFFFFFFF)
_SIGN = np.uint64(0xFFFFFF00)  # a byte from 128 on is taken as a negative 32-bit number
_OPEN, _CLOSE = np.uint8(60), np.uint8(62)  # "<" and ">"


@compiled(inline="always")
def _continues(byte):
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
            size += not _continues(blob[place])
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
            if begin < start < end and _continues(blob[start]):
                continue
            value = _BASIS
            place = start
            for n in range(1, max_n + 1):
                if place > end:
                    break
                following = True
                while following:
                    byte = _OPEN if place == begin else (_CLOSE if place == end else blob[place])
                    wide = np.uint64(byte)
                    if byte >= 128:
                        wide |= _SIGN
                    value = ((value ^ wide) * _PRIME) & _LOW
                    place += 1
                    following = begin < place < end and _continues(blob[place])
                if n >= min_n and not (n == 1 and (start == begin or place > end)):
                    out[at] = value % np.uint64(buckets)
                    at += 1
