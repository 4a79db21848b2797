"""From the numbered tokens of lines to the rows of each line's words and n-grams, once for all epochs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wordstock.kernels.compiled import compiled
from wordstock.kernels.labelledlines import LINE_END

__all__ = ["Places", "count_grams", "longest_line", "number_buckets", "write_features"]

Array = npt.NDArray[Any]

_PRIME = np.uint64(116049371)
_UPPER, _NEGATIVE = np.uint64(0xFFFFFFFF00000000), np.uint64(1 << 31)


class Places(NamedTuple):
    """Where each entry of the table went.

    rows : int32 (entries,), the row of a word or the number of a label; -1 for one that was too rare.
    kinds : uint8 (entries,), 1 for a label; ``hashes`` uint32 (entries,).
    grams : int32, the buckets of character n-grams of the words that have no row, entry e's being
        ``grams[starts[e]:starts[e + 1]]``; ``starts`` int64 (entries + 1,).
    """

    rows: Array
    kinds: Array
    hashes: Array
    grams: Array
    starts: Array


@compiled
def number_buckets(buckets, n_words, bucket_rows, used, out):
    """Write the row of each bucket to ``out`` int32, giving rows to those that have none yet.

    ``bucket_rows`` int32 (buckets,), -1 for a bucket without a row, else its row less ``n_words``; ``used`` int64 (1,),
    how many have one.
    """
    for i in range(len(buckets)):
        row = bucket_rows[buckets[i]]
        if row < 0:
            row = np.int32(used[0])
            bucket_rows[buckets[i]] = row
            used[0] += 1
        out[i] = n_words + row


@compiled
def write_features(ids, numbers, places, word_ngrams, n_words, bucket_rows, used, every, out):
    """Rows and labels of the lines in ``ids``.

    Parameters
    ----------
    ids : int32, entries of a table, ``LINE_END`` after each line; ``numbers`` int32, their numbers in ``places``.
    word_ngrams : longest n-grams of words; hashed as 64-bit numbers as fastText does (``addWordNgrams``).
    bucket_rows, used : as in ``number_buckets``; ``bucket_rows`` of no length = no n-grams at all.
    every : whether lines without labels or without rows are written too.
    out : features int32, ends int64 (lines,), labels int32, label_ends int64 (lines,): written.

    Returns
    -------
    How many lines, features and labels were written, and how many lines with words were left out for want of a label.
    """
    features, ends, labels, label_ends = out
    rows, kinds, hashes, grams, starts = places
    buckets = np.uint64(len(bucket_rows))
    running = np.zeros(max(1, word_ngrams - 1), np.uint64)  # hashes of the n-grams that go on, the shortest first
    lines = size = n_labels = unlabelled = 0
    going = begin = 0
    line_size, line_labels = size, n_labels
    for i in range(len(ids)):
        entry = numbers[ids[i]]
        row = rows[entry]
        if kinds[entry]:
            if row >= 0 and len(labels):
                labels[n_labels] = row
                n_labels += 1
            continue
        if row >= 0:
            features[size] = row
            size += 1
        if buckets:
            if row < 0:
                for gram in range(starts[entry], starts[entry + 1]):
                    bucket = grams[gram]
                    if bucket_rows[bucket] < 0:
                        bucket_rows[bucket] = used[0]
                        used[0] += 1
                    features[size] = n_words + bucket_rows[bucket]
                    size += 1
            if word_ngrams > 1:
                value = np.uint64(hashes[entry])
                if value >= _NEGATIVE:  # fastText keeps hashes as signed numbers
                    value |= _UPPER
                for n in range(going - 1, -1, -1):
                    longer = running[n] * _PRIME + value
                    bucket = np.int64(longer % buckets)
                    if bucket_rows[bucket] < 0:
                        bucket_rows[bucket] = used[0]
                        used[0] += 1
                    features[size] = n_words + bucket_rows[bucket]
                    size += 1
                    if n + 1 < len(running):
                        running[n + 1] = longer
                running[0] = value
                going = min(going + 1, word_ngrams - 1)
        if ids[i] == LINE_END:
            if every or (size > line_size and n_labels > line_labels):
                ends[lines] = size
                label_ends[lines] = n_labels
                lines += 1
            else:
                unlabelled += n_labels == line_labels and i > begin
                size, n_labels = line_size, line_labels
            line_size, line_labels = size, n_labels
            going, begin = 0, i + 1
    return lines, size, n_labels, unlabelled


@compiled
def longest_line(ends, features, gram_ends):
    """Most rows that a line has; the parameters are those of ``linetraining.Lines``."""
    words = len(gram_ends) - 1
    longest = np.int64(0)
    for line in range(len(ends) - 1):
        size = ends[line + 1] - ends[line]
        if words > 0:
            for i in range(ends[line], ends[line + 1]):
                if features[i] < words:
                    size += gram_ends[features[i] + 1] - gram_ends[features[i]]
        longest = max(longest, size)
    return longest


@compiled
def count_grams(ids, numbers, lengths):
    """Sum of ``lengths`` int64 (entries,) over the tokens of a block."""
    total = np.int64(0)
    for i in range(len(ids)):
        total += lengths[numbers[ids[i]]]
    return total
