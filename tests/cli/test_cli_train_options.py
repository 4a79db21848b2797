"""Every setting has an option, with the default and the text of the dataclass that defines it."""

import inspect
from dataclasses import fields

import pytest
from cli_command import call

import wordstock as ws
from wordstock.cli.train_options import METHODS, OPTIONS, flag
from wordstock.corpus import read_texts
from wordstock.text import Tokenizer
from wordstock.vocab import GraphWalks, PhraseSettings, build_shards

SHARED = {name: name for name in ("patience", "checkpoint_seconds", "min_count", "phrases")}


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    lines = ["The cat of New York sat in 1984", "a dog in New York saw the cat", "the cat's fur", "a dog sat"]
    path.write_text("\n".join(lines * 30) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def shown(monkeypatch, capsys):
    status, out, _ = call(monkeypatch, capsys, "train", "--help", columns=1000)
    assert status == 0
    lines = (line.strip(" │") for line in out.splitlines())
    return {line.split()[0]: line for line in lines if line.startswith("--")}


@pytest.mark.parametrize("method", METHODS)
def test_every_field_of_a_config_is_in_the_help_with_its_default(shown, method):
    for field in fields(METHODS[method]):
        line = shown[flag(field.name)]
        assert OPTIONS[field.name].help in line
        if isinstance(field.default, bool):
            assert f"Default: {'' if field.default else 'no-'}{field.name}" in line
        elif field.default is None:
            assert "default" in line.lower()
        else:
            default = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
            parts = line.rpartition("Default: ")[2].removesuffix(".").split("; ")
            assert default in [part.split(": ")[-1] for part in parts]


def test_every_setting_of_the_text_has_an_option(shown):
    for field in fields(Tokenizer):
        assert field.name == "split" or f"Default: {field.default}" in shown[flag(field.name)]
    for field in fields(PhraseSettings)[1:]:
        assert OPTIONS[f"phrase_{field.name}"].help in shown[flag(f"phrase_{field.name}")]
    # Blank lines hold no word, so keeping them would change nothing in training.
    for name in inspect.signature(read_texts).parameters.keys() - {"path", "report", "progress", "blank"}:
        assert OPTIONS[name].help in shown[flag(name)]


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (build_shards, {"min_count": "min_count", "phrases": "phrases"}),
        (GraphWalks.__init__, {"walk_length": "length", "walks_per_node": "walks_per_node", "p": "p", "q": "q"}),
        (
            ws.train_word2vec,
            {"patience": "patience", "checkpoint_seconds": "checkpoint_seconds", "min_count": "min_count"},
        ),
        (
            ws.train_glove,
            {"patience": "patience", "checkpoint_seconds": "checkpoint_seconds", "min_count": "min_count"},
        ),
    ],
)
def test_defaults_told_in_words_are_those_of_the_functions(function, names):
    for option, parameter in names.items():
        assert float(OPTIONS[option].default) == inspect.signature(function).parameters[parameter].default


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "lsa"], "--method lsa: known are word2vec"),
        (
            ["--method", "glove", "--negative", "3"],
            "--negative does not apply to --method glove, only to word2vec and fasttext",
        ),
        (["--method", "glove", "--no-hierarchical"], "--hierarchical does not apply to --method glove"),
        (["--x-max", "3"], "--x-max does not apply to --method word2vec, only to glove"),
        (["--min-n", "2"], "--min-n does not apply to --method word2vec, only to fasttext"),
        (["--method", "fasttext", "--min-n", "7"], "--min-n 7 is above --max-n 6; lower it"),
        (["--phrase-score", "npmi"], "--phrase-score needs --phrases 1 or more"),
        (["--walk-length", "3"], "--walk-length applies to --kind edges only"),
        (["--kind", "baskets", "--casing", "keep"], "--casing does not apply to --kind baskets"),
        (["--kind", "edges", "--unique"], "--unique does not apply to --kind edges"),
        (["--kind", "edges", "--phrases", "1"], "--phrases does not apply to --kind edges"),
        (["--patience", "2"], "--patience needs --validate"),
        (["--dim", "0"], "--dim 0: needs a whole number of at least 1"),
        (["--casing", "upper"], "--casing 'upper': known are 'lower', 'keep'"),
        (["--algorithm", "lsa"], "--algorithm 'lsa': known are 'skipgram', 'cbow'"),
        (["--kind", "pdf"], "--kind 'pdf': known are"),
        (["--encoding", "martian"], "Python knows no such encoding"),
        (["--min-count", "0"], "--min-count 0: needs a whole number of at least 1"),
    ],
)
def test_what_does_not_apply_is_refused_by_name(text, tmp_path, monkeypatch, capsys, options, message):
    status, _, err = call(monkeypatch, capsys, "train", text, "-o", tmp_path / "v.safetensors", *options)
    assert (status, err.count("\n")) == (1, 1), err
    assert message in err
    assert not (tmp_path / "v.safetensors").exists()


