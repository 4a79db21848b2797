import csv
import io
import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from wordstock.cli.classify import classify_app
from wordstock.errors import FingerprintError, FormatError, InputError, LabelError
from wordstock.tasks import NgramClassifier, TextClassifier


def write_csv(path, rows, header=("text", "label")):
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)
    return path


@pytest.fixture
def files(tmp_path, table, train, test):
    table.save(tmp_path / "vectors.safetensors")
    write_csv(tmp_path / "train.csv", zip(*train, strict=True))
    write_csv(tmp_path / "test.csv", zip(*test, strict=True))
    return tmp_path


def call(*arguments, fails=None):
    result = CliRunner().invoke(classify_app, [str(one) for one in arguments])
    if fails is not None:
        assert isinstance(result.exception, fails), result.output
        return str(result.exception)
    assert result.exception is None, result.output
    assert result.exit_code == 0
    return result.stdout


@pytest.fixture
def trained(files):
    call("train", files / "train.csv", "-o", files / "m.safetensors", "-m", files / "vectors.safetensors")
    return files / "m.safetensors"


def test_train_then_predict_as_python_does(files, trained, table, train, test):
    output = call("predict", trained, files / "test.csv", "--proba")
    rows = list(csv.DictReader(io.StringIO(output)))
    model = TextClassifier(table).fit(*train)
    assert [row["text"] for row in rows] == test[0]
    assert [row["label"] for row in rows] == model.predict(test[0]).tolist()
    assert list(rows[0]) == ["text", "label", "p_animal", "p_money", "p_weather"]
    for row, expected in zip(rows, model.predict_proba(test[0]), strict=True):
        assert float(row["p_money"]) == pytest.approx(expected[1], abs=1e-6)
    call("predict", trained, files / "test.csv", "--proba", "-o", files / "out.csv")
    assert (files / "out.csv").read_text(encoding="utf-8") == output


def test_evaluate_as_json_and_as_tables(files, trained, test):
    swapped = ["money" if i < 4 else label for i, label in enumerate(test[1])]
    write_csv(files / "test.csv", zip(test[0], swapped, strict=True))
    measured = json.loads(call("evaluate", trained, files / "test.csv", "--json"))
    assert measured["texts"] == 60
    assert measured["accuracy"] == TextClassifier.load(trained).score(test[0], swapped)
    assert set(measured["classes"]) == {"animal", "money", "weather"}
    assert measured["classes"]["money"]["texts"] == swapped.count("money")
    wrong = sum(one["texts"] for one in measured["confusions"])
    assert wrong == round(60 * (1 - measured["accuracy"]))
    shown = call("evaluate", trained, files / "test.csv")
    for part in ("accuracy", f"{measured['accuracy']:.3f}", "macro-F1", "precision", "money", "taken for"):
        assert part in shown


def test_options_reach_the_classifier(files):
    out = files / "m.safetensors"
    settings = ("--lexical", "--balanced", "--cv", 3, "--seed", 7, "-C", 2)
    call("train", files / "train.csv", "-o", out, "-m", files / "vectors.safetensors", *settings)
    model = TextClassifier.load(out)
    assert (model.lexical, model.class_weight, model.cv, model.seed, model.C) == (True, "balanced", 3, 7, 2.0)


def test_other_columns_and_json_lines(files, train):
    rows = [{"body": text, "tag": label} for text, label in zip(*train, strict=True)]
    path = files / "train.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    columns = ("--text-column", "body", "--label-column", "tag")
    call("train", path, "-o", files / "m.safetensors", "-m", files / "vectors.safetensors", *columns)
    assert json.loads(call("evaluate", files / "m.safetensors", path, "--json", *columns))["accuracy"] > 0.8


def test_several_labels(files, train):
    rows = [(text, label + ("|rare" if i % 2 else "")) for i, (text, label) in enumerate(zip(*train, strict=True))]
    path = write_csv(files / "many.csv", rows)
    model, separator = files / "m.safetensors", ("--label-separator", "|")
    call("train", path, "-o", model, "-m", files / "vectors.safetensors", *separator)
    labels = {row["label"] for row in csv.DictReader(io.StringIO(call("predict", model, path)))}
    assert any("|" in label for label in labels)
    measured = json.loads(call("evaluate", model, path, "--json", *separator))
    assert set(measured["classes"]) == {"animal", "money", "weather", "rare"}
    assert "confusions" not in measured
    assert "taken for" not in call("evaluate", model, path, *separator)


def test_what_goes_wrong_is_said(files, trained, other_table):
    message = call("train", files / "train.csv", "-o", files / "x", "--text-column", "body", fails=InputError)
    assert "no column 'body'; its columns are 'text', 'label'" in message
    write_csv(files / "new.csv", [("cat", "animal"), ("dog", "cars")])
    for verb in ("evaluate", "calibrate"):
        message = call(verb, trained, files / "new.csv", fails=LabelError)
        assert message.startswith(f"{files / 'new.csv'}, line 3: unknown label 'cars'")
    (files / "data.txt").write_text("", encoding="utf-8")
    for verb in ("train", "train-ngrams"):
        assert "found an empty file" in call(verb, files / "data.txt", "-o", files / "x", fails=FormatError)
    (files / "data.txt").write_text("cat dog\n", encoding="utf-8")
    message = call("train", files / "data.txt", "-o", files / "x", fails=FormatError)
    assert "found none; labels are tokens that start with __label__; tables are .csv" in message
    other_table.save(files / "other.safetensors")
    call("predict", trained, files / "test.csv", "-m", files / "other.safetensors", fails=FingerprintError)
    call("predict", trained, files / "none.csv", fails=FileNotFoundError)
    write_csv(files / "one.csv", [("cat", "animal"), ("dog", "animal")])
    assert "two classes" in call("train", files / "one.csv", "-o", files / "x", "-m", trained, fails=LabelError)


