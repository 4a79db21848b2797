"""Tables made from encoders, against computations by hand."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

import wordstock as ws
from wordstock.errors import InputError
from wordstock.protocols import Encoder
from wordstock.text import Tokenizer
from wordstock.vocab import Vocabulary, build_shards

WORDS = ["the", "cat", "sat", "dog", "ran", "Paris", "bank"]
VECTORS = np.random.default_rng(1).normal(size=(len(WORDS), 5)).astype(np.float32)
TEXTS = ["The cat sat.", "the dog ran, the cat ran", "Paris!", "a dog", "", "the the the bank"]


class InContext:
    """A word's vector is its own, plus half of the mean of its sentence; what it was given is recorded."""

    dim = 5
    fingerprint = "in context"

    def __init__(self):
        self.table = ws.Embeddings.from_arrays(WORDS, VECTORS).with_config(case="fallback", pooling="mean")
        self.sentences = []

    def encode(self, texts):
        return self.table.encode(texts)

    def encode_words(self, sentences):
        self.sentences += sentences
        return [own + own.mean(axis=0) / 2 for own in self.table.encode_words(sentences)]


@pytest.fixture
def encoder():
    made = InContext()
    assert isinstance(made, Encoder)
    return made


def test_words_alone_are_what_the_encoder_gives(encoder):
    table = ws.distill(encoder, WORDS, dim=None, sif_a=None)
    assert list(table.keys) == WORDS
    np.testing.assert_array_equal(table.vectors(WORDS), encoder.encode(WORDS))
    np.testing.assert_allclose(table.encode("the cat"), encoder.encode(["the", "cat"]).mean(axis=0), rtol=1e-6)
    assert table.card.training["encoder_fingerprint"] == "in context"
    assert table.card.training["method"] == "words alone"


def test_words_alone_without_context_agree_with_a_table_of_any_size():
    keys = [f"w{number}" for number in range(5000)]
    source = ws.Embeddings.from_arrays(keys, np.random.default_rng(2).normal(size=(5000, 3)))
    source = source.with_config(pooling="mean")
    done = []
    table = ws.distill(source, keys, dim=None, progress=lambda n, total: done.append((n, total)))
    np.testing.assert_array_equal(table.vectors(keys), source.vectors(keys))
    assert done == [(4096, 5000), (5000, 5000)]


def test_words_in_context_are_averaged_over_their_occurrences(encoder):
    words = ["the", "cat", "ran", "paris", "unseen"]
    table = ws.distill(encoder, words, corpus=TEXTS, dim=None)
    the, cat, sat, dog, ran, paris, bank = VECTORS.astype(np.float64)
    none = np.zeros(5)
    first = np.mean([the, cat, sat, none], axis=0) / 2
    second = np.mean([the, dog, ran, none, the, cat, ran], axis=0) / 2
    third, last = np.mean([paris, none], axis=0) / 2, np.mean([the, the, the, bank], axis=0) / 2
    expected = {
        "the": the + (first + 2 * second + 3 * last) / 6,
        "cat": cat + (first + second) / 2,
        "ran": ran + second,
        "paris": paris + third,
    }
    for word, vector in expected.items():
        np.testing.assert_allclose(table[word], vector, atol=1e-6)
    assert "unseen" not in table
    assert table.card.notes == ("1 words were left out: the encoder has no vector for them",)
    np.testing.assert_allclose(table.frequencies, np.array([6, 2, 2, 1]) / 11, rtol=1e-6)


def test_the_encoder_sees_case_and_digits_as_they_stand(encoder):
    ws.distill(encoder, ["paris", "the", "cat"], corpus=["The Paris 1999"], tokenizer=Tokenizer(digits="zero"))
    assert encoder.sentences == [["The", "Paris", "1999"], ["cat"]]


def test_frequent_words_cost_no_more_than_asked_for(encoder):
    texts = ["the cat", "the dog", "the cat", "the the the bank"]
    table = ws.distill(encoder, ["the", "cat", "bank"], corpus=texts, dim=None, max_occurrences=1)
    assert encoder.sentences == [["the", "cat"], ["the", "the", "the", "bank"]]
    the, cat = VECTORS[0].astype(np.float64), VECTORS[1].astype(np.float64)
    np.testing.assert_allclose(table["the"], the + (the + cat) / 4, atol=1e-6)
    np.testing.assert_allclose(table.frequencies, np.array([6, 2, 1]) / 9, rtol=1e-6)


def test_words_are_chosen_by_their_counts(encoder, tmp_path):
    table = ws.distill(encoder, corpus=TEXTS, min_count=2, dim=None)
    assert list(table.keys) == ["the", "cat", "dog", "ran"]
    assert table.vocabulary.counts.tolist() == [6, 2, 2, 2]
    assert list(ws.distill(encoder, corpus=TEXTS, min_count=1, max_size=2).keys) == ["the", "cat"]
    shards = build_shards(TEXTS, tmp_path / "shards", min_count=2)
    for source in (shards, tmp_path / "shards"):
        same = ws.distill(encoder, corpus=source, dim=None)
        assert list(same.keys) == list(table.keys)
        assert same.vocabulary.counts.tolist() == table.vocabulary.counts.tolist()


def test_long_sentences_are_run_in_stretches(encoder):
    sentence = ["cat"] * 600
    table = ws.distill(encoder, ["cat"], corpus=[sentence], dim=None, max_occurrences=1000)
    assert list(map(len, encoder.sentences)) == [256, 256, 88]
    np.testing.assert_allclose(table["cat"], VECTORS[1] * 1.5, rtol=1e-5)


