"""Errors of the library name options as they are typed, whichever verb runs."""

import pytest
from cli_command import call

import wordstock as ws


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("a cat sat in new york\n" * 50, encoding="utf-8")
    return path


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.safetensors"
    ws.Embeddings.from_arrays(["a", "cat", "sat"], [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]).save(path)
    return path


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--min-count", "0"], "--min-count 0: needs a whole number of at least 1"),
        (["--phrases", "1", "--phrase-discount", "-1"], "--phrase-discount -1: needs a whole number of at least 0"),
        (["--phrases", "-1"], "--phrases -1: needs a whole number"),
        (["--learning-rate", "0"], "--learning-rate 0.0: needs a number above 0"),
        (["--noise-power", "nan"], "--noise-power nan: needs a number"),
    ],
)
def test_a_setting_of_training(monkeypatch, capsys, text, tmp_path, given, told):
    status, _, error = call(monkeypatch, capsys, "train", text, "-o", tmp_path / "v.safetensors", *given)
    assert status == 1
    assert error.startswith(f"error: {told}")


def test_a_setting_of_a_classifier(monkeypatch, capsys, tmp_path):
    data = tmp_path / "train.txt"
    data.write_text("__label__a the cat\n__label__b the dog\n", encoding="utf-8")
    status, _, error = call(
        monkeypatch, capsys, "classify", "train-ngrams", data, "-o", tmp_path / "m.safetensors", "--word-ngrams", "0"
    )
    assert (status, error.split(":")[1].strip()) == (1, "--word-ngrams 0")


def test_what_the_command_line_cannot_give_is_not_asked_for(monkeypatch, capsys, text, tmp_path):
    given = ["train", text, "-o", tmp_path / "v.safetensors", "--phrases", "1", "--phrase-threshold", "nan"]
    status, _, error = call(monkeypatch, capsys, *given)
    assert (status, error.strip()) == (1, "error: --phrase-threshold nan: needs a number above -inf")


def test_what_does_not_fit_the_model(monkeypatch, capsys, text, table, tmp_path):
    given = ["encode", text, "-m", table, "-o", tmp_path / "v.npy", "--truncate-dim", "2"]
    status, _, error = call(monkeypatch, capsys, *given)
    assert status == 1
    assert error.startswith("error: --truncate-dim: only for contextual encoders")


def test_a_word_with_an_underscore_is_an_option(monkeypatch, capsys, text, tmp_path):
    given = ["train", text, "-o", tmp_path / "v.safetensors", "--min-count", "1", "--dim", "100000000000"]
    status, _, error = call(monkeypatch, capsys, *given)
    assert status == 1
    assert "with --dim 100000000000 need" in error
    assert error.rstrip().endswith("lower dim, raise --min-count or set --max-size")


def test_the_remedy_is_an_option_too(monkeypatch, capsys, tmp_path):
    file = tmp_path / "v.txt"
    file.write_bytes(b"a 1 0\nna\xefve 0 1\n")
    status, _, error = call(monkeypatch, capsys, "convert", file, tmp_path / "v.safetensors")
    assert status == 1
    assert "--encoding-errors" in error
    assert "encoding_errors" not in error


def test_what_is_no_option_of_the_verb_stays_as_it_is(monkeypatch, capsys, table):
    status, _, error = call(monkeypatch, capsys, "nearest", "dim=3", "-m", table)
    assert status == 1
    assert "dim=3" in error
