"""fastText training on text whose words share stems: what is learned, kept, continued and refused."""

import numpy as np
import pytest
from safetensors.numpy import load_file
from train_samples import purity, shards_of

from wordstock.embeddings import Embeddings, EncodeConfig, read_native
from wordstock.embeddings.storage import Storage
from wordstock.errors import FormatError, InputError, WordstockError
from wordstock.train import FastTextConfig, train_fasttext
from wordstock.train.ngram_start import NgramStart
from wordstock.train.start import Start
from wordstock.train.subword_rows import SubwordRows
from wordstock.vocab import Vocabulary

SMALL = {"dim": 20, "epochs": 6, "threads": 1, "subsample": 0, "slice_size": 5000, "max_n": 5, "buckets": 5000}
STEMS = ["walk", "jump", "kick", "turn", "mind", "land", "bring", "storm", "light", "plant"]
ENDINGS = ["", "s", "ed", "ing", "er", "ly"]


def stem_sentences(n=2500, topics=5, seed=3, leave_out=("er",)):
    """Sentences of inflected stems; each topic has two stems; words are ``topic_stem + ending``."""
    random = np.random.default_rng(seed)
    endings = [ending for ending in ENDINGS if ending not in leave_out]
    return [
        [
            f"{topic}_{STEMS[2 * topic + random.integers(2)]}{endings[random.integers(len(endings))]}"
            for _ in range(random.integers(4, 12))
        ]
        for topic in random.integers(0, topics, n)
    ]


@pytest.fixture(scope="module")
def stems():
    return shards_of(stem_sentences(), pieces=2)


@pytest.fixture(scope="module")
def unseen():
    return [f"{i // 2}_{stem}er" for i, stem in enumerate(STEMS)]


@pytest.mark.parametrize("hierarchical", [False, True])
@pytest.mark.parametrize("algorithm", ["skipgram", "cbow"])
def test_unseen_inflections_land_near_their_stems(stems, unseen, algorithm, hierarchical):
    table = train_fasttext(stems, algorithm=algorithm, hierarchical=hierarchical, **SMALL)
    assert purity(table) > 0.95
    found = table.nearest(table.vectors(unseen, missing="subword"), 3)
    right = [
        n.key.split("_")[0] == word.split("_")[0] for word, three in zip(unseen, found, strict=True) for n in three
    ]
    assert np.mean(right) > 0.9
    loss = table.card.training["loss"]
    assert len(loss) == 6
    assert loss[-1] < 0.95 * loss[0]
    assert table.card.training["method"] == "fasttext"
    np.testing.assert_array_equal(table.vocabulary.counts, stems.vocabulary.counts)
    assert table.output.shape == (50, 20)
    table.check_finite()


def test_vectors_are_means_of_the_rows_that_were_trained(stems, tmp_path):
    table = train_fasttext(stems, checkpoint=tmp_path, **SMALL)
    (path,) = tmp_path.glob("tables-*.safetensors")
    inputs = load_file(path)["inputs"]
    np.testing.assert_array_equal(inputs[len(table) :], table.subword_vectors)
    for number, word in enumerate(table.keys):
        rows = [number, *(len(table) + table.subwords.rows(word))]
        np.testing.assert_allclose(table[word], inputs[rows].mean(axis=0), atol=1e-6)
    word = "0_walker"
    rows = table.subwords.rows(word)
    assert 0 < len(rows) < len(table.subwords.ngrams(word))  # "er>" is in no word of the text
    np.testing.assert_allclose(table.vectors([word], "subword")[0], table.subword_vectors[rows].mean(axis=0), atol=1e-6)
    np.testing.assert_array_equal(table.vectors(["éèê"], "subword"), np.zeros((1, 20)))


def test_only_buckets_in_use_take_memory(stems, tmp_path):
    table = train_fasttext(stems, **SMALL | {"epochs": 1})
    used = {b for key in table.keys for b in np.unique(table.subwords.buckets_of(*as_blob([key]))[0]).tolist()}
    assert set(table.subwords.stored.tolist()) == used
    assert table.subword_vectors.shape == (len(used), 20)
    table.save(tmp_path / "t.safetensors")
    again = read_native(tmp_path / "t.safetensors")
    words = ["0_walker", "3_bringer"]
    np.testing.assert_array_equal(again.vectors(words, "subword"), table.vectors(words, "subword"))
    np.testing.assert_array_equal(again.output, table.output)
    assert again.subwords == table.subwords
    assert again.verify()
    assert again.fingerprint == table.fingerprint


