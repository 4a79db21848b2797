import tracemalloc
import warnings

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

from wordstock.errors import InputError, LabelError
from wordstock.protocols import Encoder
from wordstock.tasks import TextClassifier


def by_hand(vectors, center, scale):
    vectors = vectors.astype(np.float64)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) - center) / scale


def test_equals_a_pipeline_built_by_hand(table, train, test):
    ours = TextClassifier(table).fit(*train)
    unit = table.encode(train[0]).astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    center = unit.mean(axis=0)
    scale = np.sqrt(np.square(unit - center).sum(axis=1).mean())
    reference = make_pipeline(
        FunctionTransformer(table.encode),
        FunctionTransformer(by_hand, kw_args={"center": center, "scale": scale}),
        LogisticRegression(C=ours.C_, tol=1e-9, max_iter=9999),
    ).fit(train[0], train[1])
    assert list(ours.classes_) == list(reference.classes_)
    np.testing.assert_allclose(ours.predict_proba(test[0]), reference.predict_proba(test[0]), atol=2e-4)
    np.testing.assert_array_equal(ours.predict(test[0]), reference.predict(test[0]))
    same = LogisticRegression(C=ours.C_, tol=1e-7, max_iter=5000)
    same.fit(by_hand(table.encode(train[0]), center, scale), train[1])
    np.testing.assert_allclose(ours.coef_, same.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.intercept_, same.intercept_, atol=1e-6)


def test_learns_and_is_reproducible(table, train, test):
    first, second = TextClassifier(table, seed=3).fit(*train), TextClassifier(table, seed=3).fit(*train)
    assert first.score(*test) > 0.85
    assert first.score(*test) == accuracy_score(test[1], first.predict(test[0]))
    np.testing.assert_array_equal(first.predict_proba(test[0]), second.predict_proba(test[0]))
    assert first.C_ in first.cv_losses_
    assert first.cv_losses_[first.C_] == min(first.cv_losses_.values())


def test_binary_has_one_row_of_scores_and_two_probabilities(table, train):
    texts, labels = train[0], [label == "money" for label in train[1]]
    model = TextClassifier(table).fit(texts, labels)
    assert model.classes_.tolist() == [False, True]
    assert model.predict(texts).dtype == bool
    scores, proba = model.decision_function(texts), model.predict_proba(texts)
    assert scores.shape == (len(texts),)
    assert proba.shape == (len(texts), 2)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(scores > 0, model.predict(texts))


def test_integer_labels_stay_integers(table, train):
    numbers = {"animal": 7, "money": -1, "weather": 30}
    labels = [numbers[label] for label in train[1]]
    for given in (labels, np.array(labels), np.array(labels, float), pl.Series(labels)):
        model = TextClassifier(table, C=5).fit(train[0], given)
        assert model.classes_.tolist() == [-1, 7, 30]
        assert model.predict(train[0][:3]).dtype == np.int64
        assert model.decision_function(train[0]).shape == (len(train[0]), 3)


class Column:
    def __init__(self, values):
        self.values = values

    def __iter__(self):
        return iter(self.values)


@pytest.mark.parametrize("form", [list, tuple, np.array, lambda t: np.array(t, object), pl.Series, Column])
def test_texts_come_in_any_ordered_form(table, train, form):
    expected = TextClassifier(table, C=5).fit(*train).predict(train[0])
    model = TextClassifier(table, C=5).fit(form(train[0]), form(train[1]))
    np.testing.assert_array_equal(model.predict(form(train[0])), expected)


def test_no_texts_give_no_predictions(table, train):
    model = TextClassifier(table, C=5).fit(*train)
    assert model.predict([]).shape == (0,)
    assert model.predict_proba([]).shape == (0, 3)


