"""CBOW, the continuous bag of words (Mikolov et al. 2013): the mean of a window's words predicts its centre."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.blocks import prefetch_row
from wordstock.kernels.compiled import compiled
from wordstock.kernels.draws import below, keep_words, next_random
from wordstock.kernels.windows import announce_targets, choose_targets, gather_window, train_mean

__all__ = ["train_cbow"]


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
    work.losses[:] = 0
    loss = 0.0
    windows = 0
    begin = first
    while kept[begin - 1] >= 0:
        begin -= 1
    end = first
    announce_targets(kept[first], negative, noise, tree, tables.outputs, state, work)
    for centre in range(first, last):
        word = kept[centre]
        if word < 0:
            begin = centre + 1
            end = begin
            continue
        while kept[end] >= 0:
            end += 1
        n_targets = choose_targets(word, negative, noise, tree, block, spare, work)
        announce_targets(kept[centre + 1], negative, noise, tree, tables.outputs, state, work)
        entering = kept[min(centre + window + 1, last)]
        if entering >= 0:
            prefetch_row(tables.inputs, np.int64(entering))
        reach = 1 + below(next_random(state), window)
        count = gather_window(kept, begin, end, centre, reach, window, work.rows)
        if count == 0:
            continue
        windows += 1
        train_mean(tables, count, n_targets, rate, block, work)
        if centre % 128 == 0:  # float32 sums stay short
            loss -= np.float64(work.losses.sum())
            work.losses[:] = 0
    return loss - np.float64(work.losses.sum()), windows
