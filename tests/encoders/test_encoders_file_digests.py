"""Remembered digests: those of hashlib, until anything about the file changes."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from wordstock.encoders.file_digests import file_digest

MILLION = 1 << 20


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A file that has not changed for a while, as far as its times tell."""
    monkeypatch.setenv("WORDSTOCK_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"a" * MILLION)
    return path


def notes(weights):
    return list((weights.parent / "cache" / "digests").glob("*.json"))


def settle(monkeypatch):
    """Let ten seconds pass for the module: the times of files are the system's own."""
    from wordstock.encoders import file_digests

    later = file_digests.time.time_ns() + 10**10
    monkeypatch.setattr(file_digests.time, "time_ns", lambda: later)


def right(path):
    return hashlib.sha256(path.read_bytes()).digest()


def test_a_file_that_has_just_changed_is_not_remembered(weights):
    assert file_digest(weights) == right(weights)
    assert notes(weights) == []


def test_the_second_time_the_file_is_not_read(weights, monkeypatch):
    settle(monkeypatch)
    assert file_digest(weights) == right(weights)
    (note,) = notes(weights)
    told = json.loads(note.read_bytes())
    note.write_text(json.dumps(told | {"sha256": "00" * 32}))
    assert file_digest(weights) == bytes(32)
    note.write_text(json.dumps(told | {"sha256": "no number"}))
    assert file_digest(weights) == right(weights)
    note.write_text("[")
    assert file_digest(weights) == right(weights)


def test_a_change_that_hides_its_time_is_seen(weights, monkeypatch):
    settle(monkeypatch)
    before, status = file_digest(weights), weights.stat()
    with weights.open("r+b") as stream:
        stream.write(b"b")
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert weights.stat().st_mtime_ns == status.st_mtime_ns
    assert file_digest(weights) == right(weights) != before


def test_another_file_in_its_place_is_seen(weights, monkeypatch):
    settle(monkeypatch)
    before = file_digest(weights)
    other = Path(f"{weights}.new")
    other.write_bytes(b"c" * MILLION)
    other.replace(weights)
    assert file_digest(weights) == right(weights) != before


def test_without_a_cache_folder_to_write_to(weights, monkeypatch):
    settle(monkeypatch)
    (weights.parent / "cache").write_bytes(b"a file where the folder would be")
    assert file_digest(weights) == right(weights)