def test_works_in_scikit_learn(table, train, test):
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    assert cross_val_score(TextClassifier(table, C=5), *train, cv=folds).mean() > 0.7
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    pipeline = Pipeline([("lower", lower), ("classify", TextClassifier(table))])
    loss = "neg_log_loss"
    search = GridSearchCV(pipeline, {"classify__C": [0.1, 5.0], "classify__lexical": [False, True]}, cv=2, scoring=loss)
    search.fit(*train)
    by_hand = {
        (c, lexical): cross_val_score(TextClassifier(table, C=c, lexical=lexical), *train, cv=2, scoring=loss).mean()
        for c in (0.1, 5.0)
        for lexical in (False, True)
    }
    best = search.best_params_["classify__C"], search.best_params_["classify__lexical"]
    assert search.best_score_ == by_hand[best] == max(by_hand.values()) > min(by_hand.values())
    alone = TextClassifier(table, C=best[0], lexical=best[1]).fit(*train)
    np.testing.assert_array_equal(search.predict(test[0]), alone.predict(test[0]))


def test_works_in_parallel_processes(table, train):
    scores = cross_val_score(TextClassifier(table, C=5), *train, cv=2, n_jobs=2)
    np.testing.assert_array_equal(scores, cross_val_score(TextClassifier(table, C=5), *train, cv=2))


def test_clone_shares_the_vectors_and_forgets_the_fit(table, train):
    model = TextClassifier(table, C=2.0, class_weight="balanced", cv=3, seed=4, lexical=True).fit(*train)
    copy = clone(model)
    assert copy.encoder is table
    assert copy.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(["cat"])


@pytest.mark.parametrize(
    "name",
    [
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_estimator_tags_renamed",
        "check_valid_tag_types",
        "check_get_params_invariance",
        "check_set_params",
        "check_no_attributes_set_in_init",
        "check_mixin_order",
    ],
)
def test_scikit_learn_estimator_checks(table, name):
    # The others feed numbers where this estimator takes texts.
    check = getattr(estimator_checks, name, None)
    if check is None:
        pytest.skip(f"this scikit-learn has no {name}")
    check("TextClassifier", TextClassifier(table))


def test_any_encoder_will_do(letters, train):
    encoder = letters
    assert isinstance(encoder, Encoder)
    model = TextClassifier(encoder).fit(*train)
    assert model.score(*train) > 0.5
    again = clone(model).fit(*train)
    assert again.encoder_.fingerprint == encoder.fingerprint
    np.testing.assert_array_equal(again.predict_proba(train[0]), model.predict_proba(train[0]))


@pytest.mark.parametrize("per_class", [1, 2, 3])
def test_few_examples_fall_back_to_a_fixed_strength(table, per_class):
    words = {"animal": ["cat", "dog", "cow"], "money": ["loan", "tax", "fee"], "weather": ["rain", "sun", "fog"]}
    texts = [word for group in words.values() for word in group[:per_class]]
    labels = [label for label in words for _ in range(per_class)]
    model = TextClassifier(table).fit(texts, labels)
    assert model.C_ == 5
    assert model.cv_losses_ == {}
    assert model.score(texts, labels) == 1


