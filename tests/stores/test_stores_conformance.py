"""One suite for every store: what it holds, what it finds, and what it refuses, is the same everywhere."""

import math
import os
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wordstock.errors import InputError
from wordstock.protocols import Hit, Row, Store
from wordstock.stores import milvus_walk
from wordstock.stores.filters import matches, parse

DIM = 8
LITE = os.environ.get("WORDSTOCK_TEST_LITE")  # set by test_stores_lite2.py
WORDS = ["a", "b", 'say "yes"', "back\\slash", "100 %", "it's", "línea\nzwei", "", "a_b", "猫"]


def vectors(rows, dim=DIM, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)


def metadata(rows):
    """Fields of every type, some missing, some null."""
    random = np.random.default_rng(1)
    made = []
    for row in range(rows):
        one = {"n": row, "word": WORDS[row % len(WORDS)]}
        if row % 3:
            one["share"] = float(random.normal())
        if row % 4 == 1:
            one["flag"] = bool(row % 8 == 1)
        if row % 5 == 2:
            one["tags"] = [WORDS[row % 7], "x", row % 6]
        if row % 5 == 3:
            one["deep"] = {"er": row % 3, "name": WORDS[row % 4]}
        if row % 7 == 0:
            one["mixed"] = row if row % 2 else str(row)
        if row % 9 == 0:
            one["gone"] = None
        made.append(one)
    return made


def stored(rows):
    """A field that is None is as good as none."""
    return [{name: value for name, value in one.items() if value is not None} for one in metadata(rows)]


@pytest.fixture(scope="module")
def filled(opener):
    store = opener("filled", dim=DIM)
    store.add([f"id{i}" for i in range(200)], vectors(200), metadata(200), texts=[f"text {i}" for i in range(200)])
    store.flush()
    return store


@contextmanager
def what_milvus_lite_2_cannot():
    """It refuses some filters, and says so; the others refuse none."""
    try:
        yield
    except InputError as error:
        if LITE != "2.5.1" or "Milvus Lite 2" not in str(error):
            raise


def cosines(queries, rows):
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return (queries / np.linalg.norm(queries, axis=1, keepdims=True)) @ unit.T


def test_a_store_is_what_the_protocol_says(filled):
    assert LITE is None or filled.backend == "Milvus Lite 2"
    assert isinstance(filled, Store)
    assert (filled.dim, filled.metric, filled.count()) == (DIM, "cosine", 200)
    assert filled.index in ("FLAT", "exact")


def test_search_is_exact_and_higher_is_nearer(filled):
    queries = vectors(30, seed=2)
    expected = cosines(queries, vectors(200))
    for query, hits in zip(expected, filled.search(queries, 7), strict=True):
        best = np.argsort(-query)[:7]
        assert [hit.id for hit in hits] == [f"id{i}" for i in best]
        np.testing.assert_allclose([hit.score for hit in hits], query[best], atol=2e-6)
        assert hits[0] == Hit(f"id{best[0]}", hits[0].score, f"text {best[0]}", stored(200)[best[0]])
    bare = filled.search(queries[:1], 3, fields=False)[0]
    assert [hit[2:] for hit in bare] == [("", {})] * 3
    assert filled.search(queries[:0], 3) == []


def test_more_neighbours_than_rows_gives_all_rows(filled):
    assert len(filled.search(vectors(1), 1000)[0]) == 200


def test_rows_come_back_as_they_were_given(filled):
    ids = ["id3", "nothing", 'id"3', "id199", "id3"]
    found = filled.get(ids, vectors=True)
    assert [row and row.id for row in found] == ["id3", None, None, "id199", "id3"]
    assert found[0][:3] == ("id3", "text 3", stored(200)[3])
    np.testing.assert_array_equal(found[0].vector, vectors(200)[3])
    assert filled.get(["id0"])[0] == Row("id0", "text 0", stored(200)[0])
    walked = list(filled.rows())
    assert sorted(row.id for row in walked) == sorted(f"id{i}" for i in range(200))
    assert {row.id: row.metadata for row in walked} == {f"id{i}": one for i, one in enumerate(stored(200))}
    few = list(filled.rows(where={"n": {"<": 3}}, vectors=True))
    np.testing.assert_array_equal(sorted(row.vector[0] for row in few), sorted(vectors(200)[:3, 0]))


def test_a_walk_passes_ids_that_look_like_code(opener, monkeypatch):
    for name in ("_PAGE", "_MOST_PAGE"):
        monkeypatch.setattr(milvus_walk, name, 100)
    store = opener(dim=2)
    ids = [*(f'{i:03} \\ "quoted"\n' for i in range(250)), 'z" or id != "', "z\\", 'z"']
    store.add(ids, np.ones((len(ids), 2), np.float32), [{"n": i} for i in range(len(ids))])
    assert sorted(row.id for row in store.rows()) == sorted(ids)
    assert sorted(row.id for row in store.rows(where={"n": {">=": 100}})) == sorted(ids[100:])


