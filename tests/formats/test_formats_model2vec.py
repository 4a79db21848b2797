"""Tables written as model2vec folders give model2vec the vectors that their own ``encode`` gives."""

from __future__ import annotations

import json

import model2vec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import wordstock as ws
from wordstock.cli.main import app
from wordstock.embeddings import Storage
from wordstock.errors import FormatError, InputError
from wordstock.formats import convert, detect, read, write, write_model2vec
from wordstock.text import Tokenizer
from wordstock.vocab import Subwords, Vocabulary

TEXTS = [
    "The cat didn't sit: he's on x_y, __init__ and a_b_.",
    "DON'T stop! We’ll see n't 's 'tis o'clock it'sa",
    "naïve café cafe\u0301, 12,000.50 x² ½ … “quoted” — done",
    "東京タワー हिन्दी ไทย မြန်မာ ΣΟΦΟΣ İstanbul",
    "tabs\tand\nlines\u00a0here [UNK] [[UNK]]",
]
TOKENIZERS = [
    Tokenizer(),
    Tokenizer(casing="keep"),
    Tokenizer(contractions="none", digits="zero"),
    Tokenizer(unspaced="keep"),
    Tokenizer(unspaced="keep", contractions="none", casing="keep"),
]


def f8():
    """A safetensors file of numbers that NumPy does not have."""
    header = json.dumps({"embeddings": {"dtype": "F8_E4M3", "shape": [2, 2], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4)


def table_of(tokenizer, **config):
    """A table that knows every word of the texts but some."""
    words = dict.fromkeys(word for text in TEXTS for word in tokenizer(text))
    keys = [word for number, word in enumerate(words) if number % 7] + ["[UNK]"]
    vectors = np.random.default_rng(4).normal(size=(len(keys), 6)).astype(np.float32)
    made = ws.Embeddings.from_arrays(keys, vectors)
    return made.with_config(tokenizer=tokenizer, **config)


def opened(table, folder):
    write_model2vec(table, folder)
    return model2vec.StaticModel.from_pretrained(folder)


@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=str)
@pytest.mark.parametrize("pooling", ["sif", "mean"])
def test_model2vec_gives_the_same_vectors(tokenizer, pooling, tmp_path):
    table = table_of(tokenizer, pooling=pooling, unit=pooling == "mean")
    theirs = opened(table, tmp_path / "model")
    np.testing.assert_allclose(theirs.encode(TEXTS), table.encode(TEXTS), atol=1e-5)
    long = " ".join(TEXTS * 200)
    np.testing.assert_allclose(theirs.encode(long), table.encode(long), atol=1e-5)


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    made = {}
    for tokenizer in TOKENIZERS:
        model = opened(table_of(tokenizer), tmp_path_factory.mktemp("pieces") / "model").tokenizer
        made[tokenizer] = model
    return made


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cn", "Co", "Cc"], max_codepoint=0xFFFF)))
def test_words_have_the_same_borders(pieces, text):
    for tokenizer, theirs in pieces.items():
        cut = theirs.pre_tokenizer.pre_tokenize_str(theirs.normalizer.normalize_str(text))
        assert [word for word, _ in cut] == tokenizer(text)


def test_everything_that_encode_does_is_in_the_vectors(tmp_path):
    plain = table_of(Tokenizer())
    counts = np.arange(len(plain), 0, -1)
    table = ws.Embeddings(
        Vocabulary.from_keys(plain.keys, rows=np.arange(len(plain), dtype=np.int32) // 2, counts=counts),
        Storage(np.array(plain.storage.data[: (len(plain) + 1) // 2])),
        config=plain.config,
        common=np.eye(6, dtype=np.float32)[:2],
    ).with_precision("float16")
    np.testing.assert_allclose(opened(table, tmp_path / "m").encode(TEXTS), table.encode(TEXTS), atol=1e-5)


def test_read_again(tmp_path):
    table = table_of(Tokenizer(), pooling="mean")
    write(table, tmp_path / "m", format="model2vec")
    assert detect(tmp_path / "m") == "model2vec"
    again = read(tmp_path / "m")
    assert list(again.keys) == [*table.keys, "[[UNK]]"]
    np.testing.assert_array_equal(again.vectors(list(table.keys)), table.vectors(list(table.keys)))
    with pytest.raises(InputError, match="limit=3"):
        read(tmp_path / "m", limit=3)
    model = ws.load(tmp_path / "m")
    np.testing.assert_allclose(model.encode(TEXTS), table.encode(TEXTS), atol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"phrases": "_"},
        {"case": "fallback"},
        {"unknown": "subword"},
        {"tokenizer": Tokenizer(unspaced="jieba")},
        {"tokenizer": Tokenizer.custom(str.split, "spaces")},
    ],
    ids=str,
)
def test_what_a_folder_cannot_express_is_refused(change, tmp_path):
    plain = table_of(Tokenizer())
    grams = {"subwords": Subwords(3, 6, 2), "subword_vectors": np.ones((2, 6), np.float32)}
    table = ws.Embeddings(plain.vocabulary, plain.storage, config=plain.config, **grams).with_config(**change)
    with pytest.raises(InputError, match="cannot express"):
        write_model2vec(table, tmp_path / "m")
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_over(tmp_path):
    table = table_of(Tokenizer())
    (tmp_path / "empty").mkdir()
    write_model2vec(table, tmp_path / "empty")
    with pytest.raises(InputError, match="exists already"):
        write_model2vec(table, tmp_path / "empty")
    with pytest.raises(InputError, match="the table is empty"):
        write_model2vec(ws.Embeddings.from_arrays([], np.empty((0, 2))), tmp_path / "none")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_convert_says_what_is_lost(tmp_path):
    table = table_of(Tokenizer())
    table.save(tmp_path / "t.safetensors")
    report = convert(tmp_path / "t.safetensors", tmp_path / "m", format="model2vec")
    assert report == ["the weights of the words are in the vectors and cannot be told from them any more"]
    ran = CliRunner().invoke(
        app, ["convert", str(tmp_path / "t.safetensors"), str(tmp_path / "n"), "--format", "model2vec"]
    )
    assert ran.exit_code == 0
    assert "the weights of the words" in ran.output
    assert (tmp_path / "n" / "tokenizer.json").is_file()
    again = CliRunner().invoke(app, ["convert", str(tmp_path / "n"), str(tmp_path / "t.bin")])
    assert "pieces of words" in again.output


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("tokenizer.json", None, r"expected tokenizer\.json beside model\.safetensors, .*, found no such file"),
        ("model.safetensors", None, r"expected model\.safetensors beside tokenizer\.json, .*, found no such file"),
        ("model.safetensors", b"", r"expected a tensor 'embeddings', found none, or a damaged file"),
        ("model.safetensors", f8(), r"expected a tensor 'embeddings', found "),
        ("config.json", None, r"config\.json: expected a JSON object, found something else, or no file"),
    ],
)
def test_what_a_folder_lacks_is_named(name, content, said, tmp_path):
    folder = tmp_path / "model"
    write_model2vec(table_of(Tokenizer()), folder)
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    for load in (read, ws.load):
        with pytest.raises(FormatError, match=said):
            load(folder)
