"""Only the lines in one language become vectors."""

import random

import pytest
from cli_command import call

import wordstock as ws

fasttext = pytest.importorskip("fasttext")

WORDS = {
    "en": ["the", "house", "of", "my", "father", "garden", "with", "old", "trees"],
    "de": ["das", "haus", "meines", "vaters", "garten", "mit", "alten", "bäumen"],
}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("languages")
    draw = random.Random(0)
    rows = [(code, " ".join(draw.choices(WORDS[code], k=8))) for code in ("en", "de") * 200]
    labelled, text, model = folder / "labelled", folder / "text.txt", folder / "lid.bin"
    labelled.write_text("".join(f"__label__{code} {line}\n" for code, line in rows), encoding="utf-8")
    text.write_text("".join(f"{line}\n" for _, line in rows), encoding="utf-8")
    # ten threads and 10 dimensions: else a part of fastText's matrix is whatever was in memory
    trained = fasttext.train_supervised(str(labelled), dim=10, lr=1.0, epoch=10, thread=10, verbose=0)
    trained.save_model(str(model))
    return text, model


def test_lines_of_one_language(tmp_path, monkeypatch, capsys, mixed):
    text, model = mixed
    out = tmp_path / "out.safetensors"
    command = ["train", text, "-o", out, "--dim", 8, "--epochs", 1, "--min-count", 1]
    assert call(monkeypatch, capsys, *command, "--language", "de", "--language-model", model)[0] == 0
    assert set(ws.load(out).keys) == set(WORDS["de"])


def test_a_model_without_a_language_and_the_reverse(tmp_path, monkeypatch, capsys, mixed):
    text, model = mixed
    command = ["train", text, "-o", tmp_path / "out.safetensors"]
    for options, said in (
        (["--language-model", model], "--language-model needs --language"),
        (["--language", "de"], "--language-model"),
        (["--language", "fr", "--language-model", model], "'fr' is no label of this model"),
        (["--language", "de", "--language-model", text], "text.txt, byte"),
    ):
        status, _, told = call(monkeypatch, capsys, *command, *options)
        assert status != 0
        assert said in " ".join(told.split())
