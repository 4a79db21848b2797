"""What only a server has: tokens, other precisions, limits, several clients, and restarts."""

import contextlib
import os
import socket
import threading
import uuid

import numpy as np
import pytest

import wordstock as ws
from wordstock.errors import FingerprintError, InputError, StoreUnavailableError
from wordstock.stores.opening import open_store, store_exists

ADDRESS = os.environ.get("WORDSTOCK_TEST_MILVUS")
pytestmark = pytest.mark.skipif(ADDRESS is None, reason="needs a server; test_stores_server.py runs it beside one")

DIM = 16


def vectors(rows, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, DIM)).astype(np.float32)


@pytest.fixture
def named():
    return f"t_{uuid.uuid4().hex[:8]}"


@pytest.mark.parametrize("token", ["root:wrong-password", ""])
def test_a_wrong_token_is_refused_and_not_shown(token, caplog, monkeypatch):
    monkeypatch.delenv("WORDSTOCK_MILVUS_TOKEN")
    with pytest.raises(StoreUnavailableError) as caught:
        open_store(ADDRESS, token=token, dim=DIM, connect_timeout=3)
    assert ("was not accepted" if token else "wants a token") in str(caught.value)
    assert "WORDSTOCK_MILVUS_TOKEN" in str(caught.value)
    assert "wrong-password" not in repr(caught.value) + caplog.text


def test_precisions_that_the_server_has(named):
    rows, queries = vectors(200), vectors(5, seed=1)
    half = open_store(ADDRESS, named, dim=DIM, precision="float16", index="hnsw")
    half.add([str(i) for i in range(200)], rows)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    expected = (queries / np.linalg.norm(queries, axis=1, keepdims=True)) @ unit.T
    for query, hits in zip(expected, half.search(queries, 5), strict=True):
        np.testing.assert_allclose([hit.score for hit in hits], np.sort(query)[::-1][:5], atol=2e-3)
    np.testing.assert_array_equal(half.get(["7"], vectors=True)[0].vector, rows[7].astype(np.float16))
    half.drop()
    binary = open_store(ADDRESS, named + "b", dim=DIM, precision="binary")
    binary.add([str(i) for i in range(200)], rows)
    signs = np.where(rows > 0, 1, -1)
    cosines = np.where(queries > 0, 1, -1) @ signs.T / DIM
    for query, hits in zip(cosines, binary.search(queries, 5), strict=True):
        np.testing.assert_allclose([hit.score for hit in hits], np.sort(query)[::-1][:5], atol=1e-6)
    np.testing.assert_array_equal(binary.get(["7"], vectors=True)[0].vector, signs[7])
    binary.drop()


def test_what_the_server_has_not_is_refused_with_what_it_has(named):
    with pytest.raises(InputError, match=r"Milvus 2\.3\.5 has no bfloat16 vectors; it has float32, float16, binary"):
        open_store(ADDRESS, named, dim=DIM, precision="bfloat16")
    with pytest.raises(InputError, match="dim 12 is no multiple of 8"):
        open_store(ADDRESS, named, dim=12, precision="binary")
    with pytest.raises(InputError, match="cosine of their signs"):
        open_store(ADDRESS, named, dim=DIM, precision="binary", metric="l2")
    with pytest.raises(InputError, match="known are flat, hnsw"):
        open_store(ADDRESS, named, dim=DIM, index="diskann")


def test_others_read_while_one_writes_and_more_neighbours_than_the_limit_are_refused(named):
    store = open_store(ADDRESS, named, dim=DIM)
    store.add(["first"], vectors(1))
    failed, found = [], []

    def reading(seed):
        try:
            with_own = open_store(ADDRESS, named)
            found.extend(len(with_own.search(vectors(3, seed), 2)) for _ in range(10))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=reading, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for part in range(5):
        store.add([f"{part}-{i}" for i in range(200)], vectors(200, seed=part))
    for thread in threads:
        thread.join()
    assert not failed
    assert found == [3] * 40
    assert store.count() == 1001
    with pytest.raises(InputError, match="at most 16,384 neighbours"):
        store.search(vectors(1), 16_385)
    assert len(store.search(vectors(1), 16_384)[0]) == 1001
    store.drop()


def test_another_process_follows_or_refuses_an_exchanged_encoder(named, tmp_path):
    words = ["alpha", "beta", "gamma", "delta"]
    paths = []
    for place in range(2):
        table = ws.Embeddings.from_arrays(words, vectors(4, seed=place))
        paths.append(tmp_path / f"{place}.safetensors")
        table.save(paths[-1])
    assert not store_exists(ADDRESS, named)
    store = ws.VectorStore(ADDRESS, paths[0], collection=named)
    assert store_exists(ADDRESS, named)
    store.add(words, words)
    reader = ws.VectorStore(ADDRESS, collection=named)
    assert reader.search("beta", k=1)[0].id == "beta"
    store.reindex(paths[1])
    hits = reader.search("beta", k=4)
    assert hits[0].id == "beta"
    table = ws.load(paths[1])
    assert [hit.score for hit in hits[1:]] == pytest.approx([score for _, score in table.nearest("beta", 3)], abs=1e-5)
    with pytest.raises(FingerprintError, match="reindex"):
        ws.VectorStore(ADDRESS, paths[0], collection=named)
    store.store.drop()


class Relay:
    """Passes connections on to the server, and can be cut: to a client that is a server that went away."""

    def __init__(self, port):
        self.port, self.open, self.pairs = port, True, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if not self.open:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.port))
            self.pairs.append((client, server))
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def cut(self):
        self.open = False
        while self.pairs:
            for one in self.pairs.pop():
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()

    def close(self):
        self.cut()
        self.listener.close()


def add_with_a_gap(address, named, gap):
    """Rows are added, ``gap`` runs in the middle, and every row must be there once."""
    table = ws.Embeddings.from_arrays(["alpha", "beta"], vectors(2))
    store = ws.VectorStore(address, table, collection=named, patience=200)
    count, rows = 2000, vectors(2000)

    def texts():
        for row in range(count):
            if row == count // 2:
                gap()
            yield f"alpha {row}"

    store.add(texts(), [str(i) for i in range(count)], vectors=rows, batch_size=100)
    assert store.count() == count
    assert sorted(int(row.id) for row in store.rows()) == list(range(count))
    assert store.search(rows[1999], k=1)[0].id == "1999"
    store.store.drop()


def test_a_server_that_goes_away_in_the_middle_is_waited_for(named):
    relay = Relay(int(ADDRESS.rpartition(":")[2]))

    def gap():
        relay.cut()
        threading.Timer(2, setattr, (relay, "open", True)).start()

    add_with_a_gap(relay.address, named, gap)
    impatient = open_store(relay.address, named, dim=DIM, patience=1)
    relay.close()
    with pytest.raises(StoreUnavailableError, match=r"has been away for .* attempts .* connection refused"):
        impatient.count()


@pytest.mark.skipif("WORDSTOCK_TEST_RESTART" not in os.environ, reason="takes minutes; set WORDSTOCK_TEST_RESTART=1")
def test_a_killed_server_is_waited_for(named):
    import serve

    add_with_a_gap(ADDRESS, named, lambda: threading.Thread(target=serve.restart).start())
