"""Ways to make files and tables for the format tests."""

import numpy as np
import pytest

from wordstock.embeddings import Embeddings


@pytest.fixture
def table():
    keys = ["the", "New York", "naïve", "\u00a0", "\u0085x", "a\u2028b", "nan", "null", '"', "-", "1", "", "東京"]
    vectors = np.random.default_rng(0).normal(size=(len(keys), 5)).astype(np.float32)
    vectors[0] = [0.0, -0.0, 1.0, 1e-8, 123456.7]
    return Embeddings.from_arrays(keys, vectors)


@pytest.fixture
def file(tmp_path):
    """Write bytes to a file and give its path."""

    def make(content, name="file"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return make


@pytest.fixture
def equal():
    """Whether two tables hold the same keys and, bit by bit, the same vectors."""

    def check(one, other):
        first, second = one.vectors(list(one.keys)), other.vectors(list(other.keys))
        same_bits = (first.view(np.uint32) == second.view(np.uint32)).all()
        return list(one.keys) == list(other.keys) and first.shape == second.shape and bool(same_bits)

    return check
