"""Texts in a store: what is encoded, what is found, and what happens when encoder, rows or processes change."""

import json
import threading
import time
import uuid
import warnings

import numpy as np
import polars as pl
import pytest

import wordstock as ws
from wordstock.errors import FingerprintError, InputError
from wordstock.stores.connection import Connection
from wordstock.stores.opening import store_exists

TOPICS = {
    "heart": ["the", "heart", "pumps", "blood", "and", "chest", "pain", "may", "come", "from", "the", "heart"],
    "money": ["the", "bank", "lends", "money", "and", "the", "market", "trades", "money", "for", "gold"],
    "sport": ["the", "team", "plays", "ball", "and", "the", "goal", "wins", "the", "match"],
}
WORDS = sorted({word for words in TOPICS.values() for word in words})


def table(seed=0, dim=16, words=WORDS):
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(len(words), dim)) * 0.3
    for place, topic in enumerate(TOPICS.values()):
        for row, word in enumerate(words):
            if word in topic:
                vectors[row, place] += 2
    return ws.Embeddings.from_arrays(words, vectors.astype(np.float32))


class Counting:
    """Counts what it encodes."""

    def __init__(self, inner):
        self.inner, self.texts = inner, []
        self.dim, self.fingerprint = inner.dim, inner.fingerprint

    def encode(self, texts):
        self.texts += [texts] if isinstance(texts, str) else list(texts)
        return self.inner.encode(texts)

    def encode_words(self, sentences):
        return self.inner.encode_words(sentences)


@pytest.fixture(scope="module")
def emb():
    return table()


@pytest.fixture(scope="module")
def texts():
    random = np.random.default_rng(0)
    return [" ".join(random.choice(TOPICS[topic], 6)) for topic in sorted(TOPICS) for _ in range(20)]


