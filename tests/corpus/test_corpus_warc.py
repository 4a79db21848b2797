"""WET and WARC: written by another tool and by hand, damage anywhere, encodings, languages."""

import gzip
import io

import pytest
from fastwarc.stream_io import GzipWriter
from fastwarc.warc import WarcRecord, WarcRecordType

from wordstock.corpus import ReadReport, read_texts
from wordstock.errors import FormatError


def record(kind, block, **headers):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\n{lines}Content-Length: {len(block)}\r\n\r\n"
    return head.encode() + block + b"\r\n\r\n"


def wet(i):
    language = {"WARC_Identified_Content_Language": "eng,fra" if i % 2 else "deu"}
    return record("conversion", f"Seite {i}\nZeile {i}".encode(), Content_Type="text/plain", **language)


WET = [record("warcinfo", b"software: x"), *(wet(i) for i in range(20))]
TEXTS = [line for i in range(20) for line in (f"Seite {i}", f"Zeile {i}")]


def page(text, http="text/html; charset=utf-8", encoding="utf-8", extra=""):
    html = f"<html lang='de'><body><nav>menu</nav><main><p>{text}</p></main></body></html>".encode(encoding)
    return f"HTTP/1.1 200 OK\r\nContent-Type: {http}\r\n{extra}\r\n".encode() + html


def read(path, **options):
    report = ReadReport()
    return list(read_texts(path, report=report, **options)), report


@pytest.mark.parametrize("packed", [False, True])
def test_wet(tmp_path, packed):
    path = tmp_path / "wet"
    path.write_bytes(b"".join(map(gzip.compress, WET) if packed else WET))
    texts, report = read(path)
    assert texts == TEXTS
    assert (report.documents, report.left_out) == (20, {"no page": 1})
    assert read(path, language="en")[1].left_out == {"no page": 1, "language": 10}
    assert read(path, language="de")[0][:2] == ["Seite 0", "Zeile 0"]


@pytest.mark.parametrize("packed", [False, True])
def test_cut_anywhere(tmp_path, packed):
    whole = b"".join(map(gzip.compress, WET) if packed else WET)
    path = tmp_path / "wet"
    for size in range(30, len(whole) - 4, 37):
        path.write_bytes(whole[:size])
        texts, report = read(path, kind="warc")
        assert texts == TEXTS[: len(texts)]
        if report.damaged == 0:  # cut between two records: nothing is missing that could be known
            assert whole[size : size + 2] in (b"\x1f\x8b", b"WA", b"\r\n", b"\n\r", b"\nW")
            continue
        with pytest.raises(FormatError):
            read(path, kind="warc", strict=True)


def test_reading_goes_on_after_damage(tmp_path):
    path = tmp_path / "wet"
    parts = [*map(gzip.compress, WET)]
    broken = bytearray(parts[5])
    broken[30] ^= 0xFF
    path.write_bytes(b"".join([*parts[:5], bytes(broken), *parts[6:]]))
    texts, report = read(path)
    assert texts == TEXTS[:8] + TEXTS[10:]
    assert [one.offset for one in report.damages] == [sum(map(len, parts[:5]))]
    path.write_bytes(b"".join([*WET[:5], WET[5].replace(b"Content-Length: ", b"Content-Length: x"), *WET[6:]]))
    texts, report = read(path)
    assert (texts, report.damaged) == (TEXTS[:8] + TEXTS[10:], 1)
    assert report.damages[0].offset == sum(map(len, WET[:5]))


def test_web_pages_written_by_another_tool(tmp_path):
    out = io.BytesIO()
    writer = GzipWriter(out)
    for content in (
        page("Grüße aus München", "text/html", "utf-8"),
        page("Grüße aus Köln", "text/html; charset=iso-8859-1", "latin-1", "Content-Language: de\r\n"),
        page("Bild", "image/png"),
        page("Weg").replace(b"200 OK", b"404 Not Found"),
        b"no http at all",
    ):
        made = WarcRecord()
        made.init_headers(WarcRecordType.response)
        made.set_bytes_content(content)
        made.is_http = True
        made.write(writer)
    writer.close()
    path = tmp_path / "w.warc.gz"
    path.write_bytes(out.getvalue())
    texts, report = read(path)
    assert texts == ["Grüße aus München", "Grüße aus Köln"]
    assert report.left_out == {"not HTML": 1, "HTTP status 4xx": 1}
    assert report.damaged == 1
    assert read(path, language="de")[0] == texts
    assert read(path, language="fr")[0] == []
