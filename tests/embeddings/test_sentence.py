"""Sentence vectors against the formulas written out, post-processing, subset and merge."""

import tracemalloc
from collections import Counter

import numpy as np
import pytest
from sklearn.decomposition import PCA

import wordstock as ws
from wordstock.embeddings import Embeddings, fit_common_component, merge
from wordstock.errors import InputError, UnknownWordError
from wordstock.text import Tokenizer
from wordstock.vocab import Subwords

KEYS = ["the", "of", "cat", "dog", "river", "n't"]


@pytest.fixture
def emb():
    vectors = np.random.default_rng(4).normal(size=(6, 10))
    return ws.Embeddings.from_arrays(KEYS, vectors, counts=[600, 300, 50, 30, 19, 1])


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_sif_mean_is_the_formula_of_the_paper(emb, precision, tmp_path):
    emb.save(tmp_path / "t.safetensors", precision=precision)
    emb = ws.load(tmp_path / "t.safetensors")
    share = np.array([600, 300, 50, 30, 19, 1]) / 1000
    weight = 1e-3 / (1e-3 + share)
    wanted = (weight[0] * emb["the"] + weight[2] * emb["cat"] + weight[5] * emb["n't"]) / 3
    texts = ["The CAT don't zzz", "dog"]
    with_unknown = emb.encode(texts)  # "do" and "zzz" are unknown
    np.testing.assert_allclose(with_unknown[0], wanted, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(with_unknown[1], weight[3] * emb["dog"], rtol=1e-4, atol=1e-6)
    assert with_unknown.dtype == np.float32
    np.testing.assert_array_equal(emb.encode(texts[0]), with_unknown[0])
    plain = emb.with_config(pooling="mean").encode(texts[0])
    np.testing.assert_allclose(plain, emb.vectors(["the", "cat", "n't"]).mean(0), rtol=1e-4, atol=1e-6)
    unit = emb.with_config(unit=True).encode(texts)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, rtol=1e-5)


def test_without_counts_frequency_is_zipfs_law():
    emb = ws.Embeddings.from_arrays(["a", "b"], [[1.0], [1.0]])
    share = np.array([1, 1 / 2]) / 1.5
    np.testing.assert_allclose(emb.encode(["a", "b"])[:, 0], 1e-3 / (1e-3 + share), rtol=1e-6)


def test_keys_that_share_a_row_add_their_counts():
    emb = ws.Embeddings.from_arrays(["a", "b", "c"], [[1.0], [1.0]], rows=[0, 1, 0], counts=[5, 3, 2])
    np.testing.assert_allclose(emb.encode(["a", "b", "c"])[:, 0], 1e-3 / (1e-3 + np.array([0.7, 0.3, 0.7])), rtol=1e-6)


def test_a_vector_does_not_depend_on_its_batch(emb):
    texts = [" ".join(np.random.default_rng(i).choice(KEYS, i % 7 + 1)) for i in range(9000)]
    together = emb.encode(texts)
    alone = np.stack([emb.encode(text) for text in texts[:50] + texts[-50:]])
    np.testing.assert_array_equal(np.concatenate([together[:50], together[-50:]]), alone)


def test_texts_without_a_known_word_are_zero_and_counted(emb):
    with pytest.warns(UserWarning, match=r"2 of 3 texts hold no word .* \(the first at position 0\)") as caught:
        out = emb.encode(["", "cat", "???"])
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(out[[0, 2]], 0)


def test_encode_words_gives_one_vector_per_word(emb):
    first, second, third = emb.encode_words(["The cat.", ["river", "rivers"], []])
    np.testing.assert_array_equal(first, [emb["the"], emb["cat"], np.zeros(10)])
    np.testing.assert_array_equal(second, [emb["river"], np.zeros(10)])
    assert third.shape == (0, 10)


def test_given_words_are_found_as_the_tokeniser_normalises_them(emb):
    found = emb.encode_words([["The", "CAT", "zzz", "n\u2019t"]])[0]
    np.testing.assert_array_equal(found, emb.vectors(["the", "cat", "zzz", "n't"], "zero"))
    cased = ws.Embeddings.from_arrays(["Bank", "bank", "caf\u00e9", "0000"], np.eye(4))
    cased = cased.with_config(tokenizer=Tokenizer(casing="keep", digits="zero"))
    found = cased.encode_words([["Bank", "bank", "BANK", "cafe\u0301", "1984"]])[0]
    np.testing.assert_array_equal(found, np.eye(4)[[0, 1, 0, 2, 3]] * [[1], [1], [0], [1], [1]])


def test_common_component_is_the_first_singular_vector(emb):
    texts = ["the cat", "the dog of the river", "of the of the", "dog cat dog"]
    fitted = fit_common_component(emb, texts)
    vectors = emb.encode(texts).astype(np.float64)
    top = np.linalg.svd(vectors, full_matrices=False)[2][0]
    np.testing.assert_allclose(fitted.encode(texts), vectors - np.outer(vectors @ top, top), atol=1e-6)
    assert fitted.fingerprint != emb.fingerprint
    with pytest.raises(InputError, match="components=9: needs at most the number of texts"):
        fit_common_component(emb, texts, 9)


