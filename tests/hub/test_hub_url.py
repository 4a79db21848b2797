"""The URL source against a real server: resuming, retrying, and refusing what is not the promised file."""

from __future__ import annotations

import gzip
import socket

import numpy as np
import pytest
from hub_samples import KEYS, VECTORS, sha256, zipped

import wordstock as ws
from wordstock.errors import DownloadError, MissingExtraError, StorageError
from wordstock.hub import cached, fetch


@pytest.fixture
def tiny(cache, register, server, native_file):
    """The tiny table, registered by its address, size and hash."""
    address = server.put("tiny.safetensors", native_file)
    register("tiny", {"type": "url", "url": address, "sha256": sha256(native_file)}, size=len(native_file), dim=3)
    return "tiny"


def test_fetch_and_load(tiny, server):
    table = ws.load(tiny)
    assert list(table.keys) == KEYS
    np.testing.assert_array_equal(table.vectors(KEYS), VECTORS)
    assert table.card.name == "tiny"
    assert table.card.source.startswith("http://127.0.0.1")
    assert ws.load(tiny).fingerprint == table.fingerprint
    assert len(server.seen) == 1


def test_a_cut_download_is_resumed(tiny, server, native_file):
    server.wrong = ["cut"]
    ws.load(tiny)
    assert server.seen == [("/tiny.safetensors", None), ("/tiny.safetensors", f"bytes={len(native_file) // 2}-")]


def test_many_cuts_do_not_use_up_the_attempts(tiny, server):
    server.wrong = ["cut"] * 7
    assert len(ws.load(tiny)) == 4
    assert len(server.seen) == 8


def test_without_etag_a_cut_download_starts_over(tiny, server):
    server.etags, server.wrong = False, ["cut"]
    assert len(ws.load(tiny)) == 4
    assert [span for _, span in server.seen] == [None, None]


def test_a_file_that_changes_between_the_halves_is_not_glued_together(cache, register, server, native_file):
    address = server.put("f.safetensors", b"x" * len(native_file))
    register("f", {"type": "url", "url": address, "sha256": sha256(native_file)})
    server.wrong, server.second = ["cut"], {"/f.safetensors": native_file}
    assert len(ws.load("f")) == 4
    assert server.seen[1][1] is not None


@pytest.mark.parametrize("status", ["500", "503", "429"])
def test_a_server_in_trouble_is_asked_again(tiny, server, status):
    server.wrong = [status, status]
    assert len(ws.load(tiny)) == 4
    assert len(server.seen) == 3


def test_a_server_that_stays_in_trouble(tiny, server, leftovers):
    server.wrong = ["503"] * 9
    with pytest.raises(DownloadError, match=r"503 .*4 times; check the network"):
        ws.load(tiny)
    assert len(server.seen) == 4
    assert leftovers() == []


@pytest.mark.parametrize("status", ["404", "403", "410"])
def test_a_refusal_is_final(tiny, server, leftovers, status):
    server.wrong = [status]
    with pytest.raises(DownloadError, match=f"the server answers {status}"):
        ws.load(tiny)
    assert len(server.seen) == 1
    assert leftovers() == []


def test_wrong_hash_leaves_nothing(tiny, server, native_file, leftovers):
    changed = native_file[:-1] + b"!"
    server.put("tiny.safetensors", changed)
    with pytest.raises(DownloadError) as caught:
        fetch(tiny)
    for part in (sha256(native_file), sha256(changed), "tiny.safetensors", "Try again"):
        assert part in str(caught.value)
    assert leftovers() == []
    assert cached(tiny) is None


def test_wrong_size_is_seen_before_the_download(tiny, server, native_file, leftovers):
    server.put("tiny.safetensors", native_file + b"more")
    with pytest.raises(DownloadError, match=f"expected {len(native_file):,} bytes, the server announces"):
        fetch(tiny)
    assert leftovers() == []


def test_a_server_that_sends_more_than_promised_is_left(tiny, server, leftovers, native_file):
    server.lengths = False
    server.put("tiny.safetensors", native_file + bytes(50_000_000))
    with pytest.raises(DownloadError, match=f"expected {len(native_file):,} bytes, the server sends more"):
        fetch(tiny)
    assert len(server.seen) == 1
    assert leftovers() == []


def test_a_file_larger_than_the_disk_is_refused_before_it_is_written(cache, register, server, leftovers):
    register("big", {"type": "url", "url": server.put("big.bin", b"x" * 1000)})
    server.claimed = 1 << 60
    with pytest.raises(StorageError, match=r"bytes free; http.*big\.bin would add 1,152,921,504,606,846,976.*CACHE"):
        fetch("big")
    assert len(server.seen) == 1
    assert leftovers() == []


def test_requests_name_this_version(tiny, server):
    fetch(tiny)
    assert server.agents == [f"wordstock/{ws.__version__}"]


def test_nobody_listens(cache, register, leftovers):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        register("x", {"type": "url", "url": f"http://127.0.0.1:{bound.getsockname()[1]}/x"})
        with pytest.raises(DownloadError, match="4 times; check the network"):
            fetch("x")
    assert leftovers() == []


def test_one_member_of_an_archive(cache, register, server, native_file, leftovers):
    archive = zipped({"other.txt": b"x", "deep/tiny.safetensors": native_file})
    address = server.put("all.zip", archive)
    register("z", {"type": "url", "url": address, "member": "deep/tiny.safetensors", "sha256": sha256(archive)})
    assert len(ws.load("z")) == 4
    assert leftovers() == ["z", "z/manifest.json", "z/table.safetensors"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (zipped({"a.txt": b"x"}), r"no member 'm'; it holds a\.txt"),
        (b"not a zip at all" * 9, "not a usable zip archive"),
    ],
)
def test_an_archive_of_something_else(cache, register, server, leftovers, data, said):
    register("z", {"type": "url", "url": server.put("all.zip", data), "member": "m"})
    with pytest.raises(DownloadError, match=said):
        fetch("z")
    assert leftovers() == []


def test_other_dimensions_than_promised(cache, register, server, native_file, leftovers):
    register("t", {"type": "url", "url": server.put("t.safetensors", native_file)}, dim=50)
    with pytest.raises(DownloadError, match="expected 50 dimensions, found 3"):
        fetch("t")
    assert leftovers() == []


def test_text_vectors_are_converted_once(cache, register, server):
    lines = [f"{key} {' '.join(map(str, row))}" for key, row in zip(KEYS, VECTORS.tolist(), strict=True)]
    data = gzip.compress(("4 3\n" + "\n".join(lines) + "\n").encode())
    register("text", {"type": "url", "url": server.put("t.vec.gz", data)}, dim=3, casing="lower", language="en")
    table = ws.load("text")
    np.testing.assert_array_equal(table.vectors(KEYS), VECTORS)
    assert table.path == cache / "models" / "text" / "table.safetensors"
    assert (table.card.licence, table.card.language, table.card.casing) == ("CC0-1.0", "en", "lower")


def test_httpx_missing(tiny, run_python):
    script = f"import sys; sys.modules['httpx'] = None\nimport wordstock.hub as h\nh.fetch({tiny!r})"
    done = run_python(script, check=False)
    assert MissingExtraError.__name__ in done.stderr
    assert "pip install 'wordstock[hub]'" in done.stderr
