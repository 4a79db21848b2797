import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from wordstock.errors import InputError, LabelError
from wordstock.tasks import TextClassifier, random_like, tfidf_baseline


def test_random_vectors_have_the_tables_shape_and_spread_and_nothing_else(table):
    scratch = random_like(table, seed=1)
    assert list(scratch.keys) == list(table.keys)
    assert scratch.config == table.config
    assert scratch.card.name == "random vectors like small"
    assert scratch.vectors(["cat"]).shape == (1, table.dim)
    own = np.array(table.storage.data)
    assert np.array(scratch.storage.data).std() == pytest.approx(own.std(), rel=0.1)
    assert abs(np.corrcoef(own.ravel(), np.array(scratch.storage.data).ravel())[0, 1]) < 0.2
    assert scratch.fingerprint == random_like(table, seed=1).fingerprint
    assert scratch.fingerprint != random_like(table, seed=2).fingerprint


def test_random_vectors_of_quantised_and_shared_rows(table):
    from wordstock.embeddings import Embeddings, quantize

    scratch = random_like(table.with_storage(quantize(table.storage, "int8")))
    assert scratch.storage.precision == "float32"
    shared = Embeddings.from_arrays(["a", "b", "c"], np.eye(2), rows=[0, 1, 1])
    assert np.array_equal(random_like(shared)["b"], random_like(shared)["c"])


def test_pre_training_beats_scratch_on_words_unseen_in_training(table):
    texts = ["cat dog", "horse cow", "sheep pig", "bank loan", "price coin", "cheque debt"] * 2
    labels = (["animal"] * 3 + ["money"] * 3) * 2
    unseen = ["goat hen", "duck mouse", "invoice salary", "tax fee"]
    expected = ["animal", "animal", "money", "money"]
    assert TextClassifier(table).fit(texts, labels).score(unseen, expected) == 1
    scratch = [TextClassifier(random_like(table, s), C=5).fit(texts, labels).score(unseen, expected) for s in range(20)]
    assert np.mean(scratch) < 0.75


def test_tfidf_equals_plain_scikit_learn(train, test):
    ours = tfidf_baseline(C=7.0).fit(*train)
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    features = words.fit_transform(train[0])
    reference = LogisticRegression(C=7.0, tol=1e-9, max_iter=5000).fit(features, train[1])
    np.testing.assert_allclose(
        ours.predict_proba(test[0]), reference.predict_proba(words.transform(test[0])), atol=1e-5
    )
    assert ours.score(*test) == reference.score(words.transform(test[0]), test[1])


def test_tfidf_chooses_its_strength_and_clones(train, test):
    baseline = tfidf_baseline(seed=1, class_weight="balanced", max_features=50).fit(*train)
    assert baseline.score(*test) > 0.7
    assert baseline["logistic"].C_ in baseline["logistic"].cv_losses_
    assert cross_val_score(clone(baseline), *train, cv=2).mean() > 0.6


def test_tfidf_with_several_labels(train):
    labels = [{label, "even"} if i % 2 == 0 else {label} for i, label in enumerate(train[1])]
    assert isinstance(tfidf_baseline(C=5).fit(train[0], labels).predict(train[0])[0], set)


def test_tfidf_refuses_what_the_classifier_refuses(train):
    with pytest.raises(LabelError, match="only label"):
        tfidf_baseline().fit(["a cat", "a dog"], ["x", "x"])
    with pytest.raises(InputError, match="36 rows but 35 labels"):
        tfidf_baseline().fit(train[0], train[1][1:])
    with pytest.raises(InputError, match="C=-1"):
        tfidf_baseline(C=-1).fit(*train)
    with pytest.raises(NotFittedError):
        tfidf_baseline()["logistic"].predict_proba(np.eye(2))


def test_tfidf_says_what_is_wrong_with_texts():
    with pytest.raises(InputError, match="none of the 2 texts holds a word of at least two letters"):
        tfidf_baseline().fit(["?", "a !"], ["x", "y"])
    with pytest.raises(InputError, match="position 1 must be a str, not NoneType"):
        tfidf_baseline().fit(["a cat", None], ["x", "y"])
