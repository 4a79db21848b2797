"""fastText's n-grams and hash, with gensim's own as the oracle."""

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
