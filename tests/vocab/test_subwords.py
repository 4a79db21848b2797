"""fastText's n-grams and hash, with gensim's own as the oracle."""

import numpy as np
import pytest
from gensim.models.fasttext_inner import compute_ngrams, ft_hash_bytes
from hypothesis import given
from hypothesis import strategies as st

from wordstock.errors import InputError
from wordstock.vocab import Subwords

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(words, st.integers(2, 4), st.integers(0, 3))
def test_ngrams_and_buckets_equal_those_of_gensim(word, low, more):
    subwords = Subwords(low, low + more, 20_000)
    expected = compute_ngrams(word, low, low + more)
    assert sorted(subwords.ngrams(word)) == sorted(expected)
    hashes = [ft_hash_bytes(gram.encode()) % 20_000 for gram in subwords.ngrams(word)]
    assert subwords.rows(word).tolist() == hashes


def test_single_characters_at_the_edges_are_left_out():
    assert Subwords(1, 2, 10).ngrams("ab") == ["<a", "a", "ab", "b", "b>"]


def test_impossible_settings_are_refused():
    with pytest.raises(InputError, match="min_n=4 and max_n=3"):
        Subwords(4, 3, 10)
    with pytest.raises(InputError, match="buckets=0"):
        Subwords(3, 6, 0)


@pytest.fixture(scope="module")
def fasttext_model(tmp_path_factory):
    fasttext = pytest.importorskip("fasttext")
    path = tmp_path_factory.mktemp("text") / "t.txt"
    path.write_text("one two three\n" * 20)
    return fasttext.train_unsupervised(str(path), dim=2, epoch=1, minCount=1, minn=2, maxn=5, bucket=5000, verbose=0)


@given(st.lists(words, min_size=1, max_size=5))
def test_buckets_of_many_words_equal_those_of_fasttext(fasttext_model, many):
    def readable(word):  # fastText reads C strings, and splits nothing here
        return "\0" not in word

    many = [word for word in many if readable(word)]
    encoded = [word.encode() for word in many]
    offsets = np.cumsum([0, *map(len, encoded)])
    buckets, starts = Subwords(2, 5, 5000).buckets_of(np.frombuffer(b"".join(encoded), np.uint8), offsets)
    for i, word in enumerate(many):
        ids = fasttext_model.get_subwords(word)[1]
        own = len(fasttext_model.words)
        assert buckets[starts[i] : starts[i + 1]].tolist() == [int(number) - own for number in ids if number >= own]


def test_buckets_without_a_vector_are_left_out():
    whole = Subwords(3, 4, 1000)
    buckets = whole.rows("walking")
    stored = np.unique(buckets)[::2].astype(np.int32)
    some = Subwords(3, 4, 1000, stored)
    assert (some.n_rows, whole.n_rows) == (len(stored), 1000)
    assert [stored[row] for row in some.rows("walking")] == [b for b in buckets if b in stored]
    assert some == whole
    for wrong in ([3, 2], [2, 2], [-1, 4], [4, 1000]):
        with pytest.raises(InputError, match="must ascend from 0 to at most 999"):
            Subwords(3, 4, 1000, np.array(wrong, np.int32))


@pytest.mark.parametrize(
    "wrong", [(1.5, 3, 10), (2, "3", 10), (2, 3, 10.0), (0, 3, 10), (3, 2, 10), (2, 3, 2**31), (2, 1001, 10)]
)
def test_settings_are_whole_numbers_in_range(wrong):
    with pytest.raises(InputError, match="needs"):
        Subwords(*wrong)
