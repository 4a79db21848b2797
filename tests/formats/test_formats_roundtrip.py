"""Arbitrary tables through every writer and back: the same keys, the same bits, or a refusal that names the key."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from wordstock.embeddings import Embeddings
from wordstock.errors import InputError
from wordstock.formats import (
    read,
    read_glove,
    read_word2vec_binary,
    read_word2vec_text,
    write,
    write_glove,
    write_word2vec_binary,
    write_word2vec_text,
)

FLOATS = st.floats(-(2.0**56), 2.0**56, width=32)
ODD = st.sampled_from([" ", "\t", "\r", "\n", "1", "2.5", "a", "\ufeff", "\x00", "é", "\u0085", "e", "-", "."])
KEYS = st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.lists(ODD, max_size=6).map("".join))


@st.composite
def tables(draw):
    dim = draw(st.integers(1, 5))
    keys = draw(st.lists(KEYS, unique=True, max_size=6))
    vectors = draw(st.lists(st.lists(FLOATS, min_size=dim, max_size=dim), min_size=len(keys), max_size=len(keys)))
    return Embeddings.from_arrays(keys, np.array(vectors, np.float32).reshape(len(keys), dim))


def single(*keys, dim=1):
    return Embeddings.from_arrays(keys, np.ones((len(keys), dim), np.float32))


PAIRS = {
    "text": (write_word2vec_text, read_word2vec_text),
    "binary": (write_word2vec_binary, read_word2vec_binary),
    "c-binary": (lambda emb, path: write_word2vec_binary(emb, path, newline=True), read_word2vec_binary),
    "glove": (write_glove, lambda path: read_glove(path, header=False)),
    "glove-detected": (write_glove, read),
    "glove-header": (lambda emb, path: write_glove(emb, path, header=True), read_glove),
    "native": (lambda emb, path: write(emb, path, format="native"), read),
}


@pytest.mark.parametrize("pair", PAIRS)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(emb=tables())
@example(emb=single("a 1", "b 2"))
@example(emb=single("1 2 3"))
@example(emb=single("4", "5"))
@example(emb=single("\ufeffa"))
@example(emb=single(" ", "", "\t", dim=3))
def test_round_trip(pair, emb, equal):
    writer, reader = PAIRS[pair]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        try:
            writer(emb, path)
        except InputError as error:
            odd = any(set(key) & set(" \t\n\ufeff") for key in emb.keys)
            assert odd or (pair.startswith("glove") and not len(emb))
            assert "cannot write" in str(error) and not path.exists()  # noqa: PT017, PT018
            return
        assert equal(reader(path), emb)


@settings(max_examples=60, deadline=None)
@given(emb=tables())
def test_detection_finds_what_was_written(emb):
    with tempfile.TemporaryDirectory() as folder:
        for name in ("a.txt", "a.bin", "a.safetensors"):
            try:
                write(emb, Path(folder, name))
            except InputError:
                continue
            assert list(read(Path(folder, name)).keys) == list(emb.keys)


def test_float16_and_int8_tables_are_written_as_their_float32_values(table, tmp_path, equal):
    for precision in ("float16", "int8"):
        write(table.subset(["nan", "null"]), tmp_path / "q.safetensors", precision=precision)
        rough = read(tmp_path / "q.safetensors")
        for name in ("q.txt", "q.bin"):
            write(rough, tmp_path / name)
            assert equal(read(tmp_path / name), rough)


def test_keys_that_share_a_row_get_one_each(tmp_path):
    emb = Embeddings.from_arrays(["a", "b", "c"], [[1, 2], [3, 4]], rows=[1, 0, 1])
    for name in ("s.txt", "s.bin"):
        write(emb, tmp_path / name)
        assert read(tmp_path / name).storage.data.tolist() == [[3, 4], [1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("key", "name", "said"),
    [
        ("a\nb", "k.txt", "holds a newline"),
        ("version 2.0", "k.txt", "decimal number"),
        ("a b", "k.bin", "holds a space"),
        ("a\nb", "k.bin", "holds a newline"),
        ("\ufeffa", "k.glove", "U\\+FEFF"),
        ("route 66", "k.txt", "ambiguous"),
        ("route 66", "k.glove", "ambiguous"),
    ],
)
def test_keys_that_would_not_read_back_are_refused(tmp_path, key, name, said):
    path = tmp_path / name
    path.write_text("before")
    with pytest.raises(InputError, match=said) as caught:
        write(single(key), path)
    assert repr(key) in str(caught.value)
    assert path.read_text() == "before"


def test_unknown_names_and_formats_list_the_known(table, tmp_path):
    for name in ("t.xyz", "t", "t.gz"):
        with pytest.raises(InputError, match=r"\.safetensors \(native\)"):
            write(table, tmp_path / name)
    with pytest.raises(InputError, match="known are native, word2vec-text"):
        write(table, tmp_path / "t.txt", format="xyz")
    with pytest.raises(InputError, match="only native files"):
        write(table, tmp_path / "t.txt", precision="int8")
