"""Training GloVe: what is learned, what is promised about seeds and threads, and bad input."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from glove_samples import CLUSTERS, SIZE, clustered, shards_of

import wordstock as ws
from wordstock.errors import InputError, WordstockError
from wordstock.text import Tokenizer
from wordstock.train import GloVeConfig, Word2VecConfig, train_glove
from wordstock.vocab import build_shards

QUICK = {"dim": 12, "epochs": 3, "window": 4}


@pytest.fixture(scope="module")
def clusters():
    return clustered()


@pytest.fixture(scope="module")
def trained(clusters):
    return train_glove(clusters, dim=12, epochs=25, window=5, threads=2)


def test_words_of_a_cluster_end_up_together(trained):
    right = 0
    for key in (f"w{c}-{k}" for c in range(CLUSTERS) for k in range(SIZE)):
        right += sum(near.key.split("-")[0] == key.split("-")[0] for near in trained.nearest(key, k=SIZE - 1))
    assert right >= 0.95 * CLUSTERS * SIZE * (SIZE - 1)


def test_the_table_tells_how_it_was_made(trained, clusters, tmp_path):
    training = trained.card.training
    assert (training["method"], training["dim"], training["window"]) == ("glove", 12, 5)
    assert training["corpus"]["words"] == clusters.n_tokens
    assert training["corpus"]["min_count"] == 1
    assert training["words_per_second"] > 0
    costs = training["loss"]
    assert len(costs) == 25
    assert costs[-1] < costs[5] < costs[0]
    assert list(trained.keys) == list(clusters.vocabulary.keys)
    np.testing.assert_array_equal(trained.vocabulary.counts, clusters.vocabulary.counts)
    assert trained.output.shape == (len(trained), 12)
    assert "Pennington" in trained.card.citation
    trained.save(tmp_path / "t.safetensors")
    assert ws.load(str(tmp_path / "t.safetensors")).card.training["loss"] == costs


def test_the_loss_is_that_of_the_matrix(clusters):
    """The last epoch's cost is close to the cost of the vectors that it left behind."""
    learned = train_glove(clusters, dim=12, epochs=60, window=3, learning_rate=0.02)
    costs = learned.card.training["loss"]
    assert costs[-1] == pytest.approx(costs[-2], rel=0.05)


def test_the_same_seed_gives_the_same_bits_with_any_number_of_threads(clusters):
    first = train_glove(clusters, **QUICK, threads=1)
    for threads in (1, 2, 3):
        again = train_glove(clusters, **QUICK, threads=threads)
        np.testing.assert_array_equal(again.storage.data, first.storage.data)
        assert again.card.training["loss"] == first.card.training["loss"]
        assert again.fingerprint == first.fingerprint
    other = train_glove(clusters, **QUICK, threads=1, seed=2)
    assert not np.array_equal(other.storage.data, first.storage.data)


def test_the_memory_limit_changes_nothing(clusters):
    first = train_glove(clusters, **QUICK)
    again = train_glove(clusters, **QUICK, memory_limit=1 << 20)
    np.testing.assert_array_equal(again.storage.data, first.storage.data)


def test_word_vectors_alone(clusters):
    both, alone = (train_glove(clusters, **QUICK, vectors=which) for which in ("sum", "word"))
    np.testing.assert_allclose(both.storage.data, alone.storage.data + alone.output, rtol=1e-6)


def test_progress_runs_to_the_end(clusters):
    seen = []
    train_glove(clusters, **QUICK, progress=seen.append)
    counting, training = ([p for p in seen if p.phase == phase] for phase in ("count", "train"))
    assert counting[-1].share == 1
    assert counting[-1].words == sum(map(len, clusters.arrays))
    assert {p.epoch for p in counting} == {0}
    assert training[-1].share == 1
    assert training[-1].words == 3 * clusters.n_tokens
    assert [p.share for p in training] == sorted(p.share for p in training)
    assert {p.epoch for p in training} == {1, 2, 3}
    assert training[-1].loss > 0
    assert training[-1].remaining == 0


def test_divergence_is_rolled_back_and_explained(clusters, caplog):
    with pytest.raises(WordstockError, match=r"diverged 4 times .*lower learning_rate \(now 3000\)"):
        train_glove(clusters, dim=12, epochs=20, learning_rate=3000.0)
    caplog.clear()
    table = train_glove(clusters, dim=12, epochs=3, learning_rate=2.0)
    assert "with the learning rate halved to 1" in caplog.text
    assert table.card.training["divergences"] >= 1
    assert table.card.training["learning_rate"] < 2
    table.check_finite()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dim": 0}, "dim=0"),
        ({"dim": 2.5}, "dim=2.5"),
        ({"window": 0}, "window=0"),
        ({"epochs": 0}, "epochs=0"),
        ({"x_max": 0}, "x_max=0"),
        ({"alpha": -1}, "alpha=-1"),
        ({"learning_rate": float("nan")}, "learning_rate=nan"),
        ({"vectors": "both"}, "known are 'sum', 'word'"),
        ({"memory_limit": 10}, "memory_limit=10"),
        ({"seed": -1}, "seed=-1"),
        ({"threads": 0}, "threads=0"),
        ({"old_rows": "half"}, "known are 'free', 'slow', 'frozen'"),
        ({"old_rate": 2}, "old_rate=2"),
        ({"patience": 0}, "patience=0"),
        ({"window": 10**9}, "window=1000000000"),
        ({"config": Word2VecConfig()}, r"config=Word2VecConfig\(.*: needs a GloVeConfig"),
        ({"init": "vectors.safetensors"}, "init='vectors.safetensors': needs Embeddings"),
        ({"size": 100}, "unknown setting size; known are dim"),
    ],
)
def test_a_bad_setting_is_named(clusters, settings, message):
    with pytest.raises(InputError, match=message):
        train_glove(clusters, **settings)


def test_a_config_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        GloVeConfig().dim = 3


def test_a_corpus_without_pairs_is_refused(tmp_path):
    with pytest.raises(InputError, match="no word that is trained on"):
        train_glove(shards_of([], 0))
    with pytest.raises(InputError, match="no word that is trained on"):
        train_glove(shards_of([[], []], 2))
    with pytest.raises(InputError, match="no two words stand in one sentence"):
        train_glove(shards_of([[0], [1], [0]], 2))
    with pytest.raises(InputError, match="corpus=7: needs shards, a path or an iterable of sentences"):
        train_glove(7)


def test_a_window_may_be_wider_than_a_sentence(clusters):
    assert len(train_glove(clusters, dim=3, epochs=1, window=100)) == len(clusters.vocabulary)


def test_two_words_are_enough():
    table = train_glove(shards_of([[0, 1]] * 3, 2), dim=2, epochs=5)
    assert np.isfinite(table.storage.data).all()


def test_sentences_and_folders_go_through_shards(tmp_path):
    sentences = [["cat", "dog", "cat"], "the river and the boat", ["dog", "cat"]] * 20
    first = train_glove(iter(sentences), **QUICK, min_count=2)
    assert first["river"].shape == (first.dim,)
    build_shards(sentences, tmp_path / "shards", min_count=2)
    second = train_glove(tmp_path / "shards", **QUICK)
    assert list(first) == list(second)
    np.testing.assert_array_equal(first.storage.data, second.storage.data)
    assert first.config.tokenizer == Tokenizer()
    with pytest.raises(InputError, match="no such file or folder"):
        train_glove(tmp_path / "none")
