"""What goes wrong: processes that are killed or compete, servers that are not there, secrets, missing libraries."""

import contextlib
import itertools
import logging
import pickle
import subprocess
import sys

import numpy as np
import pytest

import wordstock as ws
from wordstock.errors import InputError, MissingExtraError, StoreError, StoreUnavailableError
from wordstock.stores import MemoryStore, milvus_walk, open_store
from wordstock.stores.backend import backend_of
from wordstock.stores.filters import matches, parse, parse_text
from wordstock.stores.location import locate
from wordstock.stores.secrets import Secret, find_token, redacted

DIM = 8


def vectors(rows, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, DIM)).astype(np.float32)


ADDING = """
import sys
import numpy as np
import wordstock as ws
words = [f"w{i}" for i in range(6000)]
table = ws.Embeddings.from_arrays(words, np.random.default_rng(0).normal(size=(6000, 8)).astype(np.float32))
store = ws.VectorStore(sys.argv[1], table)
report = store.add(words, [f"id{i}" for i in range(6000)], batch_size=200, progress=lambda n: print(n, flush=True))
print("done", *report, store.count(), flush=True)
store.close()
"""


def test_a_run_that_was_killed_goes_on_and_no_row_is_lost_or_doubled(tmp_path):
    arguments = [sys.executable, "-c", ADDING, str(tmp_path / "killed.db")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as running:
        for line in running.stdout:
            if int(line) >= 2000:
                running.kill()
                break
        running.wait()
    ran = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=120)
    _, added, unchanged, left_out, count = map(int, ["0", *ran.stdout.split("done")[1].split()])
    assert (added + unchanged, left_out, count) == (6000, 0, 6000)
    assert unchanged >= 1600  # what had been acknowledged was not encoded again
    store = open_store(tmp_path / "killed.db")
    assert sorted(row.id for row in store.rows()) == sorted(f"id{i}" for i in range(6000))
    store.close()


def test_a_batch_that_fails_names_its_rows(tmp_path):
    words = [f"w{i}" for i in range(1000)]
    table = ws.Embeddings.from_arrays(words, vectors(1000))
    store = ws.VectorStore(tmp_path / "fails.db", table)

    def texts():
        for row, word in enumerate(words):
            if row == 350:  # somebody else drops the collection
                store.store._connection.client.drop_collection(store.store.collection)
            yield word

    named = r"rows ([23])00 to \1[9]9 \(ids 'id\1[0]0' to 'id\1[9]9'\) were not stored: .*fails\.db"
    with pytest.raises(StoreError, match=named):
        store.add(texts(), (f"id{i}" for i in range(1000)), batch_size=100)
    store.close()


def test_a_large_store_in_memory_is_not_written_anew_for_every_few_rows(tmp_path):
    path = tmp_path / "grows.safetensors"
    store = MemoryStore(DIM, path=path)
    states = set()
    for part in range(100):
        store.add([f"{part}-{i}" for i in range(200)], vectors(200, part))
        store.flush()
        states.add((path.stat().st_ino, path.stat().st_mtime_ns))
        assert len(MemoryStore(path=path)) >= 7 / 8 * len(store)
        if part == 49:
            assert len(MemoryStore(path=path)) == 10_000  # a small one has every row at once
            states.clear()
    assert len(states) <= 8
    store.close()
    assert len(MemoryStore(path=path)) == 20_000


LEAVING = """
import sys
import numpy as np
from wordstock.stores import MemoryStore
store = MemoryStore(2, path=sys.argv[1])
store.add([str(i) for i in range(20_000)], np.ones((20_000, 2), np.float32))
store.flush()
store.add(["last"], np.ones((1, 2), np.float32))
store.flush()
"""


def test_a_store_in_memory_that_nobody_closes_is_saved_at_the_end(tmp_path):
    path = tmp_path / "left.safetensors"
    subprocess.run([sys.executable, "-c", LEAVING, path], check=True)
    assert len(MemoryStore(path=path)) == 20_001


