"""Keywords, fused rankings, and a second look at the best."""

import logging
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wordstock as ws
from wordstock.errors import FormatError, InputError, OfflineError
from wordstock.protocols import Hit
from wordstock.stores import MemoryStore
from wordstock.stores.checking import lowest_score
from wordstock.stores.fusion import fuse
from wordstock.stores.keywords import KeywordIndex, words

TEXTS = [
    "The heart pumps blood.",
    "Chest pain after exercise may come from the heart, the heart!",
    "A bank lends money; the bank earns.",
    "Money, money, money",
    "the team wins the match",
    "Herz und Überraschung: 42 straße_x",
    "",
    "Pain in the chest and pain in the leg",
]
QUERIES = ["heart", "pain chest", "the money money", "ÜBERRASCHUNG 42", "nothing here", "?!", "bank the"]


def encoder():
    names = sorted({word for text in TEXTS for word in words(text)})
    random = np.random.default_rng(0)
    return ws.Embeddings.from_arrays(names, random.normal(size=(len(names), 8)).astype(np.float32))


def bm25(texts, query, k1=1.2, b=0.75):
    """As in its papers, written down plainly."""
    split = [words(text) for text in texts]
    mean = sum(map(len, split)) / len(split)
    scores = {}
    for row, one in enumerate(split):
        score = 0.0
        for word in words(query):
            count = one.count(word)
            holding = sum(word in other for other in split)
            idf = math.log(1 + (len(split) - holding + 0.5) / (holding + 0.5))
            score += idf * count * (k1 + 1) / (count + k1 * (1 - b + b * len(one) / mean))
        if score > 0:
            scores[f"t{row}"] = score
    return scores


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """The same texts with Milvus' own BM25 and with ours beside Milvus Lite and memory."""
    folder = tmp_path_factory.mktemp("hybrid")
    ids = [f"t{i}" for i in range(len(TEXTS))]
    made = {}
    for name, place, keywords in (
        ("own", "own.db", True),
        ("beside", "beside.db", None),
        ("memory", "m.safetensors", None),
    ):
        made[name] = ws.VectorStore(folder / place, encoder(), keywords=keywords)
        vectors = np.random.default_rng(1).normal(size=(len(TEXTS), 8)).astype(np.float32)
        made[name].add(TEXTS, ids, [{"n": i} for i in range(len(TEXTS))], vectors=vectors)
    yield made
    for store in made.values():
        store.close()


@pytest.mark.parametrize("query", QUERIES)
def test_keyword_search_is_bm25_wherever_it_is_done(stores, query):
    assert stores["own"].store.has_keywords
    assert not stores["beside"].store.has_keywords
    expected = sorted(bm25(TEXTS, query).items(), key=lambda one: -one[1])
    for name, store in stores.items():
        hits = store.search(query, k=5, mode="keyword")
        np.testing.assert_allclose(
            [hit.score for hit in hits], [score for _, score in expected[:5]], rtol=1e-4, err_msg=name
        )
        assert {hit.id: hit.score for hit in hits} == {
            hit.id: pytest.approx(bm25(TEXTS, query)[hit.id], rel=1e-4) for hit in hits
        }
        assert all(hit.text == TEXTS[int(hit.id[1:])] and hit.metadata == {"n": int(hit.id[1:])} for hit in hits)


def test_keywords_are_filtered_and_follow_changes(stores):
    for name, store in stores.items():
        assert [hit.id for hit in store.search("heart pain", k=5, mode="keyword", where={"n": {">": 1}})] == ["t7"], (
            name
        )
    store = stores["memory"]
    store.add(["pain pain pain"], ["new"])
    assert store.search("pain", k=1, mode="keyword")[0].id == "new"
    store.delete("new")
    assert "new" not in [hit.id for hit in store.search("pain", k=5, mode="keyword")]


def test_hybrid_search_is_the_same_wherever_it_is_done(stores):
    for fusion in ("rrf", (0.3, 0.7)):
        found = {
            name: [hit.id for hit in store.search("heart pain", k=4, mode="hybrid", fusion=fusion)]
            for name, store in stores.items()
        }
        assert found["own"] == found["beside"] == found["memory"]
    assert len(stores["own"].search(QUERIES[:4], k=3, mode="hybrid")) == 4
    only = stores["own"].search("pain", k=8, mode="hybrid", where={"n": {"<": 2}})
    assert {hit.id for hit in only} == {"t0", "t1"}
    with pytest.raises(InputError, match="read a text"):
        stores["own"].search(np.ones(8, np.float32), mode="hybrid")
    with pytest.raises(InputError, match="known are vector, keyword, hybrid"):
        stores["own"].search("pain", mode="words")
    for wrong in ("max", (1, 2, 3), (0, 0), (-1, 2)):
        with pytest.raises(InputError, match="fusion="):
            stores["own"].search("pain", mode="hybrid", fusion=wrong)


hits = st.lists(st.sampled_from("abcdefg"), unique=True, max_size=7).flatmap(
    lambda names: st.lists(st.floats(-5, 5), min_size=len(names), max_size=len(names)).map(
        lambda scores: [Hit(name, score) for name, score in zip(names, sorted(scores, reverse=True), strict=True)]
    )
)


@given(dense=hits, keyword=hits)
def test_reciprocal_ranks_add_up(dense, keyword):
    expected = {}
    for found in (dense, keyword):
        for rank, hit in enumerate(found, 1):
            expected[hit.id] = expected.get(hit.id, 0) + 1 / (60 + rank)
    fused = fuse(dense, keyword, 10, "rrf", depth=7)
    assert {hit.id: hit.score for hit in fused} == pytest.approx(expected)
    assert [hit.score for hit in fused] == sorted((hit.score for hit in fused), reverse=True)


