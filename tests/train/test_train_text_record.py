"""What every trainer records of the text: the tokeniser and the phrases, and that encoding follows them."""

import gzip
import json
import subprocess
import sys

import numpy as np
import pytest

import wordstock as ws
from wordstock.errors import FormatError, InputError
from wordstock.text import Tokenizer
from wordstock.vocab import PhraseSettings, build_shards

TRAINERS = {"word2vec": ws.train_word2vec, "fasttext": ws.train_fasttext, "glove": ws.train_glove}


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


def test_words_that_came_as_lists_are_found_in_text():
    sentences = [["New York", "is", "Big"], ["big", "is", "Paris"]] * 10
    table = ws.train_word2vec(sentences, dim=4, epochs=1, min_count=1)
    assert set(table.keys) == {"New York", "is", "Big", "big", "Paris"}
    assert table.config.tokenizer == Tokenizer(casing="keep")
    assert table.card.tokenizer["casing"] == "keep"
    np.testing.assert_array_equal(table.with_config(pooling="mean").encode("Paris"), table["Paris"])
    np.testing.assert_array_equal(table.encode_words([["New York", "is"]])[0], table.vectors(["New York", "is"]))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("unspaced", "expected"),
    [
        ("characters", ["我", "来", "到", "北", "京", "清", "华", "大", "学", ",", "2", "年", "。"]),
        ("jieba", ["我", "来到", "北京", "清华大学", ",", "2", "年", "。"]),
    ],
)
def test_chinese_from_text_to_vectors_and_back(unspaced, expected, tmp_path):
    if unspaced == "jieba":
        pytest.importorskip("jieba")
    lines = ["我来到北京清华大学, 2年。", "北京大学是一所大学。"] * 20
    ws.train_word2vec(lines, dim=4, epochs=1, min_count=1, tokenizer=Tokenizer(unspaced=unspaced)).save(
        tmp_path / "t.safetensors"
    )
    table = ws.load(tmp_path / "t.safetensors")
    assert table.card.tokenizer["unspaced"] == table.config.tokenizer.unspaced == unspaced
    assert table.tokenize(lines[0]) == expected
    assert set(expected) <= set(table.keys)
    np.testing.assert_allclose(
        table.with_config(pooling="mean").encode(lines[0]), table.vectors(expected).mean(0), rtol=1e-5, atol=1e-7
    )


def test_a_splitter_that_is_not_registered_is_named_when_text_is_encoded(tmp_path):
    tokenizer = Tokenizer.custom(lambda text: text.split("|"), "bars-of-a-card")
    table = ws.train_word2vec(["A b|c", "c|d"] * 10, dim=4, epochs=1, min_count=1, tokenizer=tokenizer)
    assert table.tokenize("A B|C") == ["a b", "c"]
    assert table.card.tokenizer["split"] == "bars-of-a-card"
    table.save(tmp_path / "t.safetensors")
    code = "import sys, wordstock as ws; t = ws.load(sys.argv[1]); print(t['a b'].shape); t.encode('a b|c')"
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "t.safetensors")], capture_output=True, text=True, check=False
    )
    assert ran.stdout == "(4,)\n"
    assert "InputError: split='bars-of-a-card': known are 'words'; register yours first" in ran.stderr


@pytest.mark.parametrize("shape", ["file", "packed", "folder", "shards"])
def test_a_path_is_a_corpus(tmp_path, shape):
    text = "the quick fox\nthe slow fox\n" * 40
    place = tmp_path / "corpus"
    place.mkdir()
    if shape == "packed":
        (place / "a.txt.gz").write_bytes(gzip.compress(text.encode()))
    else:
        (place / "a.txt").write_text(text)
    path = place if shape == "folder" else next(place.iterdir())
    if shape == "shards":
        build_shards(text.split("\n"), tmp_path / "shards")
        path = tmp_path / "shards"
    table, expected = (
        ws.train_word2vec(corpus, dim=8, epochs=1, threads=1, seed=1) for corpus in (path, text.split("\n"))
    )
    assert list(table.keys) == list(expected.keys)
    np.testing.assert_array_equal(table.vectors(table.keys), expected.vectors(expected.keys))


def test_what_is_no_path(tmp_path):
    for wrong in ("the quick brown fox", "x" * 5000, tmp_path / "nowhere.txt", tmp_path / "a" / "b"):
        with pytest.raises(InputError, match="no such file or folder; pass sentences as an iterable of str"):
            ws.train_word2vec(wrong)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\0\0\0")
    with pytest.raises(FormatError, match="binary file"):
        ws.train_word2vec(tmp_path / "picture.png")
