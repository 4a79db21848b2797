"""Checkpoints: killed at any moment, stopped by hand, resumed bit for bit, refused where they do not fit."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from train_samples import shards_of, topic_sentences

from wordstock.errors import FormatError, InputError
from wordstock.train import train_word2vec

SMALL = {"dim": 20, "epochs": 4, "threads": 1, "slice_size": 500}

SCRIPT = """
import sys, time
sys.path.insert(0, {here!r})
from train_samples import shards_of, topic_sentences
from wordstock.train import train_word2vec
table = train_word2vec(
    shards_of(topic_sentences(8000)), checkpoint=sys.argv[1], checkpoint_seconds=0.1,
    dim=20, epochs=40, threads=1, slice_size=500, progress=lambda _: time.sleep(float(sys.argv[2])),
)
print(table.fingerprint)
"""


@pytest.fixture(scope="module")
def topics():
    return shards_of(topic_sentences())


def start(folder, pause=0.0):
    """A training; with ``pause`` seconds at every epoch's end it is still under way when this process looks again."""
    code = SCRIPT.format(here=str(Path(__file__).parent))
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(pause)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_checkpoint(folder, process, least):
    """Until a checkpoint of at least this epoch is there."""
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        head = folder / "checkpoint.json"
        if head.exists() and json.loads(head.read_text())["state"]["epoch"] >= least:
            return
        time.sleep(0.002)
    raise AssertionError(f"no checkpoint in time: {process.communicate()}")


def test_killed_twice_and_resumed_gives_the_same_bits(tmp_path):
    folder = tmp_path / "run"
    for least in (1, 3):
        process = start(folder, pause=0.2)
        wait_for_checkpoint(folder, process, least)
        process.kill()
        process.communicate()
    resumed = start(folder)
    assert resumed.wait(120) == 0, resumed.stderr.read()
    fresh = start(tmp_path / "fresh")
    assert fresh.wait(120) == 0
    assert resumed.communicate()[0] == fresh.communicate()[0]
    assert not list(folder.glob(".*.part"))


def test_ctrl_c_writes_a_checkpoint(tmp_path):
    process = start(tmp_path, pause=0.2)
    wait_for_checkpoint(tmp_path, process, 1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
    assert "continues from" in errors  # the log's last resort prints warnings
    state = json.loads((tmp_path / "checkpoint.json").read_text())["state"]
    assert state["words"] > 0


def test_a_finished_training_is_not_done_again(topics, tmp_path):
    first = train_word2vec(topics, checkpoint=tmp_path, **SMALL)
    seen = []
    again = train_word2vec(topics, checkpoint=tmp_path, progress=seen.append, **SMALL)
    assert not seen
    np.testing.assert_array_equal(first.storage.data, again.storage.data)
    np.testing.assert_array_equal(first.output, again.output)
    assert again.card.training["loss"] == first.card.training["loss"]
    more_threads = train_word2vec(topics, checkpoint=tmp_path, **(SMALL | {"threads": 2}))
    np.testing.assert_array_equal(first.storage.data, more_threads.storage.data)


def test_another_training_is_refused(topics, tmp_path):
    table = train_word2vec(topics, checkpoint=tmp_path, **SMALL)
    with pytest.raises(InputError, match=r"different are window \(checkpoint 5, now 3\)"):
        train_word2vec(topics, checkpoint=tmp_path, window=3, **SMALL)
    with pytest.raises(InputError, match="different are corpus"):
        train_word2vec(shards_of(topic_sentences(seed=4)), checkpoint=tmp_path, **SMALL)
    with pytest.raises(InputError, match="different are init"):
        train_word2vec(topics, checkpoint=tmp_path, init=table, **SMALL)


def test_damage_is_noticed(topics, tmp_path):
    train_word2vec(topics, checkpoint=tmp_path, **SMALL)
    (tables,) = tmp_path.glob("tables-*.safetensors")
    whole = tables.read_bytes()
    for damaged in (whole[:-9], whole[:-1] + bytes([whole[-1] ^ 1])):
        tables.write_bytes(damaged)
        with pytest.raises(FormatError, match="to start afresh"):
            train_word2vec(topics, checkpoint=tmp_path, **SMALL)
    head = tmp_path / "checkpoint.json"
    for text in (b"{", b"[]", b"\xff\xfe", b'{"identity": {}, "state": {"what": 1}}'):
        head.write_bytes(text)
        with pytest.raises(FormatError, match="to start afresh"):
            train_word2vec(topics, checkpoint=tmp_path, **SMALL)


def test_any_safetensors_reader_opens_a_checkpoint(topics, tmp_path):
    from safetensors.numpy import load_file

    table = train_word2vec(topics, checkpoint=tmp_path, **SMALL)
    (path,) = tmp_path.glob("tables-*.safetensors")
    tensors = load_file(path)
    np.testing.assert_array_equal(tensors["inputs"], table.storage.data)
    np.testing.assert_array_equal(tensors["outputs"], table.output)


def test_an_interrupted_validation_keeps_its_best(topics, tmp_path):
    scores = iter([0.9, 0.2])

    def score(_table):
        if (value := next(scores, None)) is None:
            raise KeyboardInterrupt
        return value

    settings = SMALL | {"epochs": 3}
    with pytest.raises(KeyboardInterrupt):
        train_word2vec(topics, checkpoint=tmp_path, checkpoint_seconds=0, validation=score, patience=3, **settings)
    best = train_word2vec(topics, checkpoint=tmp_path, validation=lambda _: 0.1, patience=3, **settings)
    assert best.card.training["validation"] == [0.9, 0.2, 0.1]
    assert best.path == tmp_path / "best.safetensors"
