"""The verb ``tag``: train, predict and evaluate as Python does, with errors that name the place."""

from __future__ import annotations

import json

import pytest
import torch
from tagging_samples import tagged
from topic_samples import make_table
from typer.testing import CliRunner

from wordstock.cli.tag import tag_app
from wordstock.errors import FormatError, InputError, LabelError
from wordstock.tasks import SequenceTagger
from wordstock.tasks.tagging import read_conll, write_conll, write_conllu

TRAIN, TEST = tagged(60, 1), tagged(30, 2)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def call(*arguments, fails=None):
    result = CliRunner().invoke(tag_app, [str(one) for one in arguments])
    if fails is not None:
        assert isinstance(result.exception, fails), result.output
        return str(result.exception)
    assert result.exception is None, result.output
    return result.stdout


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tag")
    make_table().save(folder / "vectors.safetensors")
    write_conll(folder / "train.tsv", *TRAIN)
    write_conll(folder / "test.tsv", *TEST)
    call(
        "train", folder / "train.tsv", "-o", folder / "m.safetensors", "-m", folder / "vectors.safetensors",
        "--epochs", 5, "--learning-rate", 0.02, "-d", folder / "test.tsv",
    )  # fmt: skip
    return folder


def test_predict_and_evaluate_do_as_python_does(files):
    tagger = SequenceTagger.load(files / "m.safetensors")
    output = call("predict", files / "m.safetensors", files / "test.tsv")
    (files / "out.tsv").write_text(output, encoding="utf-8")
    assert read_conll(files / "out.tsv").tags == tagger.predict(TEST[0])
    measured = json.loads(call("evaluate", files / "m.safetensors", files / "test.tsv", "--json"))
    assert measured["f1"] == pytest.approx(tagger.score(*TEST))
    assert measured["sentences"] == 30
    table = call("evaluate", files / "m.safetensors", files / "test.tsv")
    assert f"{100 * measured['types']['DEAL']['f1']:.2f}" in table
    assert "BEAST" in table


def test_raw_text_gives_columns_or_spans(files):
    text = files / "raw.txt"
    text.write_text("the cat is on it\n\na dog and the hen\n", encoding="utf-8")
    tagger = SequenceTagger.load(files / "m.safetensors")
    call("predict", files / "m.safetensors", text, "-o", files / "out.tsv")
    assert read_conll(files / "out.tsv").sentences == [
        ["the", "cat", "is", "on", "it"],
        ["a", "dog", "and", "the", "hen"],
    ]
    lines = [json.loads(line) for line in call("predict", files / "m.safetensors", text, "--spans").splitlines()]
    assert [one["text"] for one in lines] == ["the cat is on it", "a dog and the hen"]
    assert [[span["text"] for span in one["spans"]] for one in lines] == [
        [span.text for span in tagger.predict_spans(one["text"])] for one in lines
    ]
    assert "wants raw text" in call("predict", files / "m.safetensors", files / "test.tsv", "--spans", fails=InputError)


def test_parts_of_speech_from_conllu_over_two_encoders(files):
    tags = [["N" if tag == "O" else "V" for tag in one] for one in TRAIN[1]]
    write_conllu(files / "pos.conllu", TRAIN[0], tags)
    make_table(seed=4).save(files / "more.safetensors")
    models = [part for name in ("vectors", "more") for part in ("-m", files / f"{name}.safetensors")]
    call("train", files / "pos.conllu", "-o", files / "pos.safetensors", *models, "--kind", "crf", "--epochs", 3)
    assert json.loads(
        call(
            "evaluate", files / "pos.safetensors", files / "pos.conllu", "--json", "-m", files / "vectors.safetensors",
            "-m", files / "more.safetensors",
        )
    )["accuracy"] > 0.9  # fmt: skip


def test_errors_name_the_place(files):
    bad = files / "bad.tsv"
    bad.write_text("a\tO\nb\tB-X\nc\tI-X\n\nd\tO\ne\tI-X\nf\tB-X\n", encoding="utf-8")
    assert "line 6: expected tags that are valid IOB2" in call("train", bad, "-o", files / "x", fails=FormatError)
    bad.write_text("cat\tB-CAR\n", encoding="utf-8")
    bad.write_text("the\tO\n\n\ncat\tB-CAR\n", encoding="utf-8")
    wrong = f"{bad}, line 4: unknown label 'CAR'"
    assert call("evaluate", files / "m.safetensors", bad, fails=LabelError).startswith(wrong)
    fit = ("train", files / "train.tsv", "-o", files / "x", "-m", files / "vectors.safetensors", "-d", bad)
    assert call(*fit, fails=LabelError).startswith(wrong)
    assert "known are 'bilstm-crf'" in call(
        "train", files / "train.tsv", "-o", files / "x", "-m", files / "vectors.safetensors", "--kind", "hmm",
        fails=InputError,
    )  # fmt: skip
    assert "give a number" in call(
        "train", files / "train.tsv", "-o", files / "x", "--tag-column", "upos", fails=InputError
    )
    assert not (files / "x").exists()
