"""Real files of other tools, from the folder that WORDSTOCK_DATA names."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from wordstock.errors import FormatError
from wordstock.formats import detect, read, read_glove, read_word2vec_text

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


@pytest.mark.parametrize("name", ["toy-model.bin", "lee_fasttext_new.bin", "lid.176.ftz", "cp852_fasttext.bin"])
def test_fasttext_models_are_named(name):
    with pytest.raises(FormatError, match="fastText"):
        read(FOLDER / name)


def test_every_file_is_read_or_refused():
    for path in sorted(FOLDER.iterdir()):
        for reader in (read, read_glove, read_word2vec_text):
            try:
                assert len(reader(path)) > 0
            except FormatError as error:
                assert path.name in str(error)  # noqa: PT017
