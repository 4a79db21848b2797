"""Files of documents, written by the tools that write them."""

import csv
import datetime
import gzip
import itertools
import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordstock.corpus import ReadReport
from wordstock.errors import FormatError, InputError
from wordstock.stores.documents import ReadOptions, passages, read_documents

MARKDOWN = """Before all.

# Care

## First
Rest. See [it](x).

## At home ##
```
# no heading
```
Drink water.

# End
"""


def texts(path, options=None, **kwargs):
    return [document.text for document in read_documents(path, options, **kwargs)]


def test_plain_text_keeps_its_characters(tmp_path):
    path = tmp_path / "note.txt"
    path.write_bytes("\ufeffFirst line.\r\nSecond, é.\n".encode())
    assert texts(path) == ["First line.\r\nSecond, é.\n"]
    lines = list(read_documents(path, ReadOptions(lines=True), source="note"))
    assert [(one.source, one.key, one.text) for one in lines] == [
        ("note", "1", "First line."),
        ("note", "2", "Second, é."),
    ]


def test_compressed_text(tmp_path):
    path = tmp_path / "note.txt.gz"
    path.write_bytes(gzip.compress(b"Packed."))
    assert texts(path) == ["Packed."]


def test_bytes_that_are_not_utf8_are_reported(tmp_path):
    path = tmp_path / "old.txt"
    path.write_bytes(b"caf\xe9 noir")
    report = ReadReport()
    assert texts(path, report=report) == ["caf\ufffd noir"]
    assert report.damages[0].problem.endswith("byte 3: expected UTF-8, found b'\\xe9 noir'; save it as UTF-8")


def test_markdown_sections_know_the_headings_above(tmp_path):
    path = tmp_path / "care.md"
    path.write_text(MARKDOWN)
    (document,) = read_documents(path)
    found = [(one.metadata.get("heading"), one.text.splitlines()[0]) for one in passages(document)]
    assert found == [
        (None, "Before all."),
        ("Care > First", "# Care"),
        ("Care > At home", "## At home ##"),
        ("End", "# End"),
    ]
    assert all(MARKDOWN[one.metadata["start"] : one.metadata["stop"]] == one.text for one in passages(document))


@given(st.text(st.sampled_from("#`~ a\n\r"), max_size=60))
def test_markdown_sections_cover_the_text(text):
    from wordstock.stores.documents.plain import _sections

    sections = list(_sections(text))
    assert all(a.stop <= b.start for a, b in itertools.pairwise(sections))
    assert "".join("".join(text[a:b] for a, b, _ in sections).split()) == "".join(text.split())


def test_a_web_page(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(
        "<html><head><title>On  rest</title></head><body><nav><a href='/'>Home</a></nav><main><article>"
        "<h1>Rest</h1><p>Sleep is good for you, and so is a walk.</p></article></main></body></html>"
    )
    (document,) = read_documents(path)
    assert document.metadata == {"title": "On rest"}
    assert "Sleep is good for you" in document.text
    assert "Home" not in document.text


def pdf(path, pages):
    import matplotlib
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"pdf.fonttype": 42}), PdfPages(path, metadata={"Title": "Two pages"}) as out:
        for text in pages:
            figure = Figure()
            figure.text(0.1, 0.5, text)
            out.savefig(figure)


def test_a_pdf_gives_its_pages(tmp_path):
    path = tmp_path / "two.pdf"
    pdf(path, ["Page one speaks.", "", "Page three too."])
    report = ReadReport()
    (document,) = read_documents(path, report=report)
    assert document.metadata == {"title": "Two pages"}
    assert [(one.text, one.metadata["page"]) for one in passages(document)] == [
        ("Page one speaks.", 1),
        ("Page three too.", 3),
    ]
    assert report.left_out["page without text"] == 1


def test_pdfs_that_cannot_be_read(tmp_path):
    from pypdf import PdfReader, PdfWriter

    whole, locked, cut = tmp_path / "a.pdf", tmp_path / "b.pdf", tmp_path / "c.pdf"
    pdf(whole, ["Words."])
    writer = PdfWriter(clone_from=PdfReader(whole))
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(locked)
    cut.write_bytes(whole.read_bytes()[:200])
    with pytest.raises(FormatError, match="found an encrypted one; decrypt it"):
        texts(locked)
    with pytest.raises(FormatError, match=r"c\.pdf: expected a PDF, found damage"):
        texts(cut)


