"""``wordstock evaluate``."""

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from wordstock import Embeddings
from wordstock.cli.evaluate import evaluate
from wordstock.errors import InputError

KEYS = ["man", "woman", "king", "queen", "cat", "dog"]
VECTORS = [[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1], [0, -1, 0.2], [0.1, -1, 0.3]]

app = typer.Typer()
app.command()(evaluate)


@pytest.fixture
def files(tmp_path):
    Embeddings.from_arrays(KEYS, np.array(VECTORS)).save(tmp_path / "model.safetensors")
    (tmp_path / "pairs.txt").write_text("man\twoman\t5\nking\tqueen\t6\ncat\tdog\t9\ncat\tyak\t8\nman\tcat\t0\n")
    (tmp_path / "questions.txt").write_text(": royal\nMan King Woman Queen\nman king yak yaks\n")
    return tmp_path


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "120"})


def test_a_table_for_each_set(files):
    ran = call(files / "model.safetensors", files / "pairs.txt", files / "questions.txt")
    assert ran.exit_code == 0, ran.output
    assert "pairs: similarity, 4 of 5 pairs covered" in ran.output
    assert "Spearman" in ran.output
    assert "questions: analogies by 3cosadd" in ran.output
    assert "100.00 %" in ran.output
    assert "50.00 %" in ran.output


def test_json(files):
    ran = call(files / "model.safetensors", files / "pairs.txt", files / "questions.txt", "--json", "--method=3cosmul")
    similarity, analogy = json.loads(ran.stdout)
    assert (similarity["kind"], similarity["covered"], similarity["oov_words"]) == ("similarity", 4, ["yak"])
    assert (analogy["method"], analogy["total"]["correct"]) == ("3cosmul", 1)


def test_options(files):
    ran = call(files / "model.safetensors", files / "questions.txt", "--layout", "google", "--exact-case", "--json")
    assert json.loads(ran.stdout)[0]["total"]["answered"] == 0
    assert "undefined" in call(files / "model.safetensors", files / "questions.txt", "--exact-case").output
    for option, message in (("--method=add", "known are 3cosadd"), ("--layout=bat", "known are tab, comma")):
        ran = call(files / "model.safetensors", files / "pairs.txt", option)
        assert isinstance(ran.exception, InputError)
        assert message in str(ran.exception)


def test_brackets_are_shown_as_they_are(files):
    (files / "[set[").mkdir()
    pairs, questions = files / "[set[" / "[b]pairs[].txt", files / "[set[" / "[i]questions.txt"
    (files / "pairs.txt").rename(pairs)
    questions.write_text(": [/foo]\nMan King Woman Queen\n: [red]x\nman king woman queen\n")
    ran = call(files / "model.safetensors", pairs, questions)
    assert ran.exit_code == 0, ran.output
    for shown in ("[b]pairs[]: similarity", "[i]questions: analogies", "[/foo]", "[red]x"):
        assert shown in ran.output
