"""Tables with phrases: the settings, the fingerprint, and the text that is encoded."""

import numpy as np
import pytest

import wordstock as ws
from wordstock.embeddings import EncodeConfig
from wordstock.errors import InputError

KEYS = ["new", "york", "new_york", "new_york_times", "i", "times"]


@pytest.fixture
def emb():
    vectors = np.random.default_rng(1).normal(size=(len(KEYS), 8))
    return ws.Embeddings.from_arrays(KEYS, vectors, config=EncodeConfig(pooling="mean", phrases="_"))


def test_phrases_become_their_keys(emb, tmp_path):
    emb.save(tmp_path / "t.safetensors")
    opened = ws.load(tmp_path / "t.safetensors")
    assert opened.config.phrases == "_"
    assert opened.fingerprint == emb.fingerprint
    for table in (emb, opened):
        assert table.tokenize("I, New York new York TIMES!") == ["i", ",", "new_york", "new_york_times", "!"]
        np.testing.assert_array_equal(table.encode("new york"), emb["new_york"])
        np.testing.assert_allclose(
            table.encode("I new york new"), emb.vectors(["i", "new_york", "new"]).mean(0), rtol=1e-6
        )
        first, second = table.encode_words(["new york times", ["new", "york"]])
        np.testing.assert_array_equal(first, emb.vectors(["new_york_times"]))
        np.testing.assert_array_equal(second, emb.vectors(["new", "york"]))  # words that are given stay as they are


def test_without_phrases_everything_is_as_it_was(emb):
    plain = emb.with_config(phrases=None)
    assert "phrases" not in plain.config.to_dict()
    assert plain.fingerprint != emb.fingerprint
    assert plain.tokenize("new york") == ["new", "york"]
    assert EncodeConfig.from_dict(plain.config.to_dict()) == plain.config


def test_keys_joined_by_spaces():
    emb = ws.Embeddings.from_arrays(["red wine", "red"], np.eye(2), config=EncodeConfig(phrases=" "))
    assert emb.tokenize("red wine red") == ["red wine", "red"]


def test_a_classifier_sees_the_phrases(emb, tmp_path):
    texts, labels = ["new york", "times", "new york", "times"], ["city", "paper", "city", "paper"]
    classifier = ws.TextClassifier(emb).fit(texts, labels)
    np.testing.assert_array_equal(classifier.predict_proba(["new york"]), classifier.predict_proba(["new_york"]))
    assert classifier.predict_proba(["new york"]).tolist() != classifier.predict_proba(["york new"]).tolist()


@pytest.mark.parametrize("wrong", ["", 2, True])
def test_settings_that_cannot_be_meant(wrong):
    with pytest.raises(InputError, match="phrases="):
        EncodeConfig(phrases=wrong)
    with pytest.raises(InputError, match="must be a str, not int"):
        ws.Embeddings.from_arrays(["a"], [[1.0]]).tokenize(3)
