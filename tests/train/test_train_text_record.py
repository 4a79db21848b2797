"""What every trainer records of the text: the tokeniser and the phrases, and that encoding follows them."""

import json

import numpy as np
import pytest

import wordstock as ws
from wordstock.text import Tokenizer
from wordstock.vocab import PhraseSettings, build_shards

TRAINERS = {"word2vec": ws.train_word2vec, "glove": ws.train_glove}


@pytest.mark.parametrize("name", TRAINERS)
def test_phrases_travel_with_the_vectors(name, tmp_path):
    lines = ["we saw New York in 1984 .", "an old town", "the New York of old", "a town we saw"] * 30
    tokenizer = Tokenizer(digits="zero")
    shards = build_shards(
        lines, tmp_path / "s", min_count=2, tokenizer=tokenizer, phrases=PhraseSettings(passes=1, threshold=5)
    )
    assert "new_york" in shards.vocabulary
    trained = TRAINERS[name](shards, dim=4, epochs=1)
    trained.save(tmp_path / "t.safetensors")
    table = ws.load(tmp_path / "t.safetensors")
    assert table.config.phrases == "_"
    assert table.config.tokenizer == tokenizer
    assert table.card.tokenizer == tokenizer.to_dict()
    recorded = table.card.training["corpus"]["phrases"]
    assert recorded["passes"] == 1
    assert recorded["pairs"] == len(shards.phrases)
    assert [table.tokenize(line) for line in lines] == list(shards.sentences())
    np.testing.assert_array_equal(table.with_config(pooling="mean").encode("New York"), table["new_york"])


@pytest.mark.parametrize("name", TRAINERS)
def test_without_phrases_none_are_recorded(name, tmp_path):
    table = TRAINERS[name](["a b a b c"] * 20, dim=4, epochs=1, min_count=1)
    assert table.config.phrases is None
    assert "phrases" not in json.dumps(table.config.to_dict())
    assert "phrases" not in table.card.training["corpus"]
