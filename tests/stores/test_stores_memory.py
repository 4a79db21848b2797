"""The store in memory: one writer of its file, its numbers at the ends of their range, and what it is when closed."""

import gc
import subprocess
import sys

import numpy as np
import pytest

import wordstock as ws
from wordstock.errors import InputError, StoreError
from wordstock.stores import MemoryStore, open_store


def vectors(rows, dim=4, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)


WRITING = """
import sys, time
import numpy as np
from wordstock.stores import open_store
store = open_store(sys.argv[1], dim=4)
store.add(["theirs"], np.ones((1, 4), np.float32))
store.flush()
print("written", flush=True)
sys.stdin.readline()
"""


def test_one_process_writes_a_file_and_others_may_read_it(tmp_path):
    path = tmp_path / "shared.safetensors"
    early = open_store(path, dim=4)
    arguments = [sys.executable, "-c", WRITING, str(path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "written\n"
            reader = open_store(path)
            assert [row.id for row in reader.rows()] == ["theirs"]
            named = rf"shared\.safetensors is open for writing in another process.*{other.pid}.*; close it there"
            for store in (reader, early):
                with pytest.raises(StoreError, match=named):
                    store.add(["ours"], vectors(1))
            with pytest.raises(StoreError, match=named):
                reader.delete(["theirs"])
            assert reader.count() == 1
            reader.close()
            early.close()
            other.communicate("end\n", timeout=60)
        finally:
            other.kill()
    after = open_store(path)
    assert [row.id for row in after.rows()] == ["theirs"]
    after.add(["ours"], vectors(1))
    after.close()
    assert len(open_store(path)) == 2


def test_what_was_read_before_another_wrote_is_not_written_over_it(tmp_path):
    path = tmp_path / "shared.safetensors"
    first, second, third = (open_store(path, dim=4) for _ in range(3))
    first.add(["a"], vectors(1))
    with pytest.raises(StoreError, match="open for writing twice in this process"):
        second.add(["b"], vectors(1))
    first.close()
    with pytest.raises(StoreError, match="was written by another since it was opened here; open it again"):
        second.add(["b"], vectors(1))
    for store in (second, third):
        store.close()  # nothing was added to it
    assert [row.id for row in open_store(path).rows()] == ["a"]


def test_one_that_is_forgotten_lets_go_of_its_file(tmp_path):
    path = tmp_path / "kept.safetensors"
    for name in "abc":
        store = MemoryStore(4, path=path)
        store.add([name], vectors(1))
        store.flush()
        del store
        gc.collect()
    assert [row.id for row in MemoryStore(path=path).rows()] == ["a", "b", "c"]


def test_reindexing_hands_the_file_over(tmp_path):
    path = tmp_path / "kept.safetensors"
    words = ["heart", "ball"]
    first, second = (ws.Embeddings.from_arrays(words, vectors(2, dim)) for dim in (4, 8))
    store = ws.VectorStore(path, first)
    store.add(words)
    other = ws.VectorStore(path, first)
    with pytest.raises(StoreError, match="open for writing twice"):
        other.reindex(second)
    store.reindex(second)
    with pytest.raises(StoreError, match="open for writing twice"):
        other.add(["ball heart"])
    store.add(["heart ball"])
    store.close()
    other.close()
    again = ws.VectorStore(path, second)
    assert len(again) == 3
    again.add(["heart heart"])
    again.close()


@pytest.mark.parametrize("precision", ["float32", "float16"])
@pytest.mark.parametrize("scale", [1e-30, 1e-25, 1e-7, 1, 1e4, 1e18, 1e30])
def test_a_cosine_does_not_depend_on_length(scale, precision):
    if precision == "float16" and not 1e-7 < scale < 1e5:
        return
    rows, queries = vectors(50, 16), vectors(20, 16, seed=1)
    expected = MemoryStore(16)
    expected.add([str(i) for i in range(50)], rows)
    store = MemoryStore(16, precision=precision)
    store.add([str(i) for i in range(50)], rows * np.float32(scale))
    for asked in (queries, queries * np.float32(scale)):
        for found, true in zip(store.search(asked, 50), expected.search(queries, 50), strict=True):
            scores, known = ({hit.id: hit.score for hit in hits} for hits in (found, true))
            assert scores == pytest.approx(known, abs=1e-5 if precision == "float32" else 2e-3)


def test_vectors_without_a_cosine_are_refused():
    store = MemoryStore(2)
    for wrong in ([[1, 1], [0, 0]], [[1, 1], [1e-44, 0]]):
        with pytest.raises(InputError, match=r"row 1 'b' is .* cosine \(1 such rows\)"):
            store.add(["a", "b"], wrong)
        with pytest.raises(InputError, match="query 1 is"):
            store.search(wrong)
    half = MemoryStore(2, precision="float16")
    with pytest.raises(InputError, match="'b' is so small that it would be zero in float16"):
        half.add(["a", "b"], [[1, 1], [1e-9, 1e-9]])
    with pytest.raises(InputError, match="'b' holds more than float16 can store"):
        half.add(["a", "b"], [[1, 1], [1e5, 1]])
    half.add(["a"], [[1e-6, 0]])
    assert half.search([[1, 0]])[0][0].score == pytest.approx(1)


def test_a_closed_store_says_so(tmp_path):
    for path in (None, tmp_path / "a.safetensors"):
        store = MemoryStore(4, path=path)
        store.add(["a"], vectors(1))
        store.close()
        store.close()
        for method, arguments in (
            ("add", (["b"], vectors(1))),
            ("search", (vectors(1),)),
            ("get", (["a"],)),
            ("digests", (["a"],)),
            ("delete", (["a"],)),
            ("count", ()),
            ("sibling", (8, {})),
        ):
            with pytest.raises(StoreError, match="is closed"):
                getattr(store, method)(*arguments)
        with pytest.raises(StoreError, match="is closed"):
            list(store.rows())
    assert len(MemoryStore(path=path)) == 1


def test_metadata_in_memory_are_copies():
    store = MemoryStore(4)
    given = {"tags": ("x", "y"), "deep": {"er": [1]}}
    store.add(["a"], vectors(1), [given])
    given["deep"]["er"].append(2)
    for found in (store.search(vectors(1))[0][0], store.get(["a"])[0], next(store.rows())):
        assert found.metadata == {"tags": ["x", "y"], "deep": {"er": [1]}}
        found.metadata["deep"]["er"].append(3)
        found.metadata["tags"].clear()
    assert store.get(["a"])[0].metadata == {"tags": ["x", "y"], "deep": {"er": [1]}}
    assert store.count({"tags": {"contains": "x"}}) == 1
