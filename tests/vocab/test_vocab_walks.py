"""Walks over small graphs against exact transition probabilities, and baskets of items."""

from collections import Counter
from enum import Enum
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from wordstock.errors import InputError
from wordstock.kernels.walk import build_alias
from wordstock.vocab import GraphWalks, IdSource, build_shards, item_sequences

EDGES = [("a", "b", 1.0), ("a", "c", 2.0), ("b", "c", 1.0), ("c", "d", 3.0), ("d", "a", 0.5), ("d", "e", 1.0)]


def transitions(walks, order):
    """How often each next node follows the last ``order`` nodes."""
    found = {}
    for walk in walks:
        for i in range(order, len(walk)):
            found.setdefault(tuple(walk[i - order : i]), Counter())[walk[i]] += 1
    return found


def weights_of(edges, directed):
    weights = {}
    for a, b, weight in edges:
        weights.setdefault(a, Counter())[b] += weight
        if not directed:
            weights.setdefault(b, Counter())[a] += weight
    return weights


def fits(counts, shares):
    assert counts.keys() <= shares.keys()
    if len(shares) > 1:
        total, size = sum(counts.values()), sum(shares.values())
        seen = [counts[node] for node in shares]
        assert chisquare(seen, [total * share / size for share in shares.values()]).pvalue > 1e-4


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_first_order_steps_have_the_weights_as_probabilities(directed, weighted):
    edges = EDGES if weighted else [(a, b, 1.0) for a, b, _ in EDGES]
    walks = GraphWalks.from_edges(edges, directed=directed, length=20, walks_per_node=300, seed=11)
    found = transitions(walks, 1)
    exact = weights_of(edges, directed)
    assert {node for (node,) in found} == set(exact)
    for (node,), counts in found.items():
        fits(counts, exact[node])


@pytest.mark.parametrize(("p", "q"), [(0.25, 4.0), (4.0, 0.5), (1.0, 3.0)])
@pytest.mark.parametrize("directed", [False, True])
def test_second_order_steps_are_those_of_node2vec(p, q, directed):
    edges = [*EDGES, ("b", "a", 2.0), ("c", "a", 1.0)] if directed else EDGES
    walks = GraphWalks.from_edges(edges, directed=directed, length=30, walks_per_node=400, p=p, q=q, seed=7)
    exact = weights_of(edges, directed)
    for (before, node), counts in transitions(walks, 2).items():
        shares = {
            target: weight * (1 / p if target == before else 1.0 if target in exact[before] else 1 / q)
            for target, weight in exact[node].items()
        }
        fits(counts, shares)


def test_walks_are_the_same_for_a_seed_whatever_the_threads(monkeypatch):
    edges = [(i, (i * 7 + 1) % 700, 1 + i % 3) for i in range(1400)]
    options = {"length": 12, "walks_per_node": 2, "p": 0.5, "q": 2.0}
    walks = GraphWalks.from_edges(edges, **options, seed=3)
    first = list(walks)
    assert list(walks) == first
    monkeypatch.setenv("WORDSTOCK_THREADS", "3")
    assert list(GraphWalks.from_edges(edges, **options, seed=3)) == first
    assert list(GraphWalks.from_edges(edges, **options, seed=4)) != first
    assert Counter(walk[0] for walk in first) == dict.fromkeys(map(str, walks.keys), 2)


def test_walks_end_where_no_edge_leads_on():
    walks = list(GraphWalks.from_edges([("a", "b"), ("b", "c")], directed=True, length=9, walks_per_node=1))
    assert sorted(walks) == [["a", "b", "c"], ["b", "c"], ["c"]]
    alone = GraphWalks([0, 0], [], ["alone"], walks_per_node=2)
    assert list(alone) == [["alone"], ["alone"]]
    loop = GraphWalks.from_edges([("a", "a")], length=3, walks_per_node=1, p=100, q=0.01)
    assert list(loop) == [["a", "a", "a"]]


def test_shards_of_walks(tmp_path):
    walks = GraphWalks.from_edges(EDGES, length=10, walks_per_node=3)
    assert isinstance(walks, IdSource)
    assert not isinstance(["a"], IdSource)
    shards = build_shards(walks, tmp_path, min_count=1)
    assert list(shards.sentences()) == list(walks)
    same = build_shards(list(walks), tmp_path / "words", min_count=1)
    assert list(same.vocabulary.keys) == list(shards.vocabulary.keys)
    np.testing.assert_array_equal(np.concatenate(same.arrays), np.concatenate(shards.arrays))
    with pytest.raises(InputError, match="no word occurs 99"):
        build_shards(walks, tmp_path, min_count=99)


class Broken:
    keys = ("a", "b")

    def __init__(self, *blocks):
        self.blocks = blocks

    def id_blocks(self):
        return iter([np.array(block, np.int32) for block in self.blocks])


