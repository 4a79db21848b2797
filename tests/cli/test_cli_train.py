"""``wordstock train`` as a user meets it."""

import gzip
import os
import signal
import subprocess
import time

import numpy as np
import pytest
from test_cli_main import COMMAND, run

import wordstock as ws


@pytest.fixture
def text(tmp_path):
    """Two topics whose words seldom meet."""
    rng = np.random.default_rng(0)
    topics = (["cat", "dog", "fur", "paw", "tail"], ["ship", "sea", "sail", "mast", "wave"])
    lines = [" ".join(rng.choice(topics[(i + (rng.random() < 0.1)) % 2], 2)) for i in range(12_000)]
    lines = [" ".join(lines[i : i + 8 : 2]) for i in range(0, 12_000, 8) for i in (i, i + 1)]
    path = tmp_path / "text.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("algorithm", ["skipgram", "cbow", "glove"])
def test_words_of_one_topic_end_up_together(text, tmp_path, algorithm):
    out = tmp_path / "v.safetensors"
    ran = run("train", text, "-o", out, "--algorithm", algorithm, "--dim", 16, "--epochs", 8, "--subsample", 0)
    assert ran.returncode == 0, ran.stderr
    assert "24,000 tokens, 10 words" in ran.stderr
    emb = ws.load(out)
    assert (len(emb), emb.dim) == (10, 16)
    assert {key for key, _ in emb.nearest("cat", 4)} == {"dog", "fur", "paw", "tail"}
    assert emb.vocabulary.counts.sum() == 24_000
    assert emb.output is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.txt", "v.safetensors"]


def test_training_goes_on_from_earlier_vectors(text, tmp_path):
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    assert run("train", text, "-o", first, "--dim", 8, "--epochs", 1).returncode == 0
    more = tmp_path / "more.txt"
    more.write_text("cat kitten dog kitten\n" * 200, encoding="utf-8")
    ran = run("train", more, "-o", second, "--dim", 8, "--epochs", 1, "--init", first)
    assert ran.returncode == 0, ran.stderr
    emb = ws.load(second)
    assert "kitten" in emb
    assert "ship" in emb
    np.testing.assert_array_equal(emb["ship"], ws.load(first)["ship"])


def test_a_killed_training_goes_on_with_the_same_command(tmp_path):
    rng = np.random.default_rng(1)
    text = tmp_path / "text.txt"
    text.write_text("\n".join(" ".join(f"w{i}" for i in rng.integers(0, 300, 20)) for _ in range(5000)))
    out = tmp_path / "v.safetensors"
    command = ["train", str(text), "-o", str(out), "--dim", "50", "--epochs", "30", "--threads", "1"]
    process = subprocess.Popen([*COMMAND, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    manifest = tmp_path / "v.safetensors.training" / "corpus" / "manifest.json"
    deadline = time.monotonic() + 120
    while not manifest.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert manifest.exists(), "the training was not caught after it had counted"
    assert not out.exists()
    counted = manifest.stat().st_mtime_ns
    kept = tmp_path / "kept"
    again = run(*command, "--checkpoint", manifest.parent.parent)
    assert again.returncode == 0, again.stderr
    assert manifest.stat().st_mtime_ns == counted, "the corpus was counted again"
    assert run(*command[:3], kept.with_suffix(".safetensors"), *command[4:]).returncode == 0
    whole, resumed = ws.load(kept.with_suffix(".safetensors")), ws.load(out)
    assert list(resumed) == list(whole)
    np.testing.assert_array_equal(resumed.storage.data, whole.storage.data)


def test_damage_is_told_and_strict_stops(text, tmp_path):
    packed = tmp_path / "text.txt.gz"
    packed.write_bytes(gzip.compress(text.read_bytes())[:-2000])
    ran = run("train", packed, "-o", tmp_path / "v.safetensors", "--dim", 4, "--epochs", 1)
    assert ran.returncode == 0, ran.stderr
    assert "1 damaged places were skipped" in ran.stderr
    ran = run("train", packed, "-o", tmp_path / "w.safetensors", "--dim", 4, "--epochs", 1, "--strict")
    assert ran.returncode == 1
    assert str(packed) in ran.stderr
    assert not (tmp_path / "w.safetensors").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--algorithm", "lsa"], "--algorithm lsa: known are skipgram, cbow, glove"),
        (["--algorithm", "glove", "--init", "x"], "only skipgram and cbow can continue"),
        (["--kind", "pdf"], "known are"),
        (["--min-count", "9999"], "lower min_count"),
    ],
)
def test_mistakes_are_one_line(text, tmp_path, options, message):
    ran = run("train", text, "-o", tmp_path / "v.safetensors", *options)
    assert ran.returncode == 1
    assert message in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "v.safetensors").exists()


def test_vectors_are_written_as_a_native_file(text, tmp_path):
    ran = run("train", text, "-o", tmp_path / "v.txt")
    assert ran.returncode == 1
    assert "give a name in .safetensors" in ran.stderr
