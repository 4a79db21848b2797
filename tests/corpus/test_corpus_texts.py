"""Plain text, JSON lines, tables, folders, standard input, repeats."""

import bz2
import gzip
import json
import lzma
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import polars as pl
import pytest
import zstandard

from wordstock.corpus import DuplicateFilter, ReadReport, read_texts
from wordstock.corpus.dedup import normalised
from wordstock.errors import FormatError, InputError

PACK = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: zstandard.ZstdCompressor().compress(data),
}
LINES = [f"line {i} über {'x' * (i % 50)}" for i in range(3000)]
DATA = "\n".join(LINES).encode() + b"\n"


def read(path, **options):
    report = ReadReport()
    return list(read_texts(path, report=report, **options)), report


@pytest.mark.parametrize("pack", PACK)
def test_lines_and_progress(tmp_path, pack):
    path = tmp_path / "file"
    path.write_bytes(PACK[pack](DATA[: len(DATA) // 2]) + PACK[pack](DATA[len(DATA) // 2 :]))
    seen = []
    texts, report = read(path, progress=lambda *now: seen.append(now))
    assert texts == LINES
    assert seen[-1] == (path.stat().st_size,) * 2
    assert (report.files, report.texts, report.damaged) == (1, 3000, 0)


@pytest.mark.parametrize("keep", [0.01, 0.4, 0.9, 0.999])
@pytest.mark.parametrize("pack", list(PACK)[1:])
def test_cut_short(tmp_path, pack, keep):
    path = tmp_path / "file"
    packed = PACK[pack](DATA)
    path.write_bytes(packed[: int(len(packed) * keep)])
    texts, report = read(path)
    assert texts == LINES[: len(texts)]
    assert report.damaged == 1
    with pytest.raises(FormatError):
        read(path, strict=True)


def test_bytes_that_are_not_utf8(tmp_path):
    path = tmp_path / "file"
    path.write_bytes("gut\nschön\nfein\n".encode("latin-1"))
    texts, report = read(path)
    assert texts == ["gut", "sch\ufffdn", "fein"]
    assert (report.damaged, report.damages[0].offset) == (1, 7)
    assert read(path, encoding="latin-1")[0] == ["gut", "schön", "fein"]
    with pytest.raises(FormatError, match="line 2, byte 7"):
        read(path, strict=True)
    for encoding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        path.write_bytes("\ufeffgut\r\nschön".encode(encoding))
        assert read(path)[0] == ["gut", "schön"]
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "schön"}\n{"text": "x"}\n', encoding="utf-16")
    assert read(rows)[0] == ["schön", "x"]
    table = tmp_path / "table.csv"
    table.write_text("text,n\nschön,1\n", encoding="utf-16")
    with pytest.raises(FormatError, match="expected a file in UTF-8, found UTF-16; convert it"):
        read(table)


def test_a_line_of_50_megabytes(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"word " * 10_000_000 + b"\nshort\n")
    tracemalloc.start()
    texts, _ = read(path)
    assert tracemalloc.get_traced_memory()[1] < 250_000_000
    tracemalloc.stop()
    assert [len(text) for text in texts] == [50_000_000, 5]


def test_json_lines(tmp_path):
    path = tmp_path / "file"
    rows = ['{"text": "a\\nb", "m": {"t": "x"}}', "{broken", '{"text": 3}', '{"text": null}', '{"text": "c"}']
    path.write_text("\n".join(rows))
    texts, report = read(path)
    assert texts == ["a", "b", "c"]
    assert (report.documents, report.damaged, report.left_out["empty"]) == (2, 2, 1)
    assert read(path, unit="document")[0] == ["a\nb", "c"]
    assert read(path, field="m.t")[0] == ["x"]
    with pytest.raises(FormatError, match="'text', 'm'"):
        read(path, field="nothing")


@pytest.mark.parametrize("pack", PACK)
def test_tables(tmp_path, pack):
    frame = pl.DataFrame({"id": list(range(5000)), "text": [None, "", 'a,"b"\nc', *(f"row {i}" for i in range(4997))]})
    frame.write_parquet(tmp_path / "t.parquet")
    csv = tmp_path / "t.csv"
    frame.write_csv(csv)
    packed = csv.rename(tmp_path / f"t.csv.{pack}") if pack != "plain" else csv
    packed.write_bytes(PACK[pack](packed.read_bytes()))
    wanted = ['a,"b"\nc', *(f"row {i}" for i in range(4997))]
    assert read(packed, unit="document", kind="csv")[0] == wanted
    texts, report = read(tmp_path / "t.parquet", unit="document")
    assert (texts, report.left_out["empty"]) == (wanted, 2)
    with pytest.raises(FormatError, match="'id', 'text'"):
        read(tmp_path / "t.parquet", field="body")
    whole = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "t.parquet").write_bytes(whole[: len(whole) // 2])
    assert read(tmp_path / "t.parquet")[1].damaged == 1


def test_wikiextractor(tmp_path):
    path = tmp_path / "wiki_00.bz2"
    doc = '<doc id="1" url="u" title="T">\nT\n\nText <b> one.\n</doc>\n'
    path.write_bytes(bz2.compress((doc + doc + '<doc id="2" url="u" title="U">\nU\n').encode()))
    texts, report = read(path)
    assert texts == ["T", "Text <b> one."] * 2 + ["U"]
    assert (report.documents, report.damaged) == (3, 1)


def test_real_wikiextractor_output():
    data = os.environ.get("WORDSTOCK_DATA")
    if not data:
        pytest.skip("WORDSTOCK_DATA is not set")
    texts = read_texts(Path(data) / "enwiki-core-102mb" / "enwiki-core-AA.txt.bz2", unit="document")
    assert next(texts).startswith("Anarchism\nAnarchism is a political philosophy")
    texts.close()


def test_a_folder_with_a_broken_member(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_text("one\n")
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"two\nthree\n" * 9)[:-12])
    (tmp_path / "c.bin").write_bytes(b"\0\1\2")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / ".hidden").write_text("no")
    (tmp_path / "sub" / "d.jsonl").write_text(json.dumps({"text": "four"}))
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    texts, report = read(tmp_path)
    assert (texts[0], texts[-1]) == ("one", "four")
    assert [Path(one.path).name for one in report.damages] == ["b.gz", "c.bin"]
    assert report.left_out == {"empty file": 1, "hidden file": 1, "hidden or repeated folder": 1}
    with pytest.raises(FormatError):
        read(tmp_path, strict=True)
    with pytest.raises(FormatError, match="null byte"):
        read(tmp_path / "c.bin")


def test_options_that_do_not_fit(tmp_path):
    path = tmp_path / "file"
    path.write_text("a")
    for wrong in ({"entities": True}, {"field": "x"}, {"language": "en"}, {"unit": "word"}, {"kind": "word"}):
        with pytest.raises(InputError):
            read(path, **wrong)
    with pytest.raises(FileNotFoundError):
        read_texts(tmp_path / "none")
    assert read(path, language=str.isdigit) == ([], ReadReport(files=1, bytes=1, left_out={"language": 1}))


def test_standard_input():
    code = "from wordstock.corpus import read_texts; import sys; print(*read_texts('-'), sep='|')"
    done = subprocess.run(
        [sys.executable, "-c", code], input=gzip.compress(b"one\ntwo\n"), capture_output=True, check=True
    )
    assert done.stdout == b"one|two\n"


def test_repeats_against_a_set():
    texts = [f"Line  {chr(97 + i % 26)}{chr(97 + i // 26 % 26)}, {i % 7}!" for i in range(20_000)]
    seen, wanted = set(), []
    for text in texts:
        if normalised(text) not in seen:
            seen.add(normalised(text))
            wanted.append(text)
    one = DuplicateFilter(10_000, 1e-9)
    assert list(one.unique(texts)) == wanted
    assert one.count == len(wanted)


def test_the_false_positive_rate_holds():
    one = DuplicateFilter(20_000, 0.01)
    texts = ["".join(chr(97 + int(digit)) for digit in str(i)) for i in range(40_000)]
    one.is_new(texts[:20_000])
    assert 0.005 < one.rate < 0.02
    assert 0.001 < 1 - one.is_new(texts[20_000:22_000]).mean() < 0.03


def test_repeats_are_counted(tmp_path):
    path = tmp_path / "file"
    path.write_text("Hello, World 12!\nhello world 34\nnew\n")
    texts, report = read(path, unique=DuplicateFilter(100))
    assert (texts, report.left_out["duplicate"]) == (["Hello, World 12!", "new"], 1)


def test_a_link_to_nothing_in_a_folder_is_damage(tmp_path):
    (tmp_path / "a.txt").write_text("one\n")
    (tmp_path / "b.txt").symlink_to(tmp_path / "nowhere")
    (tmp_path / "c.txt").write_text("two\n")
    texts, report = read(tmp_path)
    assert (texts, report.damaged) == (["one", "two"], 1)
    assert "b.txt: expected a file that can be read, found No such file" in report.damages[0].problem
    with pytest.raises(FormatError, match=r"b\.txt"):
        read(tmp_path, strict=True)
