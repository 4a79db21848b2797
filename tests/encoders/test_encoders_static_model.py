"""Models of word pieces against model2vec itself, on a tokeniser trained here."""

from __future__ import annotations

import json
import re
from pathlib import Path

import gensim
import model2vec
import numpy as np
import pytest
import tokenizers
from safetensors.numpy import save_file

import wordstock as ws
from wordstock.encoders.static_model import open_static_model
from wordstock.errors import FormatError, InputError

KINDS = ["WordPiece", "Unigram", "BPE"]


def sentences():
    """Real English news, which gensim carries."""
    corpus = Path(gensim.__file__).parent / "test/test_data/lee_background.cor"
    text = corpus.read_text(encoding="utf-8")[:200_000]
    return [part for part in re.split(r"(?<=[.!?])\s+|\n", text) if part]


@pytest.fixture(scope="module", params=KINDS)
def folder(request, tmp_path_factory):
    models, trainers, before = tokenizers.models, tokenizers.trainers, tokenizers.pre_tokenizers
    kind = request.param
    model = {
        "WordPiece": lambda: models.WordPiece(unk_token="[UNK]"),
        "Unigram": models.Unigram,
        "BPE": lambda: models.BPE(unk_token="[UNK]"),
    }[kind]()
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=kind == "WordPiece")
    tokenizer.pre_tokenizer = before.Metaspace() if kind == "Unigram" else before.BertPreTokenizer()
    special = {"unk_token": "[UNK]"} if kind == "Unigram" else {}
    make = {"WordPiece": trainers.WordPieceTrainer, "Unigram": trainers.UnigramTrainer, "BPE": trainers.BpeTrainer}[
        kind
    ]
    trainer = make(vocab_size=800, special_tokens=["[PAD]", "[UNK]"], show_progress=False, **special)
    tokenizer.train_from_iterator(sentences(), trainer)
    tokenizer.enable_padding(length=128)  # as some published files have it
    vectors = np.random.default_rng(3).normal(size=(tokenizer.get_vocab_size(), 16)).astype(np.float32)
    path = tmp_path_factory.mktemp(kind)
    model2vec.StaticModel(vectors, tokenizer, normalize=kind != "BPE", max_length=40).save_pretrained(path)
    return path


def test_texts_are_encoded_as_model2vec_does(folder):
    ours, reference = ws.load(folder), model2vec.StaticModel.from_pretrained(folder)
    texts = [*sentences(), " ".join(sentences()[:20]), "naïve 東京 \u0301", "don't"]
    theirs = reference.encode(texts)
    np.testing.assert_allclose(ours.encode(texts), theirs, atol=1e-6)
    with pytest.warns(UserWarning, match="1 of 2 texts hold no word"):
        np.testing.assert_allclose(ours.encode(["", texts[0]]), [np.zeros(16), theirs[0]], atol=1e-6)


def test_words_are_means_of_their_pieces(folder):
    ours, reference = ws.load(folder), model2vec.StaticModel.from_pretrained(folder)
    words = ["the", "government", "electorates", "the"]
    (found,) = ours.encode_words([words])
    expected = [np.mean(reference.encode_as_sequence(word), axis=0) for word in words]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    split, none = ours.encode_words(["the government", []])
    np.testing.assert_array_equal(split, found[:2])
    assert none.shape == (0, 16)


def test_lone_surrogates_are_found_where_they_stand(folder):
    ours = ws.load(folder)
    with pytest.raises(InputError, match="text at position 2 holds a lone surrogate"):
        ours.encode(["the", "the", "a\ud800"])
    with pytest.raises(InputError, match="sentence at position 1: word at position 2 holds a lone surrogate"):
        ours.encode_words([["the", "a"], ["the", "the", "\ud800"]])


def test_a_length_that_is_no_number(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    settings = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(settings | {"max_length": "3"}))
    with pytest.raises(FormatError, match="max_length"):
        open_static_model(tmp_path)


def test_a_tokeniser_that_the_library_refuses(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    description = json.loads((tmp_path / "tokenizer.json").read_text())
    (tmp_path / "tokenizer.json").write_text(json.dumps(description | {"normalizer": {"type": "None such"}}))
    with pytest.raises(FormatError, match=r"tokenizer\.json: expected a tokeniser"):
        ws.load(tmp_path)


def test_a_tokeniser_that_knows_nothing(tmp_path):
    tokenizers.Tokenizer(tokenizers.models.WordPiece(vocab={}, unk_token="[UNK]")).save(
        str(tmp_path / "tokenizer.json")
    )
    save_file({"embeddings": np.zeros((0, 4), np.float32)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"max_length": null}')
    with pytest.raises(FormatError, match=r"tokenizer\.json: expected a tokeniser, found .*knows no pieces"):
        ws.load(tmp_path)
