"""Training on text with known clusters: what is learned, what is repeatable, and what is refused."""

import numpy as np
import pytest
from train_samples import MemoryShards, purity, shards_of, topic_sentences

from wordstock.embeddings import Embeddings, read_native
from wordstock.errors import InputError, WordstockError
from wordstock.train import GloVeConfig, Word2VecConfig, train_word2vec
from wordstock.train.slices import keep_probabilities
from wordstock.vocab import Vocabulary

SMALL = {"dim": 20, "epochs": 6, "learning_rate": 0.05, "threads": 1, "subsample": 0, "slice_size": 5000}


@pytest.fixture(scope="module")
def topics():
    return shards_of(topic_sentences(), pieces=2)


@pytest.mark.parametrize("hierarchical", [False, True])
@pytest.mark.parametrize("algorithm", ["skipgram", "cbow"])
def test_words_of_one_topic_end_up_together(topics, algorithm, hierarchical):
    table = train_word2vec(topics, algorithm=algorithm, hierarchical=hierarchical, **SMALL)
    assert purity(table) > 0.95
    loss = table.card.training["loss"]
    assert len(loss) == 6
    assert loss[-1] < 0.95 * loss[0]
    if hierarchical:
        assert np.log(12) < loss[-1] < 1.05 * np.log(12)  # a topic's words cannot be told apart
    assert list(table.keys) == list(topics.vocabulary.keys)
    np.testing.assert_array_equal(table.vocabulary.counts, topics.vocabulary.counts)
    assert table.output.shape == (48, 20)
    table.check_finite()


def test_two_threads_learn_as_well_and_files_keep_everything(topics, tmp_path):
    seen = []
    table = train_word2vec(topics, **(SMALL | {"threads": 2, "negative": 9}), progress=seen.append)
    assert purity(table) > 0.95
    assert seen[-1].share == 1
    assert seen[-1].epoch == 6
    assert seen[-1].words_per_second > 0
    table.save(tmp_path / "t.safetensors")
    again = read_native(tmp_path / "t.safetensors")
    np.testing.assert_array_equal(again.output, table.output)
    assert again.card.training["negative"] == 9
    assert again.card.training["words_per_second"] > 0


@pytest.mark.parametrize("algorithm", ["skipgram", "cbow"])
def test_one_thread_and_a_seed_give_the_same_bits(topics, algorithm):
    settings = SMALL | {"epochs": 1, "algorithm": algorithm}
    first, again, other = (train_word2vec(topics, seed=seed, **settings) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.storage.data, again.storage.data)
    np.testing.assert_array_equal(first.output, again.output)
    assert first.fingerprint == again.fingerprint
    assert not np.array_equal(first.storage.data, other.storage.data)


@pytest.mark.parametrize(("algorithm", "most"), [("skipgram", 0.5 / 20), ("cbow", 1 / 20)])
def test_vectors_start_as_in_word2vec_and_for_cbow_as_in_gensim(topics, algorithm, most):
    """A learning rate of next to nothing leaves the start, which is uniform."""
    rate = {"learning_rate": 1e-9, "min_learning_rate": 1e-9}
    vectors = np.abs(train_word2vec(topics, algorithm=algorithm, **(SMALL | {"epochs": 1} | rate)).storage.data)
    assert 0.99 * most < vectors.max() < 1.01 * most
    np.testing.assert_allclose(vectors.mean(), most / 2, rtol=0.05)


def test_training_goes_on_with_new_words(topics):
    old = train_word2vec(topics, **SMALL)
    more = topic_sentences(1000, words=8)
    more = shards_of([[*sentence, "0_new"] if sentence[0].startswith("0") else sentence for sentence in more])
    for policy, largest in (("frozen", 0), ("slow", 0.6), ("free", np.inf)):
        table = train_word2vec(more, init=old, old_rows=policy, **SMALL)
        kept = [key for key in old.keys if key in more.vocabulary]
        moved = np.abs(table.vectors(kept) - old.vectors(kept)).max()
        assert (moved == 0) if policy == "frozen" else (0 < moved <= largest)
        unseen = [key for key in old.keys if key not in more.vocabulary]
        assert list(table.keys)[-len(unseen) :] == unseen
        np.testing.assert_array_equal(table.vectors(unseen), old.vectors(unseen))
        assert {n.key.split("_")[0] for n in table.nearest("0_new", 4)} == {"0"}
        counts = dict(zip(table.keys, table.vocabulary.counts, strict=True))
        assert counts["0_1"] == sum(
            dict(zip(v.keys, v.counts, strict=True))["0_1"] for v in (old.vocabulary, more.vocabulary)
        )
    with pytest.raises(InputError, match="dim=8, but the vectors to continue from have 20"):
        train_word2vec(more, init=old, dim=8)


def test_vectors_without_an_output_matrix_can_be_continued(topics, caplog):
    old = Embeddings.from_arrays(["0_1", "elsewhere"], np.eye(2, 20))
    table = train_word2vec(topics, init=old, old_rows="frozen", **SMALL)
    assert "no output matrix" in caplog.text
    np.testing.assert_array_equal(table["0_1"], old["0_1"])
    assert len(table) == 49


def test_a_held_out_score_ends_training(topics):
    scores = iter([0.1, 0.5, 0.3, 0.2, 0.9])
    seen = []

    def score(table):
        seen.append(np.array(table.storage.data))
        return next(scores)

    table = train_word2vec(topics, validation=score, patience=2, **SMALL)
    assert table.card.training["validation"] == [0.1, 0.5, 0.3, 0.2]
    np.testing.assert_array_equal(table.storage.data, seen[1])
    with pytest.raises(InputError, match="returned nan"):
        train_word2vec(topics, validation=lambda _: float("nan"), **SMALL)


