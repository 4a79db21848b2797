"""``wordstock train`` as a user meets it."""

import re

import numpy as np
import pytest
from test_cli_main import run

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


METHODS = {
    "skipgram": ["--subsample", 0],
    "cbow": ["--algorithm", "cbow", "--subsample", 0],
    "fasttext": ["--method", "fasttext", "--subsample", 0],
    "glove": ["--method", "glove"],
}


@pytest.mark.parametrize("method", METHODS)
def test_words_of_one_topic_end_up_together(text, tmp_path, method):
    out = tmp_path / "v.safetensors"
    ran = run("train", text, "-o", out, *METHODS[method], "--dim", 16, "--epochs", 8)
    assert ran.returncode == 0, ran.stderr
    assert "24,000 tokens, 10 words from 3,000 texts in 1 file" in ran.stderr
    assert "training: epoch 8 of 8" in ran.stderr
    last = ran.stderr.splitlines()[-1]
    pattern = (
        r"wrote .*v.safetensors: 10 words, dim 16, 8 epochs, mean loss [\d.]+, [\d.]+ M words/s, [\d.]+ s of training"
    )
    assert re.fullmatch(pattern, last)
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