def test_rows_of_csv(tmp_path):
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([["id", "title", "text", "year"], ["a", "T", "x\ny, z", "2020"], ["b", "", "w", "2021"]])
    options = ReadOptions(text_fields=("title", "text"), id_field="id")
    found = list(read_documents(path, options))
    assert [(one.key, one.own_id, one.text, one.metadata) for one in found] == [
        ("a", True, "T\n\nx\ny, z", {"year": 2020}),
        ("b", True, "w", {"year": 2021}),
    ]
    path.write_text("text;n\none;1\n")
    assert [one.metadata for one in read_documents(path)] == [{"n": 1}]


@pytest.mark.parametrize(
    ("cell", "value"),
    [("0", 0), ("-7", -7), ("2.50", 2.5), ("9223372036854775807", 2**63 - 1)]
    + [(text, text) for text in ("007", "1e5", "+1", "1.", ".5", "1 ", "0x1", "NaN", "-", "١", "1,5")]
    + [(text, text) for text in ("9223372036854775808", "9" * 5000, "9" * 400 + ".5")],
)
def test_numbers_in_csv(tmp_path, cell, value):
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([["id", "text", "n"], ["7", "2020", cell]])
    (one,) = read_documents(path, ReadOptions(id_field="id"))
    assert (one.key, one.text, one.metadata, type(one.metadata["n"])) == ("7", "2020", {"n": value}, type(value))


def test_damaged_rows_of_csv_are_reported(tmp_path):
    path = tmp_path / "rows.tsv"
    path.write_text('text\tn\none\t1\ntwo\nthree\t3\n"open\t4\n')
    report = ReadReport()
    assert texts(path, report=report) == ["one", "three"]
    assert [one.problem.split(": ", 1)[1] for one in report.damages] == [
        "expected 2 fields, as in the header, found 1",
        "expected fields with closed quotes, found unexpected end of data",
    ]
    with pytest.raises(FormatError, match="expected a field 'body', found the fields 'text', 'n'; name the field"):
        texts(path, ReadOptions(text_fields=("body",)))


def test_rows_of_json_lines(tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = [{"text": "one", "tags": ["x"], "n": 1.5}, {"text": "", "n": None}, {"other": 1}, {"text": 3}]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n[1]\n{broken\n")
    report = ReadReport()
    found = list(read_documents(path, source="rows", report=report))
    assert [(one.source, one.key, one.text, one.metadata) for one in found] == [
        ("rows", "1", "one", {"tags": ["x"], "n": 1.5})
    ]
    assert report.left_out["document without text"] == 1
    assert [one.problem.split(", ", 1)[1].split(":")[0] for one in report.damages] == [
        "line 3",
        "line 4",
        "line 5",
        "line 6",
    ]


def test_rows_of_parquet(tmp_path):
    path = tmp_path / "rows.parquet"
    frame = pl.DataFrame(
        {"text": ["one", None, "two"], "day": [datetime.date(2020, 1, 2)] * 3, "x": [float("nan"), 1.0, 2.0]}
    )
    frame.write_parquet(path)
    report = ReadReport()
    found = list(read_documents(path, report=report))
    assert [(one.key, one.text, one.metadata) for one in found] == [
        ("1", "one", {"day": "2020-01-02"}),
        ("3", "two", {"day": "2020-01-02", "x": 2.0}),
    ]
    path.write_bytes(path.read_bytes()[:-20])
    texts(path, report=report)
    assert "expected a whole table" in report.damages[0].problem


def test_what_cannot_be_read(tmp_path):
    picture = tmp_path / "picture.txt"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    with pytest.raises(FormatError, match="found a binary file"):
        texts(picture)
    dump = tmp_path / "dump.xml"
    dump.write_text("<mediawiki><page/></mediawiki>")
    with pytest.raises(FormatError, match="found a wikipedia file; take its texts"):
        texts(dump)
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "a", "source": "b"}\n')
    with pytest.raises(InputError, match="a field 'source' cannot be metadata"):
        texts(rows)
    with pytest.raises(InputError, match="kind='word': known are text, markdown"):
        ReadOptions(kind="word")
    with pytest.raises(InputError, match="no text field"):
        ReadOptions(text_fields=())
    report = ReadReport()
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "blank.txt").write_text(" \n")
    assert texts(tmp_path / "empty.txt", report=report) == texts(tmp_path / "blank.txt", report=report) == []
    assert report.left_out == {"empty file": 1, "document without text": 1}
