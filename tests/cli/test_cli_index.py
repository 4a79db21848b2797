"""``wordstock index`` and ``wordstock search`` over files, as the command line."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest
from cli_command import call

import wordstock as ws
from wordstock.stores import VectorStore
from wordstock.stores.opening import store_exists

START = "from wordstock.cli.main import main; main()"
WORDS = [f"w{number}" for number in range(500)]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "table.safetensors"
    vectors = np.random.default_rng(3).normal(size=(len(WORDS), 16)).astype("float32")
    ws.Embeddings.from_arrays(WORDS, vectors).save(path)
    return path


@pytest.fixture
def here(tmp_path):
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "a.md").write_text("# w1\nw2 w3\n\n# w4\nw5 w6\n")
    (notes / "b.txt").write_text("w7 w8 w9")
    (notes / "c.bin").write_bytes(b"\0\1")
    return tmp_path


@pytest.fixture
def run(here, monkeypatch, capsys):
    monkeypatch.chdir(here)
    return lambda *arguments: call(monkeypatch, capsys, *arguments, columns=120)


def test_a_folder_is_indexed_and_searched(run, here, table, caplog):
    code, _, told = run("index", "notes", "-s", "notes.safetensors", "-m", table)
    assert code == 0, told
    assert "files: 2 added, 0 changed, 0 removed, 0 unchanged; passages: 3 written, 0 deleted" in told
    assert "damaged: notes/c.bin" in caplog.text
    assert "left out: 1 damaged place;" in told
    (here / "notes" / "b.txt").unlink()
    code, _, told = run("index", "notes", "-s", "notes.safetensors")
    assert "files: 0 added, 0 changed, 1 removed, 1 unchanged; passages: 0 written, 1 deleted" in told, told
    code, found, told = run("search", "w5 w6", "-s", "notes.safetensors", "-k", "1", "--json")
    hit = json.loads(found)
    assert (hit["text"], hit["metadata"]["heading"]) == ("# w4\nw5 w6", "w4"), told
    code, found, _ = run("search", "w5 w6", "-s", "notes.safetensors", "-k", "1")
    assert "notes/a.md:12-22, heading w4" in " ".join(found.replace("│", " ").split())


def test_a_column_of_numbers_can_be_compared(run, here, table):
    (here / "r.csv").write_text("id,text,year\na,w1,2021\nb,w1,2019\n")
    run("index", "r.csv", "-s", "r.safetensors", "-m", table, "--id-field", "id")
    _, found, told = run("search", "w1", "-s", "r.safetensors", "--where", "year >= 2020", "--json")
    assert [json.loads(line)["id"] for line in found.splitlines()] == ["a"], told


def test_the_command_for_another_model_names_the_collection(run, table, other):
    run("index", "notes", "-s", "two words.db", "-m", table, "--collection", "mine")
    code, _, told = run("index", "notes", "-s", "two words.db", "-m", other, "--collection", "mine")
    expected = f"wordstock reindex --store 'two words.db' --model {other} --collection mine"
    assert (code, expected in told) == (1, True), told


def test_words_of_a_table(run, here, table):
    code, _, told = run("index", "--words", "-m", table, "-s", "words.safetensors")
    assert (code, "words: 500 added, 0 unchanged" in told) == (0, True), told
    code, found, _ = run("search", "w17", "-s", "words.safetensors", "-k", "1", "--json")
    assert json.loads(found)["id"] == "w17"


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    path = tmp_path_factory.mktemp("other") / "other.safetensors"
    vectors = np.random.default_rng(4).normal(size=(len(WORDS), 8)).astype("float32")
    ws.Embeddings.from_arrays(WORDS, vectors).save(path)
    return path


@pytest.mark.parametrize("store", ["notes.db", "notes.safetensors"])
def test_a_store_takes_another_model(run, table, other, store):
    run("index", "notes", "-s", store, "-m", table)
    code, _, told = run("index", "notes", "-s", store, "-m", other)
    assert (code, f"with this one: wordstock reindex --store {store} --model {other}" in told) == (1, True), told
    code, _, told = run("reindex", "-s", store, "-m", other)
    assert (code, "rows: 3 encoded, 0 encoded before, 0 left out" in told) == (0, True), told
    assert f"{store} holds 3 rows" in told
    code, _, told = run("index", "notes", "-s", store, "-m", other)
    assert (code, "2 unchanged" in told) == (0, True), told
    assert json.loads(run("search", "w8", "-s", store, "-k", "1", "--json")[1])["text"] == "w7 w8 w9"


@pytest.mark.parametrize("store", ["notes.db", "notes.safetensors"])
def test_rows_are_exported(run, here, table, store):
    run("index", "notes", "-s", store, "-m", table, "--base", ".")
    code, _, told = run("export", "rows.jsonl", "-s", store, "--where", "heading == w4", "--vectors")
    assert (code, "wrote rows.jsonl, 1 row" in told) == (0, True), told
    (row,) = map(json.loads, (here / "rows.jsonl").read_text().splitlines())
    assert (row["text"], row["metadata"]["source"], len(row["vector"])) == ("# w4\nw5 w6", "notes/a.md", 16)
    code, _, told = run("export", "rows.parquet", "-s", store)
    assert (code, "wrote rows.parquet, 3 rows" in told) == (0, True), told
    frame = pl.read_parquet(here / "rows.parquet")
    assert (frame.columns, sorted(frame["id"])) == (
        ["id", "text", "metadata"],
        ["notes/a.md#0", "notes/a.md#1", "notes/b.txt#0"],
    )
    code, _, told = run("export", "none.jsonl", "-s", store, "--where", "colour == red")
    assert (code, "no row has the field 'colour'" in told, (here / "none.jsonl").exists()) == (1, True, False), told


def test_a_second_collection_of_a_milvus_is_a_new_store(run, here, table):
    run("index", "notes", "-s", "notes.db", "-m", table)
    code, _, told = run("search", "w5", "-s", "notes.db", "--collection", "more")
    assert (code, "there is no store at notes.db, collection more; `wordstock index`" in told) == (1, True), told
    code, _, told = run("index", "notes/b.txt", "-s", "notes.db", "--collection", "more", "-m", table)
    assert (code, "notes.db holds 1 row" in told) == (0, True), told
    assert store_exists("notes.db", "more")
    assert not store_exists("notes.db", "other")
    assert not store_exists("nothing.db")
    assert not (here / "nothing.db").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["index", "-s", "x.safetensors"], "give files and folders, or --words"),
        (["index", "notes", "--words", "-s", "x.safetensors"], "one of the two"),
        (["index", "gone", "-s", "x.safetensors", "-m", "TABLE"], "no such file: gone"),
        (["index", "notes", "-s", "x.safetensors", "-m", "TABLE", "--overlap", "90"], "from 0 to half the size, 80"),
        (["index", "notes/c.bin", "-s", "x.safetensors", "-m", "TABLE"], "found a binary file"),
        (["index", "notes", "-s", "x.safetensors", "-m", "TABLE", "--kind", "word"], "known are text, markdown"),
        (["index", "notes", "-s", "x.db", "-m", "TABLE", "--index", "tree"], "--index 'tree': known are flat, hnsw"),
        (["index", "notes", "-s", "x.db", "-m", "TABLE", "--metric", "dot"], "--metric 'dot': known are cosine"),
        (
            ["index", "notes", "-s", "x.db", "-m", "TABLE", "--precision", "int8"],
            "--precision 'int8': known are float32",
        ),
        (["index", "none", "-s", "x.db", "-m", "TABLE"], "none: a folder without files to read"),
        (["reindex", "-s", "x.db", "-m", "TABLE"], "there is no store at x.db; `wordstock index` makes one"),
        (["export", "rows.jsonl", "-s", "x.db"], "there is no store at x.db; `wordstock index` makes one"),
        (["export", "rows.csv", "-s", "x.db"], "rows.csv: rows are written to a file in .jsonl or .parquet"),
        (["search", "w1", "-s", "x.safetensors"], "there is no store at x.safetensors; `wordstock index` makes one"),
    ],
)
def test_what_cannot_be_done(run, here, table, arguments, message):
    (here / "none").mkdir()
    code, found, told = run(*[str(table) if one == "TABLE" else one for one in arguments])
    assert code == 1
    assert message in told
    assert "Traceback" not in told
    assert not found
    assert not list(here.glob("x.*")) or "binary" in message


@pytest.mark.parametrize(("given", "shown"), [("FLAT", "FLAT"), ("Ivf_Flat", "IVF_FLAT"), ("AUTO", "FLAT")])
def test_an_index_is_named_in_any_case(run, table, given, shown):
    code, _, told = run("index", "notes/b.txt", "-s", "notes.db", "-m", table, "--index", given)
    assert (code, f"notes.db holds 1 row; index: {shown}" in told) == (0, True), told


def test_a_folder_that_became_empty(run, here, table):
    run("index", "notes", "-s", "notes.safetensors", "-m", table)
    for one in (here / "notes").iterdir():
        one.unlink()
    code, _, told = run("index", "notes", "-s", "notes.safetensors")
    assert (code, "2 removed" in told, "holds 0 rows" in told) == (0, True, True), told


def test_killed_and_run_again(run, here, table):
    """No passage is lost or doubled."""
    rows = 9_000
    with (here / "rows.jsonl").open("w") as stream:
        for row in range(rows):
            stream.write(json.dumps({"text": f"w{row % 500} w{row // 500}", "n": row}) + "\n")
    command = [sys.executable, "-c", START, "index", "rows.jsonl", "-s", "rows.db", "-m", str(table)]
    running = subprocess.Popen(command, cwd=here, stderr=subprocess.PIPE)
    try:
        written = 0
        deadline = time.monotonic() + 60
        while running.poll() is None and written < 400_000 and time.monotonic() < deadline:
            written = sum(one.stat().st_size for one in here.glob("rows.db/**/*") if one.is_file())
            time.sleep(0.02)
        os.kill(running.pid, signal.SIGKILL)
    finally:
        running.communicate()
    code, _, told = run("index", "rows.jsonl", "-s", "rows.db")
    assert code == 0, told
    with VectorStore(here / "rows.db", str(table)) as store:
        assert store.count() == rows
        assert {row.metadata["n"] for row in store.rows()} == set(range(rows))
    assert "1 unchanged" in run("index", "rows.jsonl", "-s", "rows.db")[2]
