import json
from pathlib import Path

import pytest

import wordstock.cli
from wordstock.errors import FormatError, InputError, LabelError
from wordstock.tasks import read_labelled
from wordstock.tasks.data import read_numbered


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_csv_with_quotes_mark_and_line_breaks(tmp_path):
    path = write(
        tmp_path / "a.csv", '\ufefflabel,n,text\r\nx,1,"one, ""two""\r\nthree"\r\n\r\ny,2, spaced \r\nz,3,\r\n'
    )
    assert read_labelled(path) == (['one, "two"\r\nthree', " spaced ", ""], ["x", "y", "z"])
    assert list(read_numbered(path, "text", "label", None).lines) == [2, 5, 6]
    assert read_labelled(path, label_column=None).labels is None


@pytest.mark.parametrize(("name", "delimiter"), [("a.tsv", "\t"), ("a.tab", "\t"), ("a.csv", ";"), ("a.CSV", "\t")])
def test_delimiters(tmp_path, name, delimiter):
    path = write(tmp_path / name, delimiter.join(["text", "label"]) + "\n" + delimiter.join(["a, b", "x"]) + "\n")
    assert read_labelled(path) == (["a, b"], ["x"])


def test_several_labels_in_a_field(tmp_path):
    path = write(tmp_path / "a.csv", "text,label\na,x | y\nb,\nc,x\n")
    assert read_labelled(path, label_separator="|").labels == [["x", "y"], [], ["x"]]
    with pytest.raises(InputError, match="label_separator is empty"):
        read_labelled(path, label_separator="")


def test_json_lines(tmp_path):
    rows = [{"text": "a\u2028b", "label": 1}, {"text": "", "label": True}, {"text": "c", "label": ["x", "y"], "k": 0}]
    content = "\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n"
    for name in ("a.jsonl", "a.ndjson"):
        assert read_labelled(write(tmp_path / name, content)) == (["a\u2028b", "", "c"], [1, True, ["x", "y"]])
        assert list(read_numbered(tmp_path / name, "text", "label", None).lines) == [1, 3, 5]


def test_a_field_longer_than_the_csv_module_likes(tmp_path):
    path = write(tmp_path / "a.csv", "text,label\n" + "long " * 60_000 + ",x\n")
    assert len(read_labelled(path).texts[0]) == 300_000


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("a.csv", "", FormatError, "an empty file"),
        ("a.csv", "\ufeff\n\n", FormatError, "an empty file"),
        ("a.csv", "text,label\n", FormatError, "at least one record, found none"),
        ("a.csv", "body,label\nx,y\n", InputError, "no column 'text'; its columns are 'body', 'label'"),
        ("a.csv", "text,class\nx,y\n", InputError, "no column 'label'; its columns are 'text', 'class'"),
        ("a.csv", "text,text,label\nx,y,z\n", InputError, "2 columns 'text'"),
        ("a.csv", 'text,label\n"a\nb",x\nc,d,e\n', FormatError, "line 4: expected 2 fields, as in the header, found 3"),
        ("a.csv", "text,label\na,x\nshort\n", FormatError, "line 3: expected 2 fields, as in the header, found 1"),
        ("a.csv", 'text,label\na,x\n"open,y\nz,z\n', FormatError, "line 3: expected fields with closed quotes"),
        ("a.csv", 'text,label\n"a"b,x\n', FormatError, "line 2: expected fields with closed quotes"),
        ("a.csv", b"text,label\na,x\ncaf\xe9,y\n", FormatError, "line 3, byte 18: expected UTF-8, found the byte 0xe9"),
        ("a.csv", "text,label\na,x\nb,\n", LabelError, "line 3: the label is empty"),
        ("a.jsonl", '{"text": "a", "label": "x"}\n{"text": \n', FormatError, "line 2: expected a JSON object"),
        ("a.jsonl", "[1]\n", FormatError, "line 1: expected a JSON object, found a list"),
        ("a.jsonl", "[" * 100_000, FormatError, "line 1: expected a JSON object"),
        ("a.jsonl", '\n{"body": "a"}\n', InputError, "line 2: no key 'text'; its keys are 'body'"),
        ("a.jsonl", '{"text": 3, "label": "x"}\n', InputError, "line 1: 'text' must be a str, not int"),
        ("a.jsonl", '{"text": "a", "label": null}\n', LabelError, "line 1: the label is empty"),
        ("a.jsonl", '{"text": "a", "label": 1.5}\n', LabelError, "line 1: the label is a float"),
        ("a.jsonl", '{"text": "a", "label": [null]}\n', LabelError, "line 1: the label is empty"),
        ("a.txt", "a", InputError, "known are .csv"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, name, content, error, message):
    path = write(tmp_path / name, content)
    with pytest.raises(error, match=message) as caught:
        read_labelled(path)
    assert str(path) in str(caught.value)


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_labelled(tmp_path / "none.csv")


def test_the_demo_data_is_balanced_and_gives_no_label_away():
    folder = Path(wordstock.cli.__file__).parent / "triage"
    train, test = (read_labelled(folder / name) for name in ("train.csv", "test.csv"))
    classes = sorted(set(train.labels))
    assert {label: train.labels.count(label) for label in classes} == dict.fromkeys(classes, 12)
    assert {label: test.labels.count(label) for label in classes} == dict.fromkeys(classes, 25)
    texts = [text.lower() for text in train.texts + test.texts]
    assert len(set(texts)) == len(texts)
    assert not [text for text in texts for label in classes if label in text]
