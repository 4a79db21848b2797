"""Being killed, going on, and what a checkpoint refuses."""

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from glove_samples import clustered

from wordstock.errors import FormatError, InputError, StorageError
from wordstock.train import train_glove

SETTINGS = {"dim": 12, "epochs": 6, "window": 4}
VICTIM = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from glove_samples import clustered
from wordstock.train import train_glove

def progress(p):
    if (p.phase, p.epoch) == (sys.argv[3], int(sys.argv[4])) and p.share > 0.25:
        os.kill(os.getpid(), signal.SIGKILL)

train_glove(clustered(), dim=12, epochs=6, window=4, checkpoint=sys.argv[2], checkpoint_seconds=0, progress=progress)
"""


@pytest.fixture(scope="module")
def clusters():
    return clustered()


@pytest.fixture(scope="module")
def whole(clusters):
    return train_glove(clusters, **SETTINGS, threads=1)


@pytest.mark.parametrize(("phase", "epoch"), [("count", 0), ("train", 3)])
def test_killed_and_started_again_gives_the_same_bits(clusters, whole, tmp_path, phase, epoch):
    command = [sys.executable, "-c", VICTIM, str(Path(__file__).parent), str(tmp_path), phase, str(epoch)]
    assert subprocess.run(command, check=False, timeout=120).returncode == -signal.SIGKILL
    assert (tmp_path / "cells.json").exists() == (phase == "train")
    seen = []
    resumed = train_glove(clusters, **SETTINGS, checkpoint=tmp_path, progress=seen.append)
    assert {p.phase for p in seen} == ({"count", "train"} if phase == "count" else {"train"})
    assert min(p.epoch for p in seen if p.phase == "train") == max(epoch, 1)
    np.testing.assert_array_equal(resumed.storage.data, whole.storage.data)
    assert resumed.card.training["loss"] == whole.card.training["loss"]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "cells.json", "offsets.npy", "pairs.npy", "state.bin", "targets.npy"
    ]  # fmt: skip


def test_more_epochs_go_on_where_fewer_ended(clusters, whole, tmp_path):
    train_glove(clusters, **SETTINGS | {"epochs": 2}, checkpoint=tmp_path)
    longer = train_glove(clusters, **SETTINGS, checkpoint=tmp_path)
    np.testing.assert_array_equal(longer.storage.data, whole.storage.data)
    with pytest.raises(InputError, match="has had 6 epochs, more than epochs=3"):
        train_glove(clusters, **SETTINGS | {"epochs": 3}, checkpoint=tmp_path)


@pytest.mark.parametrize(("name", "value"), [("window", 5), ("x_max", 3.0), ("dim", 13), ("seed", 4)])
def test_another_setting_is_refused_by_name(clusters, tmp_path, name, value):
    train_glove(clusters, **SETTINGS | {"epochs": 1}, checkpoint=tmp_path)
    with pytest.raises(InputError, match=rf"made with {name}=.*now {name}={value}"):
        train_glove(clusters, **SETTINGS | {name: value}, checkpoint=tmp_path)


def test_another_corpus_is_refused(clusters, tmp_path):
    train_glove(clusters, **SETTINGS | {"epochs": 1}, checkpoint=tmp_path)
    with pytest.raises(InputError, match="made with corpus="):
        train_glove(clustered(seed=2), **SETTINGS, checkpoint=tmp_path)


@pytest.mark.parametrize("name", ["state.bin", "pairs.npy", "targets.npy", "offsets.npy", "cells.json"])
@pytest.mark.parametrize("keep", [0, 100])
def test_a_damaged_checkpoint_is_a_format_error(clusters, tmp_path, name, keep):
    train_glove(clusters, **SETTINGS | {"epochs": 1}, checkpoint=tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(FormatError, match="delete"):
        train_glove(clusters, **SETTINGS, checkpoint=tmp_path)


def test_a_shorter_state_is_a_format_error(clusters, tmp_path):
    train_glove(clusters, **SETTINGS | {"epochs": 1}, checkpoint=tmp_path)
    path = tmp_path / "state.bin"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(FormatError, match="bytes of rows"):
        train_glove(clusters, **SETTINGS, checkpoint=tmp_path)
    head = json.loads(path.read_bytes().split(b"\n")[0])
    path.write_bytes(json.dumps(head | {"shape": [1, 4, 16]}).encode() + b"\n")
    with pytest.raises(FormatError, match="expected rows"):
        train_glove(clusters, **SETTINGS, checkpoint=tmp_path)


def test_a_full_disk_is_a_storage_error(clusters, tmp_path, monkeypatch):
    """First while counting, by a limit on the size of files; then when the space for the tiles is taken."""
    code = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from glove_samples import clustered
from wordstock.errors import StorageError
from wordstock.train import train_glove
train_glove(clustered(20), dim=2, epochs=1)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    train_glove(clustered(), dim=2, epochs=1, checkpoint=sys.argv[2])
except StorageError as error:
    print(error)
"""
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path)]
    ran = subprocess.run(command, check=True, timeout=120, capture_output=True, text=True)
    assert "the file would be larger than this system" in ran.stdout
    assert not (tmp_path / "cells.json").exists()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(StorageError, match="the disk is full"):
        train_glove(clusters, **SETTINGS, checkpoint=tmp_path)
    monkeypatch.undo()
    assert len(train_glove(clusters, **SETTINGS, checkpoint=tmp_path)) == len(clusters.vocabulary)


@pytest.mark.parametrize("phase", ["count", "train"])
def test_an_interrupt_leaves_nothing_behind(clusters, tmp_path, monkeypatch, phase):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def interrupt(progress):
        if progress.phase == phase:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_glove(clusters, **SETTINGS, threads=3, progress=interrupt)
    assert not list(tmp_path.iterdir())
    assert not [t for t in threading.enumerate() if t.name.startswith("wordstock-train")]


@pytest.mark.parametrize(("name", "place"), [("pairs.npy", -1), ("offsets.npy", -20), ("state.bin", -40)])
def test_a_flipped_bit_is_a_format_error(clusters, tmp_path, name, place):
    train_glove(clusters, **SETTINGS | {"epochs": 1}, checkpoint=tmp_path)
    data = bytearray((tmp_path / name).read_bytes())
    data[place] ^= 0x40
    (tmp_path / name).write_bytes(data)
    with pytest.raises(FormatError, match="delete it"):
        train_glove(clusters, **SETTINGS, checkpoint=tmp_path)