@pytest.mark.parametrize("lexical", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_four_examples_per_class_are_enough_to_choose_and_to_learn(table, test, four_each, lexical, seed):
    model = TextClassifier(table, lexical=lexical, seed=seed).fit(*four_each(seed))
    assert model.score(*test) > 0.6  # chance is a third
    assert len(model.cv_losses_) > 1
    assert model.cv_losses_[model.C_] == min(model.cv_losses_.values())


def test_blocks_change_nothing_and_warn_once(table, train, test):
    texts = (test[0] * 300)[:17_000]
    for lexical in (False, True):
        model = TextClassifier(table, C=5, lexical=lexical).fit(*train)
        for method in (model.predict, model.predict_proba, model.decision_function):
            expected = method(test[0])
            np.testing.assert_array_equal(method(texts), np.concatenate([expected] * 300)[:17_000])
    several = TextClassifier(table, C=5).fit(train[0], [[label] for label in train[1]])
    assert several.predict(texts) == (several.predict(test[0]) * 300)[:17_000]
    with pytest.warns(UserWarning, match="no word of the vocabulary") as caught:
        model.predict([*texts, "qqq", "zzz", *texts, "www"])
    (warning,) = caught
    assert "3 of 34003 texts hold no word of the vocabulary" in str(warning.message)
    assert "position 17000" in str(warning.message)


def test_predictions_for_many_texts_and_classes_take_blocks_of_memory(letters):
    classes = 400
    texts = [chr(33 + i % 90) + chr(33 + i // 90) for i in range(classes)]
    model = TextClassifier(letters, C=5).fit(texts, range(classes))
    letters.encode = lambda texts: np.ones((len(texts), 16), np.float32)
    asked = ["x"] * 60_000
    tracemalloc.start()
    try:
        model.predict(asked)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < len(asked) * classes * 8  # bytes of a single matrix of scores of all texts


def test_a_class_with_a_single_example_does_not_stop_cross_validation(table, train):
    model = TextClassifier(table).fit([*train[0], "the hen and the fee"], [*train[1], "odd"])
    assert len(model.classes_) == 4
    assert model.cv_losses_


def test_more_folds_than_examples(table):
    texts, labels = ["cat dog", "cow hen", "pig goat", "duck cow"] * 2, ["x", "y"] * 4
    assert TextClassifier(table, cv=50).fit(texts, labels).cv_losses_


def test_class_weight_moves_the_decision(table, train):
    rare = [i for i, label in enumerate(train[1]) if label == "money"][2:]
    texts = [text for i, text in enumerate(train[0]) if i not in rare]
    labels = ["money" if label == "money" else "other" for i, label in enumerate(train[1]) if i not in rare]
    share = {
        name: TextClassifier(table, C=5, class_weight=weight).fit(texts, labels).predict_proba(texts)[:, 0].mean()
        for name, weight in {"none": None, "balanced": "balanced", "dict": {"money": 11.0}}.items()
    }
    assert share["balanced"] > share["none"] * 1.5
    assert share["dict"] > share["none"] * 1.5
    weights = len(labels) / (2 * np.bincount([label == "other" for label in labels]))
    model = TextClassifier(table, C=5, class_weight={"money": weights[0], "other": weights[1]}).fit(texts, labels)
    np.testing.assert_allclose(model.predict_proba(texts)[:, 0].mean(), share["balanced"], atol=1e-9)


def test_a_text_without_a_known_word_gets_the_class_shares(table, train):
    texts, labels = train[0] + train[0][:6], train[1] + ["animal"] * 6
    model = TextClassifier(table).fit(texts, labels)
    with pytest.warns(UserWarning, match="no word of the vocabulary"):
        proba = model.predict_proba(["qqq zzz"])
    exp = np.exp(model.intercept_)
    np.testing.assert_allclose(proba[0], exp / exp.sum(), atol=1e-12)
    assert proba[0].argmax() == 0


def test_training_texts_without_any_known_word(table):
    with pytest.warns(UserWarning, match="no word of the vocabulary"):
        model = TextClassifier(table).fit(["qqq", "zzz", "www"], ["a", "a", "b"])
    with pytest.warns(UserWarning, match="no word of the vocabulary"):
        found = model.predict(["vvv"])
    assert found.tolist() == ["a"]


def test_lexical_features_add_words_the_table_lacks(table):
    texts = ["cat zorp", "dog zorp", "hen zorp", "cow zorp", "cat blee", "dog blee", "hen blee", "cow blee"]
    labels = ["z"] * 4 + ["b"] * 4
    model = TextClassifier(table, lexical=True).fit(texts, labels)
    assert model.predict(["pig zorp", "pig blee"]).tolist() == ["z", "b"]
    assert model.coef_.shape[1] == table.dim + len(model.lexicon_.terms)


def test_lexical_without_any_term(table):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = TextClassifier(table, lexical=True).fit(["?", "!"], ["a", "b"])
        assert model.predict(["?"]).shape == (1,)


def test_refuses_what_is_not_text(table, train):
    with pytest.raises(InputError, match="text at position 1 must be a str, not NoneType"):
        TextClassifier(table).fit(["cat", None], ["a", "b"])
    with pytest.raises(InputError, match="text at position 1 must be a str, not float"):
        TextClassifier(table).fit(["cat", float("nan")], ["a", "b"])
    with pytest.raises(InputError, match="not a single str"):
        TextClassifier(table).fit("cat", ["a"])
    with pytest.raises(InputError, match="no texts"):
        TextClassifier(table).fit([], [])
    with pytest.raises(InputError, match="only label"):
        TextClassifier(table).fit(["cat", "dog"], ["a"])
    with pytest.raises(InputError, match="3 texts but 2 labels"):
        TextClassifier(table).fit(["cat", "dog", "cow"], ["a", "b"])
    with pytest.raises(InputError, match="one column"):
        TextClassifier(table).fit(pl.DataFrame({"text": ["cat", "dog"]}), ["a", "b"])
    with pytest.raises(InputError, match=r"shape \(2, 1\)"):
        TextClassifier(table).fit(np.array([["cat"], ["dog"]]), ["a", "b"])
    with pytest.raises(InputError, match="ordered"):
        TextClassifier(table).fit({"cat", "dog"}, ["a", "b"])
    with pytest.raises(InputError, match="must be a sequence, not int"):
        TextClassifier(table).fit(3, ["a", "b"])
    model = TextClassifier(table, C=5).fit(*train)
    with pytest.raises(InputError, match="position 0 must be a str, not int"):
        model.predict([3])
    with pytest.raises(InputError, match="not a single str"):
        model.predict("cat")


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_not_fitted(table, method):
    with pytest.raises(NotFittedError):
        getattr(TextClassifier(table), method)(["cat"])
    with pytest.raises(NotFittedError):
        TextClassifier(table).score(["cat"], ["a"])
    with pytest.raises(NotFittedError):
        TextClassifier(table).save("never")


def test_encoders_that_are_none(letters, train):
    with pytest.raises(InputError, match="encoder must be"):
        TextClassifier(None).fit(*train)
    with pytest.raises(InputError, match="encoder must be"):
        TextClassifier(type(letters)).fit(*train)
    short = letters
    short.encode = lambda texts: np.zeros((len(texts), 3), np.float32)
    with pytest.raises(InputError, match=r"gave shape \(36, 3\)"):
        TextClassifier(short).fit(*train)
    short.encode = lambda texts: np.full((len(texts), 16), np.nan, np.float32)
    with pytest.raises(InputError, match="NaN or infinity for the text at position 0"):
        TextClassifier(short).fit(*train)


def test_score_names_an_unseen_label(table, train):
    model = TextClassifier(table, C=5).fit(*train)
    with pytest.raises(LabelError, match="unknown label 'cars' at position 1; known are 'animal', 'money', 'weather'"):
        model.score(["cat", "dog"], ["animal", "cars"])
    with pytest.raises(InputError, match="2 texts and 1 labels"):
        model.score(["cat", "dog"], ["animal"])


def test_a_path_is_loaded_by_fit(tmp_path, table, train):
    table.save(tmp_path / "t.safetensors")
    model = TextClassifier(str(tmp_path / "t.safetensors"), C=5).fit(*train)
    np.testing.assert_array_equal(
        model.predict_proba(train[0]), TextClassifier(table, C=5).fit(*train).predict_proba(train[0])
    )


def test_the_likeliest_labels_come_best_first(table, train, test):
    model = TextClassifier(table).fit(*train)
    found, shares = model.top_k(test[0], 2), model.predict_proba(test[0])
    assert [row[0].label for row in found] == model.predict(test[0]).tolist()
    np.testing.assert_array_equal([[one.probability for one in row] for row in found], np.sort(shares)[:, :-3:-1])
    assert model.top_k([], 3) == []
    with pytest.raises(InputError, match="k=0"):
        model.top_k(test[0], 0)
    with pytest.raises(NotFittedError):
        TextClassifier(table).top_k(test[0])
