"""Lookup, similarity, neighbours and analogies, with gensim as the oracle."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given, settings
from hypothesis import strategies as st

import wordstock as ws
from wordstock.embeddings import Storage, quantize
from wordstock.embeddings.postprocess import fit_common_component
from wordstock.embeddings.search import top_k
from wordstock.errors import InputError, UnknownWordError


def made(n=300, dim=20, seed=0):
    rng = np.random.default_rng(seed)
    return [f"w{i}" for i in range(n)], rng.normal(size=(n, dim)).astype(np.float32)


@pytest.fixture(scope="module")
def pair():
    keys, vectors = made()
    peer = KeyedVectors(20)
    peer.add_vectors(keys, vectors)
    return ws.Embeddings.from_arrays(keys, vectors), peer


def test_basics(pair):
    emb, peer = pair
    assert (len(emb), emb.dim, "w3" in emb, "nope" in emb, emb.keys[2]) == (300, 20, True, False, "w2")
    np.testing.assert_array_equal(emb["w7"], peer["w7"])
    np.testing.assert_array_equal(emb[["w7", "w1"]], peer[["w7", "w1"]])
    assert repr(emb) == "Embeddings(300 keys, dim 20, float32)"
    assert list(emb) == list(emb.keys) == peer.index_to_key
    assert emb.similarity("w1", "w2") == pytest.approx(peer.similarity("w1", "w2"), abs=1e-6)


def test_the_callers_array_stays_the_callers():
    keys, vectors = made(4)
    emb = ws.Embeddings.from_arrays(keys, vectors)
    vectors[0, 0] = 99
    assert emb["w0"][0] != 99
    with pytest.raises(ValueError, match="read-only"):
        emb["w0"][0] = 1


def test_missing_policies(pair):
    emb, _ = pair
    with pytest.raises(UnknownWordError, match=r"'W1' is not in the vocabulary; near matches: w1.*1 of 2 keys"):
        emb.vectors(["w1", "W1"])
    np.testing.assert_array_equal(emb.vectors(["w1", "W1"], missing="zero"), [emb["w1"], np.zeros(20)])
    with pytest.raises(InputError, match="needs a table with n-gram vectors"):
        emb.vectors(["w1"], missing="subword")
    with pytest.raises(InputError, match="known are 'raise', 'zero', 'subword'"):
        emb.vectors(["w1"], missing="skip")
    with pytest.raises(InputError, match="key at position 1 must be a str, not int"):
        emb.vectors(["w1", 5])
    assert emb.vectors([]).shape == (0, 20)


def test_subword_policy_equals_fasttext():
    from gensim.models import FastText

    sentences = [["night", "knight", "nightly", "light", "lightly", "day", "daily"]] * 5
    model = FastText(sentences, vector_size=8, min_count=1, min_n=3, max_n=5, bucket=500, epochs=1, seed=1, workers=1)
    from wordstock.embeddings import Embeddings
    from wordstock.vocab import Subwords, Vocabulary

    keys = model.wv.index_to_key
    vectors = np.ascontiguousarray(model.wv.vectors, np.float32)
    emb = Embeddings(
        Vocabulary.from_keys(keys),
        Storage(vectors),
        subwords=Subwords(3, 5, 500),
        subword_vectors=np.ascontiguousarray(model.wv.vectors_ngrams, np.float32),
    )
    got = emb.vectors(["nights", "day"], missing="subword")
    np.testing.assert_allclose(got, [model.wv["nights"], model.wv["day"]], atol=1e-6)
    np.testing.assert_allclose(emb.encode_words([["nights"]])[0][0], model.wv["nights"], atol=1e-6)


def test_case_fallback_is_explicit():
    emb = ws.Embeddings.from_arrays(["nato", "Paris"], [[1, 0], [0, 1]])
    with pytest.raises(UnknownWordError):
        emb["NATO"]
    folded = emb.with_config(case="fallback")
    np.testing.assert_array_equal(folded["NATO"], [1, 0])
    assert folded.nearest("PARIS")[0].key == "nato"
    assert "PARIS" in folded
    assert "PARIS" not in emb
    assert list(folded.subset(["PARIS"]).keys) == ["Paris"]
    assert folded.fingerprint != emb.fingerprint
    assert folded.digest == emb.digest


def same_neighbours(found, expected):
    assert [key for key, _ in found] == [key for key, _ in expected]
    np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], atol=1e-5)


def test_nearest_equals_gensim(pair):
    emb, peer = pair
    same_neighbours(emb.nearest("w5", 7), peer.most_similar("w5", topn=7))
    words = [f"w{i}" for i in range(40)]
    for word, found in zip(words, emb.nearest(words, 4), strict=True):
        same_neighbours(found, peer.most_similar(word, topn=4))
    vector = np.arange(20, dtype=np.float32)
    same_neighbours(emb.nearest(vector, 3), peer.similar_by_vector(vector, topn=3))
    matrix = np.stack([vector, -vector])
    same_neighbours(emb.nearest(matrix, 3)[1], peer.similar_by_vector(-vector, topn=3))


def test_nearest_leaves_out_what_it_is_told(pair):
    emb, peer = pair
    first, second, *_ = (key for key, _ in peer.most_similar("w5", topn=5))
    found = emb.nearest("w5", 3, exclude=[first])
    assert found[0].key == second
    assert first not in [key for key, _ in found]
    assert len(emb.nearest("w5", 10_000)) == 299


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
@pytest.mark.parametrize("queries", [1, 3, 50])
def test_top_k_over_several_blocks_equals_sorting(monkeypatch, precision, queries):
    from wordstock.embeddings import search

    monkeypatch.setattr(search, "_BLOCK_FEW", 37)
    monkeypatch.setattr(search, "_BLOCK_MANY", 41)
    monkeypatch.setattr(search, "_QUERIES", 32)
    _, vectors = made(500, 16, 3)
    vectors[100] = 0
    storage = quantize(Storage(vectors), precision)
    full = storage.take(np.arange(500))
    norms = np.linalg.norm(full, axis=1)
    inverse = np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)
    wanted = full[:queries] / norms[:queries, None]
    scores, rows = top_k(storage, inverse, wanted, 6)
    cosines = (wanted @ full.T) * inverse
    order = np.argsort(-cosines, axis=1)[:, :6]
    np.testing.assert_array_equal(rows, order)
    np.testing.assert_allclose(scores, np.take_along_axis(cosines, order, 1), atol=1e-5)


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`:DeprecationWarning")  # gensim's own
def test_analogy_equals_gensim(pair):
    emb, peer = pair
    for a, b, c in (("w1", "w2", "w3"), ("w9", "w9", "w4"), ("w0", "w299", "w150")):
        expected = peer.most_similar(positive=[b, c], negative=[a], topn=5)
        assert [key for key, _ in emb.analogy(a, b, c)] == [key for key, _ in expected]
        expected = peer.most_similar_cosmul(positive=[b, c], negative=[a], topn=5)
        found = emb.analogy(a, b, c, method="3cosmul")
        assert [key for key, _ in found] == [key for key, _ in expected]
        # gensim adds 1e-6 to the divisor where the paper has 1e-3
        np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], rtol=0.01)
    questions = [(f"w{i}", f"w{i + 1}", f"w{i + 2}") for i in range(50)]
    together = emb.analogies(questions, 2)
    for question, found in zip(questions, together, strict=True):
        assert [key for key, _ in emb.analogy(*question, k=2)] == [key for key, _ in found]
    assert emb.analogies([]) == []
    assert emb.analogies(iter(questions), 2) == together


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda e: e.nearest("w1", 0), "k=0: needs a whole number"),
        (lambda e: e.nearest("w1", 2.5), "k=2.5: needs a whole number"),
        (lambda e: e.nearest(np.zeros(7)), r"shape \(7,\); this table needs \(20,\)"),
        (lambda e: e.nearest("w1", True), "k=True: needs a whole number"),
        (lambda e: e.nearest(np.full(20, np.nan)), "hold NaN or infinity"),
        (lambda e: e.nearest(np.full(20, 1e300)), "too large for float32"),
        (lambda e: e.nearest(np.full(20, 1j)), "must be real numbers, not complex128"),
        (lambda e: e.nearest("w1", exclude=5), "a sequence of str, not int"),
        (lambda e: e.subset(5), "a sequence of str, not int"),
        (lambda e: e.analogies(5), "expected a list of questions"),
        (lambda e: e.analogies([5]), "position 0 must be three keys"),
        (lambda e: ws.merge(5), "takes a list of tables"),
        (lambda e: ws.merge([e, "w1"]), "item at position 1 must be a table, not str"),
        (lambda e: e.nearest(["w1", None]), "key at position 1 must be a str"),
        (lambda e: e.nearest(5), "expected a str or a sequence of str, not int"),
        (lambda e: e.nearest([0.1] * 20), "a list of numbers: pass a numpy array"),
        (lambda e: ws.merge(e), "takes a list of tables"),
        (lambda e: e.analogy("w1", "w2", "w3", method="cosine"), "known are '3cosadd', '3cosmul'"),
        (lambda e: e.analogies(["w1w2w3"]), "position 0 must be three keys"),
        (lambda e: e.with_config(pool="mean"), "unknown setting in pool; known are pooling"),
        (lambda e: e.with_config(pooling="max"), "known are 'sif', 'mean'"),
        (lambda e: e.with_config(sif_a=float("inf")), "sif_a=inf: needs a number above 0"),
        (lambda e: e.with_config(sif_a=10**400), "needs a number above 0, at most 1e"),
        (lambda e: e.with_config(sif_a="1e-3"), "sif_a='1e-3': needs a number above 0"),
        (lambda e: e.with_config(unit="yes"), "unit='yes': needs True or False"),
        (lambda e: e.with_config(tokenizer="keep"), "tokenizer='keep': needs a wordstock.text.Tokenizer"),
        (lambda e: e.with_config({"pooling": "mean"}), "needs an EncodeConfig, or settings by name"),
        (lambda e: ws.all_but_the_top(e, 1.5), "components=1.5: needs a whole number of at least 0"),
        (lambda e: fit_common_component(e, ["w1", "w2"], 1.5), "components=1.5: needs a whole number of at least 1"),
        (lambda e: fit_common_component(e, "w1 w2"), "expected a list of texts, not a str"),
        (lambda e: fit_common_component(e, 5), "expected a str or a sequence of str, not int"),
        (lambda e: e.with_storage(Storage(np.zeros((3, 20), np.float32))), "3 vectors for 300 rows"),
    ],
)
def test_bad_calls_say_what_is_wrong(pair, call, message):
    with pytest.raises(InputError, match=message):
        call(pair[0])


def test_settings_may_be_numpys(pair):
    emb = pair[0]
    plain = emb.with_config(sif_a=0.5, unit=True)
    assert emb.with_config(sif_a=np.float32(0.5), unit=np.bool_(True)).fingerprint == plain.fingerprint


@pytest.mark.parametrize("values", [{"counts": [-1]}, {"counts": [0.5]}, {"rows": [0.7]}, {"rows": [[0]]}])
def test_counts_and_rows_are_whole_numbers(values):
    with pytest.raises(InputError, match=r"whole numbers|a count is 0 or more"):
        ws.Embeddings.from_arrays(["a"], [[1.0]], **values)


@pytest.mark.parametrize(
    ("keys", "vectors", "message"),
    [
        (["a"], [[1, 2], [3, 4]], "1 keys for 2 vectors"),
        (["a", "b"], [1, 2], "two dimensions"),
        (["a"], [["x"]], "matrix of numbers"),
        (["a", "b"], [[1, 2], [3]], "matrix of numbers"),
        (["a"], [[10**400]], "matrix of numbers"),
        (["a"], [[1e300]], "the vector of 'a' holds NaN"),
        (5, [[1]], "keys=5: needs a list of str"),
        (["a", "b"], [[1, 2], [np.nan, 1]], "the vector of 'b' holds NaN"),
        (["a", "b"], [[1, 2], [np.inf, 1]], "the vector of 'b' holds NaN"),
        (["a", "a"], [[1], [2]], "occurs twice"),
        (["a"], [[1j]], "complex numbers"),
    ],
)
def test_bad_arrays_say_what_is_wrong(keys, vectors, message):
    with pytest.raises(InputError, match=message):
        ws.Embeddings.from_arrays(keys, vectors)


def test_many_keys_on_one_row():
    emb = ws.Embeddings.from_arrays(["Paris", "paris", "Rome", "roma"], [[1, 0], [0.6, 0.8]], rows=[0, 0, 1, 1])
    assert len(emb) == 4
    np.testing.assert_array_equal(emb["paris"], emb["Paris"])
    assert emb.nearest("paris") == [("Rome", pytest.approx(0.6))]
    assert emb.nearest(np.array([1.0, 0.0]), 5) == [("Paris", 1.0), ("Rome", pytest.approx(0.6))]
    chosen = emb.subset(["roma", "paris"])
    np.testing.assert_array_equal(chosen[["roma", "paris"]], emb[["roma", "paris"]])
    with pytest.raises(InputError, match="rows run from 0 to 2; there are 2 vectors"):
        ws.Embeddings.from_arrays(["a", "b"], [[1, 0], [0, 1]], rows=[0, 2])
    with pytest.raises(InputError, match=f"rows run from 0 to {2**32}"):
        ws.Embeddings.from_arrays(["a", "b"], [[1, 0], [0, 1]], rows=[0, 2**32])


def test_vectors_without_a_key_do_not_hide_others():
    rng = np.random.default_rng(0)
    emb = ws.Embeddings.from_arrays(["a", "b", "c"], rng.normal(size=(53, 8)), rows=[50, 51, 52])
    assert {key for key, _ in emb.nearest("a", k=2)} == {"b", "c"}


def test_many_neighbours_are_the_first_of_few():
    keys, vectors = made(3000, 8)
    vectors[7] = vectors[9]  # equal scores
    large = ws.Embeddings.from_arrays(keys, vectors)
    full = large.nearest("w5", 2500)
    assert len(full) == 2500
    assert [key for key, _ in full[:900]] == [key for key, _ in large.nearest("w5", 900)]
    assert [s for _, s in full] == sorted((s for _, s in full), reverse=True)
    assert len(large.nearest(["w5", "w6"], 9999)[1]) == 2999


def test_analogies_in_chunks_are_the_same(pair, monkeypatch):
    from wordstock.embeddings import search

    emb, _ = pair
    questions = [(f"w{i % 9}", f"w{i % 7 + 20}", f"w{i % 5 + 40}") for i in range(100)]
    whole = emb.analogies(questions, 2, method="3cosmul")
    monkeypatch.setattr(search, "_QUESTIONS", 7)
    for found, expected in zip(emb.analogies(questions, 2, method="3cosmul"), whole, strict=True):
        same_neighbours(found, expected)


def test_blas_threads_come_back_after_concurrent_searches(pair):
    from threadpoolctl import threadpool_info

    emb, _ = pair
    before = [(info["filepath"], info["num_threads"]) for info in threadpool_info()]
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(lambda i: emb.nearest(f"w{i}"), range(200)):
            pass
    assert [(info["filepath"], info["num_threads"]) for info in threadpool_info()] == before


def test_a_huge_query_vector_is_only_a_direction(pair):
    emb, _ = pair
    vector = emb["w5"]
    assert emb.nearest(vector * 1e30, 3)[0].key == emb.nearest(vector, 3)[0].key == "w5"


def test_a_zero_vector_is_similar_to_nothing():
    emb = ws.Embeddings.from_arrays(["zero", "one", "two"], [[0, 0], [1, 0], [1, 1]])
    assert emb.similarity("zero", "one") == 0
    assert [s for _, s in emb.nearest("zero")] == [0, 0]
    assert emb.nearest("one")[-1] == ("zero", 0)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 2**32 - 1), st.sampled_from(["float16", "int8"]))
def test_quantising_keeps_every_value_within_its_bound(n, dim, seed, precision):
    rng = np.random.default_rng(seed)
    vectors = (rng.normal(size=(n, dim)) * 10.0 ** rng.integers(-3, 3)).astype(np.float32)
    small = quantize(Storage(vectors), precision)
    back = small.take(np.arange(n))
    peak = np.abs(vectors).max(axis=1, keepdims=True)
    bound = peak / 127 / 2 * 1.001 if precision == "int8" else peak * 2.0**-11 + 2.0**-25
    assert (np.abs(back - vectors) <= bound).all()
    np.testing.assert_array_equal(back[0], small.row(0))
    np.testing.assert_array_equal(back, small.block(0, n))


def test_float16_refuses_what_it_cannot_hold():
    with pytest.raises(InputError, match="more than float16 can store"):
        quantize(Storage(np.array([[1e6]], np.float32)), "float16")


def test_copies_share_the_vectors(pair, tmp_path):
    emb, _ = pair
    assert copy.deepcopy(emb) is emb
    assert emb.with_config(pooling="mean").storage is emb.storage
    again = pickle.loads(pickle.dumps(emb))
    assert again.fingerprint == emb.fingerprint
    emb.save(tmp_path / "t.safetensors")
    opened = ws.load(tmp_path / "t.safetensors")
    wire = pickle.dumps(opened.with_config(pooling="mean"))
    assert len(pickle.dumps(opened)) < 1000
    assert len(wire) < 1000
    assert pickle.loads(wire).config.pooling == "mean"
    ws.Embeddings.from_arrays(["x"], [[1.0] * 20]).save(tmp_path / "t.safetensors")
    with pytest.raises(InputError, match="has been replaced since"):
        pickle.loads(pickle.dumps(opened))


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_many_single_searches_use_a_compact_copy_and_stay_exact(monkeypatch, precision):
    from wordstock.embeddings import screen

    monkeypatch.setattr(screen, "_SEARCHES", 3)
    monkeypatch.setattr(screen, "_VALUES", (1, 1 << 28))
    keys, vectors = made(5000, 24, 8)
    vectors[100:140] = vectors[100]  # more equal rows than are asked for
    vectors[7] = 0
    vectors[8] *= 1e-20
    emb = ws.Embeddings.from_arrays(keys, vectors).with_precision(precision)
    for word in ("w3", "w100", "w7", "w4999", "w8", "w120", *keys[200:260]):
        for k in (1, 10, 30):
            found = emb.nearest(word, k)
            scores, rows = top_k(emb.storage, emb.inverse_norms, _unit(emb[word]), k + 1)
            expected = [(keys[r], s) for s, r in zip(scores[0], rows[0], strict=True) if keys[r] != word][:k]
            assert len(found) == k
            np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], atol=1e-6)
            if word not in ("w100", "w120", "w7"):  # equal scores may stand in either order
                assert [key for key, _ in found] == [key for key, _ in expected]
    assert emb.screen is not None


def _unit(vector):
    norm = np.linalg.norm(vector)
    return (vector / norm if norm else vector)[None].astype(np.float32)
