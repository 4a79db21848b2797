"""The cache on disk: the same vectors, kept between processes, bounded, and clear about a file that is none."""

import multiprocessing
import pickle
import sqlite3
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wordstock as ws
from wordstock.encoders.cache import CachedEncoder
from wordstock.errors import FormatError, InputError, StorageError

WORDS = ["river", "bank", "money", "water", "loan", "boat"]


class Counting:
    """A real table that notes what it was asked for."""

    def __init__(self, seed: int = 0, dim: int = 8) -> None:
        rng = np.random.default_rng(seed)
        self.table = ws.Embeddings.from_arrays(WORDS, rng.normal(size=(len(WORDS), dim)).astype(np.float32))
        self.asked: list = []
        self.dim, self.fingerprint = dim, self.table.fingerprint

    def encode(self, texts):
        self.asked += list(texts)
        return self.table.encode(texts)

    def encode_words(self, sentences):
        self.asked += list(sentences)
        return self.table.encode_words(sentences)


def test_a_second_time_nothing_is_encoded_and_nothing_differs(tmp_path):
    inner = Counting()
    texts = ["river bank", "money bank", "river bank", "boat"]
    first = CachedEncoder(inner, tmp_path / "vectors.db")
    found = first.encode(texts)
    np.testing.assert_array_equal(found, inner.table.encode(texts))
    assert inner.asked == ["river bank", "money bank", "boat"]
    again = CachedEncoder(inner, tmp_path / "vectors.db")
    np.testing.assert_array_equal(again.encode(texts), found)
    np.testing.assert_array_equal(again.encode("boat"), found[3])
    assert inner.asked == ["river bank", "money bank", "boat"]
    assert (again.hits, again.misses) == (5, 0)
    assert again.encode([]).shape == (0, 8)


def test_words_are_kept_apart_from_texts(tmp_path):
    inner = Counting()
    cache = CachedEncoder(inner, tmp_path / "vectors.db")
    sentences = ["river bank", ["river", "bank", "loan"], ["river bank"], [], ["river", "bank"]]
    cache.encode(["river bank"])
    for _ in range(2):
        for found, expected in zip(cache.encode_words(sentences), inner.table.encode_words(sentences), strict=True):
            np.testing.assert_array_equal(found, expected)
    assert len(inner.asked) == 1 + len(sentences)


@given(st.lists(st.lists(st.text(max_size=4), max_size=4), min_size=2, max_size=2, unique_by=tuple))
def test_different_word_lists_have_different_names(pair):
    cache = object.__new__(CachedEncoder)
    cache.encoder = Counting()
    first, second = (cache._sentence_name(words) for words in pair)
    assert first != second


def test_other_weights_do_not_share_entries(tmp_path):
    one, other = (CachedEncoder(Counting(seed), tmp_path / "vectors.db") for seed in (1, 2))
    vectors = one.encode(["river"]), other.encode(["river"])
    assert not np.array_equal(*vectors)
    assert len(one) == 2
    one.clear()
    assert len(other) == 0


def test_lone_surrogates_have_a_name_of_their_own(tmp_path):
    cache = CachedEncoder(Counting(), tmp_path / "vectors.db")
    cache.encode(["river \ud800", "river \ud801"])
    assert len(cache) == 2


def test_the_longest_unused_are_dropped_first(tmp_path):
    wide = Counting(dim=1024)
    cache = CachedEncoder(wide, tmp_path / "vectors.db", max_bytes=1 << 20)
    for start in range(0, 600, 50):
        cache.encode([f"river {number}" for number in range(start, start + 50)])
    assert 50 <= len(cache) < 300
    wide.asked.clear()
    cache.encode(["river 599"])
    assert wide.asked == []
    cache.encode(["river 0"])
    assert wide.asked == ["river 0"]
    cache.close()
    assert (tmp_path / "vectors.db").stat().st_size < 1.5 * (1 << 20)