def test_options_reach_training(text, tmp_path, monkeypatch, capsys):
    out = tmp_path / "v.safetensors"
    options = {
        "--dim": 6, "--window": 3, "--negative": 2, "--subsample": 0.01, "--noise-power": 0.5, "--learning-rate": 0.03,
        "--min-learning-rate": 0.001, "--epochs": 2, "--seed": 9, "--threads": 1, "--slice-size": 1000,
        "--min-count": 3, "--max-size": 9, "--phrases": 1, "--phrase-threshold": 2, "--phrase-delimiter": "+",
        "--digits": "zero", "--contractions": "none", "--casing": "keep", "--unspaced": "keep",
    }  # fmt: skip
    words = [str(part) for option in options.items() for part in option]
    status, _, err = call(monkeypatch, capsys, "train", text, "-o", out, "--algorithm", "cbow", *words)
    assert status == 0, err
    table = ws.load(out)
    training = table.card.training
    names = {option[2:].replace("-", "_"): value for option, value in options.items()}
    assert all(training[name] == names[name] for name in fields_of(METHODS["word2vec"]) & names.keys())
    assert training["algorithm"] == "cbow"
    assert training["corpus"]["max_size"] == len(table) == 9
    assert training["corpus"]["phrases"]["threshold"] == 2
    assert "The+cat" in table
    tokenizer = table.config.tokenizer
    assert tokenizer == Tokenizer(digits="zero", contractions="none", casing="keep", unspaced="keep")


def test_options_reach_glove(text, tmp_path, monkeypatch, capsys):
    out = tmp_path / "v.safetensors"
    options = {
        "--dim": 5,
        "--x-max": 4,
        "--alpha": 0.5,
        "--vectors": "word",
        "--memory-limit": 2_000_000,
        "--epochs": 2,
    }
    words = [str(part) for option in options.items() for part in option]
    status, _, err = call(monkeypatch, capsys, "train", text, "-o", out, "--method", "glove", *words)
    assert status == 0, err
    training = ws.load(out).card.training
    assert all(training[option[2:].replace("-", "_")] == value for option, value in options.items())


def test_graphs_and_baskets(tmp_path, monkeypatch, capsys):
    edges, baskets = tmp_path / "edges.txt", tmp_path / "baskets.txt"
    edges.write_text("# a graph\nAda Bob 2.5\nBob Eve\nEve Ada 1\nEve Zoe\n", encoding="utf-8")
    baskets.write_text("Milk Bread\nBread Eggs Milk\nTea Milk\n" * 3, encoding="utf-8")
    quick = ["--dim", 3, "--epochs", 1, "--min-count", 1]
    out = tmp_path / "e.safetensors"
    walks = ["--walk-length", 5, "--walks-per-node", 3, "--directed", "--p", 0.5]
    status, _, err = call(monkeypatch, capsys, "train", edges, "-o", out, "--kind", "edges", *walks, *quick)
    assert status == 0, err
    assert set(ws.load(out)) == {"Ada", "Bob", "Eve", "Zoe"}
    out = tmp_path / "b.safetensors"
    status, _, err = call(monkeypatch, capsys, "train", baskets, "-o", out, "--kind", "baskets", *quick)
    assert status == 0, err
    assert list(ws.load(out)) == ["Milk", "Bread", "Eggs", "Tea"]
    edges.write_text("Ada Bob\nEve\n", encoding="utf-8")
    status, _, err = call(monkeypatch, capsys, "train", edges, "-o", tmp_path / "x.safetensors", "--kind", "edges")
    assert (status, err.count("error:")) == (1, 1)
    assert f"{edges}: edge 1 (counted from 0) must be (node, node)" in err
    assert "in the line 'Eve'" in err


def fields_of(config):
    return {field.name for field in fields(config)}
