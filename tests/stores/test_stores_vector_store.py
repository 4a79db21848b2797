"""Texts in a store: what is encoded, what is found, and what happens when encoder, rows or processes change."""

import json
import threading
import uuid

import numpy as np
import polars as pl
import pytest

import wordstock as ws
from wordstock.errors import FingerprintError, InputError

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
    assert store.reindex(other).added == len(WORDS) - 2
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


def test_a_new_store_needs_an_encoder(make):
    with pytest.raises(InputError, match="needs encoder="):
        make()
