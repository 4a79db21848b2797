"""Skip-gram and CBOW over words that are the mean of their own row and of their n-grams' (Bojanowski et al. 2017).

A word's vector is put together when it comes within reach of a centre, is trained like any other input row while the
window passes over it, and what it has gained then is added to each of its rows when it falls out of reach. The
original puts it together and takes it apart again for every pair. So a word sees what its rows learned elsewhere,
under other words or in another place, with a delay of at most two windows; what it learns itself it sees at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from wordstock.kernels.blocks import prefetch_row
from wordstock.kernels.compiled import compiled
from wordstock.kernels.draws import below, keep_words, next_random
from wordstock.kernels.scratch import private_arrays
from wordstock.kernels.windows import Array, Tables, announce_targets, choose_targets, train_window

__all__ = ["Grams", "Ring", "compose_words", "make_ring", "recover_rows", "train_fasttext"]


class Grams(NamedTuple):
    """The input rows of word w are ``rows[offsets[w]:offsets[w + 1]]``, its own first; int32, int64 (words + 1,)."""

    rows: Array
    offsets: Array


class Ring(NamedTuple):
    """Vectors of the words within reach of a centre: that at position p of the text has slot p mod size.

    ``tables.inputs`` float32 (size + 2, dim): the slots, a spare row, and CBOW's mean; ``tables.outputs`` those of the
    model; ``tables.scales`` float32 (size + 2,), the mean scale of a word's rows, or None as in the model.
    ``starts`` float32 (size, dim): the vectors as they were put together. ``size`` is a power of two.
    """

    tables: Tables
    starts: Array


def make_ring(window, tables):
    """A ring for one thread."""
    size = 1
    while size < 2 * window + 1:
        size *= 2
    dim = tables.outputs.shape[1]
    vectors, starts, scales = private_arrays(
        ((size + 2, dim), np.float32), ((size, dim), np.float32), ((size + 2,), np.float32)
    )
    scales[:] = 1
    return Ring(Tables(vectors, tables.outputs, None if tables.scales is None else scales), starts)


@compiled(fastmath={"contract", "nsz"})
def _mean(inputs, rows, start, stop, total):
    """Mean of ``inputs[rows[start:stop]]`` into ``total`` float32 (dim,)."""
    total[:] = inputs[rows[start]]
    for at in range(start + 1, stop):
        vector = inputs[rows[at]]
        for d in range(len(total)):
            total[d] += vector[d]
    share = np.float32(1) / np.float32(stop - start)
    for d in range(len(total)):
        total[d] *= share


@compiled
def _enter(inputs, scales, grams, word, slot, ring):
    """Put a word's vector together."""
    start, stop = grams.offsets[word], grams.offsets[word + 1]
    vector = ring.tables.inputs[slot]
    _mean(inputs, grams.rows, start, stop, vector)
    ring.starts[slot] = vector
    if scales is not None:
        total = np.float32(0)
        for at in range(start, stop):
            total += scales[grams.rows[at]]
        ring.tables.scales[slot] = total / np.float32(stop - start)


@compiled(fastmath={"contract", "nsz"})
def _leave(inputs, scales, grams, word, slot, ring):
    """Add what a word's vector has gained to each of its rows, as the original does: not divided by them."""
    vector, gain = ring.tables.inputs[slot], ring.starts[slot]
    for d in range(len(gain)):
        gain[d] = vector[d] - gain[d]
    for at in range(grams.offsets[word], grams.offsets[word + 1]):
        row = grams.rows[at]
        scale = np.float32(1)
        if scales is not None:
            whole = ring.tables.scales[slot]
            scale = scales[row] / whole if whole > 0 else np.float32(0)
        values = inputs[row]
        for d in range(len(gain)):
            values[d] += scale * gain[d]


@compiled
def _announce(inputs, grams, word):
    """Prefetch a word's rows."""
    for at in range(grams.offsets[word], grams.offsets[word + 1]):
        prefetch_row(inputs, np.int64(grams.rows[at]))


@compiled
def _gather(kept, centre, reach, mask, slots):
    """Slots of the words around the centre."""
    count = 0
    for step in (-1, 1):
        place = centre + step
        for _ in range(reach):
            if kept[place] < 0:
                break
            slots[count] = place & mask
            count += 1
            place += step
    return count


@compiled(fastmath={"contract", "nsz"})
def _average(kept, centre, reach, grams, ring, total):
    """Mean of all rows of the words around the centre into ``total``: words count by how many rows they have."""
    mask = len(ring.starts) - 1
    total[:] = 0
    weight = np.float32(0)
    for step in (-1, 1):
        place = centre + step
        for _ in range(reach):
            word = kept[place]
            if word < 0:
                break
            rows = np.float32(grams.offsets[word + 1] - grams.offsets[word])
            vector = ring.tables.inputs[place & mask]
            for d in range(len(total)):
                total[d] += rows * vector[d]
            weight += rows
            place += step
    share = np.float32(1) / weight
    for d in range(len(total)):
        total[d] *= share


