"""The cache: one fetch for many processes, nothing half-done, and disks that refuse."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hub_samples import KEYS, sha256, zipped

import wordstock as ws
from wordstock.errors import DownloadError, FormatError, OfflineError, StorageError
from wordstock.hub import cached, fetch, remove
from wordstock.hub.cache import listed

FETCH = "import sys, wordstock.hub as h; print(h.fetch(sys.argv[1], progress=False))"
READY = ["tiny", "tiny/manifest.json", "tiny/table.safetensors"]


@pytest.fixture
def tiny(cache, register, server, native_file):
    """The tiny table at an address."""
    address = server.put("tiny.safetensors", native_file)
    register("tiny", {"type": "url", "url": address, "sha256": sha256(native_file)})
    return "tiny"


def start(name, script=FETCH):
    return subprocess.Popen([sys.executable, "-c", script, name], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def until_half_there(server, cache):
    """Wait for the server to stall and for the bytes it sent to be on the disk."""
    assert server.stalled.wait(30)
    part = cache / "models" / ".tiny.part" / "download.part"
    for _ in range(300):
        if part.exists() and part.stat().st_size:
            return
        time.sleep(0.1)
    raise AssertionError("nothing arrived")


def test_two_processes_fetch_once(tiny, server, cache):
    server.wrong = ["stall"]
    first = start(tiny)
    assert server.stalled.wait(30)
    second = start(tiny)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(1)  # it waits for the first
    server.closing.set()
    paths = [process.communicate(timeout=30)[0].decode().strip() for process in (first, second)]
    assert paths == [str(cache / "models" / "tiny" / "table.safetensors")] * 2
    assert [span is None for _, span in server.seen] == [True, False]  # the first's own resume, and no more


def test_many_threads_fetch_once(tiny, server):
    paths: list[Path] = []
    threads = [threading.Thread(target=lambda: paths.append(fetch(tiny))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(paths)) == 1
    assert len(paths) == 6
    assert len(server.seen) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_fetch_that_is_killed_is_resumed_and_leaves_nothing(tiny, server, leftovers, cache, number):
    server.wrong = ["stall"]
    process = start(tiny)
    until_half_there(server, cache)
    process.send_signal(number)
    process.communicate(timeout=30)
    (cache / "models" / ".tiny.part" / "built").mkdir()
    (cache / "models" / ".tiny.part" / "built" / "table.safetensors").write_text("half")
    assert cached(tiny) is None
    assert len(ws.load(tiny)) == 4
    assert leftovers() == READY
    assert server.seen[1][1] is not None  # by Range, since the ETag is the same


def test_a_part_of_another_address_is_not_used(tiny, server, cache, register, native_file, leftovers):
    server.wrong = ["stall"]
    process = start(tiny)
    until_half_there(server, cache)
    process.kill()
    process.communicate()
    register("tiny", {"type": "url", "url": server.put("moved.safetensors", native_file)})
    assert len(ws.load(tiny)) == 4
    assert server.seen[1] == ("/moved.safetensors", None)
    assert leftovers() == READY


def test_a_killed_pip_fetch_leaves_nothing(cache, register, make_wheel, leftovers):
    register("tiny", make_wheel().source)
    script = "import os, wordstock.hub.sources.wheel as w\nw.extract = lambda *a: os.kill(os.getpid(), 9)\n" + FETCH
    process = start("tiny", script)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert any(name.endswith(".whl") for name in leftovers())
    assert cached("tiny") is None
    assert len(ws.load("tiny")) == 4
    assert leftovers() == READY


def test_without_its_manifest_a_folder_is_no_model(tiny, server, cache, leftovers):
    fetch(tiny)
    (cache / "models" / "tiny" / "manifest.json").unlink()
    assert cached(tiny) is None
    assert len(ws.load(tiny)) == 4
    assert len(server.seen) == 2
    assert leftovers() == READY


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1, "name": "tiny"}', "\0"])
def test_a_damaged_manifest_is_no_model(tiny, cache, text):
    fetch(tiny)
    (cache / "models" / "tiny" / "manifest.json").write_text(text)
    assert cached(tiny) is None
    assert len(ws.load(tiny)) == 4


def test_a_damaged_table_says_what_to_do(tiny, server, cache):
    path = fetch(tiny)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(FormatError) as caught:
        ws.load(tiny)
    assert "force=True" in str(caught.value)
    assert str(cache / "models" / "tiny") in str(caught.value)
    fetch(tiny, force=True)
    assert len(ws.load(tiny)) == 4


def test_force_and_remove_leave_open_tables_usable(tiny, server, leftovers):
    table = ws.load(tiny)
    fetch(tiny, force=True)
    assert len(server.seen) == 2
    assert table["cat"].shape == (3,)
    assert remove(tiny)
    assert not remove(tiny)
    assert leftovers() == []
    assert list(table.keys) == KEYS
    assert cached(tiny) is None


def test_a_failed_forced_fetch_keeps_what_was_there(tiny, server, leftovers):
    fetch(tiny)
    server.wrong = ["404"]
    with pytest.raises(DownloadError):
        fetch(tiny, force=True)
    assert leftovers() == READY
    assert len(ws.load(tiny)) == 4


def test_another_hash_in_the_registry_is_fetched_anew(tiny, server, register, tmp_path):
    fetch(tiny)
    ws.Embeddings.from_arrays(["one"], [[1, 2]]).save(tmp_path / "new")
    data = (tmp_path / "new").read_bytes()
    register("tiny", {"type": "url", "url": server.put("new.safetensors", data), "sha256": sha256(data)})
    assert cached("tiny") is None
    assert list(ws.load("tiny").keys) == ["one"]


def test_another_source_without_a_hash_is_fetched_anew(cache, register, native_file, tmp_path):
    (tmp_path / "a.safetensors").write_bytes(native_file)
    ws.Embeddings.from_arrays(["one"], [[1, 2]]).save(tmp_path / "b.safetensors")
    register("mine", {"type": "path", "path": str(tmp_path / "a.safetensors")})
    assert list(ws.load("mine").keys) == KEYS
    register("mine", {"type": "path", "path": str(tmp_path / "b.safetensors")})
    assert cached("mine") is None
    assert list(ws.load("mine").keys) == ["one"]


@pytest.mark.parametrize(
    "change",
    [{"name": "no name at all"}, {"name": "other"}, {"kind": "tabel"}, {"source": ""}, {"files": ["x"]}, {"sha256": 1}],
)
def test_a_stray_manifest_is_no_model_and_hides_no_other(tiny, cache, change):
    fetch(tiny)
    stray = cache / "models" / "stray"
    shutil.copytree(cache / "models" / "tiny", stray)
    values = json.loads((stray / "manifest.json").read_text())
    (stray / "manifest.json").write_text(json.dumps(values | {"name": "stray"} | change))
    assert [manifest.name for manifest in listed()] == ["tiny"]


def test_the_manifest_names_this_version_without_an_installed_package(tiny, cache, run_python):
    script = (
        "import importlib.metadata as m\ndef version(name): raise m.PackageNotFoundError(name)\nm.version = version\n"
    )
    run_python(script + f"import wordstock.hub as h; h.fetch({tiny!r})")
    assert json.loads((cache / "models" / "tiny" / "manifest.json").read_text())["wordstock"] == ws.__version__


def test_offline(tiny, server, monkeypatch, cache):
    monkeypatch.setenv("WORDSTOCK_OFFLINE", "1")
    with pytest.raises(OfflineError, match=r"WORDSTOCK_OFFLINE is set; unset it .* copy models/tiny"):
        ws.load(tiny)
    assert not cache.exists()
    monkeypatch.setenv("WORDSTOCK_OFFLINE", "0")
    fetch(tiny)
    monkeypatch.setenv("WORDSTOCK_OFFLINE", "1")
    assert len(ws.load(tiny)) == 4
    assert len(server.seen) == 1


def test_a_path_source(cache, register, native_file, tmp_path, monkeypatch):
    path = tmp_path / "mine.safetensors"
    path.write_bytes(native_file)
    register("mine", {"type": "path", "path": str(path), "sha256": sha256(native_file)})
    monkeypatch.setenv("WORDSTOCK_OFFLINE", "1")
    assert len(ws.load("mine")) == 4
    register("gone", {"type": "path", "path": str(tmp_path / "gone")})
    with pytest.raises(DownloadError, match="no such file or folder"):
        fetch("gone")


def test_cached_needs_no_lock_no_write_and_no_extra(tiny, cache, run_python):
    fetch(tiny)
    shutil.rmtree(cache / "locks")
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    script = (
        "import sys\nfor name in ('httpx', 'huggingface_hub', 'filelock', 'polars', 'rich', 'pip'):\n"
        "    sys.modules[name] = None\n"
        f"import wordstock as ws\nassert len(ws.load({tiny!r})) == 4"
    )
    run_python(script)
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*")} == before


def as_nobody(script, cache):
    """Run a script for which permission bits count: as another user where this one is root."""
    imports = "import os, filelock, platformdirs, wordstock as ws\n"
    imports += "import wordstock.hub.sources.deliver, wordstock.hub.loading\n"
    imports += "from wordstock.errors import StorageError\nos.getuid() or os.setuid(65534)\n"
    environment = {**os.environ, "WORDSTOCK_CACHE": str(cache)}
    return subprocess.run([sys.executable, "-c", imports + script], capture_output=True, text=True, env=environment)


@pytest.fixture
def read_only(tiny, cache):
    """A cache with the tiny table in it that may be read and not written, at a path anyone can reach."""
    fetch(tiny)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(cache / "models", folder / "cache" / "models")
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555)
        yield folder / "cache"
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)


def test_a_read_only_cache_with_the_model_in_it(read_only):
    # The registry file of the test lies where another user cannot read it: the folder's own manifest is enough.
    script = (
        "from wordstock.hub.cache import listed\nfrom wordstock.hub.fetching import fetch_entry\n"
        "from wordstock.hub.entry import Entry, UrlSource\n"
        "entry = Entry('tiny', UrlSource(listed()[0].source))\n"
        "assert len(listed()) == 1\nassert len(ws.load(fetch_entry(entry).path)) == 4"
    )
    done = as_nobody(script, read_only)
    assert done.returncode == 0, done.stderr


def test_a_read_only_cache_without_the_model(read_only):
    script = (
        "from wordstock.hub.fetching import fetch_entry\nfrom wordstock.hub.entry import Entry, UrlSource\n"
        "fetch_entry(Entry('other', UrlSource('http://127.0.0.1:9/x')))"
    )
    done = as_nobody(script, read_only)
    assert "StorageError" in done.stderr
    assert "permission denied" in done.stderr
    assert "WORDSTOCK_CACHE can point" in done.stderr


def test_the_cache_path_is_a_file(tiny, cache):
    cache.write_text("not a folder")
    assert cached(tiny) is None
    with pytest.raises(StorageError, match="WORDSTOCK_CACHE can point"):
        fetch(tiny)


@pytest.mark.parametrize("source", ["url", "wheel"])
def test_a_full_disk(cache, register, server, native_file, make_wheel, leftovers, run_python, source):
    if source == "url":
        register("big", {"type": "url", "url": server.put("big.safetensors", b"\0" * 3_000_000)})
    else:
        register("big", make_wheel({"data/m.npy": b"\0" * 3_000_000, "data/k.parquet": b""}).source)
    script = (
        "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "import wordstock.hub as h\nh.fetch('big', progress=False)"
    )
    done = run_python(script, check=False)
    assert "StorageError" in done.stderr.splitlines()[-1], done.stderr
    assert "WORDSTOCK_CACHE can point" in done.stderr
    assert leftovers() == []


def test_an_archive_larger_than_the_disk(tmp_path, monkeypatch):
    from wordstock.hub.sources import archive

    (tmp_path / "a.zip").write_bytes(zipped({"m": b"x" * 1000}))
    usage = shutil.disk_usage(tmp_path)._replace(free=999)
    monkeypatch.setattr(archive.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StorageError, match=r"999 bytes free; a\.zip unpacks to 1,000"):
        archive.extract(tmp_path / "a.zip", {"m": "m"}, tmp_path, "a.zip")
    assert not (tmp_path / "m").exists()