@given(dense=hits, keyword=hits, depth=st.integers(1, 8))
def test_weighted_scores_are_shares_of_the_best(dense, keyword, depth):
    keyword = [hit._replace(score=hit.score + 5.5) for hit in keyword]
    dense, keyword = dense[:depth], keyword[:depth]
    expected = {hit.id: 0.0 for hit in [*dense, *keyword]}
    for found, weight, low in ((dense, 0.8, -6.0), (keyword, 0.2, 0.0)):
        given_scores = {hit.id: hit.score for hit in found}
        for name in expected if found else ():
            last = found[-1].score if len(found) == depth else low
            expected[name] += weight * (given_scores.get(name, last) - low) / (found[0].score - low)
    fused = fuse(dense, keyword, 10, (0.8, 0.2), depth=depth, lowest=-6.0)
    assert {hit.id: hit.score for hit in fused} == pytest.approx(expected)
    assert [hit.score for hit in fused] == sorted((hit.score for hit in fused), reverse=True)


def test_vectors_that_are_all_alike_leave_the_order_to_the_words():
    dense = [Hit(name, 0.9 - i / 1000) for i, name in enumerate("abcdef")]
    keyword = [Hit("f", 9.0), Hit("x", 6.0), Hit("a", 3.0)]
    assert [hit.id for hit in fuse(dense, keyword, 3, (0.8, 0.2), depth=6)] == ["f", "x", "a"]
    apart = [Hit(name, 0.9 - i / 10) for i, name in enumerate("abcdef")]
    assert [hit.id for hit in fuse(apart, keyword, 2, (0.8, 0.2), depth=6)] == ["a", "f"]


@pytest.mark.parametrize(("metric", "opposite"), [("cosine", -1.0), ("ip", -25.0), ("l2", -10.0)])
def test_the_lowest_score_is_that_of_the_opposite(metric, opposite):
    query = np.array([3, 0, 0, -4], np.float32)
    store = MemoryStore(4, metric=metric)
    store.add(["opposite"], -query[None])
    assert lowest_score(query, metric) == pytest.approx(opposite)
    assert store.search(query[None])[0][0].score == pytest.approx(opposite)


def test_a_reranker_orders_the_best_anew(stores):
    store = stores["own"]
    asked = []

    def shortest(query, texts):
        asked.append((query, len(texts)))
        return [-len(text) for text in texts]

    found = store.search("heart pain", k=2, rerank=shortest)
    assert asked == [("heart pain", len(TEXTS))]
    assert [hit.text for hit in found] == sorted(TEXTS, key=len)[:2]

    class CrossEncoder:
        def predict(self, pairs, show_progress_bar):
            return np.array([float(text.startswith("A bank")) for _, text in pairs])

    assert store.search(["heart", "pain"], k=1, mode="hybrid", rerank=CrossEncoder())[1][0].id == "t2"
    with pytest.raises(InputError, match="scores of shape"):
        store.search("heart", rerank=lambda query, texts: [1.0])
    with pytest.raises(InputError, match="rerank is a function"):
        store.search("heart", rerank=3)


def test_a_cross_encoder_is_loaded_from_its_folder(stores, tmp_path):
    sentence_transformers = pytest.importorskip("sentence_transformers")
    transformers = pytest.importorskip("transformers")
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted({word for text in TEXTS for word in words(text)})]
    (tmp_path / "vocab.txt").write_text("\n".join(names))
    transformers.BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    config = transformers.BertConfig(
        vocab_size=len(names),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        num_labels=1,
    )
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path)
    found = stores["own"].search("heart pain", k=3, rerank=tmp_path)
    scores = sentence_transformers.CrossEncoder(str(tmp_path)).predict([("heart pain", text) for text in TEXTS])
    assert [hit.score for hit in found] == pytest.approx(sorted(scores.tolist(), reverse=True)[:3], abs=1e-5)

    (tmp_path / "model.safetensors").rename(tmp_path / "weights.safetensors")
    with pytest.raises(FormatError, match="expected a cross-encoder with its tokenizer and safetensors weights"):
        stores["own"].search("heart pain", rerank=tmp_path)


def test_a_name_of_no_cross_encoder_is_refused_at_once(stores, monkeypatch):
    pytest.importorskip("sentence_transformers")
    with pytest.raises(InputError, match=r"rerank='minilm': no such folder; .* is 'hf:org/name'"):
        stores["own"].search("heart pain", rerank="minilm")
    monkeypatch.setenv("WORDSTOCK_OFFLINE", "1")
    with pytest.raises(OfflineError, match="is not in the cache"):
        stores["own"].search("heart pain", rerank="hf:org/cross-encoder")


def test_an_empty_store_has_no_keywords(caplog):
    caplog.set_level(logging.DEBUG)
    store = MemoryStore(4)
    assert KeywordIndex(store).search(["anything"], 3) == [[]]
    store.add(["a"], np.ones((1, 4), np.float32))
    assert KeywordIndex(store).search(["anything"], 3) == [[]]
    store.add(["b"], np.ones((1, 4), np.float32), texts=["a word"])
    assert [hit.id for hit in KeywordIndex(store).search(["word"], 3)[0]] == ["b"]
    assert not [one for one in caplog.records if one.name.startswith("bm25s")]