@pytest.fixture(scope="module")
def about(texts):
    return [{"topic": sorted(TOPICS)[i // 20], "i": i} for i in range(len(texts))]


@pytest.fixture
def make(spot):
    opened = []

    def making(name=None, **settings):
        opened.append(ws.VectorStore(**spot(name or uuid.uuid4().hex[:8]), **settings))
        return opened[-1]

    yield making
    for store in opened:
        store.close()


def test_texts_are_found_by_meaning_and_kept(make, emb, texts, about):
    store = make("kept", encoder=emb)
    assert store.add(texts, [f"t{i}" for i in range(60)], about).added == 60
    assert (len(store), "t3" in store, "x" in store) == (60, True, False)
    query = "chest blood"
    expected = emb.encode(texts) @ emb.encode(query)
    expected /= np.linalg.norm(emb.encode(texts), axis=1) * np.linalg.norm(emb.encode(query))
    hits = store.search(query, k=5)
    np.testing.assert_allclose([hit.score for hit in hits], np.sort(expected)[::-1][:5], atol=2e-6)
    assert hits[0].text == texts[int(hits[0].id[1:])]
    assert {hit.metadata["topic"] for hit in hits} == {"heart"}
    ids = [hit.id for hit in hits]
    assert [hit.id for hit in store.search(emb.encode(query), k=5)] == ids
    assert [hit.id for hit in store.search([query, "ball goal"], k=5)[0]] == ids
    assert [hit.id for hit in store.search(np.stack([emb.encode(query)] * 2), k=5)[1]] == ids
    only = store.search(query, k=3, where={"topic": {"!=": "heart"}, "i": {"<": 59}})
    assert len(only) == 3
    assert {hit.metadata["topic"] for hit in only} <= {"money", "sport"}
    assert store.get("t0").text == texts[0]
    assert store.delete("t0") == 1
    assert store.get(["t0", "t1"])[0] is None
    store.close()
    again = make("kept")  # the store knows its encoder's name only where it has one
    assert again.count({"topic": "sport"}) == 20
    with pytest.raises(InputError, match="pass encoder="):
        again.search(query)
    again.close()
    with pytest.raises(FingerprintError, match="reindex"):
        make("kept", encoder=table(seed=1))
    with pytest.raises(FingerprintError, match="dim 8"):
        make("kept", encoder=table(dim=8))
    assert make("kept", encoder=emb).search(query, k=1)[0].id != "t0"


def test_what_has_not_changed_is_not_encoded_again(make, emb, texts, about):
    counting = Counting(emb)
    store = make(encoder=counting)
    store.add(iter(texts), metadata=iter(about), batch_size=7)
    first = len(counting.texts)
    distinct = len(set(texts))
    assert store.count() == distinct  # equal texts without ids are one row
    before = {row.id: row for row in store.rows(vectors=True)}
    last = {text: one for text, one in zip(texts, about, strict=True)}
    report = store.add(list(last), metadata=list(last.values()), batch_size=9)
    assert report == (0, distinct, 0)
    assert len(counting.texts) == first
    changed = [one | {"new": True} for one in last.values()]
    assert store.add(list(last), metadata=changed) == (distinct, 0, 0)
    assert len(counting.texts) == first  # only the metadata changed: the vectors are those stored
    after = {row.id: row for row in store.rows(vectors=True)}
    assert all(after[name].metadata["new"] for name in before)
    assert all((after[name].vector == row.vector).all() for name, row in before.items())
    assert store.add(["heart blood pain"]).added == 1
    assert len(counting.texts) == first + 1


def test_texts_without_a_known_word_are_left_out(make, emb):
    store = make(encoder=emb)
    with pytest.warns(UserWarning, match="2 of 4 texts hold no word that the encoder knows and were left out"):
        assert store.add(["heart", "xyzzy", "ball", "plugh"], list("abcd")) == (2, 0, 2)
    assert sorted(row.id for row in store) == ["a", "c"]
    with pytest.raises(InputError, match="knows no word of the query 'xyzzy'"):
        store.search("xyzzy")
    with pytest.warns(UserWarning, match="1 of 2 texts hold no word"):
        store.add(["xyzzy", "ball"], ["a", "c"])
    assert [row.id for row in store] == ["c"]  # what "a" was is not found any more


def test_words_of_a_table_are_rows(make, emb):
    store = make(encoder=emb)
    assert store.add(emb, batch_size=10).added == len(emb)
    assert store.add(emb, batch_size=10) == (0, len(emb), 0)
    for word in ("heart", "money", "ball"):
        expected = [
            (word, pytest.approx(1, abs=1e-5)),
            *((key, pytest.approx(s, abs=1e-5)) for key, s in emb.nearest(word, 4)),
        ]
        assert [(hit.id, hit.score) for hit in store.search(word, k=5)] == expected
    other = table(seed=2, words=WORDS[:-2])
    with pytest.warns(UserWarning, match="2 of 23 rows hold no word that the new encoder knows"):
        assert store.reindex(other) == (len(WORDS) - 2, 0, 2)
    assert len(store) == len(WORDS) - 2
    assert [hit.id for hit in store.search("heart", k=3)][1:] == [key for key, _ in other.nearest("heart", 2)]


def test_reindex_exchanges_the_encoder_while_others_search(make, emb, texts, about):
    name = uuid.uuid4().hex[:8]
    store = make(name, encoder=emb)
    store.add(texts, [f"t{i}" for i in range(60)], about)
    other = table(seed=3, dim=24)
    stop, found, failed = threading.Event(), [], []

    def searching():
        vector = None
        while not stop.is_set():
            try:
                found.append(len(store.search("chest pain", k=3)))
            except Exception as error:
                failed.append(error)
        return vector

    thread = threading.Thread(target=searching)
    thread.start()
    try:
        assert store.reindex(other, batch_size=10).added == 60
    finally:
        stop.set()
        thread.join()
    assert not failed
    assert set(found) == {3}
    assert store.search("chest pain", k=60)[0].text
    assert store.store.dim == 24
    assert {row.id: (row.text, row.metadata) for row in store.rows()} == {
        f"t{i}": (text, one) for i, (text, one) in enumerate(zip(texts, about, strict=True))
    }
    store.close()
    with pytest.raises(FingerprintError):
        make(name, encoder=emb)
    assert make(name, encoder=other).count() == 60


def test_a_store_that_is_exchanged_twice_at_once_keeps_to_its_encoder(make, emb, place, monkeypatch):
    if place == "memory":
        pytest.skip("a file is open for writing once")
    name = uuid.uuid4().hex[:8]
    store, second = make(name, encoder=emb), make(name, encoder=emb)
    store.add(["heart blood"], ["a"])
    call, others = Connection.call, [second]

    def late(connection, method, *given, **options):
        if method == "drop_collection" and others:
            others.pop().reindex(table(seed=9))
            return None
        return call(connection, method, *given, **options)

    monkeypatch.setattr(Connection, "call", late)
    store.reindex(table(seed=8))
    assert store.store.collection == second.store.collection
    with pytest.raises(InputError):
        store.add(["chest pain"], ["b"])
    assert len(store) == 1


def test_export_holds_every_row(make, emb, texts, about, tmp_path):
    store = make(encoder=emb)
    store.add(texts, [f"t{i}" for i in range(60)], about)
    assert store.export(tmp_path / "rows.jsonl", vectors=True) == 60
    lines = {one["id"]: one for one in map(json.loads, (tmp_path / "rows.jsonl").read_text().splitlines())}
    assert lines["t7"]["text"] == texts[7]
    assert lines["t7"]["metadata"] == about[7]
    np.testing.assert_array_equal(np.float32(lines["t7"]["vector"]), store.get("t7", vectors=True).vector)
    assert store.export(tmp_path / "rows.parquet", where={"topic": "sport"}, vectors=True) == 20
    frame = pl.read_parquet(tmp_path / "rows.parquet").sort("id")
    assert frame["id"].to_list() == sorted(f"t{i}" for i in range(40, 60))
    assert json.loads(frame["metadata"][0]) == about[int(frame["id"][0][1:])]
    np.testing.assert_array_equal(frame["vector"].to_numpy()[0], store.get(frame["id"][0], vectors=True).vector)
    with pytest.raises(InputError, match=r"\.jsonl or \.parquet"):
        store.export(tmp_path / "rows.csv")


def test_a_misspelt_field_is_told(make, emb, texts, about):
    store = make(encoder=emb)
    assert store.search("heart", where={"anything": 1}) == []  # there is no row yet
    store.add(texts, metadata=about)
    with pytest.raises(InputError, match=r"no row has the field 'topik' .* fields are 'topic', 'i'"):
        store.search("heart", where={"topik": "heart"})
    assert store.search("heart", where={"topic": "nothing"}) == []


def test_given_vectors_are_stored_as_they_are(make, emb, texts):
    counting = Counting(emb)
    store = make(encoder=counting)
    vectors = np.random.default_rng(0).normal(size=(60, 16)).astype(np.float32)
    store.add(texts, [f"t{i}" for i in range(60)], vectors=vectors, batch_size=25)
    assert counting.texts == []
    np.testing.assert_array_equal(store.get("t42", vectors=True).vector, vectors[42])
    for wrong, message in (
        ({"vectors": vectors[:59]}, "differ after row 59"),
        ({"ids": ["a"]}, "differ after row 1"),
        ({"vectors": vectors[:, :5]}, r"\(60, 16\)"),
    ):
        with pytest.raises(InputError, match=message):
            store.add(texts, **wrong)
    with pytest.raises(InputError, match="list or another iterable"):
        store.add("one text")
    with pytest.raises(InputError, match="row 1: 3 is no text"):
        store.add(["a", 3])


@pytest.mark.parametrize("size", [1, 2])
def test_of_an_id_given_twice_the_last_counts_in_every_batch(make, emb, size):
    store = make(encoder=emb)
    with pytest.warns(UserWarning, match="1 of 3 texts hold no word"):
        store.add(["ball", "heart", "xyzzy"], ["y", "x", "x"], batch_size=size)
    assert [row.id for row in store] == ["y"]
    store.add(["heart blood"], ["x"])
    for _ in range(4):
        store.add(["money bank", "heart blood"], ["x", "x"], [{"n": 1}, {"n": 2}], batch_size=size)
        row = store.get("x", vectors=True)
        assert (row.text, row.metadata) == ("heart blood", {"n": 2})
        np.testing.assert_array_equal(row.vector, emb.encode("heart blood"))
        store.add(["heart blood"], ["x"])


def test_a_batch_waits_for_one_that_writes_the_same_ids(emb, monkeypatch):
    store = ws.VectorStore(None, emb)
    store.add(["heart blood"], ["x"])
    add = store.store.add

    def slow(*args, **options):
        time.sleep(0.1)
        add(*args, **options)

    monkeypatch.setattr(store.store, "add", slow)
    store.add(["money bank", "heart blood"], ["x", "x"], batch_size=1)
    assert store.get("x").text == "heart blood"


def test_the_row_that_cannot_be_taken_is_counted_from_the_first(make, emb):
    store = make(encoder=emb)
    store.add(["heart"], ["there"])  # what is there is looked up first, in a store that holds something
    texts, ids, vectors = ["heart"] * 5, list("abcde"), np.ones((5, 16), np.float32)
    within, deep = {}, {}
    within["x"] = within
    for _ in range(5000):
        deep = {"x": deep}

    def last(value, other=None):
        return [other] * 4 + [value]

    def but(row):
        return np.concatenate([vectors[:4], [row]])

    for arguments, message in (
        ({"ids": [*ids[:4], ""]}, "row 4 has an empty id"),
        ({"ids": [*ids[:4], 3]}, "id of row 4 is no text: 3"),
        ({"ids": [*ids[:4], b"e"]}, "id of row 4 is no text: b'e'"),
        ({"ids": [*ids[:4], "e" * 513]}, "id of row 4 'eee.* has 513 bytes"),
        ({"ids": "abcde"}, "ids are a list"),
        ({"ids": 5}, "ids are a list"),
        ({"metadata": {"a": 1}}, "metadata are a list"),
        ({"metadata": last("no")}, "metadata of row 4 .* is a mapping"),
        ({"metadata": last({1: 2, "a": 3})}, "metadata of row 4 .* a field whose name is no text: 1"),
        ({"metadata": last({"a": {(1, 2): 3}})}, r"metadata of row 4 .* a field whose name is no text: \(1, 2\)"),
        ({"metadata": last(within)}, "metadata of row 4 .* more than 100 deep, or holds itself"),
        ({"metadata": last(deep)}, "metadata of row 4 .* more than 100 deep, or holds itself"),
        ({"vectors": [1.0] * 5}, r"vectors of shape \(2,\)"),
        ({"vectors": [*vectors[:4], "no"]}, "vectors of rows 4 to 4 are not numbers"),
        ({"vectors": but(vectors[0] * np.nan)}, "row 4 'e' holds NaN"),
        ({"vectors": but(vectors[0] * 0)}, "row 4 'e' is zero, which has no cosine"),
    ):
        with pytest.raises(InputError, match=message):
            store.add(texts, **({"ids": ids} | arguments), batch_size=2)
    with pytest.raises(InputError, match="texts are a list"):
        store.add(None)
    with pytest.raises(InputError, match="row 4: None is no text"):
        store.add([*texts[:4], None], batch_size=2)
    with pytest.raises(InputError, match="text of row 4 'e' holds half a character"):
        store.add([*texts[:4], "\ud800"], ids, batch_size=2)
    with pytest.raises(InputError, match=r"batch_size=2\.5"):
        store.add(texts, batch_size=2.5)
    assert store.get("e") is None


def test_a_given_zero_vector_leaves_the_row_as_it_was(make, emb):
    store = make(encoder=emb)
    store.add(["heart"], ["a"])
    with pytest.raises(InputError, match="row 0 'a' is zero"):
        store.add(["ball"], ["a"], vectors=np.zeros((1, 16)))
    assert store.get("a").text == "heart"
    products = make(encoder=emb, metric="ip")
    assert products.add(["ball"], ["a"], vectors=np.zeros((1, 16))) == (1, 0, 0)
    assert products.search("ball")[0][:2] == ("a", 0)


def test_what_is_asked_for_wrongly_is_told(make, emb):
    store = make(encoder=emb)
    store.add(["heart", "blood", "ball"], list("abc"))
    for wrong in (3, b"a", None, ["a", 3]):
        for method in (store.get, store.delete):
            with pytest.raises(InputError, match="an id is a text"):
                method(wrong)
    for wrong in (3, None, b"heart", [0.5], ["heart", 3]):
        with pytest.raises(InputError, match="a query is a text, several texts, or an array"):
            store.search(wrong)
    for wrong in (0, 2.0, "2", None, True, np.float32(2)):
        with pytest.raises(InputError, match="k="):
            store.search("heart", wrong)
    assert len(store.search("heart", np.int64(2))) == 2
    assert len(store.search("heart", np.uint8(2), mode="hybrid")) == 2
    assert len(store) == 3


def test_the_name_of_a_collection_is_a_text(emb, tmp_path):
    with pytest.raises(InputError, match="collection None"):
        ws.VectorStore(tmp_path / "a.db", emb, collection=None)
    ws.VectorStore(tmp_path / "a.db", emb).close()
    with pytest.raises(InputError, match="collection None"):
        store_exists(tmp_path / "a.db", None)


class Broken(Counting):
    """Gives what ``change`` makes of the vectors."""

    def __init__(self, inner, change):
        super().__init__(inner)
        self.change = change

    def encode(self, texts):
        return self.change(np.array(super().encode(texts)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda vectors: vectors[:, :5], r"shape \(2, 5\) for 2 texts; this store needs \(2, 16\)"),
        (lambda vectors: vectors[:1], r"shape \(1, 16\) for 2 texts"),
        (lambda vectors: vectors[0], r"shape \(16,\) for 2 texts"),
        (lambda vectors: None, "shape"),
        (lambda vectors: vectors * [[1], [np.nan]], "row 3 'd' holds NaN"),
    ],
)
def test_an_encoder_that_gives_something_else_is_told(make, emb, change, message):
    working = [True]
    store = make(encoder=Broken(emb, lambda vectors: vectors if working else change(vectors)))
    store.add(["heart", "blood"], list("ab"))
    working.clear()
    with pytest.raises(InputError, match=message):
        store.add(["heart", "blood", "ball", "goal"], list("abcd"), batch_size=2)
    if "NaN" not in message:
        with pytest.raises(InputError, match="the encoder gave"):
            store.search(["heart", "ball"])
    assert len(store) == 2


def test_metadata_come_back_as_json_and_are_copies(make, emb):
    store = make(encoder=emb)
    given = {"pair": (1, 2), "list": [{"a": (3,)}], "none": None, "numpy": np.float64(0.5), "deep": {"er": {"x": 1}}}
    kept = {"pair": [1, 2], "list": [{"a": [3]}], "numpy": 0.5, "deep": {"er": {"x": 1}}}
    store.add(["heart"], ["a"], [given])
    given["list"].append(4)
    for change in (store.search("heart")[0], store.get("a"), next(store.rows())):
        assert change.metadata == kept
        assert type(change.metadata["pair"]) is list
        change.metadata["new"] = 1
        change.metadata["deep"]["er"]["x"] = 2
    assert store.get("a").metadata == kept
    assert store.add(["heart"], ["a"], [kept]) == (0, 1, 0)


def test_reindex_keeps_words_and_texts_and_says_what_it_loses(make, emb):
    store = make(encoder=emb)
    store.add(emb)
    store.add(["heart blood", "xyzzy heart", "team ball"], ["t1", "t2", "t3"])
    other = table(seed=4, words=[word for word in WORDS if word not in ("heart", "blood", "zzz")])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = store.reindex(other, batch_size=4)
    assert [str(one.message) for one in caught] == [
        f"4 of {len(WORDS) + 3} rows hold no word that the new encoder knows and are not in the store any more"
    ]
    assert report == (len(other) + 1, 0, 4)
    assert {row.id for row in store} == {*other.keys, "t3"}
    assert store.search("team ball", k=len(store))[0].text
    everything = table(seed=5, dim=8)
    assert store.reindex(everything, batch_size=4) == (len(other) + 1, 0, 0)
    row = store.get("t3", vectors=True)
    np.testing.assert_allclose(row.vector, everything.encode("team ball"), atol=1e-6)


def test_a_warning_that_is_an_error_keeps_the_old_rows(make, emb):
    store = make(encoder=emb)
    store.add(["heart", "ball"], list("ab"))
    with pytest.raises(UserWarning, match="1 of 2 rows"):
        store.reindex(table(seed=4, words=[word for word in WORDS if word != "heart"]))
    assert sorted(row.id for row in store) == ["a", "b"]
    assert store.search("heart", k=1)[0].id == "a"


def test_a_reindexing_that_failed_leaves_nothing_behind_the_next(make, emb, place):
    store = make(encoder=emb)
    neighbour = make(encoder=emb)
    neighbour.add(["ball"], ["n"])
    store.add(["heart blood"] * 6, list("abcdef"))
    working = []

    def change(vectors):
        working.append(1)
        if len(working) > 1:
            raise RuntimeError("out of memory")
        return vectors

    failing = Broken(table(seed=6, dim=8), change)
    with pytest.raises(RuntimeError, match="out of memory"):
        store.reindex(failing, batch_size=2)
    assert len(store) == 6
    store.reindex(table(seed=7))
    assert [row.id for row in neighbour] == ["n"]
    if place != "memory":
        names = store.store._connection.call("list_collections")
        assert sum(name.startswith(store.store.name) for name in names) == 1


def test_a_new_store_needs_an_encoder(make):
    with pytest.raises(InputError, match="needs encoder="):
        make()
