"""Files from strangers: whatever the bytes are, a table or a FormatError, and soon."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wordstock.embeddings import Embeddings
from wordstock.errors import FormatError
from wordstock.formats import (
    detect,
    read,
    read_glove,
    read_word2vec_binary,
    read_word2vec_text,
    write_word2vec_binary,
    write_word2vec_text,
)

READERS = [read, read_glove, read_word2vec_text, read_word2vec_binary, detect]
CHECK = settings(max_examples=80, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])


def survives(content):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        path = Path(folder, "file")
        path.write_bytes(content)
        for reader in READERS:
            try:
                emb = reader(path)
            except FormatError as error:
                assert str(path) in str(error)  # noqa: PT017
            else:
                if isinstance(emb, Embeddings):
                    assert len(list(emb.keys)) == len(emb) == len(emb.storage)
                    assert np.isfinite(emb.norms).all()
                    assert all(emb.vocabulary.find(key) == i for i, key in enumerate(emb.keys))


@pytest.fixture(scope="module")
def samples():
    keys = [f"w{i}" for i in range(40)] + ["naïve", "東京", "a_b"]
    emb = Embeddings.from_arrays(keys, np.random.default_rng(0).normal(size=(43, 4)).astype(np.float32))
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for writer in (write_word2vec_text, write_word2vec_binary):
            writer(emb, Path(folder, "file"))
            found.append(Path(folder, "file").read_bytes())
    return found


@CHECK
@given(content=st.binary(max_size=400))
def test_random_bytes(content):
    survives(content)


HEADS = [b"", b"3 2\n", b"99999999999999 3\n", b"2 1000000\n", b"\x1f\x8b\x08", b"BZh9", b"\x28\xb5\x2f\xfd"]
PARTS = [b" ", b"\n", b"\r", b"\t", b"1", b"-", b".5", b"e9", b"nan", b"\xff", b"\0", b"word"]


@CHECK
@given(head=st.sampled_from(HEADS), parts=st.lists(st.sampled_from(PARTS)))
def test_random_pieces_of_rows(head, parts, small_blocks):
    survives(head + b"".join(parts))


@pytest.mark.parametrize("rows", [0, 1, 42, 10**12, 10**30])
@pytest.mark.parametrize("dim", [0, 1, 4, 300, 2**20, 2**31, 10**30])
def test_headers_that_lie(samples, rows, dim):
    for content in samples:
        survives(b"%d %d\n" % (rows, dim) + content.split(b"\n", 1)[1])
