"""The address of a cluster in Zilliz Cloud, TLS and a token: against a real Milvus behind a TLS front (``tls.py``)."""

import os
import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
import pytest

import wordstock as ws
from wordstock.errors import InputError, StoreUnavailableError
from wordstock.stores.opening import open_store

CLUSTER = os.environ.get("WORDSTOCK_TEST_CLUSTER")
ADDRESS = os.environ.get("WORDSTOCK_TEST_MILVUS")
pytestmark = pytest.mark.skipif(
    CLUSTER is None, reason="needs a server under a name of its own; test_stores_server.py runs it where it may mount"
)
WORDS = ["alpha", "beta", "gamma", "delta"]


@pytest.fixture
def named():
    return f"t_{uuid.uuid4().hex[:8]}"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.safetensors"
    ws.Embeddings.from_arrays(WORDS, np.eye(4, 16, dtype=np.float32)).save(path)
    return path


def test_a_cluster_is_used_like_any_store(named, table):
    with ws.VectorStore(CLUSTER, table, collection=named) as store:
        store.add(["alpha beta", "gamma", "delta alpha"], ["1", "2", "3"], [{"n": n} for n in range(3)])
        assert store.count() == 3
        assert [hit.id for hit in store.search("gamma", k=1)] == ["2"]
        assert [hit.id for hit in store.search("alpha", k=3, where={"n": {">": 1}})] == ["3"]
        assert store.search("beta alpha", k=1, mode="hybrid")[0].id == "1"
        assert "autoindex" in store.index.lower()
        with pytest.raises(InputError, match="Zilliz Cloud has no index 'hnsw'; it has autoindex"):
            store.set_index("hnsw")
        store.delete(["1"])
        assert {row.id for row in store} == {"2", "3"}
        assert "Milvus" not in repr(store).replace("MilvusStore", "")  # no part of the token
    with ws.VectorStore(ADDRESS, collection=named) as same:  # the same Milvus by its other address
        assert same.get(["3"])[0].text == "delta alpha"
        same.store.drop()


def test_the_two_commands_work_on_a_cluster(named, table, tmp_path):
    notes = tmp_path / "notes"
    notes.mkdir()
    for word in WORDS:
        (notes / f"{word}.txt").write_text(f"{word} {word}.")
    command = [str(Path(sys.executable).parent / "wordstock")]
    place = ["--store", CLUSTER, "--collection", named]
    made = subprocess.run(
        [*command, "index", str(notes), *place, "--model", str(table)], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    found = subprocess.run(
        [*command, "search", "gamma", *place, "-k", "1"], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert "gamma.txt" in found.stdout
    assert os.environ["WORDSTOCK_MILVUS_TOKEN"] not in made.stdout + made.stderr + found.stdout + found.stderr
    open_store(ADDRESS, named).drop()


def test_a_wrong_key_is_refused_and_not_shown():
    with pytest.raises(StoreUnavailableError, match="was not accepted") as caught:
        open_store(CLUSTER, token="an-api-key-that-is-none", dim=16, connect_timeout=5)
    assert "an-api-key" not in repr(caught.value)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("https://localhost:8443", "of no authority that is trusted here: name the file of yours"),
        ("https://localhost:9443", "its certificate is not one of localhost"),
        ("http://localhost:443", "TLS is spoken there: write https://"),
        (ADDRESS and ADDRESS.replace("http:", "https:"), "no TLS is spoken there: write http://"),
    ],
)
def test_what_is_wrong_with_tls_is_said(address, reason, named, table):
    # A connection without TLS that is open already must not serve a store that asks for it.
    with ws.VectorStore(ADDRESS, collection=named, encoder=table) as plain:
        with pytest.raises(StoreUnavailableError) as caught:
            open_store(address, dim=16, connect_timeout=3)
        plain.store.drop()
    assert reason in str(caught.value)
    assert address in str(caught.value)
