"""GloVe that goes on from earlier vectors, stops by a held-out score, or is stopped in the middle of an epoch."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from glove_samples import clustered

import wordstock as ws
from wordstock.embeddings import Embeddings
from wordstock.errors import InputError
from wordstock.text import Tokenizer
from wordstock.train import GloVeConfig, train_glove
from wordstock.vocab import PhraseSettings

QUICK = {"dim": 12, "epochs": 4, "window": 4}
STOPPED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from glove_samples import clustered
from wordstock.train import glove_loop, train_glove

class Slow(glove_loop.GloVeLoop):  # the kernel is too fast to be stopped by hand within an epoch
    def _round(self, rows, state, rounds):
        if (state.epoch, state.slice) == (2, 5):
            os.kill(os.getpid(), signal.SIGINT)
        return super()._round(rows, state, rounds)

import wordstock.train.glove as glove
glove.GloVeLoop = Slow
train_glove(clustered(), dim=12, epochs=4, window=4, checkpoint=sys.argv[2])
"""


@pytest.fixture(scope="module")
def clusters():
    return clustered()


@pytest.fixture(scope="module")
def first(clusters):
    return train_glove(clusters, dim=12, epochs=25, window=4)


@pytest.mark.parametrize("vectors", ["sum", "word"])
def test_going_on_with_the_same_text_loses_nothing(clusters, first, vectors, tmp_path):
    before = first
    if vectors == "word":
        before = train_glove(clusters, dim=12, epochs=25, window=4, vectors="word")
    before.save(tmp_path / "v.safetensors")
    table = train_glove(clusters, init=ws.load(tmp_path / "v.safetensors"), **QUICK, vectors=vectors)
    fresh = train_glove(clusters, **QUICK)
    assert table.card.training["loss"][0] < 1.4 * first.card.training["loss"][-1]  # AdaGrad starts anew
    assert table.card.training["loss"][0] < 0.2 * fresh.card.training["loss"][0]
    words = list(first.keys)
    near = np.einsum("ij,ij->i", table.vectors(words), before.vectors(words))
    assert (near / (table.norms * before.norms)).min() > 0.9


@pytest.mark.parametrize(("policy", "rate"), [("free", 0.1), ("slow", 0.1), ("slow", 0.0), ("frozen", 0.1)])
def test_new_text_and_new_words(first, policy, rate):
    more = clustered(600, seed=5)
    keys = [key if i % 5 else f"{key}-new" for i, key in enumerate(more.vocabulary.keys)]
    more.vocabulary = type(more.vocabulary).from_keys(keys, counts=more.vocabulary.counts)
    table = train_glove(more, init=first, old_rows=policy, old_rate=rate, **QUICK)
    assert list(table.keys)[: len(keys)] == keys
    gone = [key for key in first if key not in more.vocabulary]
    assert gone
    assert list(table.keys)[-len(gone) :] == gone
    np.testing.assert_array_equal(table.vectors(gone), first.vectors(gone))
    kept = [key for key in first if key in more.vocabulary]
    moved = np.abs(table.vectors(kept) - first.vectors(kept)).max()
    if policy == "frozen":
        assert moved == 0
    elif rate == 0:
        assert moved < 1e-6
    elif policy == "slow":
        free = train_glove(more, init=first, **QUICK)
        assert 0 < moved < 0.5 * np.abs(free.vectors(kept) - first.vectors(kept)).max()
    vocabularies = (first.vocabulary, more.vocabulary, table.vocabulary)
    old, new, both = (dict(zip(v.keys, v.counts, strict=True)) for v in vocabularies)
    assert all(both[key] == old.get(key, 0) + new.get(key, 0) for key in table)
    assert table.output.shape == (len(table), 12)
    again = train_glove(more, init=first, old_rows=policy, old_rate=rate, **QUICK, threads=1)
    np.testing.assert_array_equal(again.storage.data, table.storage.data)