def test_all_but_the_top_equals_pca():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(400, 12)) * np.linspace(3, 0.5, 12) + 2
    emb = ws.Embeddings.from_arrays([f"w{i}" for i in range(400)], vectors)
    top = PCA(2).fit(vectors)
    centred = vectors - vectors.mean(0)
    wanted = centred - (centred @ top.components_.T) @ top.components_
    got = ws.all_but_the_top(emb, 2)
    np.testing.assert_allclose(got.storage.data, wanted, atol=1e-4)
    assert list(got.keys) == list(emb.keys)
    with_grams = Embeddings(
        emb.vocabulary, emb.storage, subwords=Subwords(3, 3, 5), subword_vectors=vectors[:5].astype(np.float32)
    )
    mapped = ws.all_but_the_top(with_grams, 2)
    np.testing.assert_allclose(mapped.subword_vectors, wanted[:5], atol=1e-4)
    assert with_grams.with_storage(emb.storage).subwords is None
    with pytest.raises(InputError, match="needs 0 to 12"):
        ws.all_but_the_top(emb, 13)


def test_subset(emb):
    chosen = emb.subset(["river", "cat", "river"])
    assert list(chosen.keys) == ["river", "cat"]
    np.testing.assert_array_equal(chosen["cat"], emb["cat"])
    assert chosen.vocabulary.counts.tolist() == [19, 50]
    with pytest.raises(UnknownWordError, match="'caat'"):
        emb.subset(["cat", "caat"])
    with pytest.raises(InputError, match="takes a list of keys"):
        emb.subset("cat")


@pytest.mark.parametrize("kind", [list, set, Counter, iter, lambda keys: dict.fromkeys(keys).keys()])
def test_keys_come_in_any_collection(emb, kind):
    assert set(emb.subset(kind(["cat", "dog"])).keys) == {"cat", "dog"}
    assert {key for key, _ in emb.nearest("river", 2, exclude=kind(["the", "of", "n't"]))} == {"cat", "dog"}


@pytest.mark.parametrize("counted", [True, False])
def test_a_subset_weighs_words_as_the_whole_table_does(emb, counted, tmp_path):
    if not counted:
        emb = ws.Embeddings.from_arrays(KEYS, emb.vectors(KEYS))
    chosen = emb.subset(["river", "the"])
    np.testing.assert_array_equal(chosen.encode("the river"), emb.encode("the river"))
    chosen.save(tmp_path / "t.safetensors")
    opened = ws.load(tmp_path / "t.safetensors")
    np.testing.assert_array_equal(opened.encode("the river"), emb.encode("the river"))
    assert opened.verify()
    assert opened.fingerprint == chosen.fingerprint


def test_merge(emb):
    other = ws.Embeddings.from_arrays(["cat", "moon"], np.ones((2, 10)), counts=[7, 8])
    first = merge([emb, other])
    assert list(first.keys) == [*KEYS, "moon"]
    np.testing.assert_array_equal(first["cat"], emb["cat"])
    assert first.vocabulary.counts.tolist() == [600, 300, 57, 30, 19, 1, 8]
    mean = merge([emb, other], on_conflict="mean")
    np.testing.assert_allclose(mean["cat"], (emb["cat"] + 1) / 2, rtol=1e-6)
    np.testing.assert_array_equal(mean["moon"], np.ones(10))
    with pytest.raises(InputError, match="key 'cat' occurs in several tables"):
        merge([emb, other], on_conflict="raise")
    with pytest.raises(InputError, match="different dimensions cannot be merged: 10, 1"):
        merge([emb, ws.Embeddings.from_arrays(["x"], [[1]])])
    with pytest.raises(InputError, match="at least one table"):
        merge([])


def test_a_merged_table_is_made_without_a_second_copy_of_it():
    vectors = np.ones((60_000, 128), np.float32)
    vectors.flags.writeable = False
    tables = [ws.Embeddings.from_arrays([f"{name}{i}" for i in range(60_000)], vectors) for name in "ab"]
    ws.merge(tables)  # whatever is imported on first use is in memory
    tracemalloc.start()
    merged = ws.merge(iter(tables))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(merged) == 120_000
    assert peak < 2 * merged.storage.nbytes


def test_a_table_larger_than_its_memo_still_answers(emb, monkeypatch):
    from wordstock.embeddings import lookup

    monkeypatch.setattr(lookup, "_MEMO_LIMIT", 2)
    fresh = emb.with_config(pooling="mean")
    np.testing.assert_array_equal(
        fresh.encode("the of cat dog river"), emb.with_config(pooling="mean").encode("the of cat dog river")
    )