def test_threads_and_pickles_share_the_file(tmp_path):
    cache = CachedEncoder(ws.Embeddings.from_arrays(WORDS, np.eye(6, dtype=np.float32)), tmp_path / "vectors.db")
    texts = [f"{word} {number}" for word in WORDS for number in range(30)]
    expected, failed = cache.encoder.encode(texts), []

    def work():
        try:
            np.testing.assert_array_equal(cache.encode(texts), expected)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    copy = pickle.loads(pickle.dumps(cache))
    np.testing.assert_array_equal(copy.encode(texts), expected)
    assert copy.misses == 0


def _fill(path, numbers, results):
    cache = CachedEncoder(ws.Embeddings.from_arrays(WORDS, np.eye(6, dtype=np.float32)), path)
    texts = [f"river {number}" for number in numbers]
    for start in range(0, len(texts), 10):
        cache.encode(texts[start : start + 10])
    results.put(cache.misses)


def test_processes_write_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    spans = [range(200), range(100, 300)]
    workers = [context.Process(target=_fill, args=(tmp_path / "vectors.db", span, results)) for span in spans]
    for worker in workers:
        worker.start()
    misses = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert sum(misses) >= 300
    assert len(CachedEncoder(Counting(), tmp_path / "vectors.db")) == 300


def test_a_bad_item_is_refused_as_the_encoder_does(tmp_path):
    cache = CachedEncoder(Counting(), tmp_path / "vectors.db")
    with pytest.raises(InputError, match="position 1"):
        cache.encode(["river", None])
    with pytest.raises(InputError, match="list of sentences"):
        cache.encode_words("river")
    with pytest.raises(InputError):
        cache.encode_words([["river", 3]])


def test_a_file_that_is_no_cache_is_refused(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("these are my notes, " * 100)
    with pytest.raises(FormatError, match=r"notes\.txt"):
        CachedEncoder(Counting(), text)
    assert text.read_text().startswith("these are my notes")
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE customers (name TEXT)")
    database.close()
    with pytest.raises(FormatError, match="another SQLite file"):
        CachedEncoder(Counting(), other)


def test_a_folder_is_no_cache(tmp_path):
    with pytest.raises(StorageError, match="cannot use"):
        CachedEncoder(Counting(), tmp_path)
    with pytest.raises(InputError, match="max_bytes"):
        CachedEncoder(Counting(), tmp_path / "vectors.db", max_bytes=10)
    assert CachedEncoder(Counting(), tmp_path / "vectors.db", max_bytes=np.int64(1 << 20)).max_bytes == 1 << 20
    with pytest.raises(InputError, match="encoder='glove-6b-50d': needs an encoder"):
        CachedEncoder("glove-6b-50d", tmp_path / "vectors.db")


@pytest.mark.parametrize("damage", ["x'0000'", "x'00000000'", "NULL", "'text'"])
def test_damaged_entries_are_made_anew(tmp_path, damage):
    inner = Counting()
    cache = CachedEncoder(inner, tmp_path / "vectors.db")
    expected = cache.encode(["river"]), cache.encode_words([["river", "bank"]])[0]
    cache.close()
    with sqlite3.connect(tmp_path / "vectors.db") as database:
        database.execute(f"UPDATE entries SET vector = {damage}")
    database.close()
    for misses in (4, 4):
        np.testing.assert_array_equal(cache.encode(["river"]), expected[0])
        np.testing.assert_array_equal(cache.encode_words([["river", "bank"]])[0], expected[1])
        assert cache.misses == misses


def test_what_cannot_be_kept_costs_only_a_warning(tmp_path):
    cache = CachedEncoder(Counting(), tmp_path / "vectors.db")
    with cache._database() as database:
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count={pages}")  # a disk that is full
    texts = [f"river {number}" for number in range(500)]
    with pytest.warns(UserWarning, match="not kept"):
        found = cache.encode(texts)
    np.testing.assert_array_equal(found, cache.encoder.table.encode(texts))
