"""Real files of other tools, from the folder that WORDSTOCK_DATA names."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from wordstock.errors import FormatError
from wordstock.formats import detect, read, read_fasttext_classifier, read_glove, read_word2vec_text

FOLDER = Path(os.environ.get("WORDSTOCK_DATA", ""), "models-small")
pytestmark = pytest.mark.skipif(
    "WORDSTOCK_DATA" not in os.environ or not FOLDER.is_dir(),
    reason="WORDSTOCK_DATA does not name a folder with models-small",
)


@pytest.mark.parametrize(
    ("name", "format", "no_header"),
    [
        ("test_glove.txt", "glove", True),
        ("word2vec_pre_kv_c", "word2vec-text", False),
        ("crime-and-punishment.vec", "word2vec-text", False),
        ("lee_fasttext.vec", "word2vec-text", False),
    ],
)
def test_the_same_as_gensim(name, format, no_header):
    path = FOLDER / name
    assert detect(path) == format
    emb = read(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        theirs = KeyedVectors.load_word2vec_format(str(path), no_header=no_header)
    assert list(emb.keys) == theirs.index_to_key
    assert (emb.storage.data.view(np.uint32) == theirs.vectors.view(np.uint32)).all()


def test_keys_that_are_not_utf8_as_gensim_replaces_them():
    path = FOLDER / "pang_lee_polarity_fasttext.vec"
    with pytest.raises(FormatError, match="encoding_errors"):
        read(path)
    with pytest.warns(UserWarning, match="not UTF-8"):
        emb = read(path, encoding_errors="replace")
    theirs = KeyedVectors.load_word2vec_format(str(path), unicode_errors="replace")
    assert list(emb.keys) == theirs.index_to_key
    assert (emb.storage.data == theirs.vectors).all()


@pytest.mark.parametrize("name", ["toy-model.bin", "toy-model-pretrained.bin", "lee_fasttext_new.bin"])
def test_fasttext_vectors_of_version_12(name):
    theirs = pytest.importorskip("fasttext").load_model(str(FOLDER / name))
    emb = read(FOLDER / name)
    assert list(emb.keys) == theirs.get_words()
    for word in [*emb.keys, "unseenword", "日本"]:
        np.testing.assert_allclose(emb.vectors([word], "subword")[0], theirs.get_word_vector(word), atol=1e-6)
    assert (emb.output == theirs.get_output_matrix()).all()


def test_fasttext_vectors_of_2016():
    emb, text = read(FOLDER / "lee_fasttext.bin"), read(FOLDER / "lee_fasttext.vec")
    assert list(emb.keys) == list(text.keys)
    words = [key for key in emb.keys if key != "</s>"]  # which had n-grams then, and has had none since
    np.testing.assert_allclose(emb.vectors(words), text.vectors(words), rtol=1e-4, atol=1e-5)


def test_fasttext_words_that_are_not_utf8():
    with pytest.raises(FormatError, match="encoding_errors"):
        read(FOLDER / "cp852_fasttext.bin")
    with pytest.warns(UserWarning, match="not UTF-8"):
        assert len(read(FOLDER / "cp852_fasttext.bin", encoding_errors="replace")) > 100


def test_languages_as_fasttext_tells_them():
    theirs = pytest.importorskip("fasttext").load_model(str(FOLDER / "lid.176.ftz"))
    ours = read_fasttext_classifier(FOLDER / "lid.176.ftz")
    files = sorted(FOLDER.parent.glob("xling-tatoeba/tatoeba.*"))
    texts = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()[:40]]
    assert len(texts) >= 600
    labels, probabilities = theirs.predict(texts, 176)
    for found, names, shares in zip(ours.predict(texts, 3), labels, probabilities, strict=True):
        known = dict(zip(names, shares, strict=True))
        assert f"__label__{found[0].label}" == names[0]
        clear = [one for one in found if one.probability > 2e-5]  # at 1e-5 rounding decides whether a label is given
        assert len(clear) == (shares[:3] > 2e-5).sum()
        np.testing.assert_allclose([one.probability for one in clear], shares[: len(clear)], atol=1e-5)
        wanted = [known[f"__label__{one.label}"] for one in clear]
        np.testing.assert_allclose([one.probability for one in clear], wanted, atol=1e-5)


def test_every_file_is_read_or_refused():
    for path in sorted(FOLDER.iterdir()):
        for reader in (read, read_glove, read_word2vec_text):
            try:
                assert len(reader(path)) > 0
            except FormatError as error:
                assert path.name in str(error)  # noqa: PT017
