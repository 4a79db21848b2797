"""``load``: what a name or a path leads to, and what it costs."""

from __future__ import annotations

import json
import logging
import os
import pty
import subprocess
import sys

import pytest
from hub_samples import KEYS

import wordstock as ws
from wordstock.errors import FormatError, InputError, ModelError, UnknownModelError

HEAVY = ("numba", "polars", "httpx", "rich", "huggingface_hub", "filelock", "sklearn", "wordstock.formats")


@pytest.fixture
def tiny_path(tmp_path, native_file):
    path = tmp_path / "tiny.safetensors"
    path.write_bytes(native_file)
    return path


def test_a_native_file_by_str_path_and_home(cache, tiny_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tiny_path.parent))
    for name in (tiny_path, str(tiny_path), "~/tiny.safetensors"):
        assert list(ws.load(name).keys) == KEYS


def test_a_native_file_loads_nothing_heavy(cache, tiny_path, run_python):
    script = f"import sys, wordstock.hub, wordstock as ws\nassert not [m for m in {HEAVY} if m in sys.modules]\n"
    script += f"ws.load({str(tiny_path)!r})\nheavy = [m for m in {HEAVY} if m in sys.modules]\nassert not heavy, heavy"
    run_python(script)


def test_a_pipe_is_refused_and_not_waited_for(cache, tmp_path):
    os.mkfifo(tmp_path / "vectors.txt")
    with pytest.raises(FormatError, match="found a pipe or device; write it to a file first"):
        ws.load(tmp_path / "vectors.txt")


def test_a_damaged_native_file(cache, tiny_path):
    tiny_path.write_bytes(tiny_path.read_bytes()[:-20])
    with pytest.raises(FormatError, match=r"tiny\.safetensors"):
        ws.load(tiny_path)


@pytest.mark.parametrize("name", ["none.vec", "folder/none", "./none", "/none/none.bin"])
def test_no_such_file(cache, name):
    with pytest.raises(UnknownModelError, match="no such file or folder"):
        ws.load(name)


@pytest.mark.parametrize("name", ["~nosuchuser/x", "~nosuchuser"])
def test_the_home_of_nobody(cache, name):
    with pytest.raises(
        UnknownModelError, match=r"no (such file or folder: '~nosuchuser/x'|model is called '~nosuchuser')"
    ):
        ws.load(name)


def test_hints_for_what_was_probably_meant(cache, tmp_path):
    with pytest.raises(UnknownModelError, match="write 'hf:minishlab/potion-base-8M'"):
        ws.load("minishlab/potion-base-8M")
    with pytest.raises(UnknownModelError, match="near matches: glove-6b-50d"):
        ws.load("glove.6B.50d")
    with pytest.raises(UnknownModelError, match="registered names like it: glove-6b-50d"):
        ws.load(tmp_path / "glove-6b-50d")
    with pytest.raises(UnknownModelError):
        ws.load("x" * 5000)


def test_a_name_wins_over_a_folder_and_a_file_over_a_name(cache, register, native_file, tmp_path, monkeypatch):
    (tmp_path / "real.safetensors").write_bytes(native_file)
    register("mine", {"type": "path", "path": str(tmp_path / "real.safetensors")})
    here = tmp_path / "here"
    (here / "mine").mkdir(parents=True)
    monkeypatch.chdir(here)
    assert ws.load("mine").card.name == "mine"
    (here / "mine").rmdir()
    (here / "mine").write_bytes(native_file)
    assert ws.load("mine").card.name == ""


def test_a_folder_of_an_encoder_that_cannot_be_run(cache, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "t5", "num_layers": 6}))
    with pytest.raises(ModelError, match="'t5', which wordstock does not run; supported are bert"):
        ws.load(tmp_path)


def test_progress_goes_to_the_log_where_there_is_no_terminal(cache, register, native_file, tmp_path, caplog, capfd):
    (tmp_path / "real.safetensors").write_bytes(native_file)
    register("mine", {"type": "path", "path": str(tmp_path / "real.safetensors")}, size=len(native_file))
    with caplog.at_level(logging.INFO, logger="wordstock"):
        ws.load("mine", progress=True)
    assert any("fetching mine" in message for message in caplog.messages)
    assert capfd.readouterr() == ("", "")


def test_progress_is_a_bar_on_a_terminal(cache, register, native_file, server, run_python):
    register("mine", {"type": "url", "url": server.put("t.safetensors", native_file)}, size=len(native_file))
    screen, terminal = pty.openpty()
    script = "import wordstock as ws; ws.load('mine')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=terminal,
        timeout=60,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(terminal)
    shown = os.read(screen, 65536).decode()
    os.close(screen)
    assert done.returncode == 0
    assert done.stdout == b""
    assert "mine" in shown
    assert "━" in shown


def test_reading_options_reach_the_reader(cache, tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"caf\xe9 1 2\nword 3 4\nbad nan 1\n")
    with pytest.raises(FormatError, match=r'pass encoding_errors="replace"'):
        ws.load(path)
    with pytest.warns(UserWarning, match="read as Latin-1; 1 row with NaN"):
        emb = ws.load(path, encoding_errors="latin-1", non_finite="drop")
    assert list(emb) == ["café", "word"]
    with pytest.warns(UserWarning, match=r"read with U\+FFFD"):
        assert len(ws.load(path, encoding_errors="replace", limit=2, format="glove")) == 2
    with pytest.raises(InputError, match="load has no option limits; known are progress, format"):
        ws.load(path, limits=2)
    with pytest.raises(InputError, match="limit: only for reading a file; glove-6b-50d is a named model"):
        ws.load("glove-6b-50d", limit=2)
    with pytest.raises(InputError, match="name_or_path=None: needs a path"):
        ws.load(None)
