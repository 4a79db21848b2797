"""One slice of word2vec (Mikolov et al. 2013): each word of a window predicts its centre, or (CBOW) their mean does."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.blocks import prefetch_row
from wordstock.kernels.compiled import compiled
from wordstock.kernels.draws import below, keep_words, next_random
from wordstock.kernels.windows import CENTRES_AHEAD, announce_targets, choose_targets, gather_window, train_window

__all__ = ["train_word2vec"]


@compiled
def train_word2vec(ids, span, tables, keep, targets, window, rate, thread, state, block, mean, work):
    """Train on one slice of the corpus with one learning rate.

    Parameters
    ----------
    ids : int32 (tokens,), word numbers, -1 after each sentence.
    span : (start, stop), the slice; its size is bounded by ``work``.
    tables : Tables; every thread may update the same ones without locks (Recht et al. 2011, "Hogwild").
    keep : float32 (words,), share of each word's occurrences that is trained on.
    targets : (negative, noise, tree): the number of noise words and an alias table, or 0, an empty one and a Tree.
    window : the widest reach to either side; each centre draws its own from 1 to that.
    rate : float32 learning rate.
    thread : number of the thread, whose spare rows it may write.
    state : uint64 (1,), random state, not 0; changed.
    block : tuple, 1 to 8 long: targets that are handled at once.
    mean : ``work.mean`` for CBOW, None for skip-gram; the compiler makes a kernel for each.
    work : Work of this thread.

    Returns
    -------
    (loss, items) : summed negative log-likelihood over the targets, and how many (word, centre) pairs, or windows for
        CBOW, it is of.
    """
    negative, noise, tree = targets
    kept, rows = work.kept, work.rows
    first, last = keep_words(ids, span[0], span[1], keep, window, state, kept)
    spare = len(tables.outputs) - thread * 2 - 2
    work.losses[:] = 0
    loss = 0.0
    items = 0
    begin = first
    while kept[begin - 1] >= 0:
        begin -= 1
    end = first
    for turn in range(CENTRES_AHEAD):
        announce_targets(kept[min(first + turn, last)], turn, negative, noise, tree, tables.outputs, state, work)
    turn = 0
    for centre in range(first, last):
        word = kept[centre]
        if word < 0:
            begin = centre + 1
            end = begin
            continue
        while kept[end] >= 0:
            end += 1
        n_targets = choose_targets(word, turn, negative, noise, tree, block, spare, work)
        coming = kept[min(centre + CENTRES_AHEAD, last)]
        announce_targets(coming, turn, negative, noise, tree, tables.outputs, state, work)
        turn += 1
        entering = kept[min(centre + window + 1, last)]
        if entering >= 0:
            prefetch_row(tables.inputs, np.int64(entering))
        reach = 1 + below(next_random(state), window)
        count = gather_window(kept, begin, end, centre, reach, window, rows)
        if count == 0:
            continue
        items += count if mean is None else 1
        train_window(tables, count, n_targets, rate, block, mean, work)
        if centre % 128 == 0:  # float32 sums stay short
            loss -= np.float64(work.losses.sum())
            work.losses[:] = 0
    return loss - np.float64(work.losses.sum()), items
