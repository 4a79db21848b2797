"""Joining by keys against plain Python, and against what training joined."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wordstock.vocab import PhraseSettings, Vocabulary, build_shards, phrase_keys
from wordstock.vocab.phrase_keys import KeyPhrases, phrase_beginnings

WORDS = st.sampled_from(["a", "b", "c", "_", "__", "a_b", "é", "中"])
TOKENS = st.lists(WORDS, max_size=8)


def longest_first(tokens, keys, delimiter):
    """From left to right, the most words whose joined form is a key; a single word stays."""
    found, i = [], 0
    while i < len(tokens):
        for stop in range(len(tokens), i, -1):
            if stop == i + 1 or delimiter.join(tokens[i:stop]) in keys:
                found.append(delimiter.join(tokens[i:stop]))
                i = stop
                break
    return found


@given(st.sets(st.lists(WORDS, min_size=1, max_size=4).map(tuple), max_size=12), TOKENS, st.sampled_from("_ é"))
def test_joining_is_that_of_plain_python(phrases, tokens, delimiter):
    keys = {delimiter.join(words) for words in phrases}
    joiner = KeyPhrases(Vocabulary.from_keys(sorted(keys)), delimiter)
    assert joiner.join(tokens) == longest_first(tokens, keys, delimiter)


def test_a_delimiter_of_several_characters():
    vocabulary = Vocabulary.from_keys(["new::york", "new::york::city", "x:", ":y", "::", "a::", "::b"])
    assert list(phrase_beginnings(vocabulary, b"::").keys) == ["new", "new::york"]
    joiner = KeyPhrases(vocabulary, "::")
    assert joiner.join(["in", "new", "york", "city", "x", "new", "york"]) == ["in", "new::york::city", "x", "new::york"]


def test_memos_and_pieces_change_nothing(monkeypatch):
    keys = [f"w{i}_w{i + 1}_w{i + 2}" for i in range(50)]
    vocabulary = Vocabulary.from_keys(keys)
    monkeypatch.setattr(phrase_keys, "_MEMO_LIMIT", 3)
    monkeypatch.setattr(phrase_keys, "_CHUNK", 7)
    joiner = KeyPhrases(vocabulary, "_")
    assert joiner.join([f"w{i}" for i in range(7)]) == ["w0_w1_w2", "w3_w4_w5", "w6"]
    assert joiner.join([]) == []


def test_a_table_without_phrases_joins_nothing():
    tokens = ["a", "b"]
    assert KeyPhrases(Vocabulary.from_keys(["a", "b"]), "_").join(tokens) is tokens
    assert KeyPhrases(Vocabulary.from_keys([]), "_").join(tokens) is tokens


def test_text_is_joined_as_in_training(tmp_path):
    random = np.random.default_rng(3)
    parts = ["new york city", "los angeles", "new york", "machine learning", "the", "of the", "and a", "old"]
    rest = [f"w{i}" for i in range(300)]
    lines = [" ".join([*random.choice(parts, 6), *random.choice(rest, 6)]) for _ in range(800)]
    shards = build_shards(lines, tmp_path, min_count=1, phrases=PhraseSettings(threshold=5))
    assert {"new_york", "new_york_city", "los_angeles"} <= set(shards.vocabulary.keys)
    joiner = KeyPhrases(shards.vocabulary, "_")
    assert [joiner.join(line.split()) for line in lines] == list(shards.sentences())
