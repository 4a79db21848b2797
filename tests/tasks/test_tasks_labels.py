import tracemalloc

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from wordstock.errors import LabelError
from wordstock.tasks import TextClassifier
from wordstock.tasks.labels import LabelCodec


@pytest.fixture
def several(train):
    """Texts with the labels of each word that is a topic's, weather included, plus the shout of the last ones."""
    texts = [text + (" hen" if i % 3 == 0 else "") for i, text in enumerate(train[0])]
    labels = [sorted({label, *(["animal"] if i % 3 == 0 else [])}) for i, label in enumerate(train[1])]
    labels[5] = []
    return texts, labels


@pytest.mark.parametrize("form", [list, tuple, set, frozenset])
def test_several_labels_come_back_in_their_own_form(table, several, form):
    texts, labels = several
    given = [form(group) for group in labels]
    model = TextClassifier(table).fit(texts, given)
    found = model.predict(texts)
    assert {type(group) for group in found} == {form}
    assert model.classes_.tolist() == ["animal", "money", "weather"]
    assert model.score(texts, given) > 0.6
    assert model.decision_function(texts).shape == (len(texts), 3)
    proba = model.predict_proba(texts)
    assert [set(group) for group in found] == [set(model.classes_[row >= 0.5].tolist()) for row in proba]


def test_a_matrix_comes_back_as_a_matrix_and_equals_one_against_the_rest(table, several):
    texts, labels = several
    matrix = np.array([[name in group for name in ("animal", "money", "weather")] for group in labels])
    for given in (matrix, matrix.astype(int), matrix.astype(float)):
        model = TextClassifier(table, C=5).fit(texts, given)
        found = model.predict(texts)
        assert found.dtype == np.int64
        assert set(np.unique(found)) <= {0, 1}
        assert model.score(texts, given) == (found == matrix).all(axis=1).mean()
    features = model.scaling_.transform(table.encode(texts))
    reference = OneVsRestClassifier(LogisticRegression(C=5, tol=1e-7, max_iter=5000)).fit(features, matrix.astype(int))
    np.testing.assert_allclose(model.predict_proba(texts), reference.predict_proba(features), atol=1e-6)
    sets = TextClassifier(table, C=5).fit(texts, labels)
    np.testing.assert_allclose(model.predict_proba(texts), sets.predict_proba(texts), atol=1e-12)


def test_labels_may_be_an_iterator(table, train):
    model = TextClassifier(table, C=5).fit(iter(train[0]), iter(train[1]))
    assert model.score(*train) > 0.8


def test_a_column_of_lists(table, several):
    texts, labels = several
    model = TextClassifier(table, C=5).fit(pl.Series(texts), pl.Series(labels, dtype=pl.List(pl.String)))
    assert isinstance(model.predict(texts)[0], list)


def test_a_label_that_every_text_has_is_always_predicted(table, several):
    texts, labels = several
    model = TextClassifier(table).fit(texts, [[*group, "text"] for group in labels])
    assert all("text" in group for group in model.predict(texts))
    np.testing.assert_array_equal(model.coef_[2], 0)


@pytest.mark.parametrize("weight", ["balanced", {"money": 20.0}])
def test_weights_of_several_labels(table, several, weight):
    texts, labels = several
    rare = [[one for one in group if one != "money" or i < 9] for i, group in enumerate(labels)]
    plain = TextClassifier(table, C=5).fit(texts, rare).predict_proba(texts)[:, 1]
    heavy = TextClassifier(table, C=5, class_weight=weight).fit(texts, rare).predict_proba(texts)[:, 1]
    assert heavy.mean() > plain.mean() * 1.3


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", "a", "a"], "only label is 'a'"),
        (["a", None, "b"], "position 1 is missing"),
        (["a", float("nan"), "b"], "position 1 is missing"),
        (np.array([0.0, np.nan, 1.0]), "position 1 is missing"),
        ([1.5, 2, 3], "position 0 must be .* not float"),
        (["a", 1, "b"], "different types .int, str."),
        ([True, 1, 2], "different types .bool, int."),
        ([b"a", b"b", b"a"], "position 0 must be .* not bytes"),
        ([["a"], "b", ["c"]], "position 1 must be a collection"),
        ([["a"], None, ["c"]], "position 1 must be a collection"),
        ([["a"], [None], ["c"]], "position 1 is missing"),
        ([[], [], []], "no text has a label"),
        (np.array([[0, 1], [2, 0], [1, 1]]), "only 0 and 1"),
        (np.array([["a", "b"]] * 3), "only 0 and 1"),
        (np.array([[0], [1], [0]]), "ravel"),
        ([{"a": 1}, {"b": 1}, {"a": 2}], "position 0 must be .* not dict"),
        ("abc", "single str"),
        ([2**70, 1, 2], "position 0 must be .* int of 64 bits"),
        (["a", "b\0", "a"], "position 1 must be a str without a closing NUL"),
        (np.zeros((3, 2)), "every text has the same labels"),
        ([["a", "b"]] * 3, "every text has the same labels"),
    ],
)
def test_labels_that_cannot_be_learned_from(table, labels, message):
    with pytest.raises((LabelError, ValueError), match=message):
        TextClassifier(table).fit(["cat", "dog", "cow"], labels)


def test_labels_in_another_form_than_in_training():
    codec = LabelCodec.fit(["a", "b"])
    with pytest.raises(LabelError, match="come as a collection of labels per text, in training they were one label"):
        codec.encode([["a"], ["b"]])
    with pytest.raises(LabelError, match="unknown label 1 at position 0"):
        codec.encode([1])
    matrix = LabelCodec.fit(np.eye(3))
    with pytest.raises(LabelError, match="2 label columns; in training there were 3"):
        matrix.encode(np.eye(2))
    truth = LabelCodec.fit([True, False])
    with pytest.raises(LabelError, match="unknown label 1"):
        truth.encode([1])


def test_an_unknown_label_names_few_of_many():
    codec = LabelCodec.fit(list(range(100)))
    with pytest.raises(LabelError, match="and 88 more"):
        codec.encode([100])


def test_many_classes_need_no_matrix():
    labels = [f"class {i % 5000}" for i in range(20_000)]
    tracemalloc.start()
    try:
        codec, target = LabelCodec.learn(labels)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert target.dtype == np.int64
    assert codec.decode(target).tolist() == labels
    assert peak < 20_000 * 5000 / 5  # bytes; a column per class would take five times this