def test_all_principal_components_keep_inner_products(encoder):
    plain = ws.distill(encoder, WORDS, dim=None)
    turned = ws.distill(encoder, WORDS, dim=99)
    assert turned.dim == 5
    centred = plain.vectors(WORDS) - plain.vectors(WORDS).mean(axis=0)
    vectors = turned.vectors(WORDS)
    np.testing.assert_allclose(vectors @ vectors.T, centred @ centred.T, atol=1e-5)
    variances = vectors.var(axis=0)
    assert (np.diff(variances) < 0).all()
    fewer = ws.distill(encoder, WORDS, dim=2)
    np.testing.assert_allclose(fewer.vectors(WORDS), vectors[:, :2], atol=1e-6)
    assert fewer.fingerprint == ws.distill(encoder, WORDS, dim=2).fingerprint


def test_weights_follow_counts_or_order(encoder):
    counts = np.array([50, 9, 8, 7, 6, 5, 4])
    counted = ws.distill(encoder, Vocabulary.from_keys(WORDS, counts=counts), dim=None, sif_a=0.1)
    weights = 0.1 / (0.1 + counts[:2] / counts.sum())
    np.testing.assert_allclose(counted.encode("the cat"), weights @ VECTORS[:2] / 2, rtol=1e-5)
    ranked = ws.distill(encoder, WORDS, dim=None, sif_a=0.1)
    shares = 1 / np.arange(1, 8) / np.sum(1 / np.arange(1, 8))
    np.testing.assert_allclose(ranked.frequencies, shares, rtol=1e-6)
    with pytest.warns(UserWarning, match="1 of 3 texts"):
        with_unknown = ws.distill(encoder, ["the", "unknown", "cat"], dim=None)
    np.testing.assert_allclose(with_unknown.frequencies, np.array([6, 2]) / 11, rtol=1e-6)


def test_a_table_gives_its_keys_frequencies_and_settings(encoder):
    counts = np.arange(7, 0, -1)
    given = ws.Embeddings.from_arrays([*WORDS[:5], "new_cat", "bank"], VECTORS, counts=counts)
    given = given.with_config(phrases="_", sif_a=0.5).subset(["the", "new_cat"])
    table = ws.distill(encoder, given, dim=None)
    np.testing.assert_allclose(table["new_cat"], VECTORS[1], rtol=1e-6)  # the encoder knows no "new"
    assert table.config.phrases == "_"
    assert table.config.sif_a == 1e-3
    np.testing.assert_array_equal(table.vocabulary.counts, [7, 2])
    shared = ws.Embeddings.from_arrays(["cat", "Cat", "dog"], VECTORS[:2], rows=[0, 0, 1])
    assert len(ws.distill(encoder, shared, dim=None).storage) == 3


def test_saved_and_opened_again(encoder, tmp_path):
    table = ws.distill(encoder, WORDS, corpus=TEXTS, dim=3)
    table.save(tmp_path / "t.safetensors")
    again = ws.load(tmp_path / "t.safetensors")
    np.testing.assert_array_equal(again.encode(TEXTS[:4]), table.encode(TEXTS[:4]))
    assert again.fingerprint == table.fingerprint
    assert again.card == table.card


def test_lone_surrogates_reach_no_encoder(encoder):
    ws.distill(encoder, ["cat"], corpus=["cat \ud800 sat", ["cat", "\udc00"]])
    assert encoder.sentences == [["cat", "\ufffd", "sat"], ["cat", "\ufffd"]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "needs words"),
        ({"vocabulary": "cat"}, "single str"),
        ({"vocabulary": []}, "vocabulary is empty"),
        ({"vocabulary": ["cat"], "dim": 0}, "dim=0: needs a whole number of at least 1, or None"),
        ({"vocabulary": ["cat"], "dim": "x"}, "dim='x'"),
        ({"vocabulary": ["cat"], "sif_a": "x"}, "sif_a='x'"),
        ({"vocabulary": ["cat"], "max_occurrences": None}, "max_occurrences=None"),
        ({"vocabulary": ["cat"], "min_count": 1.5}, "min_count=1.5"),
        ({"vocabulary": ["cat"], "max_size": "x"}, "max_size='x'"),
        ({"vocabulary": ["cat"], "tokenizer": "words"}, "tokenizer='words': needs a wordstock.text.Tokenizer"),
        ({"vocabulary": 5}, "vocabulary must be words, a Vocabulary or a table, not int"),
        ({"vocabulary": ["cat"], "sif_a": 0.0}, "sif_a=0.0: needs a number above 0"),
        ({"vocabulary": ["cat"], "corpus": TEXTS, "max_occurrences": 0}, "max_occurrences=0"),
        ({"corpus": iter(TEXTS)}, "can be read only once"),
        ({"corpus": "the cat sat"}, "not a folder of shards"),
        ({"corpus": 7}, "corpus=7: needs texts, sentences or shards"),
        ({"vocabulary": ["cat"], "corpus": ["cat", MappingProxyType({}), 5]}, "sentence 2 "),
        ({"vocabulary": ["cat"], "corpus": [["cat", 5]]}, "holds 5; words must be str"),
    ],
)
def test_what_cannot_be_used_is_said(encoder, settings, message):
    with pytest.raises(InputError, match=message):
        ws.distill(encoder, **settings)


def test_words_without_any_vector_are_refused(encoder):
    with pytest.raises(InputError, match="a zero vector for each of the 2 words"):
        ws.distill(encoder, ["unknown", "none"], corpus=["an unknown"])


@pytest.mark.parametrize("dim", [None, 3])
def test_vectors_that_are_no_numbers_are_refused(encoder, dim):
    encoder.encode = lambda texts: np.where(np.array(texts)[:, None] == "sat", np.nan, VECTORS[: len(texts)])
    with pytest.raises(InputError, match="'sat' holds NaN"):
        ws.distill(encoder, WORDS, dim=dim)
