"""The wheel source through a real pip: only data comes out, nothing runs, and a wrong wheel is refused."""

from __future__ import annotations

import importlib.util
import io
import shutil
import stat
import sys
import threading
import zipfile

import numpy as np
import pytest
from hub_samples import KEYS, VECTORS, npy, parquet, sha256, zipped

import wordstock as ws
from wordstock.errors import DownloadError, FormatError, InputError
from wordstock.hub import fetch
from wordstock.hub.sources.archive import extract
from wordstock.hub.sources.wheel import _arrived


def test_the_registered_glove_table(cache, index, leftovers):
    table = ws.load("glove-6b-50d", progress=False)
    assert (len(table), table.dim) == (400_000, 50)
    assert [key for key, _ in table.nearest("king", 2)] == ["prince", "queen"]
    assert table.card.licence == "PDDL-1.0"
    assert table.card.casing == "lower"
    assert leftovers() == ["glove-6b-50d", "glove-6b-50d/manifest.json", "glove-6b-50d/table.safetensors"]


def test_the_registered_encoder(cache, index):
    folder = fetch("all-minilm-l6-v2")
    assert (folder / "1_Pooling" / "config.json").is_file()
    assert (folder / "model.safetensors").stat().st_size == 90_868_376
    assert not list(folder.rglob("*.py"))
    encoder = ws.load("all-minilm-l6-v2")
    assert (encoder.dim, encoder.card.licence, encoder.path) == (384, "Apache-2.0", folder)
    assert encoder.fingerprint == ws.load(folder).fingerprint
    with pytest.raises(InputError, match="limit: only for reading a file; all-minilm-l6-v2 is a named model"):
        ws.load("all-minilm-l6-v2", limit=2)
    with (folder / "model.safetensors").open("r+b") as stream:
        stream.truncate(1000)
    with pytest.raises(FormatError, match=r"the copy in the cache is damaged: run wordstock.hub.fetch\('all-minilm"):
        ws.load("all-minilm-l6-v2")


def test_only_the_listed_data_comes_out(cache, register, make_wheel, leftovers):
    wheel = make_wheel()
    register("tiny", wheel.source, casing="lower", vocabulary=4, dim=3, verified=True)
    table = ws.load("tiny")
    assert list(table.keys) == KEYS
    np.testing.assert_array_equal(table.vectors(KEYS), VECTORS)
    assert table.verify()
    assert leftovers() == ["tiny", "tiny/manifest.json", "tiny/table.safetensors"]
    assert importlib.util.find_spec("tiny_vectors") is None
    assert "tiny_vectors" not in sys.modules


def test_a_changed_wheel_is_not_opened(cache, register, make_wheel, leftovers):
    wheel = make_wheel(sha256="0" * 64)
    register("tiny", wheel.source)
    with pytest.raises(DownloadError) as caught:
        fetch("tiny")
    for part in ("0" * 64, sha256(wheel.path.read_bytes()), "tiny-vectors==1.0.0", "nothing of it was opened"):
        assert part in str(caught.value)
    assert leftovers() == []


def test_a_version_the_index_lacks(cache, register, make_wheel, leftovers):
    register("tiny", make_wheel(version="1.0.0").source | {"version": "2.0.0"})
    with pytest.raises(DownloadError, match=r"No matching distribution.*pip config list"):
        fetch("tiny")
    assert leftovers() == []


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"data/m.npy": npy()}, "no member 'tiny_vectors/data/k.parquet'"),
        ({"data/m.npy": npy(), "data/k.parquet": parquet(KEYS[:3])}, "3 keys for 4 vectors"),
        ({"data/m.npy": npy(), "data/k.parquet": b"nonsense"}, "Parquet with a column 'key'"),
        ({"data/m.npy": b"nonsense", "data/k.parquet": parquet()}, "cannot be used"),
        ({"data/m.npy": npy(np.array([{}])), "data/k.parquet": parquet()}, "cannot be used"),  # would need pickle
        ({"data/m.npy": npy(VECTORS * np.nan), "data/k.parquet": parquet()}, "NaN"),
    ],
)
def test_a_wheel_with_unusable_data(cache, register, make_wheel, leftovers, files, said):
    register("tiny", make_wheel(files).source)
    with pytest.raises(DownloadError, match=said):
        fetch("tiny")
    assert leftovers() == []


def test_fewer_keys_than_promised(cache, register, make_wheel):
    register("tiny", make_wheel().source, vocabulary=400, verified=True)
    with pytest.raises(DownloadError, match="expected 400 keys, found 4"):
        fetch("tiny")


def test_pip_missing(cache, register, make_wheel, monkeypatch, leftovers):
    register("tiny", make_wheel().source)
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "pip" else find_spec(name, *rest)
    )
    with pytest.raises(DownloadError, match="ensurepip"):
        fetch("tiny")
    assert leftovers() == []


def test_how_much_has_arrived_while_pip_tidies_up(tmp_path):
    (tmp_path / "whole.whl").write_bytes(bytes(100))
    done = threading.Event()

    def come_and_go():
        while not done.is_set():
            for at in range(50):
                (tmp_path / f"unpack-{at}" / "deeper").mkdir(parents=True)
                (tmp_path / f"unpack-{at}" / "deeper" / "part.whl").write_bytes(bytes(10))
            for at in range(50):
                shutil.rmtree(tmp_path / f"unpack-{at}")

    pip = threading.Thread(target=come_and_go)
    pip.start()
    try:
        assert {_arrived(tmp_path) for _ in range(300)} == {100}
    finally:
        done.set()
        pip.join()


def test_a_pip_lying_in_the_working_directory_is_not_run(cache, register, make_wheel, tmp_path, monkeypatch):
    register("tiny", make_wheel().source)
    (tmp_path / "pip.py").write_text("import pathlib; pathlib.Path('was-run').touch()")
    monkeypatch.chdir(tmp_path)
    assert fetch("tiny").is_file()
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize("target", ["../evil", "/tmp/evil", "a/../../evil", "..\\evil", ".", ""])
def test_a_member_that_would_leave_the_folder(tmp_path, target):
    archive, folder = tmp_path / "a.zip", tmp_path / "in"
    archive.write_bytes(zipped({"../evil": b"x"}))
    folder.mkdir()
    with pytest.raises(DownloadError, match="outside"):
        extract(archive, {"../evil": target}, folder, "a.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "in"]
    assert not list(folder.iterdir())


def test_a_member_that_is_a_link(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    path = tmp_path / "a.zip"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(DownloadError, match="not a plain file"):
        extract(path, {"link": "link"}, tmp_path, "a.zip")


def test_a_damaged_member(tmp_path):
    data = bytearray(zipped({"m": b"some bytes" * 100}))
    data[200] ^= 1
    path = tmp_path / "a.zip"
    path.write_bytes(bytes(data))
    with pytest.raises(DownloadError, match="not a usable zip"):
        extract(path, {"m": "m"}, tmp_path, "a.zip")
