"""Texts with words that a table does not have: left out, or built from n-grams."""

import numpy as np
import pytest

import wordstock as ws
from wordstock.errors import InputError
from wordstock.vocab import Subwords


def table(unknown, pooling="mean", stored=None):
    random = np.random.default_rng(2)
    plain = ws.Embeddings.from_arrays(["walk", "home", "now"], random.normal(size=(3, 4)), counts=[50, 30, 20])
    subwords = Subwords(3, 4, 300, stored)
    vectors = random.normal(size=(300, 4)).astype(np.float32)
    with_ngrams = ws.Embeddings(
        plain.vocabulary, plain.storage, subwords=subwords, subword_vectors=vectors[: subwords.n_rows]
    )
    return with_ngrams.with_config(pooling=pooling, unknown=unknown)


@pytest.mark.parametrize("pooling", ["mean", "sif"])
def test_encode_counts_unknown_words_in(pooling):
    emb = table("subword", pooling)
    texts = ["walk walking home", "walking walked walking", "home", "", "now walker"]
    known = {key: emb[key] for key in emb.keys}
    if pooling == "sif":
        known = {key: emb[key] * 1e-3 / (1e-3 + share) for key, share in zip(emb.keys, [0.5, 0.3, 0.2], strict=True)}
    with pytest.warns(UserWarning, match="1 of 5 texts hold no word"):
        found = emb.encode(texts)
    for text, vector in zip(texts, found, strict=True):
        words = [known[w] if w in known else emb.vectors([w], "subword")[0] for w in text.split()]
        np.testing.assert_allclose(vector, np.mean(words, axis=0) if words else np.zeros(4), atol=1e-5)
    np.testing.assert_allclose(emb.encode_words([["walking"]])[0], emb.vectors(["walking"], "subword"))


def test_words_without_a_stored_ngram_stay_unknown():
    emb = table("subword", stored=np.unique(Subwords(3, 4, 300).rows("walk")).astype(np.int32))
    with pytest.warns(UserWarning, match="1 of 2 texts"):
        found = emb.encode(["jjj", "walk jjj"])
    np.testing.assert_array_equal(found, [np.zeros(4), emb["walk"]])


def test_skipping_is_the_default_and_leaves_fingerprints_alone():
    emb = table("skip")
    assert "unknown" not in emb.config.to_dict()
    np.testing.assert_array_equal(emb.encode("walk walking"), emb["walk"])
    other = table("subword")
    assert other.fingerprint != emb.fingerprint
    assert ws.EncodeConfig.from_dict(other.config.to_dict()) == other.config


def test_settings_that_cannot_be_met(tmp_path):
    with pytest.raises(InputError, match="known are 'skip', 'subword'"):
        ws.EncodeConfig(unknown="spell")
    plain = ws.Embeddings.from_arrays(["a"], [[1.0]])
    with pytest.raises(InputError, match="needs a table with n-gram vectors"):
        plain.with_config(unknown="subword")
    table("subword").save(tmp_path / "t.safetensors")
    assert ws.load(tmp_path / "t.safetensors").config.unknown == "subword"