@pytest.mark.parametrize("count", [49, 1000])
def test_a_long_list_in_a_filter(filled, count):
    """A server breaks on 50 parts of an "or", and takes a minute for thousands."""
    asked = [*range(3, 3 + count), 0.5, *(f"w{i}" for i in range(count)), "a"]
    for where in ({"mixed": {"in": asked}}, {"mixed": {"not in": asked}}, {"n": {"in": asked}}):
        wanted = parse(where)
        expected = sum(matches(wanted, one) for one in metadata(200))
        assert 0 < expected < 200
        with what_milvus_lite_2_cannot():
            assert filled.count(where) == expected


def test_more_neighbours_than_milvus_gives(filled, place):
    if place != "memory":
        with pytest.raises(InputError, match=r"k=16,385: .* gives at most 16,384 neighbours a query"):
            filled.search(vectors(1), 16_385)
    assert len(filled.search(vectors(1), 16_384, fields=False)[0]) == 200


FILTERS = [
    {"n": 5},
    {"n": 5.0},
    {"n": {">=": 10, "<": 20}},
    {"n": {"!=": 5}},
    {"share": {">": 0}},
    {"share": {"<=": 0.5}},
    {"word": {"in": ["a", 'say "yes"', "back\\slash", "100 %"]}},
    {"word": {"not in": ["a", "it's"]}},
    {"word": "línea\nzwei"},
    {"word": ""},
    {"word": {"startswith": "a"}},
    {"word": {"startswith": "100 %"}},
    {"word": {"startswith": "a_"}},
    {"word": {">": "a", "<=": "it's"}},
    {"flag": True},
    {"flag": {"!=": True}},
    {"tags": {"contains": "x"}},
    {"tags": {"contains": 3}},
    {"tags": {"contains": 'say "yes"'}},
    {"deep.er": {"<": 2}},
    {"deep.name": "b"},
    {"gone": {"exists": True}},
    {"gone": {"exists": False}},
    {"share": {"exists": True}},
    {"mixed": {"<": 50}},
    {"mixed": {">": "1"}},
    {"not": {"mixed": {"<": 50}}},
    {"not": {"mixed": {">": "1"}}},
    {"not": {"deep.er": {"<": 2}}},
    {"not": {"tags": {"contains": "x"}}},
    {"not": {"word": {"startswith": "a"}}},
    {"or": [{"n": 1}, {"word": "b"}, {"not": {"n": {">": 3}}}]},
    {"and": [{"n": {">": 3}}, {"or": [{"flag": True}, {"share": {">": 1}}]}]},
    {"not": {"and": [{"n": {">": 3}}, {"word": "a"}]}},
    {"or": []},
    {"n": {"in": []}},
    {"n": {"not in": []}},
    {"n": {"in": [3, 7.0, "a", 0.5]}},
    {},
    {"nowhere": 1},
    {"word": '" or n >= 0 or word == "'},
    {"word": '\\" or 1 == 1 or "'},
]


@pytest.mark.parametrize("where", FILTERS, ids=str)
def test_a_filter_means_the_same_everywhere(filled, where):
    asked = parse(where)
    expected = {f"id{i}" for i, one in enumerate(metadata(200)) if matches(asked, one)}
    with what_milvus_lite_2_cannot():
        hits = filled.search(vectors(1), 200, where=where, fields=False)[0]
        assert {hit.id for hit in hits} == expected


