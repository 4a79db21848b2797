"""The hash index, keys without a dictionary, near matches."""

from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordstock.errors import InputError, UnknownWordError
from wordstock.vocab import Vocabulary
from wordstock.vocab.distinct import distinct_vocabulary
from wordstock.vocab.key_block import pack

# Every character that UTF-8 can hold: lone surrogates are left out.
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.lists(words, unique=True, max_size=60), st.lists(words, max_size=20))
def test_index_agrees_with_a_dictionary(keys, others):
    vocabulary = Vocabulary.from_keys(keys)
    places = {key: number for number, key in enumerate(keys)}
    assert list(vocabulary.keys) == keys
    for key in keys + others:
        assert vocabulary.find(key) == places.get(key, -1)
        assert (key in vocabulary) == (key in places)


def test_keys_with_one_hash_are_told_apart():
    # CRC-32 is linear, so strings with equal values are easily built: these two share one.
    first, second = "plumless", "buckeroo"
    assert crc32(first.encode()) == crc32(second.encode())
    vocabulary = Vocabulary.from_keys([first, second, "word"])
    assert [vocabulary.find(key) for key in (first, second, "word")] == [0, 1, 2]


def test_many_keys():
    keys = [f"word{i}" for i in range(50_000)]
    vocabulary = Vocabulary.from_keys(keys)
    assert all(vocabulary.find(key) == number for number, key in enumerate(keys))
    assert vocabulary.find("word50000") == -1
    assert len(vocabulary.slots) == 131_072


def test_key_view_is_a_sequence():
    keys = Vocabulary.from_keys(["a", "b", "c"]).keys
    assert (len(keys), keys[0], keys[-1], keys[1:], list(reversed(keys))) == (3, "a", "c", ["b", "c"], ["c", "b", "a"])
    assert "a" in keys
    assert 1 not in keys
    with pytest.raises(IndexError):
        keys[3]
    assert keys.index("c") == 2
    for missing in (("d",), ("c", 0, 2), ("a", 1)):
        with pytest.raises(ValueError, match="is not in the keys"):
            keys.index(*missing)
    assert repr(keys) == "<3 keys: 'a', 'b', 'c'>"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["a", "b", "a"], "'a' at position 2 occurs twice"),
        (["a", 3], "position 1 must be a str, not int"),
        (["a", "\ud800"], "position 1 holds a lone surrogate"),
    ],
)
def test_unusable_keys_are_refused(keys, message):
    with pytest.raises(InputError, match=message):
        Vocabulary.from_keys(keys)


def test_an_unknown_word_names_near_matches():
    vocabulary = Vocabulary.from_keys(["king", "queen", "New_York", "kind"])
    with pytest.raises(UnknownWordError, match="'kinng' is not in the vocabulary; near matches: king"):
        vocabulary.require("kinng")
    with pytest.raises(UnknownWordError, match="near matches: New_York"):
        vocabulary.require("new york".title())
    with pytest.raises(KeyError):
        vocabulary.require("\ud800")
    with pytest.raises(InputError, match="must be a str, not NoneType"):
        vocabulary.require(None)


def test_case_folding_tries_lower_title_upper():
    vocabulary = Vocabulary.from_keys(["nato", "Paris", "USA"])
    assert [vocabulary.find_folded(word) for word in ("NATO", "paris", "usa", "Paris", "rome")] == [0, 1, 2, 1, -1]
    assert vocabulary.find("NATO") == -1


def test_select_keeps_order_and_counts():
    vocabulary = Vocabulary.from_keys(["a", "bb", "ccc", ""], counts=np.array([4, 3, 2, 1]))
    chosen = vocabulary.select(np.array([2, 0, 3]))
    assert list(chosen.keys) == ["ccc", "a", ""]
    assert chosen.counts.tolist() == [2, 4, 1]


def test_first_key_of_each_row():
    vocabulary = Vocabulary.from_keys(["x", "y", "z"], rows=np.array([2, 0, 2], np.int32))
    assert vocabulary.first_keys(4).tolist() == [1, -1, 0, -1]


def test_a_full_index_from_a_damaged_file_ends_the_search():
    vocabulary = Vocabulary.from_keys(["a", "b"])
    broken = Vocabulary(vocabulary.blob, vocabulary.offsets, slots=np.zeros(16, np.int32))
    assert broken.find("nowhere") == -1


def test_one_count_per_key():
    with pytest.raises(InputError, match="counts has 1 entries for 2 keys"):
        Vocabulary.from_keys(["a", "b"], counts=np.array([1]))


@given(st.lists(words, max_size=40))
def test_of_repeated_keys_the_first_is_kept(keys):
    vocabulary, kept = distinct_vocabulary(*pack([key.encode() for key in keys]))
    expected = [number for number, key in enumerate(keys) if key not in keys[:number]]
    assert list(vocabulary.keys) == [keys[number] for number in expected]
    assert [vocabulary.find(key) for key in vocabulary.keys] == list(range(len(expected)))
    if len(expected) == len(keys):
        assert kept is None
    else:
        assert kept.tolist() == expected


def test_a_key_is_asked_for_by_a_whole_number():
    keys = Vocabulary.from_keys(["a", "b"]).keys
    for number in (1.5, "1", None):
        with pytest.raises(TypeError):
            keys[number]
    assert keys[np.int64(1)] == "b"