def test_as_a_real_process(files, trained):
    code = "from wordstock.cli.main import main; main()"
    command = [sys.executable, "-c", code, "classify", "evaluate", str(trained), str(files / "test.csv"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["texts"] == 60
    (files / "bad.csv").write_text("text,label\na,b,c\n", encoding="utf-8")
    done = subprocess.run(
        [*command[:5], str(trained), str(files / "bad.csv")], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert "line 2: expected 2 fields" in done.stderr
    assert "Traceback" not in done.stderr


def test_brackets_are_shown_as_they_are(files, train):
    def odd(label):
        return f"[/{label}][bold]"

    home = files / "[x[" / "y].safetensors"
    home.parent.mkdir()
    (files / "vectors.safetensors").rename(home)
    train_csv = write_csv(files / "[train].csv", [(text, odd(label)) for text, label in zip(*train, strict=True)])
    swapped = [(text, odd("money" if i < 4 else label)) for i, (text, label) in enumerate(zip(*train, strict=True))]
    model = files / "[m]o[/del].safetensors"
    model.parent.mkdir()
    result = CliRunner().invoke(classify_app, ["train", str(train_csv), "-o", str(model), "-m", str(home)])
    assert result.exit_code == 0, result.output
    assert f"wrote {model}" in result.stderr
    assert f"with {home}" in result.stderr
    shown = call("evaluate", model, write_csv(files / "[test].csv", swapped))
    assert "[/animal][bold]" in shown
    assert "[/money][bold] taken for [/" in shown


@pytest.fixture
def lines(files, train, test):
    for name, (texts, labels) in (("train", train), ("test", test)):
        rows = (f"__label__{label} {text}" for text, label in zip(texts, labels, strict=True))
        (files / f"{name}.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return files


SETTINGS = ("--epochs", 30, "--learning-rate", 0.5, "--word-ngrams", 2, "--buckets", 5000, "--threads", 1)


def test_ngrams_from_fasttext_lines_and_from_a_table(lines, test):
    outputs = []
    for data in ("train.txt", "train.csv"):
        call("train-ngrams", lines / data, "-o", lines / "n.safetensors", *SETTINGS)
        outputs.append(call("evaluate", lines / "n.safetensors", lines / "test.txt", "--json"))
    assert outputs[0] == outputs[1] == call("evaluate", lines / "n.safetensors", lines / "test.csv", "--json")
    assert json.loads(outputs[0])["accuracy"] == NgramClassifier.load(lines / "n.safetensors").score(*test)
    call("train-ngrams", lines / "train.txt", "-o", lines / "n.bin", *SETTINGS)
    assert call("evaluate", lines / "n.bin", lines / "test.txt", "--json") == outputs[0]
    rows = list(csv.DictReader(io.StringIO(call("predict", lines / "n.bin", lines / "test.txt"))))
    assert [row["text"] for row in rows] == test[0]
    (lines / "plain.txt").write_text("cat dog hen\nrain and snow\n", encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(call("predict", lines / "n.safetensors", lines / "plain.txt"))))
    assert [row["label"] for row in rows] == ["animal", "weather"]
    message = call("predict", lines / "n.bin", lines / "plain.txt", "-m", "x", fails=InputError)
    assert "holds its own words" in message


def test_calibrate_either_kind(lines, trained):
    call("train-ngrams", lines / "train.txt", "-o", lines / "n.safetensors", *SETTINGS)
    for saved in (trained, lines / "n.safetensors"):
        before = json.loads(call("evaluate", saved, lines / "test.txt", "--json"))
        call("calibrate", saved, lines / "test.txt", "--method", "isotonic")
        after = json.loads(call("evaluate", saved, lines / "test.txt", "--json"))
        assert after["calibration_error"] < before["calibration_error"]
        message = call("calibrate", saved, lines / "test.txt", "--thresholds", fails=InputError)
        assert "several labels" in message
    assert "nothing to do" in call("calibrate", trained, lines / "test.txt", "--method", "none", fails=InputError)


def test_several_labels_get_thresholds(lines, train):
    rows = [(text, label + ("|rare" if i % 5 == 0 else "")) for i, (text, label) in enumerate(zip(*train, strict=True))]
    path = write_csv(lines / "many.csv", rows)
    separator = ("--label-separator", "|")
    call("train-ngrams", path, "-o", lines / "n.safetensors", *SETTINGS, *separator, "--loss", "ova")
    call("calibrate", lines / "n.safetensors", path, "-o", lines / "t.safetensors", "--thresholds", *separator)
    assert NgramClassifier.load(lines / "t.safetensors").adjustment_.thresholds.shape == (4,)
    assert "micro-F1" in call("evaluate", lines / "t.safetensors", path, *separator)


def test_the_confusion_picture(lines, trained):
    pytest.importorskip("matplotlib")
    call("evaluate", trained, lines / "test.csv", "--confusion", lines / "c.png")
    assert (lines / "c.png").read_bytes().startswith(b"\x89PNG")
