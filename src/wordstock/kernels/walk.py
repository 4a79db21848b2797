"""Random walks over a graph in compressed sparse rows, first-order by alias tables, node2vec's bias by rejection.

Memory is linear in the edges: the second-order probabilities, which would take a table per edge, are never formed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from wordstock.kernels.compiled import compiled

__all__ = ["GraphArrays", "build_alias", "walk"]

_TO_UNIT = 1.0 / 9007199254740992.0  # 2**-53
_TRIES = 1000  # rejections in a row before all edges of a node are looked at


class GraphArrays(NamedTuple):
    """A directed graph.

    starts : int64 (n_nodes + 1,), where each node's edges begin.
    targets : int32 (n_edges,), ascending and unique within a node.
    accept, alias : float64 and int32 (n_edges,), alias tables of the weights (``build_alias``), or both (0,) where all
        edges weigh the same.
    """

    starts: np.ndarray
    targets: np.ndarray
    accept: np.ndarray
    alias: np.ndarray


@compiled
def build_alias(starts, weights, accept, alias):
    """Alias tables (Walker 1977; Vose 1991), one per node.

    Parameters
    ----------
    starts : int64 (n_nodes + 1,); ``weights`` float64 (n_edges,), positive.
    accept, alias : float64 and int32 (n_edges,), written: edge i of a node is kept with probability ``accept[i]``,
        else edge ``alias[i]``, counted from the node's first, is taken.
    """
    for node in range(len(starts) - 1):
        begin, degree = starts[node], starts[node + 1] - starts[node]
        total = 0.0
        for i in range(degree):
            total += weights[begin + i]
        small, large = np.empty(degree, np.int64), np.empty(degree, np.int64)
        n_small = n_large = 0
        for i in range(degree):
            accept[begin + i] = weights[begin + i] * degree / total
            alias[begin + i] = i
            if accept[begin + i] < 1.0:
                small[n_small] = i
                n_small += 1
            else:
                large[n_large] = i
                n_large += 1
        while n_small > 0 and n_large > 0:
            n_small -= 1
            low, high = small[n_small], large[n_large - 1]
            alias[begin + low] = high
            accept[begin + high] -= 1.0 - accept[begin + low]
            if accept[begin + high] < 1.0:
                n_large -= 1
                small[n_small] = high
                n_small += 1
        for i in range(n_small):  # what rounding left over
            accept[begin + small[i]] = 1.0
        for i in range(n_large):
            accept[begin + large[i]] = 1.0


@compiled
def _next_state(state):
    """One step of xorshift64 (Marsaglia 2003)."""
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    return state ^ (state << np.uint64(17))


@compiled
def _unit(state):
    """A number in [0, 1) from the upper 53 bits."""
    return np.float64(state >> np.uint64(11)) * _TO_UNIT


@compiled
def _draw(graph, node, state):
    """A neighbour of ``node`` by weight, and the new state; the node has one."""
    begin = graph.starts[node]
    degree = graph.starts[node + 1] - begin
    state = _next_state(state)
    place = min(np.int64(_unit(state) * degree), degree - 1)
    if len(graph.accept):
        state = _next_state(state)
        if _unit(state) >= graph.accept[begin + place]:
            place = np.int64(graph.alias[begin + place])
    return np.int64(graph.targets[begin + place]), state


@compiled
def _has_edge(graph, source, target):
    low, high = graph.starts[source], graph.starts[source + 1]
    while low < high:
        middle = (low + high) // 2
        if graph.targets[middle] < target:
            low = middle + 1
        else:
            high = middle
    return low < graph.starts[source + 1] and graph.targets[low] == target


@compiled
def _draw_biased(graph, before, node, back, away, state):
    """What rejection would draw in the end, by a pass over all edges of ``node``, and the new state."""
    begin = graph.starts[node]
    degree = graph.starts[node + 1] - begin
    shares = np.ones(degree)
    if len(graph.accept):
        shares[:] = graph.accept[begin : begin + degree]
        for i in range(degree):
            shares[graph.alias[begin + i]] += 1.0 - graph.accept[begin + i]
    total = 0.0
    for i in range(degree):
        target = graph.targets[begin + i]
        if target == before:
            shares[i] *= back
        elif not _has_edge(graph, before, target):
            shares[i] *= away
        total += shares[i]
    state = _next_state(state)
    left = _unit(state) * total
    place = 0
    while place < degree - 1 and left >= shares[place]:
        left -= shares[place]
        place += 1
    return np.int64(graph.targets[begin + place]), state


@compiled
def walk(graph, nodes, states, back, away, out, lengths, first, stop):
    """Walk from ``nodes[first:stop]``, up to a dead end.

    Parameters
    ----------
    graph : ``GraphArrays``.
    nodes : int32 (n,), where each walk begins.
    states : uint64 (n,), state of the random numbers of each walk, not 0; moved on.
    back, away : 1/p and 1/q of node2vec (Grover and Leskovec 2016): the factor on an edge back to the node before,
        and on an edge to a node that the node before has no edge to.
    out : int32 (n, length), written; ``lengths`` int64 (n,), written: nodes in each walk.
    """
    plain = back == 1.0 and away == 1.0
    highest = max(back, 1.0, away)
    for w in range(first, stop):
        state = states[w]
        before, node = np.int64(-1), np.int64(nodes[w])
        out[w, 0] = node
        size = 1
        while size < out.shape[1] and graph.starts[node] < graph.starts[node + 1]:
            target, state = _draw(graph, node, state)
            # With a single edge there is nothing to choose, and rejection could take long.
            if not plain and before >= 0 and graph.starts[node + 1] - graph.starts[node] > 1:
                tries = 0
                while True:
                    if target == before:
                        factor = back
                    elif _has_edge(graph, before, target):
                        factor = 1.0
                    else:
                        factor = away
                    state = _next_state(state)
                    if _unit(state) * highest < factor:
                        break
                    tries += 1
                    if tries == _TRIES:  # such as a small p where no edge leads back
                        target, state = _draw_biased(graph, before, node, back, away, state)
                        break
                    target, state = _draw(graph, node, state)
            before, node = node, target
            out[w, size] = node
            size += 1
        lengths[w] = size
        states[w] = state
