"""gensim reads what we write, we read what gensim and the C tool write, and the arrays are the same."""

import numpy as np
import pytest
from gensim.models import KeyedVectors

from wordstock.embeddings import Embeddings
from wordstock.formats import (
    read,
    read_glove,
    read_word2vec_binary,
    read_word2vec_text,
    write_glove,
    write_word2vec_binary,
    write_word2vec_text,
)

KEYS = [f"word{i}" for i in range(400)] + ["nan", "null", '"', "-", "12", "naïve", "東京", "\u00a0", "x\u0085y", "a_b"]
VECTORS = np.random.default_rng(5).normal(scale=[[10.0**-i for i in range(7)]], size=(len(KEYS), 7)).astype(np.float32)


@pytest.fixture(scope="module")
def theirs():
    vectors = KeyedVectors(VECTORS.shape[1])
    vectors.add_vectors(KEYS, VECTORS)
    return vectors


@pytest.fixture(scope="module")
def ours():
    return Embeddings.from_arrays(KEYS, VECTORS)


def check(emb):
    assert list(emb.keys) == KEYS
    assert (emb.storage.data.view(np.uint32) == VECTORS.view(np.uint32)).all()


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2"])
def test_we_read_gensim(theirs, tmp_path, binary, suffix, small_blocks):
    path = str(tmp_path / f"v{suffix}")
    theirs.save_word2vec_format(path, binary=binary)
    check((read_word2vec_binary if binary else read_word2vec_text)(path))
    check(read(path))


def test_we_read_gensim_without_header(theirs, tmp_path, small_blocks):
    path = str(tmp_path / "glove.txt")
    theirs.save_word2vec_format(path, write_header=False)
    check(read_glove(path))
    check(read(path))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # gensim leaves files open
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2"])
@pytest.mark.parametrize(
    ("write", "options"),
    [
        (write_word2vec_text, {}),
        (write_word2vec_binary, {"binary": True}),
        (lambda emb, path: write_word2vec_binary(emb, path, newline=True), {"binary": True}),
        (write_glove, {"no_header": True}),
        (lambda emb, path: write_glove(emb, path, header=True), {}),
    ],
)
def test_gensim_reads_ours(ours, tmp_path, write, options, suffix):
    path = tmp_path / f"v{suffix}"
    write(ours, path)
    back = KeyedVectors.load_word2vec_format(str(path), **options)
    assert back.index_to_key == KEYS
    assert (back.vectors.view(np.uint32) == VECTORS.view(np.uint32)).all()


def test_the_binary_is_gensims_byte_by_byte(theirs, ours, tmp_path):
    theirs.save_word2vec_format(str(tmp_path / "theirs"), binary=True)
    write_word2vec_binary(ours, tmp_path / "ours")
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


def test_the_c_tools_binary(tmp_path, small_blocks):
    """As word2vec.c writes it: fprintf("%lld %lld\\n"), then per word fprintf("%s "), the floats, fprintf("\\n")."""
    path = tmp_path / "c.bin"
    with path.open("wb") as out:
        out.write(b"%d %d\n" % VECTORS.shape)
        for key, vector in zip(KEYS, VECTORS, strict=True):
            out.write(key.encode() + b" ")
            for number in vector:
                out.write(number.tobytes())
            out.write(b"\n")
    check(read_word2vec_binary(path))
    check(read(path))
    assert len(read_word2vec_binary(path, limit=100)) == 100


def test_a_vector_whose_bytes_are_newlines_and_spaces(tmp_path):
    tricky = np.frombuffer(b"\n\n\n\n    \n \n " * 2, "<f4").reshape(3, 2).copy()
    emb = Embeddings.from_arrays(["a", "b", "c"], tricky)
    for newline in (False, True):
        write_word2vec_binary(emb, tmp_path / "v", newline=newline)
        assert (read_word2vec_binary(tmp_path / "v").storage.data == tricky).all()
