"""Random walks over a graph as sentences, so that nodes get vectors by the same training as words.

DeepWalk (Perozzi et al. 2014) with uniform or weighted steps; node2vec (Grover and Leskovec 2016) with p and q, drawn
by rejection as in KnightKing (Yang et al. 2019): memory is linear in the edges.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from wordstock._settings import check_number, check_whole
from wordstock._threads import run_slices
from wordstock.errors import InputError
from wordstock.protocols import IntArray
from wordstock.vocab.baskets import ItemKeys
from wordstock.vocab.wordtable import IdArray

__all__ = ["GraphWalks"]

_BLOCK = 1 << 14  # walks made at once
_WORTH_A_THREAD = 256  # walks
_STRONGEST = 1e100  # p and q, and 1 over them


class GraphWalks:
    """Walks from every node of a graph; iterate over it as often as you like, or give it to ``build_shards``.

    Parameters
    ----------
    starts : int64 (n_nodes + 1,), where each node's edges begin.
    targets : integers (n_edges,), the node each edge leads to; unique for a node.
    keys : the unique name of every node.
    weights : float (n_edges,), positive; None where all edges weigh the same.
    length : nodes in a walk; it is shorter where it meets a node without edges.
    walks_per_node : walks that begin at each node, all nodes in a new random order each time.
    p : node2vec's return parameter: an edge back to the node before counts 1/p. 1 is a plain walk.
    q : node2vec's in-out parameter: an edge to a node that the node before has no edge to counts 1/q. A step draws
        at most max(1, 1/p, 1/q) / min(1, 1/p, 1/q) times on average, and never more than a thousand times: then all
        edges of the node are looked at.
    seed : the same seed gives the same walks, whatever the number of threads.

    Raises
    ------
    InputError
        Arrays that are no graph, weights that are not positive, or settings that cannot be meant.
    """

    def __init__(
        self,
        starts: npt.ArrayLike,
        targets: npt.ArrayLike,
        keys: Sequence[str],
        *,
        weights: npt.ArrayLike | None = None,
        length: int = 80,
        walks_per_node: int = 10,
        p: float = 1.0,
        q: float = 1.0,
        seed: int = 1,
    ) -> None:
        from wordstock.kernels.walk import GraphArrays, build_alias

        check_whole("length", length, 1)
        check_whole("walks_per_node", walks_per_node, 1)
        check_whole("seed", seed, 0)
        for name, bias in (("p", p), ("q", q)):
            check_number(name, bias, 1 / _STRONGEST, _STRONGEST, least=True, most=True)
        self.keys = keys
        self.length, self.walks_per_node, self.p, self.q, self.seed = length, walks_per_node, p, q, seed
        begin, ends = _checked(starts, targets, len(keys))
        heavy = _weights(weights, len(ends))
        # Sorted within each node: an edge is then found by bisection.
        order = np.lexsort((ends, np.repeat(np.arange(len(keys)), np.diff(begin))))
        sorted_ends = ends[order].astype(np.int32)
        repeated = np.flatnonzero(sorted_ends[1:] == sorted_ends[:-1]) + 1
        if len(repeated) and not np.isin(repeated, begin).all():
            raise InputError("a node has two edges to the same node; add up their weights, as from_edges does")
        accept, alias = np.empty(0, np.float64), np.empty(0, np.int32)
        if heavy is not None:
            accept, alias = np.empty(len(ends), np.float64), np.empty(len(ends), np.int32)
            build_alias(begin, heavy[order], accept, alias)
        self._graph = GraphArrays(begin, sorted_ends, accept, alias)

    @classmethod
    def from_edges(
        cls,
        edges: Iterable[tuple[Hashable, Hashable] | tuple[Hashable, Hashable, float]],
        *,
        directed: bool = False,
        **settings: Any,
    ) -> GraphWalks:
        """A graph from pairs of nodes, or triples with a weight; weights of repeated edges are added up.

        Parameters
        ----------
        edges : nodes are anything hashable; ``str(node)`` is the key. An edge without a weight weighs 1.
        directed : walk from the first node to the second only; otherwise either way.
        **settings : ``length``, ``walks_per_node``, ``p``, ``q``, ``seed``.

        Raises
        ------
        InputError
            No edges, an edge that is no pair or triple, a weight that is not positive, or two nodes with one key.
        """
        names = ItemKeys()
        numbers: dict[str, int] = {}
        ends: list[int] = []
        weights: list[float] = []
        for position, edge in enumerate(edges):
            if isinstance(edge, str | bytes) or not isinstance(edge, Sequence) or len(edge) not in (2, 3):
                raise InputError(
                    f"edge {position} (counted from 0) must be (node, node) or (node, node, weight): {edge!r:.80}"
                )
            ends += [numbers.setdefault(names(node), len(numbers)) for node in edge[:2]]
            weights.append(_number(edge[2], position) if len(edge) == 3 else 1.0)
        if not weights:
            raise InputError("the graph is empty: there is not one edge")
        pairs = np.array(ends, np.int64).reshape(-1, 2)
        heavy = np.array(weights, np.float64)
        if not directed:
            both = pairs[:, 0] != pairs[:, 1]  # a loop leads back from either end: it counts once
            pairs, heavy = np.concatenate([pairs, pairs[both, ::-1]]), np.concatenate([heavy, heavy[both]])
        size = len(numbers)
        distinct, place = np.unique(pairs[:, 0] * size + pairs[:, 1], return_inverse=True)
        total = np.bincount(place.ravel(), heavy)
        starts = np.zeros(size + 1, np.int64)
        np.cumsum(np.bincount(distinct // size, minlength=size), out=starts[1:])
        uniform = bool((total == total[0]).all())
        return cls(starts, distinct % size, list(numbers), weights=None if uniform else total, **settings)

    def id_blocks(self) -> Iterator[IdArray]:
        """The walks as node numbers, int32, -1 after each walk, some thousand walks in a block."""
        from wordstock.kernels.walk import walk

        random = np.random.default_rng(self.seed)
        for _ in range(self.walks_per_node):
            order = random.permutation(len(self.keys)).astype(np.int32)
            for start in range(0, len(order), _BLOCK):
                nodes = order[start : start + _BLOCK]
                states = random.integers(1, 2**64, len(nodes), np.uint64)
                out = np.full((len(nodes), self.length + 1), -1, np.int32)
                lengths = np.empty(len(nodes), np.int64)

                def part(
                    first: int,
                    stop: int,
                    work: tuple[IdArray, npt.NDArray[np.uint64], IdArray, IntArray] = (nodes, states, out, lengths),
                ) -> None:
                    begin, state, found, sizes = work
                    walk(self._graph, begin, state, 1 / self.p, 1 / self.q, found[:, :-1], sizes, first, stop)

                run_slices(part, len(nodes), smallest=_WORTH_A_THREAD)
                yield out[np.arange(self.length + 1) <= lengths[:, None]]

    def __iter__(self) -> Iterator[list[str]]:
        """The walks as lists of keys."""
        keys = np.array(self.keys, dtype=object)
        for block in self.id_blocks():
            start = 0
            for end in np.flatnonzero(block == -1).tolist():
                yield keys[block[start:end]].tolist()
                start = end + 1


def _checked(starts: npt.ArrayLike, targets: npt.ArrayLike, size: int) -> tuple[IntArray, IntArray]:
    begin, ends = np.asarray(starts, np.int64), np.asarray(targets, np.int64)
    if not size or begin.shape != (size + 1,) or ends.ndim != 1:
        raise InputError(
            f"{size} keys need {size + 1} starts and one-dimensional targets; got {begin.shape}, {ends.shape}"
        )
    if begin[0] != 0 or begin[-1] != len(ends) or (np.diff(begin) < 0).any():
        raise InputError(f"starts must ascend from 0 to the number of edges, {len(ends)}")
    if len(ends) and not (ends.min() >= 0 and ends.max() < size):
        raise InputError(f"targets run from {ends.min()} to {ends.max()}; there are nodes 0 to {size - 1}")
    return begin, ends


def _weights(weights: npt.ArrayLike | None, size: int) -> npt.NDArray[np.float64] | None:
    if weights is None:
        return None
    heavy = np.asarray(weights, np.float64)
    if heavy.shape != (size,):
        raise InputError(f"{size} edges need {size} weights; got {heavy.shape}")
    if not (np.isfinite(heavy).all() and (heavy > 0).all()):
        raise InputError("weights must be positive and finite; leave out edges that weigh nothing")
    return heavy


def _number(weight: Any, position: int) -> float:
    try:
        value = float(weight)
    except (TypeError, ValueError):
        value = 0.0
    if not (isfinite(value) and value > 0):
        raise InputError(f"edge {position} (counted from 0) weighs {weight!r:.80}; needs a positive number")
    return value