def as_blob(words):
    encoded = [word.encode() for word in words]
    return np.frombuffer(b"".join(encoded), np.uint8), np.cumsum([0, *map(len, encoded)])


@pytest.mark.parametrize("algorithm", ["skipgram", "cbow"])
def test_one_thread_and_a_seed_give_the_same_bits(stems, algorithm):
    settings = SMALL | {"epochs": 1, "algorithm": algorithm}
    first, again, other = (train_fasttext(stems, seed=seed, **settings) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.subword_vectors, again.subword_vectors)
    assert first.fingerprint == again.fingerprint
    assert not np.array_equal(first.storage.data, other.storage.data)


def test_two_threads_learn_as_well(stems, unseen):
    seen = []
    table = train_fasttext(stems, progress=seen.append, **SMALL | {"threads": 2})
    assert purity(table) > 0.95
    assert seen[-1].share == 1
    assert table.card.training["words_per_second"] > 0


def test_words_without_ngrams(stems):
    table = train_fasttext(stems, **SMALL | {"max_n": 0})
    assert table.subwords is None
    assert table.subword_vectors is None
    assert purity(table) > 0.95
    with pytest.raises(InputError, match="n-gram vectors"):
        table.vectors(["0_walker"], "subword")


def test_interrupted_and_resumed_gives_the_same_bits(stems, tmp_path):
    whole = train_fasttext(stems, **SMALL)

    def stop(now):
        if now.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_fasttext(stems, checkpoint=tmp_path, checkpoint_seconds=0, progress=stop, **SMALL)
    resumed = train_fasttext(stems, checkpoint=tmp_path, **SMALL)
    assert resumed.fingerprint == whole.fingerprint
    np.testing.assert_array_equal(resumed.output, whole.output)
    with pytest.raises(InputError, match=r"different are max_n \(checkpoint 5, now 4\)"):
        train_fasttext(stems, checkpoint=tmp_path, **SMALL | {"max_n": 4})


def test_training_goes_on_with_new_words(stems):
    old = train_fasttext(stems, **SMALL)
    sentences = stem_sentences(800, seed=9, leave_out=("ly", "er"))
    more = shards_of([[*sentence, "0_fresh"] if sentence[0].startswith("0") else sentence for sentence in sentences])
    for policy in ("frozen", "slow", "free"):
        table = train_fasttext(more, init=old, old_rows=policy, **SMALL)
        kept = [key for key in old.keys if key in more.vocabulary]
        moved = np.abs(table.vectors(kept) - old.vectors(kept)).max()
        assert (moved == 0) if policy == "frozen" else moved > 0
        if policy == "frozen":
            np.testing.assert_array_equal(
                table.subword_vectors[np.isin(table.subwords.stored, old.subwords.stored)], old.subword_vectors
            )
        gone = [key for key in old.keys if key not in more.vocabulary]
        assert list(table.keys)[-len(gone) :] == gone
        np.testing.assert_array_equal(table.vectors(gone), old.vectors(gone))
        assert {n.key.split("_")[0] for n in table.nearest("0_fresh", 4)} == {"0"}
    with pytest.raises(InputError, match="min_n=3, max_n=5, buckets=5000; pass the same"):
        train_fasttext(more, init=old, **SMALL | {"buckets": 4000})


def test_plain_vectors_can_be_continued(stems):
    plain = Embeddings.from_arrays(["0_walk", "elsewhere"], np.eye(2, 20))
    table = train_fasttext(stems, init=plain, **SMALL | {"epochs": 1, "learning_rate": 1e-4})
    np.testing.assert_allclose(table["0_walk"], plain["0_walk"], atol=0.05)
    np.testing.assert_array_equal(table["elsewhere"], plain["elsewhere"])