@compiled(fastmath={"contract", "nsz"})
def _spread(vectors, scales, slots, count, change):
    """Add ``change`` float32 (dim,) to each of the first ``count`` slots."""
    for i in range(count):
        scale = np.float32(1)
        if scales is not None:
            scale = scales[slots[i]]
        vector = vectors[slots[i]]
        for d in range(len(change)):
            vector[d] += scale * change[d]


@compiled
def train_fasttext(ids, span, tables, grams, ring, keep, targets, window, cbow, rate, thread, state, block, work):
    """Train on one slice of the corpus with one learning rate.

    Parameters
    ----------
    ids, span, keep, targets, window, rate, thread, state, block, work : as in ``word2vec.train_word2vec``.
    tables : Tables; ``inputs`` holds the rows of words, then those of n-grams.
    grams : Grams.
    ring : Ring of this thread.
    cbow : whether the mean of a window's rows predicts the centre, instead of each of its words.

    Returns
    -------
    (loss, items) : summed negative log-likelihood over the targets, and of how many pairs, or windows for CBOW.
    """
    negative, noise, tree = targets
    kept = work.kept
    first, last = keep_words(ids, span[0], span[1], keep, window, state, kept)
    spare = len(tables.outputs) - thread * 2 - 2
    mask = len(ring.starts) - 1
    vectors = ring.tables.inputs
    mean = vectors[mask + 2]
    work.losses[:] = 0
    loss = 0.0
    items = 0
    begin = first
    while kept[begin - 1] >= 0:
        begin -= 1
    end = last
    while kept[end] >= 0:
        end += 1
    entered = left = begin
    announce_targets(kept[first], negative, noise, tree, tables.outputs, state, work)
    for centre in range(first, last):
        while entered < min(centre + window + 1, end):
            if kept[entered] >= 0:
                _enter(tables.inputs, tables.scales, grams, kept[entered], entered & mask, ring)
            entered += 1
        if entered < end and kept[entered] >= 0:
            _announce(tables.inputs, grams, kept[entered])
        word = kept[centre]
        if word >= 0:
            n_targets = choose_targets(word, negative, noise, tree, block, spare, work)
            announce_targets(kept[centre + 1], negative, noise, tree, tables.outputs, state, work)
            reach = 1 + below(next_random(state), window)
            count = _gather(kept, centre, reach, mask, work.rows)
            if count > 0 and cbow:
                _average(kept, centre, reach, grams, ring, work.mean)
                mean[:] = work.mean
                work.context[:count] = work.rows[:count]
                work.rows[0] = mask + 2
                work.rows[1] = mask + 1
                train_window(ring.tables, 1, n_targets, rate, block, None, work)
                for d in range(len(mean)):
                    work.mean[d] = mean[d] - work.mean[d]
                _spread(vectors, ring.tables.scales, work.context, count, work.mean)
                items += 1
            elif count > 0:
                work.rows[count] = mask + 1
                train_window(ring.tables, count, n_targets, rate, block, None, work)
                items += count
            if centre % 128 == 0:  # float32 sums stay short
                loss -= np.float64(work.losses.sum())
                work.losses[:] = 0
        while left <= centre - window:
            if kept[left] >= 0:
                _leave(tables.inputs, tables.scales, grams, kept[left], left & mask, ring)
            left += 1
    while left < entered:
        if kept[left] >= 0:
            _leave(tables.inputs, tables.scales, grams, kept[left], left & mask, ring)
        left += 1
    return loss - np.float64(work.losses.sum()), items


@compiled
def compose_words(inputs, grams, first, last, out):
    """The vector of each of the words ``first`` to ``last`` into ``out`` float32 (words, dim or less).

    ``out`` may be the beginning of ``inputs`` itself, where each word's own row is: no other word has that row.
    """
    total = np.empty(inputs.shape[1], np.float32)
    for word in range(first, last):
        _mean(inputs, grams.rows, grams.offsets[word], grams.offsets[word + 1], total)
        out[word] = total[: out.shape[1]]


@compiled
def recover_rows(inputs, grams, words):
    """The own rows of ``words`` int64 (n,), where ``inputs`` has their vectors: the inverse of ``compose_words``."""
    for word in words:
        start, stop = grams.offsets[word], grams.offsets[word + 1]
        total = inputs[word]
        for d in range(len(total)):
            total[d] *= np.float32(stop - start)
        for at in range(start + 1, stop):
            vector = inputs[grams.rows[at]]
            for d in range(len(total)):
                total[d] -= vector[d]
