"""Dumps: one stream and many, namespaces, damage anywhere, hostile XML, worker processes."""

import bz2
import gzip
from pathlib import Path

import gensim
import pytest
from dumps import FOOT, HEAD, dump, page

from wordstock.corpus import ReadReport, read_texts
from wordstock.corpus.wikixml import parse_pages
from wordstock.errors import FormatError

PAGES = [page(f"Titel {i}", f"Seite {i} mit [[Ziel {i}|Wort]].\n\nAbsatz {i}. " + "Mehr Text. " * i) for i in range(40)]
TEXTS = [line for i in range(40) for line in (f"Seite {i} mit Wort.", f"Absatz {i}. " + "Mehr Text. " * i)]
TEXTS = [line.strip() for line in TEXTS]


def multistream(parts):
    return b"".join(bz2.compress(part.encode()) for part in parts)


def streams():
    return [HEAD, *("".join(PAGES[i : i + 5]) for i in range(0, 40, 5)), FOOT]


def packers(data):
    return {"plain": data, "bz2": bz2.compress(data), "gz": gzip.compress(data), "multi": multistream(streams())}


def read(path, **options):
    report = ReadReport()
    return list(read_texts(path, report=report, **options)), report


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("pack", ["plain", "bz2", "gz", "multi"])
def test_every_form_gives_the_same_texts(tmp_path, pack, workers):
    data = dump(PAGES)
    packed = {"plain": data, "bz2": bz2.compress(data), "gz": gzip.compress(data), "multi": multistream(streams())}[
        pack
    ]
    path = tmp_path / "dump"
    path.write_bytes(packed)
    texts, report = read(path, workers=workers)
    assert texts == TEXTS
    assert (report.documents, report.damaged, report.bytes) == (40, 0, len(packed))


@pytest.mark.parametrize("size", [1, 100, 1000, 7000])
def test_streams_that_cut_pages_anywhere(tmp_path, size):
    data = dump(PAGES)
    path = tmp_path / "dump.bz2"
    start = data[:600]
    rest = [data[i : i + size] for i in range(600, len(data), size)] if size > 1 else [data[600:601], data[601:]]
    path.write_bytes(b"".join(map(bz2.compress, [start, *rest])))
    texts, report = read(path)
    assert (texts, report.damaged) == (TEXTS, 0)


def test_redirects_and_other_namespaces_are_counted(tmp_path):
    pages = [
        page("A", "#REDIRECT [[B]]", redirect=True),
        page("Old", "#WEITERLEITUNG [[B]]"),
        page("Diskussion:A", "talk", ns=1),
        page("B", "Ein [[Datei:x.png|mini|Bild]] [[Kategorie:Y]]Text. {{x}}"),
        page("Leer", "{{nur}}"),
    ]
    path = tmp_path / "d.xml"
    path.write_bytes(dump(pages))
    texts, report = read(path)
    assert texts == ["Ein Text."]
    assert report.left_out == {"redirect": 2, "namespace": 1, "empty": 1}


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9, 0.999])
@pytest.mark.parametrize("form", ["plain", "bz2", "multi", "gz"])
def test_cut_short(tmp_path, keep, form):
    data = dump(PAGES)
    packed = {"plain": data, "bz2": bz2.compress(data), "gz": gzip.compress(data), "multi": multistream(streams())}[
        form
    ]
    path = tmp_path / "dump"
    path.write_bytes(packed[: int(len(packed) * keep)])
    try:
        texts, report = read(path)
    except FormatError:
        assert keep < 0.9  # not even the head
        return
    assert texts == TEXTS[: len(texts)]
    assert report.damaged >= 1
    assert form == "gz" or all(one.offset is not None for one in report.damages)
    with pytest.raises(FormatError):
        read(path, strict=True)


def test_a_damaged_stream_costs_only_its_own_pages(tmp_path):
    parts = [bz2.compress(part.encode()) for part in streams()]
    broken = bytearray(parts[3])
    broken[len(broken) // 2] ^= 0xFF
    offset = sum(map(len, parts[:3]))
    parts[3] = bytes(broken)
    path = tmp_path / "dump.bz2"
    path.write_bytes(b"".join(parts))
    texts, report = read(path)
    assert texts == TEXTS[:20] + TEXTS[30:]
    assert [one.offset for one in report.damages] == [offset]


def test_a_broken_page_costs_only_itself(tmp_path):
    pages = [
        *PAGES[:3],
        "  <page><title>B</title><ns>0</ns><revision><text>&nope;</text></revision></page>\n",
        *PAGES[3:],
    ]
    path = tmp_path / "d.xml"
    path.write_bytes(dump(pages))
    texts, report = read(path)
    assert texts == TEXTS
    assert "in the page 'B'" in report.damages[0].problem


def test_entity_bombs_are_refused(tmp_path):
    path = tmp_path / "d.xml"
    bomb = '<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    path.write_bytes(bomb.encode() + dump(PAGES))
    with pytest.raises(FormatError, match="document type"):
        read(path, kind="wikipedia")
    with pytest.raises(ValueError, match="entity"):
        parse_pages(b"<page><title>&a;</title></page>")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_real_dump(workers):
    folder = Path(gensim.__file__).parent / "test/test_data"
    texts, report = read(folder / "enwiki-table-markup.xml.bz2", workers=workers)
    assert report.documents > 0
    joined = "\n".join(texts)
    assert not any(mark in joined for mark in ("{{", "[[", "<ref", "{|", "File:"))
    with pytest.raises(FormatError, match="UTF-16"):
        read(folder / "bgwiki-latest-pages-articles-shortened.xml.bz2")


def test_leaving_early_ends_the_workers(tmp_path):
    path = tmp_path / "dump.bz2"
    path.write_bytes(multistream(streams()))
    texts = read_texts(path, workers=2)
    assert next(texts) == TEXTS[0]
    texts.close()
