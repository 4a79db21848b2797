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
from wordstock.kernels.windows import CENTRES_AHEAD, Array, Tables, announce_targets, choose_targets, train_window

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


@compiled(fastmath={"contract", "nsz"}, forceinline=True)
def _mean(inputs, rows, start, stop, out, at):
    """Mean of ``inputs[rows[start:stop]]`` into ``out[at]`` float32 (dim,)."""
    for d in range(inputs.shape[1]):
        out[at, d] = inputs[rows[start], d]
    for place in range(start + 1, stop):
        row = rows[place]
        for d in range(inputs.shape[1]):
            out[at, d] += inputs[row, d]
    share = np.float32(1) / np.float32(stop - start)
    for d in range(inputs.shape[1]):
        out[at, d] *= share


@compiled(forceinline=True)
def _enter(inputs, scales, rows, start, stop, slot, vectors, starts, slot_scales):
    """Put the vector of a word with the rows ``rows[start:stop]`` together."""
    _mean(inputs, rows, start, stop, vectors, slot)
    for d in range(vectors.shape[1]):
        starts[slot, d] = vectors[slot, d]
    if scales is not None:
        total = np.float32(0)
        for at in range(start, stop):
            total += scales[rows[at]]
        slot_scales[slot] = total / np.float32(stop - start)


@compiled(fastmath={"contract", "nsz"}, forceinline=True)
def _leave(inputs, scales, rows, start, stop, slot, vectors, starts, slot_scales):
    """Add what a word's vector has gained to each of its rows, as the original does: not divided by them."""
    for d in range(vectors.shape[1]):
        starts[slot, d] = vectors[slot, d] - starts[slot, d]
    for at in range(start, stop):
        row = rows[at]
        scale = np.float32(1)
        if scales is not None:
            whole = slot_scales[slot]
            scale = scales[row] / whole if whole > 0 else np.float32(0)
        for d in range(vectors.shape[1]):
            inputs[row, d] += scale * starts[slot, d]


@compiled(forceinline=True)
def _gather(kept, centre, reach, mask, slots):
    """Slots of the words around the centre, and one more row, the spare one, to make their number even."""
    count = 0
    for step in (-1, 1):
        place = centre + step
        for _ in range(reach):
            if kept[place] < 0:
                break
            slots[count] = place & mask
            count += 1
            place += step
    slots[count] = mask + 1
    return count


@compiled(fastmath={"contract", "nsz"}, forceinline=True)
def _average(kept, centre, reach, offsets, mask, vectors):
    """Mean of all rows of the words around the centre into CBOW's row: words count by how many rows they have."""
    mean = mask + 2
    for d in range(vectors.shape[1]):
        vectors[mean, d] = 0
    weight = np.float32(0)
    for step in (-1, 1):
        place = centre + step
        for _ in range(reach):
            word = kept[place]
            if word < 0:
                break
            rows = np.float32(offsets[word + 1] - offsets[word])
            slot = place & mask
            for d in range(vectors.shape[1]):
                vectors[mean, d] += rows * vectors[slot, d]
            weight += rows
            place += step
    share = np.float32(1) / weight
    for d in range(vectors.shape[1]):
        vectors[mean, d] *= share


@compiled(fastmath={"contract", "nsz"}, forceinline=True)
def _spread(vectors, scales, slots, count, change):
    """Add ``change`` float32 (dim,) to each of the first ``count`` slots."""
    for i in range(count):
        slot = slots[i]
        scale = np.float32(1)
        if scales is not None:
            scale = scales[slot]
        for d in range(len(change)):
            vectors[slot, d] += scale * change[d]


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
    kept, slots, context, change = work.kept, work.rows, work.context, work.mean
    inputs, outputs, scales = tables
    vectors, _, slot_scales = ring.tables
    starts = ring.starts
    rows, offsets = grams
    first, last = keep_words(ids, span[0], span[1], keep, window, state, kept)
    spare = len(outputs) - thread * 2 - 2
    mask = len(starts) - 1
    mean = mask + 2
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
    for turn in range(CENTRES_AHEAD):
        announce_targets(kept[min(first + turn, last)], turn, negative, noise, tree, outputs, state, work)
    turn = 0
    for centre in range(first, last):
        while entered < min(centre + window + 1, end):
            word = kept[entered]
            if word >= 0:
                slot, start, stop = entered & mask, offsets[word], offsets[word + 1]
                _enter(inputs, scales, rows, start, stop, slot, vectors, starts, slot_scales)
            entered += 1
        if entered < end and kept[entered] >= 0:
            word = kept[entered]
            for at in range(offsets[word], offsets[word + 1]):
                prefetch_row(inputs, np.int64(rows[at]))
        word = kept[centre]
        if word >= 0:
            n_targets = choose_targets(word, turn, negative, noise, tree, block, spare, work)
            coming = kept[min(centre + CENTRES_AHEAD, last)]
            announce_targets(coming, turn, negative, noise, tree, outputs, state, work)
            turn += 1
            reach = 1 + below(next_random(state), window)
            count = _gather(kept, centre, reach, mask, slots)
            n_rows = count
            if cbow and count > 0:
                _average(kept, centre, reach, offsets, mask, vectors)
                for d in range(len(change)):
                    change[d] = vectors[mean, d]
                for i in range(count):
                    context[i] = slots[i]
                slots[0] = mean
                slots[1] = mask + 1
                n_rows = 1
            if n_rows > 0:
                train_window(ring.tables, n_rows, n_targets, rate, block, None, work)
                items += n_rows
            if cbow and count > 0:
                for d in range(len(change)):
                    change[d] = vectors[mean, d] - change[d]
                _spread(vectors, slot_scales, context, count, change)
            if centre % 128 == 0:  # float32 sums stay short
                loss -= np.float64(work.losses.sum())
                work.losses[:] = 0
        while left <= centre - window:
            word = kept[left]
            if word >= 0:
                slot, start, stop = left & mask, offsets[word], offsets[word + 1]
                _leave(inputs, scales, rows, start, stop, slot, vectors, starts, slot_scales)
            left += 1
    while left < entered:
        word = kept[left]
        if word >= 0:
            slot, start, stop = left & mask, offsets[word], offsets[word + 1]
            _leave(inputs, scales, rows, start, stop, slot, vectors, starts, slot_scales)
        left += 1
    return loss - np.float64(work.losses.sum()), items


@compiled
def compose_words(inputs, grams, first, last, out):
    """The vector of each of the words ``first`` to ``last`` into ``out`` float32 (words, dim or less).

    ``out`` may be the beginning of ``inputs`` itself, where each word's own row is: no other word has that row.
    """
    rows, offsets = grams
    total = np.empty((1, inputs.shape[1]), np.float32)
    for word in range(first, last):
        _mean(inputs, rows, offsets[word], offsets[word + 1], total, 0)
        for d in range(out.shape[1]):
            out[word, d] = total[0, d]


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
