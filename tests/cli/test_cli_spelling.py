"""Errors of the library name options as they are typed, whichever verb runs."""

import subprocess
import sys

import pytest
from cli_command import call

import wordstock as ws
from wordstock.cli import spelling
from wordstock.cli.spelling import spelt


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


def test_what_a_file_holds_stays_as_it_is(monkeypatch, capsys, table, tmp_path):
    data = tmp_path / "d.conll"
    data.write_text("a O\n\ncat epochs=3 tag_column O\n\n", encoding="utf-8")
    given = ["tag", "train", data, "-o", tmp_path / "saved.safetensors", "-m", table]
    status, _, error = call(monkeypatch, capsys, *given)
    assert (status, "in 'cat epochs=3 tag_column O'" in error) == (1, True)


@pytest.mark.parametrize("name", ["model", "k=3 words.txt"])
def test_what_was_typed_stays_as_it_is(monkeypatch, capsys, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    status, _, error = call(monkeypatch, capsys, "nearest", "cat", "-m", name)
    assert status == 1
    assert error.startswith(f"error: {name}: expected a file of vectors")


def test_a_folder_that_was_typed_stays_as_it_is(monkeypatch, capsys, tmp_path, text):
    monkeypatch.chdir(tmp_path)
    _, _, error = call(monkeypatch, capsys, "train", text, "-o", "a dim=3/v.safetensors")
    assert error.startswith("error: --output a dim=3/v.safetensors: there is no folder a dim=3;")


def test_a_setting_beside_what_was_typed_is_still_an_option(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "min_count").write_text("a cat\n" * 9, encoding="utf-8")
    status, _, error = call(monkeypatch, capsys, "train", "min_count", "-o", "v.safetensors", "--min-count", "0")
    assert (status, error.split(":")[1].strip()) == (1, "--min-count 0")


def test_an_option_that_is_a_letter(monkeypatch, capsys, table, tmp_path):
    data = tmp_path / "d.csv"
    data.write_text("text,label\na,x\ncat,y\n", encoding="utf-8")
    given = ["classify", "train", data, "-o", tmp_path / "c.safetensors", "-m", table, "-C", "0"]
    status, _, error = call(monkeypatch, capsys, *given)
    assert (status, error.strip()) == (1, "error: -C 0.0: needs a number above 0")


def test_an_option_that_the_library_calls_otherwise(monkeypatch, capsys, table, tmp_path):
    data, saved = tmp_path / "d.conll", tmp_path / "t.tagger.safetensors"
    data.write_text("a B-X\ncat O\n\n", encoding="utf-8")
    given = ["tag", "train", data, "-o", saved, "-m", table, "--epochs", "1", "--kind"]
    status, _, error = call(monkeypatch, capsys, *given, "foo")
    assert (status, error.split(":")[1].strip()) == (1, "--kind 'foo'")
    assert call(monkeypatch, capsys, *given, "crf")[0] == 0
    table.rename(tmp_path / "moved.safetensors")
    status, _, error = call(monkeypatch, capsys, "tag", "predict", saved, data)
    assert (status, error.rstrip().endswith("; pass --model")) == (1, True)


def test_a_setting_without_a_value(monkeypatch, capsys, table, tmp_path):
    status, _, error = call(monkeypatch, capsys, "convert", table, tmp_path / "t.foo")
    assert status == 1
    assert "name it with --format, or" in error


def test_what_is_logged_names_options_too(monkeypatch, tmp_path, text):
    given = ["train", text, "-o", tmp_path / "v.safetensors", "--min-count", "1", "--epochs", "1", "--dim", "4"]
    command = [sys.executable, "-c", "from wordstock.cli.main import main; main()", *map(str, given)]
    monkeypatch.setenv("COLUMNS", "200")
    done = subprocess.run([*command, "--subsample", "1e-9"], capture_output=True, text=True, check=True)
    assert "--subsample 1e-09 left" in done.stderr


def test_a_remedy_that_only_python_has_is_left_out(monkeypatch):
    monkeypatch.setattr(spelling, "_options", {})  # of a verb without --long
    assert (
        spelt("2 of 9 texts are too long; with_config(long='window') reads them whole") == "2 of 9 texts are too long"
    )
    assert "run `wordstock reindex` to" in spelt("give its own, or call reindex(encoder) to index it again")


@pytest.mark.parametrize(("option", "value"), [("--head", "foo"), ("--finetune", "foo")])
def test_known_values_are_those_that_can_be_typed(monkeypatch, capsys, table, tmp_path, option, value):
    data = tmp_path / "d.csv"
    data.write_text("text,label\na,x\ncat,y\n", encoding="utf-8")
    given = ["classify", "train", data, "-o", tmp_path / "c.safetensors", "-m", table, option, value]
    status, _, error = call(monkeypatch, capsys, *given)
    assert status == 1
    assert error.startswith(f"error: {option} {value}: known are")
    assert "(" not in error
    assert "None" not in error


def test_tags_to_repair(monkeypatch, capsys, tmp_path):
    bad = tmp_path / "bad.tsv"
    bad.write_text("a\tB-X\n\nb\tO\nc\tI-X\n", encoding="utf-8")
    status, _, error = call(monkeypatch, capsys, "tag", "train", bad, "-o", tmp_path / "x.safetensors")
    assert status == 1
    assert error.strip().endswith("correct the tag, or read with --repair")