HOLDING = """
import sys, time
from wordstock.stores import open_store
store = open_store(sys.argv[1], dim=8)
print("open", flush=True)
time.sleep(60)
"""


def test_a_second_process_is_told_who_has_the_store_open(tmp_path):
    place = str(tmp_path / "held.db")
    with subprocess.Popen([sys.executable, "-c", HOLDING, place], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "open\n"
        try:
            with pytest.raises(StoreError, match=rf"held\.db is open in another process.*{other.pid}.*Milvus server"):
                open_store(place, dim=DIM)
        finally:
            other.kill()
            other.wait()
    store = open_store(place)  # free again
    again = open_store(place)  # the same process may open it twice
    store.close()
    again.add(["a"], vectors(1))
    assert again.count() == 1
    again.close()
    with pytest.raises(StoreError, match="is closed"):
        again.count()


def test_a_server_that_is_not_there_is_named_with_what_was_tried():
    with pytest.raises(StoreUnavailableError, match=r"http://127\.0\.0\.1:1: . attempts in 0\.3 s.*connection refused"):
        open_store("http://127.0.0.1:1", dim=DIM, connect_timeout=0.3)
    with pytest.raises(StoreUnavailableError, match=r"name or service not known|temporary failure|no address"):
        open_store("http://nowhere.invalid:19530", dim=DIM, connect_timeout=0.1)


def test_secrets_come_from_environment_or_file_and_are_never_shown(tmp_path, monkeypatch, caplog, capsys):
    for name in ("WORDSTOCK_MILVUS_TOKEN", "WORDSTOCK_MILVUS_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    assert not find_token()
    file = tmp_path / "token"
    file.write_text("from-file\n")
    monkeypatch.setenv("WORDSTOCK_MILVUS_TOKEN_FILE", str(file))
    assert find_token().reveal() == "from-file"
    monkeypatch.setenv("WORDSTOCK_MILVUS_TOKEN", "root:from-environment")
    assert find_token().reveal() == "root:from-environment"
    assert find_token("given").reveal() == "given"
    secret = find_token()
    assert "from-environment" not in f"{secret} {secret!r} {[secret]}"
    assert secret.hidden_in("bad password from-environment of root:from-environment") == "bad password *** of ***"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    for wrong in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            find_token(token_file=wrong)
    assert redacted("https://user:pass@host:19530/db") == "https://***@host:19530/db"
    caplog.set_level(logging.DEBUG)
    with pytest.raises(StoreUnavailableError) as caught:
        open_store("http://user:in-the-uri@127.0.0.1:1", dim=DIM, connect_timeout=0.1)
    shown = f"{caught.value!r} {caught.value.__context__!r} {caplog.text} {capsys.readouterr()}"
    assert "from-environment" not in shown
    assert "in-the-uri" not in shown
    assert "***@127.0.0.1:1" in str(caught.value)


@pytest.mark.parametrize("wrong", ["notes", "notes.txt", "ftp://host", "http://", "http://host:99999999"])
def test_what_names_no_store_is_told(wrong):
    with pytest.raises(InputError, match=r"\.db|http://HOST:PORT"):
        locate(wrong)


def test_places_are_told_apart(tmp_path):
    assert locate(None).kind == locate(":memory:").kind == "memory"
    assert locate(tmp_path / "a.safetensors").kind == "file"
    assert locate("a.db").kind == "lite"
    assert locate("http://milvus:19530").kind == "server"
    assert locate("https://in03-abc.serverless.gcp-us-west1.cloud.zilliz.com").kind == "cloud"
    assert locate("https://in01-abc.aws-us-west-2.vectordb.zillizcloud.com:19538").kind == "cloud"


def test_what_each_milvus_can_do():
    old, lite = backend_of("v2.3.5-lite", local=False), backend_of("milvus_lite-3.2.2", local=True)
    new, cloud = backend_of("v2.6.1", local=False), backend_of("2.6.1", local=False, cloud=True)
    assert (old.bm25, new.bm25, lite.bm25, cloud.bm25) == (False, True, True, True)
    assert "bfloat16" in new.precisions
    assert lite.precisions == ("float32",)
    assert cloud.indexes == ("autoindex",)
    assert backend_of(None, local=True).dialect == "lite2"
    with pytest.raises(InputError, match=r"2\.3 is the oldest"):
        backend_of("v2.2.9", local=False)
    for kind in ("diskann", "scann", "ivf_pq"):  # Milvus Lite takes these, and cannot load them again
        with pytest.raises(InputError, match="has no index"):
            lite.check_index(kind)
    with pytest.raises(InputError, match="binary vectors have no index 'hnsw'"):
        old.check_index("hnsw", "binary")


def test_a_missing_library_names_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'wordstock\[stores\]'"):
        open_store("http://127.0.0.1:1", dim=DIM)
    monkeypatch.setitem(sys.modules, "milvus_lite", None)
    monkeypatch.delitem(sys.modules, "pymilvus")
    with pytest.raises(MissingExtraError, match=r"\.db folder needs milvus_lite.*wordstock\[stores\]"):
        open_store(tmp_path / "a.db", dim=DIM)
    assert len(MemoryStore(DIM)) == 0  # needs neither


def test_conditions_are_read_from_a_line():
    assert parse_text("year >= 2020") == {"year": {">=": 2020}}
    assert parse_text("name = heart attack") == {"name": {"==": "heart attack"}}
    assert parse_text('lang in ["en", "de"]') == {"lang": {"in": ["en", "de"]}}
    assert parse_text("a.b not in [1]") == {"a.b": {"not in": [1]}}
    assert parse_text("seen exists") == {"seen": {"exists": True}}
    assert parse_text("done != true") == {"done": {"!=": True}}
    for wrong in ("year", ">= 3", "year ~ 3", ""):
        with pytest.raises(InputError, match="FIELD OPERATOR VALUE"):
            parse_text(wrong)
    with pytest.raises(InputError, match="takes a list"):
        parse_text("lang in en")


def test_a_value_that_is_cut_short_is_no_text():
    assert parse_text("name = 'heart attack'") == {"name": {"==": "heart attack"}}
    assert parse_text("name = it's") == {"name": {"==": "it's"}}
    with pytest.raises(InputError, match=r"'year >': the value is missing; write 2020"):
        parse_text("year >")
    for wrong in ("name = 'heart", 'name = "heart', "year = = 3", 'lang in ["en"', 'lang in {"en"', "name = '"):
        with pytest.raises(InputError, match="is neither JSON nor a text without quotes"):
            parse_text(wrong)


def test_a_foreign_collection_is_left_alone(tmp_path):
    from wordstock.stores.connection import Connection

    connection = Connection(locate(tmp_path / "other.db"), Secret())
    connection.client.create_collection("wordstock", dimension=4)
    connection.close()
    with pytest.raises(StoreError, match="not a wordstock store"):
        open_store(tmp_path / "other.db", dim=DIM)
    with pytest.raises(InputError, match="letters, digits"):
        open_store(tmp_path / "other.db", 'x"; drop', dim=DIM)


def test_expected_rows_are_a_number_of_rows(tmp_path):
    for wrong in (-1, 2.5):
        with pytest.raises(InputError, match=f"expected_rows={wrong}: needs a whole number of at least 0"):
            open_store(tmp_path / "a.db", dim=DIM, expected_rows=wrong)


def test_the_index_follows_the_number_of_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("wordstock.stores.milvus_collection.FLAT_UP_TO", 300)
    monkeypatch.setattr("wordstock.stores.indexing.FLAT_UP_TO", 300)
    monkeypatch.setattr("wordstock.stores.milvus_collection._FLUSH_FROM", 100)
    store = open_store(tmp_path / "grows.db", dim=DIM)
    store.add([str(i) for i in range(200)], vectors(200))
    store.flush()
    assert store.index == "FLAT"
    store.add([str(i) for i in range(200, 600)], vectors(400, 1))
    store.flush()
    assert store.index == "HNSW (m 16, ef_construction 200, ef 128)"
    queries = vectors(20, 2)
    exact = MemoryStore(DIM)
    exact.add([str(i) for i in range(600)], np.concatenate([vectors(200), vectors(400, 1)]))
    expected = [{hit.id for hit in hits} for hits in exact.search(queries, 5)]
    found = [{hit.id for hit in hits} for hits in store.search(queries, 5)]
    assert np.mean([len(one & other) / 5 for one, other in zip(expected, found, strict=True)]) > 0.97
    for kind in ("ivf", "ivf_sq8", "autoindex", "flat"):
        store.set_index(kind)
        assert [hits[0].id for hits in store.search(vectors(3), 1)] == ["0", "1", "2"]
    store.close()
    assert open_store(tmp_path / "grows.db").index == "FLAT"


def test_the_memory_store_refuses_a_damaged_file(tmp_path):
    path = tmp_path / "a.safetensors"
    store = MemoryStore(DIM, path=path)
    store.add(["a", "b"], vectors(2), [{"x": 1}, {}])
    store.close()
    data = path.read_bytes()
    assert MemoryStore(path=path).get(["a"])[0].metadata == {"x": 1}
    for cut in (data[:-9], data[:40], b"", data.replace(b'"metric', b'"mxtric')):
        path.write_bytes(cut)
        with pytest.raises(ws.WordstockError, match="a saved store"):
            MemoryStore(path=path)


def test_filters_hold_as_they_are_documented():
    row = {"year": 2020, "tags": ["a", 1], "ok": True, "deep": {"er": "x"}}
    for where, holds in (
        ({"year": {">": 2019, "<": 2021}}, True),
        ({"year": "2020"}, False),
        ({"ok": 1}, False),
        ({"ok": True}, True),
        ({"tags": {"contains": True}}, False),
        ({"deep.er": "x"}, True),
        ({"none": {"!=": 3}}, True),
        ({"none": {"<": 3}}, False),
        ({"not": {"none": {"<": 3}}}, True),
    ):
        assert matches(parse(where), row) is holds, where


@pytest.mark.parametrize("where", [None, {"n": {">=": 3}}])
def test_a_walk_whose_pages_turn_out_too_large_goes_on_in_small_ones(tmp_path, monkeypatch, where):
    """Milvus Lite refuses to send more than 256 MiB at once, which rows of 60 kB reach with 5,000 of them."""
    ids = [*(f"r{i:02}" for i in range(20)), 'a "quoted" one', "back\\slash", "größe", "日本"]
    with contextlib.closing(open_store(tmp_path / "s.db", dim=2)) as store:
        store.add(ids, np.ones((len(ids), 2), np.float32), [{"n": i} for i in range(len(ids))])
        expected = sorted(row.id for row in store.rows(where=where))
        assert len(expected) == len(ids) - (3 if where else 0)
        pages, asked = milvus_walk._pages, []

        def refusing(connection, collection, fields, filter_, page):
            asked.append(page)
            if page <= 2000:
                return pages(connection, collection, fields, filter_, page)
            first = itertools.islice(pages(connection, collection, fields, filter_, 22 if where is None else 7), 1)
            return itertools.chain(first, refused())

        def refused():
            raise StoreError("RESOURCE_EXHAUSTED: Sent message larger than max (480180145 vs. 268435456)")
            yield

        monkeypatch.setattr(milvus_walk, "_pages", refusing)
        assert sorted(row.id for row in store.rows(where=where)) == expected
        assert asked == [16_384, 2000]
