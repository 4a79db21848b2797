"""Similarity against gensim's ``evaluate_word_pairs``."""

import json

import numpy as np
import pytest
from gensim.models import KeyedVectors

from wordstock import Embeddings
from wordstock.errors import InputError
from wordstock.evaluate import SimilaritySet, evaluate_similarity
from wordstock.vocab import Subwords

KEYS = ["the", "Turkey", "turkey", "TURKEY", "straße", "cat", "dog", "Car", "automobile", "zero", *map(str, range(90))]


def table(keys=KEYS, seed=0):
    vectors = np.random.default_rng(seed).standard_normal((len(keys), 6)).astype(np.float32)
    vectors[keys.index("zero")] = 0
    peer = KeyedVectors(6)
    peer.add_vectors(keys, vectors)
    return Embeddings.from_arrays(keys, vectors), peer


def random_set(words, n=60, seed=1):
    rng = np.random.default_rng(seed)
    pairs = tuple((str(a), str(b)) for a, b in rng.choice(words, (n, 2)))
    return SimilaritySet("random", pairs, tuple(rng.integers(0, 10, n).astype(float).tolist()))


def write(folder, dataset):
    path = folder / "pairs.tsv"
    lines = [f"{a}\t{b}\t{score}\n" for (a, b), score in zip(dataset.pairs, dataset.scores, strict=True)]
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("fold", [True, False])
def test_equal_to_gensim(tmp_path, fold):
    emb, peer = table()
    words = [*KEYS, "CAT", "Dog", "tUrKeY", "STRASSE", "unknown", "absent", "THE", "AUTOMOBILE"]
    dataset = random_set(words, 200)
    result = evaluate_similarity(emb, dataset, case="fold" if fold else "exact", resamples=0)
    path = write(tmp_path, dataset)
    pearson, spearman, share = peer.evaluate_word_pairs(path, case_insensitive=fold)
    assert result.spearman == pytest.approx(spearman[0], abs=1e-6)
    assert result.pearson == pytest.approx(pearson[0], abs=1e-6)
    assert 100 * (1 - result.coverage) == pytest.approx(share)
    pearson, spearman, share = peer.evaluate_word_pairs(path, case_insensitive=fold, dummy4unknown=True)
    assert result.spearman_all == pytest.approx(spearman[0], abs=1e-6)
    assert result.pearson_all == pytest.approx(pearson[0], abs=1e-6)
    assert set(result.oov_words) >= {"absent", "unknown"}
    assert ("STRASSE" in result.oov_words) is not fold
    assert result.interval is None


def test_folding_takes_the_first_key():
    emb, _ = table()
    dataset = SimilaritySet("x", (("turkey", "cat"), ("dog", "cat"), ("Car", "the")), (1.0, 2.0, 3.0))
    folded = SimilaritySet("x", (("Turkey", "cat"), ("dog", "cat"), ("Car", "the")), (1.0, 2.0, 3.0))
    assert evaluate_similarity(emb, dataset).pearson == evaluate_similarity(emb, folded, case="exact").pearson
    assert evaluate_similarity(emb, dataset).pearson != evaluate_similarity(emb, dataset, case="exact").pearson


def test_equal_pairs_tie_in_rank():
    emb, _ = table()
    pairs = (("cat", "dog"), ("dog", "cat"), ("CAT", "Dog"), ("cat", "cat"), ("Car", "Car"), ("the", "1"))
    result = evaluate_similarity(emb, SimilaritySet("ties", pairs, (2.0, 2.0, 2.0, 9.0, 9.0, 5.0)))
    value = emb.similarity("cat", "dog") < emb.similarity("the", "1")
    assert (result.spearman == pytest.approx(1)) == value


def test_interval_and_json():
    emb, _ = table()
    dataset = random_set(KEYS)
    result = evaluate_similarity(emb, dataset, seed=3, resamples=200)
    assert result.interval[0] < result.spearman < result.interval[1]
    assert result == evaluate_similarity(emb, dataset, seed=3, resamples=200)
    assert result.interval != evaluate_similarity(emb, dataset, seed=4, resamples=200).interval
    plain = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert plain["kind"] == "similarity"
    assert plain["coverage"] == 1
    assert plain["spearman"] == result.spearman


def test_nothing_known_or_constant():
    emb, _ = table()
    result = evaluate_similarity(emb, SimilaritySet("x", (("absent", "cat"), ("gone", "lost")), (1.0, 2.0)))
    assert (result.covered, result.coverage, result.spearman, result.pearson, result.interval) == (0, 0, *3 * [None])
    assert result.spearman_all is result.pearson_all is None
    assert result.oov_words == ("absent", "gone", "lost")
    same = evaluate_similarity(emb, SimilaritySet("x", (("dog", "cat"), ("the", "Car")), (1.0, 1.0)))
    assert (same.covered, same.spearman, same.pearson) == (2, None, None)
    zero = evaluate_similarity(emb, SimilaritySet("x", (("zero", "zero"), ("zero", "cat")), (1.0, 2.0)))
    assert zero.spearman is None  # both cosines are 0


def test_words_that_share_a_row_are_equal():
    vectors = np.eye(3, dtype=np.float32)
    emb = Embeddings.from_arrays(["a", "b", "c", "d"], vectors, rows=[0, 0, 1, 2])
    result = evaluate_similarity(emb, SimilaritySet("x", (("a", "b"), ("c", "c"), ("a", "c")), (2.0, 2.0, 1.0)))
    assert result.spearman == pytest.approx(1)
    assert result.pearson == pytest.approx(1)


def test_unknown_words_from_subwords():
    emb, _ = table()
    rng = np.random.default_rng(8)
    subwords = Subwords(min_n=3, max_n=4, buckets=50)
    with_subwords = Embeddings(
        emb.vocabulary, emb.storage, subwords=subwords, subword_vectors=rng.standard_normal((50, 6)).astype(np.float32)
    )
    dataset = SimilaritySet("x", (("catlike", "cat"), ("catlike", "doglike"), ("dog", "cat")), (1.0, 2.0, 4.0))
    result = evaluate_similarity(with_subwords, dataset, subwords=True, resamples=0)
    assert result.covered == 3
    assert result.oov_words == ("catlike", "doglike")
    words = with_subwords.vectors(["catlike", "doglike", "cat", "dog"], "subword").astype(np.float64)
    unit = words / np.linalg.norm(words, axis=1, keepdims=True)
    cosines = [unit[0] @ unit[2], unit[0] @ unit[1], unit[3] @ unit[2]]
    assert result.pearson == pytest.approx(np.corrcoef(cosines, dataset.scores)[0, 1], abs=1e-6)
    with pytest.raises(InputError, match="n-gram"):
        evaluate_similarity(emb, dataset, subwords=True)


def test_refusals():
    emb, _ = table()
    dataset = random_set(KEYS, 5)
    with pytest.raises(InputError, match="case='lower': known are 'fold', 'exact'"):
        evaluate_similarity(emb, dataset, case="lower")
    for wrong in ({"resamples": -1}, {"resamples": 1.5}, {"seed": -1}, {"seed": "x"}):
        name, value = next(iter(wrong.items()))
        with pytest.raises(InputError, match=f"{name}={value!r}: needs a whole number"):
            evaluate_similarity(emb, dataset, **wrong)
