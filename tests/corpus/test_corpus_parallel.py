"""Worker processes change how fast a corpus is read, and nothing else."""

import bz2
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wordstock.corpus import ReadReport, jsonl, read_blocks, read_texts, smallfiles, warc
from wordstock.errors import FormatError


def json_lines(count, start=0):
    return "".join(
        json.dumps({"text": f"text {i}\nof two lines é", "n": i}) + "\n" for i in range(start, start + count)
    )


def page(text):
    body = f"<html lang='de'><body><main><p>{text}</p></main></body></html>".encode()
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + body
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://x/{text}\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def both(path, **options):
    """Texts and report with two workers and with none, and that progress ends at the end."""
    found = []
    for workers in (2, 0):
        report, seen = ReadReport(), []
        texts = list(
            read_texts(path, workers=workers, report=report, progress=lambda *at, seen=seen: seen.append(at), **options)
        )
        assert seen == sorted(seen)
        assert seen[-1][0] == seen[-1][1]
        found.append((texts, report))
    return found


def mixed(folder):
    folder.mkdir()
    for i in range(4):
        (folder / f"{i}-a.txt.gz").write_bytes(gzip.compress(f"packed {i}\n\nlast é".encode()))
        (folder / f"{i}-b.jsonl").write_text(json_lines(5, i))
        (folder / f"{i}-c.txt").write_text(f"plain {i}\nline\n")
        (folder / f"{i}-d.txt.bz2").write_bytes(bz2.compress(b"<doc id='1'>\nTitle\nArticle.\n</doc>\n"))
        (folder / f"{i}-e.warc.gz").write_bytes(gzip.compress(page(f"Seite {i}")))
    (folder / "5-cut.txt.gz").write_bytes(gzip.compress(b"cut short\n" * 1000)[:-20])
    (folder / "6-broken.jsonl").write_text(json_lines(2) + "{broken\n" + json_lines(2))
    (folder / "7-empty.jsonl").write_text("")
    (folder / "8-picture.jsonl.gz").write_bytes(gzip.compress(b"\x00\x01"))
    return folder


def test_a_folder_of_small_files(tmp_path, monkeypatch):
    parallel, alone = both(mixed(tmp_path / "corpus"))
    assert parallel == alone
    assert alone[1].damaged == 3
    monkeypatch.setattr(smallfiles, "_LARGEST", 100)  # some files are too large to be sent
    assert both(tmp_path / "corpus")[0] == alone
    parallel, alone = both(tmp_path / "corpus", unit="document", unique=True)
    assert parallel == alone
    assert (
        list(read_blocks(tmp_path / "corpus", workers=2, unique=True)) == both(tmp_path / "corpus", unique=True)[1][0]
    )


def test_strict_stops_at_the_same_place(tmp_path):
    folder = mixed(tmp_path / "corpus")
    messages = []
    for workers in (2, 0):
        with pytest.raises(FormatError) as raised:
            list(read_texts(folder, workers=workers, strict=True))
        messages.append(str(raised.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("packed", [False, True])
def test_a_large_file_of_json_lines(tmp_path, packed, monkeypatch):
    path = tmp_path / "a.jsonl"
    text = json_lines(9000) + "{broken\n\n" + json.dumps({"text": None}) + "\n" + json_lines(9000) + '{"other": 1}\n[]'
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    parallel, alone = both(path)
    assert parallel == alone
    assert alone[1].damaged == 3
    assert "line 9001" in alone[1].damages[0].problem
    monkeypatch.setattr(jsonl, "_SMALLEST", 1)
    report = ReadReport()
    assert list(read_texts(path, report=report)) == alone[0]
    assert report == alone[1]
    for workers in (2, 0):
        with pytest.raises(FormatError, match=r"line 1: expected a text in 'nothing', found the fields 'text', 'n'"):
            list(read_texts(path, field="nothing", workers=workers))


def test_pages_in_other_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(warc, "_SLICE", 500)
    path = tmp_path / "a.warc"
    broken = page("broken").replace(b"HTTP/1.1 200", b"SMTP/1.1 200")
    wet = b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 4\r\n\r\ntext\r\n\r\n"
    path.write_bytes(b"".join([*(page(f"Seite {i}") for i in range(30)), broken, wet, page("nach")]))
    parallel, alone = both(path)
    assert parallel == alone
    assert alone[0][-2:] == ["text", "nach"]
    assert "http://x/broken" in alone[1].damages[0].problem
    assert both(path, language="de")[0] == both(path, language="de")[1]


LEFT = """
import sys
from wordstock.corpus import read_texts
texts = read_texts(sys.argv[1], workers=2)
next(texts)
print("under way", flush=True)
for text in texts: pass
"""


def test_leaving_early_ends_the_workers(tmp_path):
    folder = mixed(tmp_path / "corpus")
    before = set(children())
    texts = read_texts(folder, workers=2)
    next(texts)
    assert set(children()) > before
    texts.close()
    assert set(children()) == before
    ran = subprocess.run([sys.executable, "-c", LEFT, str(folder)], capture_output=True, text=True, check=True)
    assert ran.stdout == "under way\n"


def children():
    tasks = Path(f"/proc/{os.getpid()}/task")
    if not tasks.is_dir():
        pytest.skip("looks for processes in /proc")
    for task in tasks.iterdir():
        yield from (task / "children").read_text().split()
