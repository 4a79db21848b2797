"""Conversion says what the new file does not hold; the command line says it too."""

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from wordstock.cli.convert import convert as command
from wordstock.embeddings import Card, Embeddings, Storage
from wordstock.errors import FormatError, InputError
from wordstock.formats import convert, losses, read, write
from wordstock.vocab import Subwords, Vocabulary


@pytest.fixture
def rich():
    """A table that has everything a native file can hold."""
    return Embeddings(
        Vocabulary.from_keys(["a", "b", "c"], rows=np.array([0, 2, 0], np.int32), counts=np.array([3, 2, 1])),
        Storage(np.ones((4, 2), np.float32)),
        card=Card(name="rich", licence="MIT", source="here"),
        common=np.float32([[1, 0]]),
        subwords=Subwords(min_n=3, max_n=6, buckets=2),
        subword_vectors=np.ones((2, 2), np.float32),
        output=np.ones((4, 2), np.float32),
    )


def test_nothing_is_lost_between_equals(file, tmp_path, equal):
    source = file(b"2 2\na 1 2\nb 3 4\n")
    for name in ("n.safetensors", "n.bin", "n.glove.txt.gz", "n.vec.bz2", "n.txt.zst"):
        assert convert(source, tmp_path / name) == []
        assert equal(read(tmp_path / name), read(source))
        source = tmp_path / name


def test_everything_that_text_does_not_hold(rich, tmp_path):
    rich.save(tmp_path / "rich.safetensors")
    report = "\n".join(convert(tmp_path / "rich.safetensors", tmp_path / "rich.txt"))
    for said in (
        "the counts of the keys are dropped",
        "1 keys that share a vector with another get a copy",
        "2 vectors without a key are dropped",
        "the card is dropped (licence, source)",
        "common components",
        "n-gram vectors",
        "training cannot continue",
    ):
        assert said in report


def test_precision(table, tmp_path):
    small = table.subset(["nan", "null"])
    assert losses(small, "native", "int8") == ["float32 numbers are rounded to int8"]
    assert losses(small, "native", "float32") == []
    small.save(tmp_path / "s.safetensors", precision="float16")
    assert "float16 vectors are written as float32" in convert(tmp_path / "s.safetensors", tmp_path / "s.bin")[0]
    assert convert(tmp_path / "s.safetensors", tmp_path / "t.safetensors", precision="float32") == []


def test_what_reading_dropped_is_reported(file, tmp_path):
    source = file(b"a 1 2\na 3 4\nb 5 6\n")
    with pytest.warns(UserWarning, match="1 repeated key dropped"):
        report = convert(source, tmp_path / "t.txt", limit=3)
    assert "1 repeated key dropped; the first of each was kept" in report
    assert "rows after the first 3 were not read" in report


def test_one_file_for_both_and_unknown_targets(file, tmp_path):
    source = file(b"a 1 2\n", "v.txt")
    with pytest.raises(InputError, match="one file"):
        convert(source, tmp_path / "v.txt")
    with pytest.raises(InputError, match="no format known"):
        convert(source, tmp_path / "v.xyz")
    told: list[int] = []
    for name, options, said in (
        ("v.bin", {"precision": "int8"}, "word2vec-binary always holds float32"),
        ("v.safetensors", {"precision": "int4"}, "precision='int4': known are"),
        ("v.safetensors.gz", {}, "cannot be compressed"),
        ("v.bin", {"format": ["glove"]}, "known are native"),
    ):
        with pytest.raises(InputError, match=said):
            convert(source, tmp_path / name, progress=lambda done, total: told.append(done), **options)
    assert not told, "the source was read before the mistake was told"
    with pytest.raises(FormatError):
        convert(file(b"", "empty.txt"), tmp_path / "v.bin")
    assert not (tmp_path / "v.bin").exists()


def test_a_folder_is_not_converted_over_its_own_files(table, tmp_path):
    write(table, tmp_path / "model", format="model2vec")
    before = (tmp_path / "model" / "model.safetensors").read_bytes()
    with pytest.raises(InputError, match=r"model\.safetensors is a part of .*model; write to another name"):
        convert(tmp_path / "model", tmp_path / "model" / "model.safetensors")
    assert (tmp_path / "model" / "model.safetensors").read_bytes() == before
    convert(tmp_path / "model", tmp_path / "model" / "table.safetensors")


@pytest.fixture
def cli():
    app = typer.Typer()
    app.command()(command)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_command(file, tmp_path, cli, rich, equal):
    source = file(b"2 2\na 1 2\nb 3 4\n")
    done = cli(source, tmp_path / "v.safetensors", "--precision", "float16")
    assert done.exit_code == 0, done.output
    assert "float32 numbers are rounded to float16" in done.output
    done = cli(source, tmp_path / "v.out", "--format", "word2vec-binary", "--limit", "1")
    assert len(read(tmp_path / "v.out")) == 1
    rich.save(tmp_path / "rich.safetensors")
    done = cli(tmp_path / "rich.safetensors", tmp_path / "rich.txt")
    assert "not in the new file:" in done.output
    assert "  - the counts of the keys are dropped" in done.output
    assert "nothing is lost" in cli(source, tmp_path / "v.bin").output


@pytest.mark.parametrize("option", ["--format", "--precision", "--encoding-errors", "--non-finite"])
def test_command_refuses_unknown_choices(file, tmp_path, cli, option):
    done = cli(file(b"a 1 2\n"), tmp_path / "v.txt", option, "xyz")
    assert isinstance(done.exception, InputError)
    assert f"{option} xyz: known are" in str(done.exception)
