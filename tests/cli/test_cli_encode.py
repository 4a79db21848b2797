"""``wordstock encode``: texts in, vectors out, against the library's own ``encode``."""

import json
import warnings

import numpy as np
import pytest
from cli_command import call

import wordstock as ws
from wordstock.cli import encode as verb


@pytest.fixture
def table(tmp_path):
    words = ["the", "bank", "river", "loan"]
    path = tmp_path / "t.safetensors"
    ws.Embeddings.from_arrays(words, np.random.default_rng(0).normal(size=(4, 5))).save(path)
    return path


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("The bank\n“loan” é\na river loan\n\n", encoding="utf-8")
    return path


TEXTS = ["The bank", "“loan” é", "a river loan", ""]


def vectors_of(table, texts):
    with warnings.catch_warnings(action="ignore"):
        return ws.load(table).encode(texts)


def test_row_i_is_line_i_in_both_formats(monkeypatch, capsys, table, lines, tmp_path):
    monkeypatch.setattr(verb, "_BLOCK", 3)  # two blocks
    wanted = vectors_of(table, TEXTS)
    for output in (tmp_path / "o.npy", tmp_path / "o.jsonl"):
        with warnings.catch_warnings(action="always"):
            status, out, err = call(monkeypatch, capsys, "encode", lines, "-o", output, "-m", table)
        assert (status, out) == (0, "")
        assert "warning: 1 of 4 texts hold no word of the vocabulary" in err
        assert "(the first is number 4)" in err
        assert f"wrote {output}: 4 texts, dim 5, " in err
    found = np.load(tmp_path / "o.npy")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, wanted)
    rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["text"] for row in rows] == TEXTS
    np.testing.assert_array_equal(np.array([row["vector"] for row in rows], np.float32), wanted)


def test_fields_of_json_lines_and_standard_input(monkeypatch, capsys, table, tmp_path):
    source, output = tmp_path / "in.jsonl", tmp_path / "o.npy"
    source.write_text('{"body": "the bank"}\n{"body": ""}\n{"body": "loan\\nriver"}\n{"body": "\\ud800 loan"}\n')
    status, _, err = call(monkeypatch, capsys, "encode", source, "--field", "body", "-o", output, "-m", table)
    assert status == 0
    assert "left out: 1 empty; the vectors are those of the other texts" in err
    wanted = ws.load(table).encode(["the bank", "loan\nriver", "\ud800 loan"])
    np.testing.assert_array_equal(np.load(output), wanted)
    assert (
        call(monkeypatch, capsys, "encode", source, "--field", "body", "-o", tmp_path / "o.jsonl", "-m", table)[0] == 0
    )
    last = (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(last)["text"] == "\ud800 loan"


def test_the_cache_is_filled_and_used(monkeypatch, capsys, table, lines, tmp_path):
    outputs = []
    for number, hits in enumerate((0, 4)):
        outputs.append(tmp_path / f"{number}.npy")
        arguments = ["encode", lines, "-o", outputs[-1], "-m", table, "--cache", tmp_path / "c.db"]
        with warnings.catch_warnings(action="always"):
            status, _, err = call(monkeypatch, capsys, *arguments)
        assert status == 0
        assert f", {hits} from the cache" in err
    np.testing.assert_array_equal(*map(np.load, outputs))


def test_settings_reach_the_encoder(monkeypatch, capsys, lines, tmp_path):
    monkeypatch.setattr(verb, "_BLOCK", 3)
    output = tmp_path / "o.npy"
    options = ["--layers=-2,-1", "--pooling", "cls,mean", "--combine", "concat", "--truncate-dim", 1000]
    status, _, err = call(monkeypatch, capsys, "encode", lines, "-o", output, "-m", "all-minilm-l6-v2", *options)
    assert status == 0, err
    assert "4 texts, dim 1000, " in err
    assert ", torch float32" in err
    settings = {"layers": (-2, -1), "pooling": ("cls", "mean"), "combine": "concat", "truncate_dim": 1000}
    encoder = ws.load("all-minilm-l6-v2", progress=False, **settings)
    np.testing.assert_allclose(np.load(output), encoder.encode(TEXTS), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "o.csv"], "--output o.csv: vectors are written to a file in .npy or .jsonl"),
        (["-o", "in.jsonl"], "--output in.jsonl is the file that is read; give another name"),
        (["-o", "o.npy", "--kind", "pdf"], "--kind pdf: known are text, jsonl,"),
        (["-o", "o.npy", "--layers", "first"], "--layers first: needs whole numbers"),
        (["-o", "o.npy", "--pooling", "cls"], "--pooling: only for contextual encoders; t.safetensors is a table"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(monkeypatch, capsys, table, tmp_path, options, message):
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "the bank"}\n')
    before = sorted(tmp_path.iterdir())
    status, out, err = call(monkeypatch, capsys, "encode", "in.jsonl", "-m", "t.safetensors", *options, columns=200)
    assert (status, out) == (1, "")
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_an_input_without_texts_is_an_error(monkeypatch, capsys, table, tmp_path):
    (tmp_path / "in.txt").touch()
    status, _, err = call(monkeypatch, capsys, "encode", tmp_path / "in.txt", "-o", tmp_path / "o.npy", "-m", table)
    assert (status, err) == (1, f"error: {tmp_path / 'in.txt'}: no text to encode (left out: 1 empty file)\n")
    assert not (tmp_path / "o.npy").exists()


def test_lines_that_cannot_be_decoded_keep_their_row(monkeypatch, capsys, table, tmp_path):
    (tmp_path / "in.txt").write_bytes(b"river\n\xff bank\nbank\n\xfe loan\n")
    status, _, err = call(monkeypatch, capsys, "encode", tmp_path / "in.txt", "-o", tmp_path / "out.npy", "-m", table)
    assert status == 0
    assert len(np.load(tmp_path / "out.npy")) == 4
    assert "lines that could not be decoded, 2 in number, were encoded with U+FFFD" in err
    assert "left out" not in err


def test_a_failure_on_the_way_keeps_what_was_there(monkeypatch, capsys, table, tmp_path):
    source, output = tmp_path / "in.txt", tmp_path / "o.npy"
    source.write_bytes(b"the bank\n" * 5 + b"\xff\n")
    output.write_bytes(b"before")
    monkeypatch.setattr(verb, "_BLOCK", 2)
    status, _, err = call(monkeypatch, capsys, "encode", source, "-o", output, "-m", table, "--strict")
    assert status == 1
    assert "expected UTF-8" in err
    assert output.read_bytes() == b"before"
    assert not list(tmp_path.glob(".*.part"))
