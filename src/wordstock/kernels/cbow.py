"""CBOW, the continuous bag of words (Mikolov et al. 2013): the mean of a window's words predicts its centre."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.blocks import prefetch_row
from wordstock.kernels.compiled import compiled
from wordstock.kernels.draws import below, keep_words, next_random
from wordstock.kernels.windows import announce_targets, choose_targets, train_targets

__all__ = ["train_cbow"]


@compiled
def _gather(kept, centre, reach, rows):
    """The words around the centre, repeated ones repeatedly."""
    count = 0
    for step in (-1, 1):
        place = centre + step
        for _ in range(reach):
            if kept[place] < 0:
                break
            rows[count] = kept[place]
            count += 1
            place += step
    return count


@compiled(fastmath={"contract", "nsz"})
def _average(inputs, rows, count, total):
    """Mean of the first ``count`` rows into ``total`` float32 (dim,)."""
    total[:] = 0
    for i in range(count):
        vector = inputs[rows[i]]
        for d in range(len(total)):
            total[d] += vector[d]
    share = np.float32(1) / np.float32(count)
    for d in range(len(total)):
        total[d] *= share


@compiled(fastmath={"contract", "nsz"})
def _spread(inputs, scales, rows, count, change):
    """Add ``change`` float32 (dim,) to each of the first ``count`` rows, as the original does: not divided by them."""
    for i in range(count):
        scale = np.float32(1)
        if scales is not None:
            scale = scales[rows[i]]
        vector = inputs[rows[i]]
        for d in range(len(change)):
            vector[d] += scale * change[d]


@compiled
def train_cbow(ids, span, tables, keep, targets, window, rate, thread, state, block, work):
    """Train on one slice of the corpus with one learning rate; parameters as in ``skipgram.train_skipgram``.

    Returns
    -------
    (loss, windows) : summed negative log-likelihood over the targets, and how many windows it is of.
    """
    negative, noise, tree = targets
    kept = work.kept
    first, last = keep_words(ids, span[0], span[1], keep, window, state, kept)
    spare = len(tables.outputs) - thread * 2 - 2
    mean = tables.inputs[spare + 1]  # stands in for the window as an input row
    work.losses[:] = 0
    loss = 0.0
    windows = 0
    announce_targets(kept[first], negative, noise, tree, tables.outputs, state, work)
    for centre in range(first, last):
        word = kept[centre]
        if word < 0:
            continue
        n_targets = choose_targets(word, negative, noise, tree, block, spare, work)
        announce_targets(kept[centre + 1], negative, noise, tree, tables.outputs, state, work)
        ahead = kept[min(centre + window + 1, last)]
        if ahead >= 0:
            prefetch_row(tables.inputs, np.int64(ahead))
        reach = 1 + below(next_random(state), window)
        count = _gather(kept, centre, reach, work.context)
        if count == 0:
            continue
        windows += 1
        _average(tables.inputs, work.context, count, work.mean)
        mean[:] = work.mean
        work.rows[0] = spare + 1
        work.rows[1] = spare
        work.repeats[0] = 1
        train_targets(tables, 1, n_targets, rate, block, work)
        for d in range(len(mean)):
            work.mean[d] = mean[d] - work.mean[d]
        _spread(tables.inputs, tables.scales, work.context, count, work.mean)
        if centre % 128 == 0:  # float32 sums stay short
            loss -= np.float64(work.losses.sum())
            work.losses[:] = 0
    return (loss - np.float64(work.losses.sum())) / np.float64(rate), windows
