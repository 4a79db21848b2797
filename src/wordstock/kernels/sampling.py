"""Tables drawn up once before training: an alias table for noise words and a Huffman tree."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled

__all__ = ["alias_table", "huffman_paths"]


@compiled
def alias_table(weights):
    """Walker's alias method (Vose 1991): one draw costs one look-up, whatever the number of words.

    ``weights`` float64 (n,), not negative, their sum positive. Returns uint64 (n,): threshold * 2**32 + alias; slot i
    gives i if 32 random bits are below the threshold, else the alias.
    """
    n = len(weights)
    share = weights * (n / weights.sum())
    table = np.empty(n, np.uint64)
    small, large = np.empty(n, np.int64), np.empty(n, np.int64)
    n_small = n_large = 0
    for i in range(n):
        if share[i] < 1:
            small[n_small] = i
            n_small += 1
        else:
            large[n_large] = i
            n_large += 1
    while n_small and n_large:
        i, other = small[n_small - 1], large[n_large - 1]
        table[i] = (np.uint64(share[i] * 4294967295.0) << np.uint64(32)) | np.uint64(other)
        share[other] -= 1 - share[i]
        n_small -= 1
        if share[other] < 1:
            small[n_small] = other
            n_small += 1
            n_large -= 1
    for i in small[:n_small]:
        table[i] = (np.uint64(4294967295) << np.uint64(32)) | np.uint64(i)
    for i in large[:n_large]:
        table[i] = (np.uint64(4294967295) << np.uint64(32)) | np.uint64(i)
    return table


@compiled
def huffman_paths(counts):
    """Paths of a Huffman tree whose leaves are the words, as ``windows.Tree`` wants them.

    ``counts`` int64 (n,), n at least 2, highest first: the two lightest trees are then always at the ends of two
    queues, the words from the back and the merged nodes in the order they were made.

    Returns
    -------
    (nodes int32, signs float32, offsets int64 (n + 1,)) : inner nodes from the root down, numbered from 0 to n - 2.
    """
    n = len(counts)
    weight = np.empty(2 * n - 1, np.int64)
    weight[:n] = counts
    parent = np.zeros(2 * n - 1, np.int64)
    right = np.zeros(2 * n - 1, np.bool_)
    word, node = n - 1, n
    for made in range(n, 2 * n - 1):
        weight[made] = 0
        for turn in range(2):
            if word >= 0 and (node >= made or weight[word] < weight[node]):
                lightest = word
                word -= 1
            else:
                lightest = node
                node += 1
            weight[made] += weight[lightest]
            parent[lightest] = made
            right[lightest] = turn == 1
    root = 2 * n - 2
    offsets = np.zeros(n + 1, np.int64)
    for leaf in range(n):
        depth = 0
        at = leaf
        while at != root:
            at = parent[at]
            depth += 1
        offsets[leaf + 1] = offsets[leaf] + depth
    nodes = np.empty(offsets[n], np.int32)
    signs = np.empty(offsets[n], np.float32)
    for leaf in range(n):
        place = offsets[leaf + 1]
        at = leaf
        while at != root:
            place -= 1
            signs[place] = -1 if right[at] else 1
            at = parent[at]
            nodes[place] = at - n
    return nodes, signs, offsets
