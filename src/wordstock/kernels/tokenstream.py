"""Streams of token ids: count them, give them other numbers, drop some. -1 ends a sentence, -2 is a dropped word."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled

__all__ = ["close_up", "count_ids", "renumber"]


@compiled
def count_ids(ids, counts):
    """Add the occurrences of each id in ``ids``, int32 (n,), to ``counts``, int64 (n_ids,).

    Returns
    -------
    Number of words, those dropped before counted in, and number of sentences.
    """
    ends = 0
    for i in range(len(ids)):
        if ids[i] >= 0:
            counts[ids[i]] += 1
        elif ids[i] == -1:
            ends += 1
    return len(ids) - ends, ends


@compiled
def renumber(ids, numbers, gaps):
    """Rewrite ``ids`` in place, closing up towards its front.

    Parameters
    ----------
    ids : int32 (n,), whole sentences.
    numbers : int32, the new number of each id, negative to drop it.
    gaps : write -2 for a dropped word, so that its neighbours do not become adjacent; otherwise leave it out.

    Returns
    -------
    How many ids are left, and how many ids >= 0 and sentences are among them. Without ``gaps``,
    sentences of which nothing is left are gone.
    """
    words = sentences = 0
    begin = out = 0
    kept = 0  # ids >= 0 in this sentence
    for i in range(len(ids)):
        token = ids[i]
        if token == -1:
            if kept or gaps:
                ids[out] = -1
                out += 1
                words += kept
                sentences += 1
            else:
                out = begin
            begin, kept = out, 0
            continue
        number = np.int32(-2) if token < 0 else numbers[token]
        # Written even where it is dropped, and then over: whether a word is kept cannot be predicted.
        ids[out] = number if number >= 0 else np.int32(-2)
        known = np.int64(number >= 0)
        out += 1 if gaps else known
        kept += known
    return out, words, sentences


@compiled
def close_up(ids, starts, lengths):
    """Move the parts of ``ids`` that begin at ``starts`` and have these lengths, both int64 in order, to its front."""
    out = 0
    for part in range(len(starts)):
        start = starts[part]
        if start == out:
            out += lengths[part]
            continue
        for i in range(start, start + lengths[part]):
            ids[out] = ids[i]
            out += 1
    return out