def test_divergence_is_rolled_back_and_explained(topics, caplog):
    good = train_word2vec(topics, **SMALL)
    broken = Embeddings(good.vocabulary, good.storage, output=np.full_like(good.output, np.nan))
    with pytest.raises(WordstockError, match=r"diverged 4 times .*lower learning_rate"):
        train_word2vec(topics, init=broken, **SMALL)
    caplog.clear()
    table = train_word2vec(topics, **(SMALL | {"learning_rate": 0.5}))
    assert "back to the start with the learning rate halved to 0.25" in caplog.text
    assert table.card.training["divergences"] >= 1
    assert table.card.training["learning_rate"] < 0.5
    table.check_finite()


def test_an_explosion_in_the_last_step_is_seen():
    """The loss of a step is that of before it: only the vectors tell."""
    signs = np.repeat(np.float32([[1], [-1]]), 8, axis=1)
    words = Embeddings.from_arrays(["a", "b"], signs)
    old = Embeddings(words.vocabulary, words.storage, output=signs * np.float32(-3e38))  # every score is right
    with pytest.raises(WordstockError, match=r"diverged 4 times \(vectors with numbers that are not finite\)"):
        train_word2vec(["a b"], dim=8, epochs=1, min_count=1, subsample=0, threads=1, learning_rate=1e6, init=old)


def test_subsampling_follows_the_original():
    gensim = pytest.importorskip("gensim.models")
    counts = np.array([500, 300, 100, 50, 20, 9])
    model = gensim.Word2Vec(vector_size=4, sample=1e-2, min_count=1)
    model.build_vocab_from_freq({f"w{i}": int(count) for i, count in enumerate(counts)})
    theirs = [model.wv.get_vecattr(f"w{i}", "sample_int") / (2**32 - 1) for i in range(len(counts))]
    np.testing.assert_allclose(keep_probabilities(counts, 1e-2), theirs, rtol=1e-6)
    assert (keep_probabilities(counts, 0) == 1).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dim": 0}, "dim=0"),
        ({"dim": 2.5}, "whole number"),
        ({"negative": 0}, "negative=0"),
        ({"window": 0}, "window=0"),
        ({"epochs": 0}, "epochs=0"),
        ({"threads": 0}, "threads=0"),
        ({"threads": 99999}, "threads=99999"),
        ({"seed": -1}, "seed=-1"),
        ({"algorithm": "glove"}, "known are 'skipgram', 'cbow'"),
        ({"old_rows": "half"}, "known are 'free', 'slow', 'frozen'"),
        ({"subsample": 2}, "from 0 to 1"),
        ({"learning_rate": float("nan")}, "learning_rate=nan"),
        ({"learning_rate": 1e-6}, "min_learning_rate=0.0001 is above"),
        ({"patience": 0}, "patience=0"),
        ({"window": 10**9}, "window=1000000000: .* below 65536"),
        ({"negative": 10**9}, "negative=1000000000"),
        ({"hierarchical": "no"}, "hierarchical='no': needs True or False"),
        ({"config": GloVeConfig()}, r"config=GloVeConfig\(.*: needs a Word2VecConfig"),
        ({"init": "vectors.safetensors"}, "init='vectors.safetensors': needs Embeddings"),
        ({"validation": lambda _: None}, "the validation returned None"),
        ({"size": 100}, "unknown setting size; known are dim"),
    ],
)
def test_settings_that_cannot_be_meant(topics, settings, message):
    with pytest.raises(InputError, match=message):
        train_word2vec(topics, **settings)


def test_corpora_that_cannot_be_trained_on(tmp_path):
    def shards(words, ids):
        counts = np.ones(len(words), np.int64)
        return MemoryShards(Vocabulary.from_keys(words, counts=counts), [np.array(ids, np.int32)])

    with pytest.raises(InputError, match="no word"):
        train_word2vec(shards([], []))
    with pytest.raises(InputError, match="1 different word"):
        train_word2vec(shards(["a"], [0, 0, -1]))
    with pytest.raises(InputError, match="from -1 to 2"):
        train_word2vec(shards(["a", "b"], [0, 1, 2, -1]))
    with pytest.raises(InputError, match="no such file or folder"):
        train_word2vec(tmp_path / "nothing")
    with pytest.raises(InputError, match="no such file or folder"):
        train_word2vec("a sentence is not a corpus")


def test_windows_wider_than_a_sentence_and_sentences_of_one_word():
    table = train_word2vec(shards_of([["a", "b"], ["b"], ["a"]] * 50), dim=3, window=40, epochs=1, threads=2)
    assert np.isfinite(table.storage.data).all()
    alone = train_word2vec(shards_of([["a"], ["b"]]), dim=3, epochs=2)
    assert np.isfinite(alone.storage.data).all()


def test_config_travels_as_plain_values():
    config = Word2VecConfig(algorithm="cbow", dim=7)
    assert Word2VecConfig(**config.to_dict()) == config
    assert config.first_rate == 0.05


def test_a_corpus_that_subsampling_leaves_nothing_of_is_told(caplog):
    train_word2vec([["a", "b"]] * 9, dim=3, epochs=1, subsample=1e-12)
    assert "nothing was learned in epoch 1: no two words that subsample=1e-12 left" in caplog.text


def test_the_speed_that_progress_ends_with_is_that_of_the_card(topics):
    told = []
    table = train_word2vec(topics, progress=told.append, **(SMALL | {"epochs": 1}))
    assert told[-1].words_per_second == pytest.approx(table.card.training["words_per_second"], rel=0.2)
    assert told[-1].remaining == 0
