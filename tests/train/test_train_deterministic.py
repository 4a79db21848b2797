"""The deterministic mode: the same bits with any number of threads, resumed or not, and vectors as good."""

import numpy as np
import pytest
from train_samples import purity, shards_of, topic_sentences

from wordstock.errors import InputError
from wordstock.kernels.merge import merge_rows
from wordstock.train import train_fasttext, train_word2vec

SMALL = {"dim": 20, "epochs": 3, "learning_rate": 0.05, "subsample": 0, "slice_size": 2000, "deterministic": True}


@pytest.fixture(scope="module")
def topics():
    return shards_of(topic_sentences(), pieces=2)


@pytest.mark.parametrize("algorithm", ["skipgram", "cbow"])
@pytest.mark.parametrize("train", [train_word2vec, train_fasttext])
def test_any_number_of_threads_gives_the_same_bits(topics, train, algorithm):
    settings = SMALL | {"algorithm": algorithm}
    one, *others = (train(topics, threads=threads, **settings) for threads in (1, 2, 3, 2))
    for other in others:
        np.testing.assert_array_equal(one.storage.data, other.storage.data)
        np.testing.assert_array_equal(one.output, other.output)
        assert one.fingerprint == other.fingerprint
        assert one.card.training["loss"] == other.card.training["loss"]
    another = train(topics, threads=2, seed=2, **settings)
    assert not np.array_equal(one.storage.data, another.storage.data)


@pytest.mark.parametrize("hierarchical", [False, True])
@pytest.mark.parametrize("algorithm", ["skipgram", "cbow"])
def test_words_of_one_topic_end_up_together_all_the_same(topics, algorithm, hierarchical):
    settings = SMALL | {"epochs": 6, "algorithm": algorithm, "hierarchical": hierarchical}
    table = train_word2vec(topics, threads=2, **settings)
    assert purity(table) > 0.95
    assert "divergences" not in table.card.training


def test_stopped_at_any_moment_and_resumed_gives_the_same_bits(topics, tmp_path):
    whole = train_word2vec(topics, threads=2, **SMALL)
    seen = []

    def stop(progress):
        seen.append(progress.share)
        if progress.share > 0.9 * len(stops) / 4:
            stops.append(progress.share)
            raise KeyboardInterrupt

    stops = [0.0]
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            train_word2vec(topics, threads=2, checkpoint=tmp_path, checkpoint_seconds=0, progress=stop, **SMALL)
    resumed = train_word2vec(topics, threads=1, checkpoint=tmp_path, **SMALL)
    np.testing.assert_array_equal(whole.storage.data, resumed.storage.data)
    np.testing.assert_array_equal(whole.output, resumed.output)


def test_a_divergence_is_rolled_back_to_the_same_bits(topics):
    settings = SMALL | {"learning_rate": 0.6}
    one, two = (train_word2vec(topics, threads=threads, **settings) for threads in (1, 2))
    assert one.card.training["divergences"] >= 1
    np.testing.assert_array_equal(one.storage.data, two.storage.data)


def test_frozen_vectors_stay_to_the_last_bit(topics):
    old = train_word2vec(topics, threads=2, **SMALL)
    again = train_word2vec(topics, init=old, old_rows="frozen", threads=2, **SMALL)
    np.testing.assert_array_equal(again.storage.data, old.storage.data)


def test_merging_adds_small_changes_and_limits_large_equal_ones():
    random = np.random.default_rng(1)
    start = random.normal(size=(5, 16)).astype(np.float32)
    copies = tuple(start.copy() for _ in range(3))
    small, large = random.normal(0, 1e-3, (3, 16)).astype(np.float32), np.full(16, 1e3, np.float32)
    for copy, change in zip(copies, small, strict=True):
        copy[1] += change
        copy[2] += large
    copies[1][3] += large  # one copy alone
    common = start.copy()
    for first, last in ((0, 2), (2, 5)):
        merge_rows(common, copies, first, last)
    np.testing.assert_array_equal(common[[0, 4]], start[[0, 4]])
    np.testing.assert_allclose(common[1], start[1] + small.sum(axis=0), atol=1e-6)
    np.testing.assert_allclose(common[2], start[2] + large, rtol=1e-4)  # once, not three times
    np.testing.assert_allclose(common[3], start[3] + large, rtol=1e-6)
    for copy in copies:
        np.testing.assert_array_equal(copy, common)


def test_only_true_and_false_are_meant(topics):
    with pytest.raises(InputError, match="deterministic=1: needs True or False"):
        train_word2vec(topics, **SMALL | {"deterministic": 1})