numbers = st.one_of(st.integers(-3, 210), st.floats(-2, 2))
conditions = st.one_of(
    st.tuples(st.sampled_from(["n", "share", "mixed"]), st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), numbers),
    st.tuples(
        st.sampled_from(["word", "deep.name", "mixed"]),
        st.sampled_from(["==", "!=", "<", ">=", "startswith"]),
        st.sampled_from(WORDS),
    ),
    st.tuples(st.sampled_from(["share", "deep.er", "flag"]), st.just("exists"), st.booleans()),
)
simple = conditions.map(lambda one: {one[0]: {one[1]: one[2]}})
anything = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: {"and": parts}),
        st.lists(inner, max_size=3).map(lambda parts: {"or": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=5,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=anything)
def test_any_filter_means_the_same_everywhere(filled, where):
    asked = parse(where)
    with what_milvus_lite_2_cannot():
        assert filled.count(where) == sum(matches(asked, one) for one in metadata(200))


def test_an_id_added_again_is_replaced(opener):
    store = opener(dim=DIM)
    rows = vectors(4)
    store.add(["a", "b", "a"], rows[:3], [{"n": 0}, {"n": 1}, {"n": 2}], texts=["x", "y", "z"], digests=["1", "2", "3"])
    assert store.count() == 2  # of one given twice the last counts
    assert store.get(["a"])[0] == Row("a", "z", {"n": 2}, None, "3")
    store.add(["a", "c"], rows[2:])
    assert store.count() == 3
    assert store.get(["a"])[0] == Row("a")
    assert store.digests(["a", "b", "none"]) == {"a": "", "b": "2"}
    best = store.search(rows[2:3], 1)[0][0]
    assert (best.id, best.score) == ("a", pytest.approx(1))
    assert store.delete(["a", "a", "none"]) == 1
    assert store.delete([]) == 0
    assert store.count() == 2
    assert store.get(["a"]) == [None]
    assert "a" not in [hit.id for hit in store.search(rows, 10)[2]]


def test_a_store_opened_again_has_its_rows_and_settings(opener):
    store = opener("again", dim=DIM, metric="ip", details={"made": "by a test"})
    rows = vectors(20)
    store.add([str(i) for i in range(20)], rows, [{"i": i} for i in range(20)])
    before = store.search(rows[:5], 4)
    store.close()
    again = opener("again")
    assert (again.dim, again.metric, again.details) == (DIM, "ip", {"made": "by a test"})
    assert again.search(rows[:5], 4) == before
    products = rows[:5] @ rows.T
    for query, hits in zip(products, before, strict=True):
        best = np.argsort(-query)[:4]
        assert [hit.id for hit in hits] == [str(i) for i in best]
        np.testing.assert_allclose([hit.score for hit in hits], query[best], rtol=1e-5)
    for settings_, named in (({"dim": 9}, "dim"), ({"metric": "l2"}, "metric")):
        with pytest.raises(InputError, match=named):
            opener("again", **settings_)


def test_l2_scores_are_distances_with_a_minus_sign(opener):
    store = opener(dim=DIM, metric="l2")
    rows = vectors(50)
    store.add([str(i) for i in range(50)], rows)
    store.flush()
    distances = np.linalg.norm(rows - vectors(1, seed=5), axis=1)
    hits = store.search(vectors(1, seed=5), 6)[0]
    assert [hit.id for hit in hits] == [str(i) for i in np.argsort(distances)[:6]]
    np.testing.assert_allclose([hit.score for hit in hits], -np.sort(distances)[:6], rtol=1e-5)


def test_what_cannot_be_a_row_is_refused(filled):
    good = vectors(2)
    refused = [
        ((["a"], good), "1 ids but 2 vectors"),
        ((["a", "b"], good[:, :5]), r"shape \(2, 5\)"),
        ((["a", "b"], good * np.array([[1], [np.nan]])), "'b' holds NaN"),
        ((["a", "b"], good * np.array([[0], [1]])), "'a' is zero"),
        ((["a", ""], good), "row 1 has an empty id"),
        ((["a", "b" * 513], good), "513 bytes"),
        ((["a", 3], good), "row 1 is no text"),
        ((["a", "b"], good, [{}, {"x": math.nan}]), "'b' cannot be written as JSON"),
        ((["a", "b"], good, [{}, {"x": object()}]), "'b' cannot be written as JSON"),
        ((["a", "b"], good, [{}, {"x": "\ud800"}]), "'b' cannot be written as JSON"),
        ((["a", "b"], good, [{}, {"x": "y" * 65_536}]), "'b' has 65,545 bytes of JSON"),
        ((["a", "b"], good, [{}, {"x": 2**63}]), "'b' has a whole number of more than 64 bits: 9223372036854775808"),
        ((["a", "b"], good, [{}, {"x": [{"y": -(2**70)}]}]), "'b' has a whole number of more than 64 bits"),
        ((["a", "b"], good, [{}, {"x": {3: 1}}]), "'b' has a field whose name is no text: 3"),
        ((["a", "b"], good, [{}, "no"]), "'b' is a mapping"),
        ((["a", "b"], good, [{}]), "1 metadata"),
    ]
    for arguments, message in refused:
        with pytest.raises(InputError, match=message):
            filled.add(*arguments)
    with pytest.raises(InputError, match="65,536 bytes; a store holds 65,535"):
        filled.add(["a", "b"], good, texts=["", "x" * 65_536])
    assert filled.count() == 200


def test_what_cannot_be_a_query_is_refused(filled):
    for query, message in ((np.zeros((1, DIM)), "zero"), (np.ones((1, 3)), r"\(1, 3\)"), (np.ones(DIM), r"\(8,\)")):
        with pytest.raises(InputError, match=message):
            filled.search(query)
    for k in (0, -1, 2.5, True):
        with pytest.raises(InputError, match="k="):
            filled.search(vectors(1), k)
    for where, message in (
        ({"n": {"~": 1}}, "known are ==, !=,"),
        ({"n": None}, "exists"),
        ({"n": [1]}, "compare with"),
        ({"": 1}, "named by a text"),
        ({"n": {}}, "no condition"),
        ({"n": {"<": True}}, "no order"),
        ({"n": math.inf}, "finite"),
        ({"and": {}}, "list of filters"),
        ("n > 3", "a mapping"),
    ):
        with pytest.raises(InputError, match=message):
            filled.search(vectors(1), where=where)


def test_a_long_text_and_many_rows_fit(opener):
    store = opener(dim=DIM)
    rows = vectors(3000)
    texts = ["é" * 32_000] * 40 + ["short"] * 2960
    store.add([f"{i:05}" for i in range(3000)], rows, texts=texts)
    store.flush()
    assert store.count() == 3000
    assert [row.text for row in store.get(["00000", "02999"])] == [texts[0], "short"]
    assert len({row.id for row in store.rows()}) == 3000
    assert store.search(rows[2999:], 1, fields=False)[0][0].id == "02999"
