"""Small tables of words in three topics, and texts about them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from topic_samples import Letters, make_table, make_texts

from wordstock.embeddings import Embeddings


@pytest.fixture(scope="session")
def table() -> Embeddings:
    return make_table()


@pytest.fixture(scope="session")
def train() -> tuple[list[str], list[str]]:
    return make_texts(12, seed=1)


@pytest.fixture(scope="session")
def test() -> tuple[list[str], list[str]]:
    return make_texts(20, seed=2)


@pytest.fixture
def letters() -> Letters:
    return Letters()


@pytest.fixture(scope="session")
def other_table() -> Embeddings:
    return make_table(seed=9, name="other")


@pytest.fixture(scope="session")
def four_each() -> Callable[[int], tuple[list[str], list[str]]]:
    return lambda seed: make_texts(4, seed=100 + seed)
