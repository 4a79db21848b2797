"""Phrases against plain Python and against gensim."""

import itertools
import json
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordstock.errors import InputError
from wordstock.vocab import Phrases, PhraseSettings, build_shards, phrase_pass

SENTENCES = st.lists(st.lists(st.sampled_from(["a", "b", "c", "d", "a_b", "."]), max_size=12), min_size=1)
SETTINGS = st.builds(
    PhraseSettings,
    passes=st.integers(1, 3),
    score=st.just("word2phrase"),
    threshold=st.sampled_from([0.5, 1.0, 2.0]),
    discount=st.integers(0, 2),
    words_only=st.booleans(),
) | st.builds(
    PhraseSettings,
    passes=st.integers(1, 3),
    score=st.just("npmi"),
    threshold=st.sampled_from([-0.5, 0.0, 0.3]),
    discount=st.integers(0, 2),
)


def reference(sentences, settings):
    """The pairs of every pass, and the sentences as they are in the end, by dictionaries."""
    passes = []
    for _ in range(settings.passes):
        words = Counter(word for sentence in sentences for word in sentence)
        pairs = Counter(pair for sentence in sentences for pair in itertools.pairwise(sentence))
        total = sum(words.values())
        chosen = set()
        for (a, b), both in pairs.items():
            if settings.words_only and not (any(map(str.isalnum, a)) and any(map(str.isalnum, b))):
                continue
            if settings.score == "word2phrase":
                score = (both - settings.discount) * total / (words[a] * words[b])
                fits = both > settings.discount
            else:
                score = math.log(both * total / (words[a] * words[b])) / -math.log(both / total)
                fits = both >= settings.discount
            if fits and score > settings.limit + 1e-12:
                chosen.add((a, b))
        passes.append(frozenset(chosen))
        if not chosen:
            break
        sentences = [joined(sentence, chosen) for sentence in sentences]
    return tuple(passes), sentences


def joined(sentence, chosen):
    found = []
    i = 0
    while i < len(sentence):
        if tuple(sentence[i : i + 2]) in chosen:
            found.append("_".join(sentence[i : i + 2]))
            i += 2
        else:
            found.append(sentence[i])
            i += 1
    return found


@given(SENTENCES, SETTINGS)
def test_phrases_are_those_of_plain_python(sentences, settings):
    if not any(sentences):
        with pytest.raises(InputError, match="empty"):
            Phrases.learn(sentences, settings)
        return
    passes, ends = reference(sentences, settings)
    found = Phrases.learn(sentences, settings)
    # A score that equals the threshold but for rounding may fall on either side.
    assert found.passes == passes
    assert [found.join(sentence) for sentence in sentences] == ends
    assert Phrases.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def corpus():
    """Text with real collocations, made from a few sentences."""
    import random

    random.seed(5)
    parts = [
        "new york city",
        "los angeles",
        "machine learning",
        "the",
        "of the",
        "in",
        "and a",
        "we saw",
        "great",
        "old",
    ]
    rest = [f"w{i}" for i in range(300)]
    return [" ".join(random.choices(parts, k=6) + random.choices(rest, k=6)).split() for _ in range(800)]


@pytest.mark.parametrize("score", ["word2phrase", "npmi"])
def test_phrases_are_those_of_gensim(score):
    from gensim.models.phrases import Phrases as GensimPhrases

    sentences = corpus()
    n_words = sum(map(len, sentences))
    if score == "npmi":
        peer = GensimPhrases(sentences, min_count=5, threshold=0.4, scoring="npmi")
        threshold = 0.4
    else:  # gensim multiplies by the number of words and pairs that it has seen, word2phrase by that of tokens
        peer = GensimPhrases(sentences, min_count=5, threshold=10.0, scoring="default")
        threshold = 10.0 / len(peer.vocab) * n_words
    ours = Phrases.learn(sentences, PhraseSettings(passes=1, score=score, threshold=threshold, words_only=False))
    assert {"_".join(pair) for pair in ours.passes[0]} == set(peer.export_phrases())
    assert len(ours) > 2
    assert [ours.join(sentence) for sentence in sentences] == [peer[sentence] for sentence in sentences]


def test_shards_hold_the_phrases_that_join_gives(tmp_path):
    sentences = corpus()
    shards = build_shards(sentences, tmp_path, min_count=1, phrases=PhraseSettings(threshold=20, passes=2))
    assert "new_york_city" in shards.vocabulary
    assert shards.settings["phrases"]["threshold"] == 20
    phrases = shards.phrases
    assert [phrases.join(sentence) for sentence in sentences] == list(shards.sentences())
    words = Counter(word for sentence in shards.sentences() for word in sentence)
    assert dict(zip(shards.vocabulary.keys, shards.vocabulary.counts.tolist(), strict=True)) == words


def test_rare_words_part_phrases_and_min_count_is_applied_again(tmp_path):
    sentences = [["a", "b"]] * 8 + [["a", "rare", "b"]] + [["x", "y", "z"]] * 8 + [["a"], ["b"]] * 2
    settings = PhraseSettings(passes=1, threshold=0.5, discount=2)
    shards = build_shards(sentences, tmp_path, min_count=3, phrases=settings)
    assert sorted(shards.vocabulary.keys) == ["a", "a_b", "b", "x_y", "z"]
    assert list(shards.sentences())[8:10] == [["a", "b"], ["x_y", "z"]]


def test_pairs_are_counted_within_the_memory_limit(monkeypatch):
    """Tables of a few slots make many classes of pairs; the phrases are the same."""
    sentences = corpus()
    settings = PhraseSettings(threshold=5, discount=1)
    wanted = Phrases.learn(sentences, settings)
    monkeypatch.setattr(phrase_pass, "_FIRST_SLOTS", 64)
    assert Phrases.learn(sentences, settings) == wanted
    monkeypatch.setattr(phrase_pass, "_LIMIT", 64 * 16)
    assert Phrases.learn(sentences, settings) == wanted


def test_settings_that_cannot_be_meant():
    for wrong, message in (
        ({"score": "pmi"}, "known are 'word2phrase', 'npmi'"),
        ({"passes": 0}, "passes=0"),
        ({"discount": -1}, "discount=-1"),
        ({"passes": 1.5}, "passes=1.5"),
        ({"words_only": "no"}, "words_only='no'"),
        ({"threshold": float("nan")}, "threshold=nan"),
        ({"threshold": 0}, "threshold=0"),
        ({"score": "npmi", "threshold": 2}, "between -1 and 1"),
    ):
        with pytest.raises(InputError, match=message):
            PhraseSettings(**wrong)
    with pytest.raises(InputError, match="not saved phrases"):
        Phrases.from_dict({"pairs": 3})
    assert Phrases().join(["a", "b"]) == ["a", "b"]
