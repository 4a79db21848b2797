"""Skip-gram (Mikolov et al. 2013): every word of a window predicts the word in its centre."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.blocks import prefetch_row
from wordstock.kernels.compiled import compiled
from wordstock.kernels.draws import below, keep_words, next_random
from wordstock.kernels.windows import announce_targets, choose_targets, train_targets

__all__ = ["train_skipgram"]


@compiled
def _gather(kept, centre, reach, work):
    """The different words around the centre, and how often each occurs, into ``rows`` and ``repeats``."""
    count = 0
    for step in (-1, 1):
        place = centre + step
        for _ in range(reach):
            word = kept[place]
            if word < 0:
                break
            same = np.int64(-1)
            for i in range(count):
                if work.rows[i] == word:
                    same = i
            if same < 0:
                work.rows[count] = word
                work.repeats[count] = 1
                count += 1
            else:
                work.repeats[same] += 1
            place += step
    return count


@compiled
def train_skipgram(ids, span, tables, keep, targets, window, rate, thread, state, block, work):
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
    work : Work of this thread.

    Returns
    -------
    (loss, pairs) : summed negative log-likelihood over the targets, and how many (word, centre) pairs it is of.
    """
    negative, noise, tree = targets
    kept = work.kept
    first, last = keep_words(ids, span[0], span[1], keep, window, state, kept)
    spare = len(tables.outputs) - thread * 2 - 2
    work.losses[:] = 0
    loss = 0.0
    pairs = 0
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
        count = _gather(kept, centre, reach, work)
        if count == 0:
            continue
        work.rows[count] = spare
        for i in range(count):
            pairs += np.int64(work.repeats[i])
        train_targets(tables, count, n_targets, rate, block, work)
        if centre % 128 == 0:  # float32 sums stay short
            loss -= np.float64(work.losses.sum())
            work.losses[:] = 0
    return (loss - np.float64(work.losses.sum())) / np.float64(rate), pairs
