"""Outputs are checked before anything is read or learned, and never written over what is read."""

import sys

import pytest
from cli_command import call

import wordstock as ws


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.safetensors"
    ws.Embeddings.from_arrays(["a", "cat", "sat"], [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]).save(path)
    return path


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("text,label\na,x\ncat,y\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("output", [".", ""])
def test_training_into_a_folder(monkeypatch, capsys, data, output):
    status, _, error = call(monkeypatch, capsys, "train", data, "-o", output)
    assert (status, error.strip()) == (1, "error: --output . is a folder; give the name of a file")


@pytest.mark.parametrize("verb", ["classify train", "classify train-ngrams", "tag train"])
def test_data_is_not_written_over(monkeypatch, capsys, data, verb):
    before = data.read_bytes()
    status, _, error = call(monkeypatch, capsys, *verb.split(), data, "-o", data)
    assert (status, error.strip()) == (1, f"error: --output {data} is the file that is read; give another name")
    status, _, error = call(monkeypatch, capsys, *verb.split(), data, "-o", data.parent)
    assert (status, error.strip()) == (1, f"error: --output {data.parent} is a folder; give the name of a file")
    assert data.read_bytes() == before


@pytest.mark.parametrize("verb", ["classify predict", "tag predict"])
def test_a_prediction_is_not_written_over_what_it_is_made_of(monkeypatch, capsys, table, data, verb):
    for output in (data, table):
        status, _, error = call(monkeypatch, capsys, *verb.split(), table, data, "-o", output)
        assert (status, error.strip()) == (1, f"error: --output {output} is the file that is read; give another name")


@pytest.mark.parametrize("verb", ["classify train", "tag train"])
def test_vectors_are_not_written_over_what_is_learned_with_them(monkeypatch, capsys, table, data, verb):
    before = table.read_bytes()
    status, _, error = call(monkeypatch, capsys, *verb.split(), data, "-m", table, "-o", table)
    assert (status, error.strip()) == (1, f"error: --output {table} is the file that is read; give another name")
    assert table.read_bytes() == before


@pytest.mark.parametrize("verb", ["classify predict", "classify calibrate", "tag predict"])
def test_vectors_are_not_written_over_where_they_have_moved(monkeypatch, capsys, table, data, tmp_path, verb):
    given = [*verb.split(), tmp_path / "saved.safetensors", data, "-m", table, "-o", table]
    status, _, error = call(monkeypatch, capsys, *given)
    assert (status, error.strip()) == (1, f"error: --output {table} is the file that is read; give another name")


def test_a_tuned_encoder_is_not_written_over_the_data(monkeypatch, capsys, table, data, tmp_path):
    output = tmp_path / "c.safetensors"
    given = ["classify", "train", data, "-m", table, "-o", output, "--finetune", "full", "--encoder-output"]
    for read in (data, table):
        status, _, error = call(monkeypatch, capsys, *given, read)
        told = f"error: --encoder-output {read} is the file that is read; give another name"
        assert (status, error.strip()) == (1, told)
    status, _, error = call(monkeypatch, capsys, *given, output)
    told = f"error: --output and --encoder-output are both {output}; give another name"
    assert (status, error.strip()) == (1, told)
    status, _, error = call(monkeypatch, capsys, *given, tmp_path)
    told = f"error: --encoder-output {tmp_path} is there already; give another name"
    assert (status, error.strip()) == (1, told)
    assert not output.exists()


@pytest.mark.parametrize("given", ["-1", "nan"])
def test_no_time_between_checkpoints(monkeypatch, capsys, data, tmp_path, given):
    output = tmp_path / "v.safetensors"
    status, _, error = call(monkeypatch, capsys, "train", data, "-o", output, "--checkpoint-seconds", given)
    assert (status, error.strip()) == (1, f"error: --checkpoint-seconds {given}: needs a number from 0 on")


@pytest.mark.parametrize("given", ["nan,1", "-1,2", "0,0", "inf,1"])
def test_weights_that_give_no_score(monkeypatch, capsys, tmp_path, table, given):
    store, text = tmp_path / "s.safetensors", tmp_path / "x.txt"
    text.write_text("a cat\n", encoding="utf-8")
    assert call(monkeypatch, capsys, "index", text, "--store", store, "-m", table)[0] == 0
    status, _, error = call(monkeypatch, capsys, "search", "cat", "--store", store, "--fusion", given)
    assert (status, error.strip()) == (1, f"error: --fusion {given}: rrf, or two weights such as 0.8,0.2")


def test_a_report_that_could_not_be_drawn_measures_nothing(monkeypatch, capsys, data, tmp_path):
    monkeypatch.setitem(sys.modules, "plotly", None)
    status, _, error = call(monkeypatch, capsys, "report", data, "-o", tmp_path / "r.html")
    assert status == 1
    assert "wordstock[report]" in error
    assert not list(tmp_path.glob("r.*"))


def test_texts_in_another_encoding(monkeypatch, capsys, table, tmp_path):
    texts, output = tmp_path / "x.txt", tmp_path / "v.jsonl"
    texts.write_bytes("a cat, naïve\n".encode("latin-1"))
    given = ["encode", texts, "-m", table, "-o", output, "--strict"]
    status, _, error = call(monkeypatch, capsys, *given)
    assert (status, "--encoding 'latin-1'" in error) == (1, True)
    assert call(monkeypatch, capsys, *given, "--encoding", "latin-1")[0] == 0
    assert "naïve" in output.read_text(encoding="utf-8")
