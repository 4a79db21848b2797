"""``wordstock models``, ``wordstock info`` and ``wordstock convert`` of a name."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from wordstock.cli.convert import convert
from wordstock.cli.models import info, models
from wordstock.errors import InputError, UnknownModelError
from wordstock.hub import cached, fetch


@pytest.fixture
def call(cache, monkeypatch):
    """Runs a verb as on an 80-column terminal; gives exit status and output, and lets wordstock's errors through."""
    app = typer.Typer()
    app.command()(models)
    app.command()(info)
    app.command()(convert)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words):
        result = CliRunner().invoke(app, list(words))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return run


@pytest.fixture
def tiny(register, native_file, tmp_path):
    path = tmp_path / "real.safetensors"
    path.write_bytes(native_file)
    register("tiny", {"type": "path", "path": str(path)}, language="xx", dim=3, citation="Nobody 2020")
    return path


def test_models_fit_and_name_everything(call):
    _, shown = call("models")
    assert "glove-6b-50d " in shown
    assert "fasttext-cc-LANG" in shown
    assert "not verified here" in shown
    assert max(len(line) for line in shown.splitlines()[:-1]) <= 80


def test_a_stray_manifest_does_not_stop_the_list(call, cache):
    stray = cache / "models" / "stray"
    stray.mkdir(parents=True)
    values = {"name": "bad name", "kind": "table", "source": "x", "sha256": "", "fetched": "", "wordstock": "0"}
    (stray / "manifest.json").write_text(json.dumps({"version": 1, **values, "files": {}}))
    status, shown = call("models")
    assert status == 0
    assert "bad name" not in shown
    assert "glove-6b-50d" in shown


def test_brackets_are_shown_as_they_are(call, register, native_file, tmp_path):
    path = tmp_path / "[bold]x[" / "foo].safetensors"
    path.parent.mkdir()
    path.write_bytes(native_file)
    register("tiny", {"type": "path", "path": str(path)}, language="[/l]", licence="[/x]", notes=["[/n]"], dim=3)
    status, shown = call("models")
    assert status == 0
    assert "[/l]" in shown
    assert "[/x]" in shown
    assert "[/n]" in call("info", "tiny")[1]
    assert "[/foo].safetensors" in call("info", str(path))[1].replace("\n", "")


def test_models_of_a_language_and_kind(call):
    rows = json.loads(call("models", "--language", "fr", "--json")[1])
    assert [row["name"] for row in rows] == ["fasttext-cc-fr", "fasttext-wiki-fr"]
    rows = json.loads(call("models", "--kind", "encoder", "--json")[1])
    assert [row["name"] for row in rows] == ["all-minilm-l6-v2"]
    with pytest.raises(InputError, match="known are table, encoder"):
        call("models", "--kind", "tabel")


def test_cached_models_even_those_that_left_the_registry(call, tiny, monkeypatch):
    assert json.loads(call("models", "--cached", "--json")[1]) == []
    fetch("tiny")
    (row,) = json.loads(call("models", "--cached", "--json")[1])
    assert row["name"] == "tiny"
    assert row["bytes_in_cache"] > 100
    monkeypatch.delenv("WORDSTOCK_REGISTRY")
    assert json.loads(call("models", "--cached", "--json")[1])[0]["name"] == "tiny"
    assert "removed" in call("models", "--remove", "tiny")[1]
    assert json.loads(call("models", "--cached", "--json")[1]) == []


def test_remove(call, tiny):
    assert "was not in the cache" in call("models", "--remove", "tiny")[1]
    fetch("tiny")
    assert "removed from the cache" in call("models", "--remove", "tiny")[1]
    assert cached("tiny") is None
    with pytest.raises(UnknownModelError):
        call("models", "--remove", "nothing-like-it")


def test_info_of_a_name_before_and_after_it_is_fetched(call, tiny):
    facts = json.loads(call("info", "tiny", "--json")[1])
    assert (facts["dim"], facts["cached"], facts["verified"]) == (3, None, False)
    with pytest.raises(InputError, match="nothing to verify"):
        call("info", "tiny", "--verify")
    fetch("tiny")
    facts = json.loads(call("info", "tiny", "--json", "--verify")[1])
    assert (facts["keys"], facts["precision"], facts["digest matches"]) == (4, "float32", True)
    assert facts["first keys"] == ["the", "cat", "sat", "mat"]
    assert "Nobody 2020" in call("info", "tiny")[1]


def test_info_of_a_path(call, tiny):
    status, shown = call("info", str(tiny), "--verify")
    assert status == 0
    assert "digest matches" in shown
    data = bytearray(tiny.read_bytes())
    at = data.find(b"thecatsatmat")
    data[at : at + 3] = b"tha"
    tiny.write_bytes(bytes(data))
    status, shown = call("info", str(tiny), "--verify")
    assert status == 1
    with pytest.raises(UnknownModelError, match="no such file"):
        call("info", "nowhere/at.all")


def test_info_of_an_encoder_reads_no_weights(call, tmp_path):
    sizes = {"num_hidden_layers": 2, "hidden_size": 8, "max_position_embeddings": 64}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert", **sizes}))
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    facts = json.loads(call("info", str(tmp_path), "--json")[1])
    assert (facts["architecture"], facts["layers"], facts["dim"], facts["max tokens"]) == ("bert", 2, 8, 64)
    assert facts["encode"]["pooling"] == ["mean"]
    with pytest.raises(InputError, match="nothing to verify"):
        call("info", str(tmp_path), "--verify")


def test_info_of_an_encoder_that_is_not_fetched(call):
    _, shown = call("info", "all-minilm-l6-v2")
    assert "Apache-2.0" in shown
    with pytest.raises(UnknownModelError, match="near matches"):
        call("info", "glove-6b-51d")


def test_convert_takes_any_name_of_a_table(call, tiny, register, tmp_path):
    register('"tiny-v1.5"', {"type": "path", "path": str(tiny)})
    register('"bert-v1.5"', {"type": "path", "path": str(tmp_path / "nowhere")}, kind="encoder")
    status, said = call("convert", "tiny-v1.5", str(tmp_path / "out.txt"))
    assert (status, (tmp_path / "out.txt").exists()) == (0, True), said
    with pytest.raises(InputError, match=r"bert-v1\.5 is not a table of words; this verb needs one"):
        call("convert", "bert-v1.5", str(tmp_path / "more.txt"))
    with pytest.raises(UnknownModelError, match="write hf:organisation/name"):
        call("convert", "hf:name", str(tmp_path / "more.txt"))
    assert not (tmp_path / "more.txt").exists()