def test_the_best_vectors_of_a_validation_are_returned(stems):
    scores, seen = iter([0.1, 0.5, 0.3]), []

    def score(table):
        seen.append(table)
        return next(scores)

    table = train_fasttext(stems, validation=score, **SMALL)
    assert table.card.training["validation"] == [0.1, 0.5, 0.3]
    np.testing.assert_array_equal(table.vectors(["0_walker"], "subword"), seen[1].vectors(["0_walker"], "subword"))
    assert not np.array_equal(seen[0].subword_vectors, seen[1].subword_vectors)


def test_divergence_is_explained(stems):
    good = train_fasttext(stems, **SMALL | {"epochs": 1})
    broken = Embeddings(good.vocabulary, good.storage, output=np.full_like(good.output, np.nan))
    with pytest.raises(WordstockError, match=r"diverged 4 times .*lower learning_rate"):
        train_fasttext(stems, init=broken, **SMALL)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_n": 0}, "min_n=0"),
        ({"min_n": 5, "max_n": 4}, "min_n=5 is above max_n=4"),
        ({"max_n": -1}, "max_n=-1"),
        ({"buckets": 0}, "buckets=0"),
        ({"dim": 0}, "dim=0"),
        ({"bucket": 100}, "unknown setting bucket; known are dim"),
    ],
)
def test_settings_that_cannot_be_meant(stems, settings, message):
    with pytest.raises(InputError, match=message):
        train_fasttext(stems, **settings)


def test_defaults_are_those_of_fasttext():
    fasttext = pytest.importorskip("fasttext.FastText")
    theirs, ours = fasttext.unsupervised_default, FastTextConfig()
    assert (ours.min_n, ours.max_n, ours.buckets) == (theirs["minn"], theirs["maxn"], theirs["bucket"])
    assert (ours.first_rate, ours.subsample) == (theirs["lr"], theirs["t"])
    assert (ours.window, ours.negative, ours.epochs) == (theirs["ws"], theirs["neg"], theirs["epoch"])
    assert FastTextConfig(**ours.to_dict()) == ours


@pytest.mark.parametrize("algorithm", ["skipgram", "cbow"])
def test_as_good_as_fasttext_on_the_same_text(stems, unseen, algorithm, tmp_path):
    fasttext = pytest.importorskip("fasttext")
    path = tmp_path / "text.txt"
    path.write_text("\n".join(" ".join(sentence) for sentence in stem_sentences()))
    # fastText fills a tenth of its numbers per thread and leaves the rest to chance: ten threads fill all.
    settings = {"dim": 30, "epoch": 6, "t": 1.0, "maxn": 5, "bucket": 5000, "minCount": 1, "thread": 10, "verbose": 0}
    model = fasttext.train_unsupervised(str(path), model=algorithm, **settings)
    words = [word for word in model.words if word != "</s>"]
    theirs = Embeddings.from_arrays(words, [model.get_word_vector(word) for word in words])
    ours = train_fasttext(stems, algorithm=algorithm, **SMALL | {"dim": 30})

    def near(table, vectors):
        three = table.nearest(np.asarray(vectors, np.float32), 3)
        return np.mean([n.key[0] == word[0] for word, found in zip(unseen, three, strict=True) for n in found])

    assert purity(ours) >= purity(theirs) - 0.02
    assert near(ours, ours.vectors(unseen, "subword")) >= near(theirs, list(map(model.get_word_vector, unseen))) - 0.1


def test_words_of_a_damaged_file_are_refused_before_they_reach_compiled_code():
    words = Vocabulary.from_keys(["one", "two", "three"])
    offsets = words.offsets.copy()
    offsets[1] = 1 << 40
    damaged = Vocabulary(words.blob, offsets, slots=words.slots)
    config = FastTextConfig(dim=2)
    with pytest.raises(FormatError, match="expected key 1 as UTF-8"):
        SubwordRows.plan(Start(damaged, config), config)
    with pytest.raises(FormatError, match="expected key 1 as UTF-8"):
        NgramStart.of_table(Embeddings(damaged, Storage(np.ones((3, 2), np.float32)), config=EncodeConfig()))