def test_tables_of_other_methods_can_be_continued(clusters, caplog):
    bare = Embeddings.from_arrays(["w0-1", "elsewhere"], np.eye(2, 12))
    table = train_glove(clusters, init=bare, old_rows="frozen", **QUICK)
    assert "no context vectors" in caplog.text
    np.testing.assert_array_equal(table["w0-1"], bare["w0-1"])
    np.testing.assert_array_equal(table["elsewhere"], bare["elsewhere"])
    table = train_glove(clusters, init=bare, old_rows="frozen", vectors="word", **QUICK)
    np.testing.assert_array_equal(table.vectors(list(bare)), bare.vectors(list(bare)))
    other = ws.train_word2vec(clusters, dim=12, epochs=1)
    table = train_glove(clusters, init=other, old_rows="frozen", **QUICK)
    np.testing.assert_array_equal(table.vectors(list(other)), other.vectors(list(other)))
    table = train_glove(clusters, init=other, old_rows="frozen", vectors="word", **QUICK)
    np.testing.assert_array_equal(table.vectors(list(other)), other.vectors(list(other)))


def test_vectors_that_cannot_be_continued(clusters, first, tmp_path):
    with pytest.raises(InputError, match="dim=5, but the vectors to continue from have 12"):
        train_glove(clusters, init=first, dim=5)
    broken = Embeddings(first.vocabulary, first.storage, card=first.card, output=np.full_like(first.output, np.nan))
    with pytest.raises(InputError, match="context vectors to continue from hold NaN"):
        train_glove(clusters, init=broken, **QUICK)
    train_glove(clusters, **QUICK, checkpoint=tmp_path)
    with pytest.raises(InputError, match="made with init=None"):
        train_glove(clusters, init=first, **QUICK, checkpoint=tmp_path)


def test_vectors_that_do_not_fit_in_memory_are_refused_before_counting(clusters):
    with pytest.raises(InputError, match=r"56 words with dim=100000000000 need .* TB of memory .* are free; lower dim"):
        train_glove(clusters, dim=10**11, progress=lambda _: pytest.fail("counting had begun"))


def test_a_held_out_score_ends_training(clusters, tmp_path):
    scores = iter([0.1, 0.5, 0.3, 0.2, 0.9])
    seen = []

    def score(table):
        seen.append(np.array(table.storage.data))
        return next(scores)

    settings = QUICK | {"epochs": 9}
    table = train_glove(clusters, validation=score, patience=2, checkpoint=tmp_path, **settings)
    assert table.card.training["validation"] == [0.1, 0.5, 0.3, 0.2]
    np.testing.assert_array_equal(table.storage.data, seen[1])
    again = train_glove(clusters, validation=score, patience=2, checkpoint=tmp_path, **settings)
    np.testing.assert_array_equal(again.storage.data, seen[1])
    assert len(seen) == 4


def test_ctrl_c_within_an_epoch_continues_to_the_same_bits(clusters, tmp_path):
    command = [sys.executable, "-c", STOPPED, str(Path(__file__).parent), str(tmp_path)]
    ran = subprocess.run(command, check=False, timeout=120, capture_output=True, text=True)
    assert ran.returncode in (1, -signal.SIGINT)
    assert "running the same again continues from" in ran.stderr
    assert (tmp_path / "state.bin").exists()
    resumed = train_glove(clusters, **QUICK, checkpoint=tmp_path)
    whole = train_glove(clusters, **QUICK)
    np.testing.assert_array_equal(resumed.storage.data, whole.storage.data)
    assert resumed.card.training["loss"] == whole.card.training["loss"]


def test_text_settings_go_through():
    lines = ["New York in 1984", "an old town", "we saw New York", "a town in York"] * 20
    settings = {"min_count": 2, "max_size": 6, "tokenizer": Tokenizer(digits="zero"), "source": "none"}
    table = train_glove(lines, config=GloVeConfig(dim=4, epochs=1), window=3, **settings)
    assert len(table) == 6
    assert table.card.training["window"] == 3
    assert table.card.training["corpus"]["max_size"] == 6
    assert table.config.tokenizer.digits == "zero"
    phrases = PhraseSettings(passes=1, threshold=2)
    assert "new_york" in train_glove(lines, dim=4, epochs=1, min_count=2, phrases=phrases)