def test_ids_of_another_kind_are_refused(tmp_path):
    for block in ([0, 2, -1], [0, 1], [-2, -1]):
        with pytest.raises(InputError, match="needs ids from 0 to 1"):
            build_shards(Broken(block), tmp_path, min_count=1)
    with pytest.raises(InputError, match="not one sequence"):
        build_shards(Broken([], [-1]), tmp_path, min_count=1)
    assert list(build_shards(Broken([1, -1, 1, 0, -1]), tmp_path, min_count=2).sentences()) == [["b"], ["b"]]


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20))
def test_alias_tables_give_back_the_weights(weights):
    size = len(weights)
    accept, alias = np.empty(size), np.empty(size, np.int32)
    build_alias(np.array([0, size]), np.array(weights), accept, alias)
    shares = accept / size
    np.add.at(shares, alias, (1 - accept) / size)
    np.testing.assert_allclose(shares, np.array(weights) / sum(weights), atol=1e-9)


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([], "graph is empty"),
        ([("a",)], "edge 0"),
        (["ab"], "edge 0"),
        ([("a", "b"), ("a", "b", -1)], "edge 1 .* weighs -1"),
        ([("a", "b", float("nan"))], "weighs nan"),
        ([("a", "b", "heavy")], "weighs 'heavy'"),
        ([(1, "1")], "both have the key '1'"),
        ([([], "b")], "must be hashable"),
    ],
)
def test_edges_that_cannot_be_used(edges, message):
    with pytest.raises(InputError, match=message):
        GraphWalks.from_edges(edges)


@pytest.mark.parametrize(
    ("starts", "targets", "options", "message"),
    [
        ([0, 1], [0], {}, "2 keys need 3 starts"),
        ([0, 2, 1], [0], {}, "ascend"),
        ([0, 1, 1], [2], {}, "targets run from 2 to 2"),
        ([0, 2, 2], [1, 1], {}, "two edges to the same node"),
        ([0, 1, 1], [1], {"weights": [0]}, "positive"),
        ([0, 1, 1], [1], {"weights": [1, 1]}, "1 edges need 1 weights"),
        ([0, 1, 1], [1], {"length": 0}, "length=0"),
        ([0, 1, 1], [1], {"walks_per_node": 0}, "walks_per_node=0"),
        ([0, 1, 1], [1], {"p": 0}, "p=0"),
        ([0, 1, 1], [1], {"q": float("inf")}, "q=inf"),
    ],
)
def test_graphs_that_cannot_be_used(starts, targets, options, message):
    with pytest.raises(InputError, match=message):
        GraphWalks(starts, targets, ["a", "b"], **options)


class Colour(Enum):
    RED = 1


def test_baskets_become_keys():
    baskets = [[1, (2, 3), Colour.RED], {"b", "a", "c"}, iter([1])]
    assert list(item_sequences(baskets)) == [["1", "(2, 3)", "Colour.RED"], ["a", "b", "c"], ["1"]]
    assert list(item_sequences([[1, 2]], key=lambda item: f"item{item}")) == [["item1", "item2"]]


@pytest.mark.parametrize(
    ("baskets", "message"),
    [
        ([["a"], "bc"], "basket 1 .* not str"),
        ([3], "basket 0 .* not int"),
        ([[1, "1"]], "both have the key '1'"),
        ([[1, True]], None),
        ([[1, 1.0, 2]], None),
        ([[[]]], "must be hashable, not list"),
        ([[""]], "not empty"),
    ],
)
def test_baskets_that_cannot_be_used(baskets, message):
    if message is None:
        assert all(item_sequences(baskets))
        return
    with pytest.raises(InputError, match=message):
        list(item_sequences(baskets))


def test_kernels_run_as_plain_python(passes_without_compiler):
    """A few of these tests, which are slow so."""
    here = Path(__file__).parent
    chosen = [
        "test_vocab_walks.py::test_shards_of_walks",
        "test_vocab_walks.py::test_alias_tables_give_back_the_weights",
        "test_vocab_counting.py::test_equal_counts_are_in_the_order_of_bytes",
        "test_vocab_phrases.py::test_rare_words_part_phrases_and_min_count_is_applied_again",
    ]
    wrap = "ignore:overflow encountered in scalar multiply:RuntimeWarning"  # hashes are meant to wrap around
    passes_without_compiler(*(here / name for name in chosen), options=["-W", wrap])


@pytest.mark.parametrize("weighted", [False, True])
def test_factors_that_rejection_would_hardly_ever_take(weighted):
    edges = [("s", "a", 1.0), ("a", "b", 1.0), ("a", "c", 3.0 if weighted else 1.0), ("s", "b", 2.0)]
    ends = Counter()
    for walk in GraphWalks.from_edges(edges, directed=True, length=3, walks_per_node=2000, p=1e-12, q=0.5, seed=5):
        if walk[:2] == ["s", "a"]:
            ends[walk[2]] += 1
    fits(ends, {"b": 1.0, "c": 6.0 if weighted else 2.0})
    both = [("s", "a", 1.0), ("a", "b", 2.0), ("a", "c", 1.0)]
    for walk in GraphWalks.from_edges(both, length=20, walks_per_node=20, p=1e50, q=1e30):
        steps = list(zip(walk, walk[1:], walk[2:], strict=False))
        assert all(before != after for before, node, after in steps if node == "a")


@pytest.mark.parametrize(
    "wrong",
    [{"length": 2.5}, {"walks_per_node": 0}, {"seed": -1}, {"p": "1"}, {"p": 0}, {"q": float("nan")}, {"q": 1e-320}],
)
def test_settings_of_walks_that_cannot_be_meant(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        GraphWalks.from_edges([(1, 2)], **wrong)
