"""Folders in the layout of model2vec, against model2vec itself."""

from __future__ import annotations

import json
import shutil

import model2vec
import numpy as np
import pytest
import tokenizers
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

import wordstock as ws
from wordstock import hub
from wordstock.cli.main import app
from wordstock.encoders.static_model import StaticModel
from wordstock.errors import DownloadError, FormatError

TOKENS = ["[PAD]", "[UNK]", "the", "cat", "sat", "##s"]
SHAPES = ["plain", "float16", "int8", "mapping", "mapping and weights"]


@pytest.fixture
def model():
    """Builds a model with model2vec in one of its shapes."""

    def build(shape, casing="lower"):
        pieces = tokenizers.models.WordPiece({token: i for i, token in enumerate(TOKENS)}, unk_token="[UNK]")
        tokenizer = tokenizers.Tokenizer(pieces)
        tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=casing == "lower")
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
        rng = np.random.default_rng(1)
        vectors = rng.normal(size=(3 if "mapping" in shape else 6, 4)).astype(np.float32)
        vectors = {"float16": vectors.astype(np.float16), "int8": (vectors * 40).astype(np.int8)}.get(shape, vectors)
        mapping = np.array([0, 1, 2, 0, 1, 2]) if "mapping" in shape else None
        weights = np.arange(1, 7, dtype=np.float32) if "weights" in shape else None
        return model2vec.StaticModel(vectors, tokenizer, normalize=True, weights=weights, token_mapping=mapping)

    return build


@pytest.mark.parametrize("shape", SHAPES)
def test_same_vectors_as_model2vec(cache, model, tmp_path, shape):
    reference = model(shape)
    reference.save_pretrained(tmp_path)
    ours = ws.load(tmp_path)
    assert list(ours.table.keys) == TOKENS
    assert ours.dim == 4
    texts = ["the", "cat", "sat", "The cat", "cats and the cats sat", "the [UNK] dog", "Cats."]
    np.testing.assert_allclose(ours.encode(texts), reference.encode(texts), atol=2e-3 if shape == "float16" else 1e-6)
    np.testing.assert_allclose(ours.encode("The cat"), reference.encode("The cat"), atol=2e-3)


def test_what_info_says(cache, model, tmp_path):
    model("plain").save_pretrained(tmp_path)
    ran = CliRunner().invoke(app, ["info", str(tmp_path), "--json", "--verify"])
    facts = json.loads(ran.stdout)
    assert facts["keys"] == 6
    assert facts["first keys"] == TOKENS
    assert facts["fingerprint"] == ws.load(tmp_path).fingerprint
    assert facts["digest matches"] is True


def test_a_cased_tokenizer(cache, model, tmp_path):
    model("plain", casing="keep").save_pretrained(tmp_path)
    ours = ws.load(tmp_path)
    assert ours.table.config.tokenizer.casing == "keep"
    with pytest.warns(UserWarning, match="1 of 2 texts"):
        assert not ours.encode(["CAT", "cat"])[0].any()


def test_a_registered_one_is_converted_once(cache, model, register, tmp_path):
    folder = tmp_path / "model"
    reference = model("plain")
    reference.save_pretrained(folder)
    for path in folder.iterdir():
        if path.suffix not in (".safetensors", ".json"):
            path.unlink()
    for kind in ("static", "table"):
        register("mine", {"type": "path", "path": str(folder)}, dim=4, kind=kind)
        hub.fetch("mine", force=True)
        model = ws.load("mine")
        if kind == "table":
            assert model.path is not None
            assert model.config.unit
            assert "pieces of words" in model.card.notes[-1]
        else:
            assert isinstance(model, StaticModel)
            assert model.card.name == "mine"
            np.testing.assert_allclose(model.encode("the cats"), reference.encode("the cats"), atol=1e-6)
    register("mine", {"type": "path", "path": str(folder)}, dim=5, kind="static")
    with pytest.raises(DownloadError, match="expected 5 dimensions, found 4"):
        hub.fetch("mine", force=True)


def test_damaged_folders(cache, model, tmp_path):
    whole = tmp_path / "whole"
    model("mapping").save_pretrained(whole)

    def broken(change):
        folder = tmp_path / "broken"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        change(folder)
        with pytest.raises(FormatError) as caught:
            ws.load(folder)
        return str(caught.value)

    assert "model.safetensors beside tokenizer.json" in broken(lambda folder: (folder / "model.safetensors").unlink())
    weights = (whole / "model.safetensors").read_bytes()
    assert "embeddings" in broken(lambda folder: (folder / "model.safetensors").write_bytes(weights[:-9]))
    assert "config.json" in broken(lambda folder: (folder / "config.json").write_text("[1]"))
    assert "tokens" in broken(lambda folder: (folder / "tokenizer.json").write_text("{}"))

    def far_row(folder):
        tensors = load_file(folder / "model.safetensors")
        save_file(tensors | {"mapping": tensors["mapping"] + 1}, folder / "model.safetensors")

    assert "rows from 0 to 2" in broken(far_row)

    def few_rows(folder):
        tensors = load_file(folder / "model.safetensors")
        save_file(tensors | {"mapping": tensors["mapping"][:2]}, folder / "model.safetensors")

    assert "6 tokens" in broken(few_rows)

    def changed(**arrays):
        def change(folder):
            tensors = load_file(folder / "model.safetensors")
            save_file(tensors | arrays, folder / "model.safetensors")

        return broken(change)

    assert "a weight for each of 6 tokens, found 2" in changed(weights=np.ones(2, np.float32))
    assert "'weights' of 1 dimensions, found float32 of shape (6, 1)" in changed(weights=np.ones((6, 1), np.float32))
    assert "'mapping' of 1 dimensions, found float32" in changed(mapping=np.zeros(6, np.float32))
    assert "'embeddings' of 2 dimensions" in changed(embeddings=np.ones(4, np.float32))

    def odd(name, value):
        description = json.loads((whole / "tokenizer.json").read_text())
        return broken(lambda folder: (folder / "tokenizer.json").write_text(json.dumps(description | {name: value})))

    assert "tokens" in odd("normalizer", [1])
    assert "tokens" in odd("normalizer", {"normalizers": [1]})
    assert "tokens" in odd("added_tokens", [1])
    assert "tokens" in odd("added_tokens", [{"content": "x", "id": 2**70}])


def test_unigram_vocabularies(cache, model, tmp_path):
    model("plain").save_pretrained(tmp_path)
    description = json.loads((tmp_path / "tokenizer.json").read_text())
    description["model"] = {"type": "Unigram", "unk_id": 1, "vocab": [[token, -1.0] for token in TOKENS]}
    (tmp_path / "tokenizer.json").write_text(json.dumps(description))
    ours, reference = ws.load(tmp_path), model2vec.StaticModel.from_pretrained(tmp_path)
    assert list(ours.table.keys) == TOKENS
    np.testing.assert_allclose(ours.encode("the cat sat"), reference.encode("the cat sat"), atol=1e-6)
