"""Every path that a user gives, read or written, is taken the same way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import wordstock
from wordstock import Embeddings, formats
from wordstock.cli.main import app
from wordstock.corpus import read_texts
from wordstock.errors import InputError
from wordstock.evaluate import read_set
from wordstock.stores import VectorStore
from wordstock.tasks import NgramClassifier, read_labelled
from wordstock.tasks.tagging import read_conll, write_conll
from wordstock.train import train_word2vec
from wordstock.vocab import build_shards, open_shards

TABLE = Embeddings.from_arrays(["hot", "cold"], np.eye(2, dtype=np.float32))
CORPUS = [["hot", "cold"] * 20] * 20


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    return tmp_path / "home"


def _ngrams(path: Any) -> None:
    NgramClassifier(dim=2, epochs=1, threads=1).fit(["a b", "c d"] * 5, ["x", "y"] * 5).save(path)


def _store(path: Any) -> None:
    with VectorStore(path, TABLE) as store:
        store.add(["hot"])


WRITERS: dict[str, Callable[[Any], object]] = {
    "save.safetensors": TABLE.save,
    "table.txt": lambda path: formats.write(TABLE, path),
    "table.vec.gz": lambda path: formats.write_word2vec_text(TABLE, path),
    "table.glove": lambda path: formats.write_glove(TABLE, path),
    "table.bin": lambda path: formats.write_word2vec_binary(TABLE, path),
    "folder": lambda path: formats.write_model2vec(TABLE, path),
    "shards": lambda path: build_shards(CORPUS, path, min_count=1),
    "checkpoint": lambda path: train_word2vec(CORPUS, checkpoint=path, dim=2, epochs=1, min_count=1),
    "classifier.safetensors": _ngrams,
    "store.safetensors": _store,
    "tags.conll": lambda path: write_conll(path, [["a"]], [["O"]]),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_tilde_is_the_home_folder_where_something_is_written(name: str, home: Path) -> None:
    WRITERS[name](f"~/{name}")
    assert (home / name).exists()
    assert not list(Path().iterdir())


def test_a_tilde_is_the_home_folder_where_something_is_read(home: Path) -> None:
    TABLE.save(home / "table.safetensors")
    formats.convert("~/table.safetensors", "~/table.txt")
    build_shards(CORPUS, home / "shards", min_count=1)
    (home / "text.csv").write_text("text,label\nhot,a\n", encoding="utf-8")
    (home / "tags.conll").write_text("hot O\n", encoding="utf-8")
    (home / "pairs.txt").write_text("hot cold 5\ncold hot 4\n", encoding="utf-8")

    assert list(wordstock.load("~/table.txt").keys) == ["hot", "cold"]
    assert len(formats.read("~/table.txt")) == len(formats.read_word2vec_text("~/table.txt")) == 2
    assert len(open_shards("~/shards").vocabulary) == 2
    assert read_labelled("~/text.csv").texts == ["hot"]
    assert list(read_texts(["~/tags.conll"])) == ["hot O"]
    assert len(read_set("~/pairs.txt").pairs) == 2
    assert read_conll("~/tags.conll").sentences == [["hot"]]


def test_a_tilde_is_the_home_folder_on_the_command_line(home: Path) -> None:
    (home / "text.txt").write_text("hot cold\n" * 20, encoding="utf-8")
    sizes = ["--dim", "2", "--epochs", "1", "--min-count", "1"]
    made = CliRunner().invoke(app, ["train", "~/text.txt", "--output=~/made.safetensors", *sizes])
    assert made.exit_code == 0, made
    assert CliRunner().invoke(app, ["convert", "~/made.safetensors", "~/made.txt"]).exit_code == 0
    assert (home / "made.txt").exists()
    assert not list(Path().iterdir())


@pytest.mark.parametrize("bad", [b"x", None, 3, "", "a\0b"], ids=repr)
@pytest.mark.parametrize(
    "take",
    [
        TABLE.save,
        wordstock.load,
        formats.read,
        lambda path: formats.write(TABLE, path, format="glove"),
        lambda path: formats.convert(path, "x.txt"),
        lambda path: list(read_texts(path)),
        read_labelled,
        read_set,
        read_conll,
        lambda path: build_shards(CORPUS, path),
        NgramClassifier.load,
        _ngrams,
    ],
)
def test_what_is_no_path_is_refused_by_the_argument_s_name(take: Callable[[Any], object], bad: Any) -> None:
    with pytest.raises(InputError, match=r"^(path|name_or_path|folder|source)=.*(needs a path|name of a file|NUL)"):
        take(bad)
