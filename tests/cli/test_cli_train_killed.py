"""Killed in the middle of each phase, the same command goes on and ends with the vectors of one that was not."""

import signal
import subprocess
import time

import numpy as np
import pytest
from cli_command import call
from test_cli_main import COMMAND

import wordstock as ws

METHODS = {
    "word2vec": ("reading", "spilling", "training"),
    "fasttext": ("training",),
    "glove": ("counting", "training"),
}
SIGNS = {  # what is there when the phase has begun
    "reading": ["corpus/.lock"],
    "spilling": ["corpus/runs/blob"],
    "counting": ["glove/runs/run-*"],
    "training": ["*/checkpoint.json", "*/state.bin"],
}


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Enough different words to be spilled."""
    rng = np.random.default_rng(1)
    path = tmp_path_factory.mktemp("corpus") / "text.txt"
    words = rng.integers(0, 30_000, (5000, 20))
    path.write_text("\n".join(" ".join(f"w{i}" for i in line) for line in words), encoding="utf-8")
    return path


def options(method, text, out):
    return [
        "train", text, "-o", out, "--method", method, "--dim", 8, "--epochs", 2, "--threads", 1,
        "--memory-limit", 1 << 20, "--checkpoint-seconds", 0,
    ]  # fmt: skip


def start(method, text, out):
    command = [*COMMAND, *map(str, options(method, text, out))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stop_in(phase, process, folder, number):
    """Send a signal as soon as the phase has begun."""
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if any(any(folder.glob(sign)) for sign in SIGNS[phase]):
            break
        time.sleep(0.001)
    process.send_signal(number)
    told = process.communicate(timeout=60)[1]
    assert process.returncode != 0, f"not caught in time: {told}"
    return process.returncode, told


@pytest.mark.parametrize("method", METHODS)
def test_killed_in_every_phase(text, tmp_path, monkeypatch, capsys, method):
    out, whole = tmp_path / "v.safetensors", tmp_path / "whole.safetensors"
    folder = tmp_path / "v.safetensors.training"
    for phase in METHODS[method]:
        assert stop_in(phase, start(method, text, out), folder, signal.SIGKILL)[0] == -signal.SIGKILL
        assert not out.exists()
    status, _, told = call(monkeypatch, capsys, *options(method, text, out))
    assert status == 0, told
    assert "counted by an earlier run" in told
    assert [path.name for path in tmp_path.iterdir()] == ["v.safetensors"]
    assert call(monkeypatch, capsys, *options(method, text, whole))[0] == 0
    one, other = ws.load(out), ws.load(whole)
    assert list(one) == list(other)
    np.testing.assert_array_equal(one.storage.data, other.storage.data)


def test_ctrl_c_says_how_to_go_on(text, tmp_path, monkeypatch, capsys):
    out = tmp_path / "v.safetensors"
    folder = tmp_path / "v.safetensors.training"
    status, told = stop_in("reading", start("word2vec", text, out), folder, signal.SIGINT)
    assert status == 130, told
    assert "the same command begins anew\nstopped\n" in told
    status, told = stop_in("training", start("word2vec", text, out), folder, signal.SIGINT)
    assert status == 130, told
    assert "running the same again continues from" in told
    assert str(folder / "word2vec") in "".join(line.strip() for line in told.splitlines())
    assert "Traceback" not in told
    assert not out.exists()
    status, _, told = call(monkeypatch, capsys, *options("word2vec", text, out))
    assert status == 0, told
