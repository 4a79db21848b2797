"""Calibration and thresholds: on probabilities of known quality, against scikit-learn, and in both classifiers."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from wordstock.errors import FormatError, InputError, LabelError
from wordstock.evaluate import expected_calibration_error
from wordstock.tasks import NgramClassifier, TextClassifier
from wordstock.tasks.calibration import Calibration, fit_calibration
from wordstock.tasks.thresholds import best_thresholds


def softmax(scores):
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def overconfident():
    """True probabilities, labels drawn from them, and what a classifier three times too sure says."""
    random = np.random.default_rng(0)
    scores = random.normal(size=(6000, 4))
    true = softmax(scores)
    target = (true.cumsum(axis=1) > random.random((6000, 1))).argmax(axis=1)
    return true, target, softmax(3 * scores)


@pytest.mark.parametrize("method", ["temperature", "sigmoid", "isotonic"])
def test_an_overconfident_classifier_is_mended(overconfident, method):
    _, target, raw = overconfident
    fitted = fit_calibration(raw[:3000], target[:3000], method, multilabel=False)
    mended = fitted.apply(raw[3000:])
    assert np.allclose(mended.sum(axis=1), 1)
    assert expected_calibration_error(raw[3000:], target[3000:]) > 0.2
    assert expected_calibration_error(mended, target[3000:]) < 0.06
    again = Calibration.from_dict(fitted.to_dict(), 4)
    assert np.array_equal(again.apply(raw), fitted.apply(raw))


def test_temperature_finds_the_factor_and_changes_no_answer(overconfident):
    true, target, raw = overconfident
    fitted = fit_calibration(raw, target, "temperature", multilabel=False)
    assert fitted.curves[0][0] == pytest.approx(3, rel=0.1)
    assert np.abs(fitted.apply(raw) - true).max() < 0.05
    assert np.array_equal(fitted.apply(raw).argmax(axis=1), raw.argmax(axis=1))


@pytest.mark.parametrize("method", ["temperature", "sigmoid", "isotonic"])
def test_several_labels_are_calibrated_each_by_itself(method):
    random = np.random.default_rng(1)
    scores = random.normal(size=(4000, 3)) * 1.5
    true = 1 / (1 + np.exp(-scores))
    target = random.random(true.shape) < true
    raw = 1 / (1 + np.exp(-3 * scores))
    mended = fit_calibration(raw[:2000], target[:2000], method, multilabel=True).apply(raw[2000:])
    assert expected_calibration_error(raw[2000:], target[2000:]) > 0.1
    assert expected_calibration_error(mended, target[2000:]) < 0.04


def test_a_class_that_held_out_texts_lack_keeps_its_probabilities():
    raw = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1]])
    for method in ("sigmoid", "isotonic"):
        mended = fit_calibration(raw, np.array([0, 1, 0]), method, multilabel=False).apply(raw)
        assert np.allclose(mended.sum(axis=1), 1)
        assert (mended[:, 2] > 0).all()
    with pytest.raises(InputError, match="known are 'temperature', 'sigmoid', 'isotonic'"):
        fit_calibration(raw, np.array([0, 1, 0]), "beta", multilabel=False)


def test_the_threshold_is_the_best_of_all():
    random = np.random.default_rng(2)
    for _ in range(20):
        given = np.round(random.random(40), 1)[:, None]  # many are equal
        right = random.random((40, 1)) < given**2
        found = best_thresholds(given, right)[0]
        tried = [f1_score(right[:, 0], given[:, 0] >= cut, zero_division=0) for cut in np.linspace(0, 1, 201)]
        assert f1_score(right[:, 0], given[:, 0] >= found, zero_division=0) == pytest.approx(max(tried))
    assert best_thresholds(np.array([[0.2], [0.9]]), np.array([[False], [False]]))[0] == 0.5
    assert best_thresholds(np.array([[0.2], [0.4]]), np.array([[False], [True]]))[0] == pytest.approx(0.3)


def test_both_classifiers_calibrate_and_keep_it_in_their_files(tmp_path, table, train, test):
    ngram = NgramClassifier(epochs=60, learning_rate=0.5, threads=1, word_ngrams=2).fit(*train)
    for model, load in (
        (ngram, NgramClassifier.load),
        (TextClassifier(table, C=100.0).fit(*train), lambda path: TextClassifier.load(path, table)),
    ):
        before, answers = model.predict_proba(test[0]), model.predict(test[0])
        target = model.codec_.encode(test[1])
        assert model.calibrate(*test, method="temperature") is model
        after = model.predict_proba(test[0])
        log_loss = [-np.log(shares[np.arange(60), target]).mean() for shares in (before, after)]
        assert log_loss[1] < log_loss[0]
        assert model.predict(test[0]).tolist() == answers.tolist()
        model.save(tmp_path / "m.safetensors")
        assert np.array_equal(load(tmp_path / "m.safetensors").predict_proba(test[0]), after)
        with pytest.raises(InputError, match="thresholds are for several labels"):
            model.tune_thresholds(*test)
        with pytest.raises(LabelError, match="unknown label"):
            model.calibrate(["cat"], ["cars"])
        with pytest.raises(InputError, match="1 texts and 2 labels"):
            model.calibrate(["cat"], ["animal", "money"])
        model.fit(*train)
        assert np.array_equal(model.predict_proba(test[0]), before)  # training anew forgets it


def test_both_classifiers_tune_thresholds(tmp_path, table):
    random = np.random.default_rng(3)
    words = {"animal": ["cat", "dog", "cow"], "money": ["loan", "tax", "fee"], "weather": ["rain", "fog", "sun"]}
    texts, labels = [], []
    for _ in range(240):
        has = [name for name in words if random.random() < (0.15 if name == "weather" else 0.5)]
        tokens = [random.choice(words[name]) for name in has] + list(random.choice(["the", "of", "and", "is"], 3))
        texts.append(" ".join(random.permutation(tokens)))
        labels.append(has)
    train, held = (texts[:120], labels[:120]), (texts[120:], labels[120:])
    models = (
        (NgramClassifier(epochs=3, learning_rate=0.3, loss="ova", threads=1), NgramClassifier.load),
        (TextClassifier(table, C=0.05), lambda path: TextClassifier.load(path, table)),
    )
    for model, load in models:
        model.fit(*train)
        target = model.codec_.encode(held[1])
        before = f1_score(target, model.codec_.encode(model.predict(held[0])), average="macro", zero_division=0)
        model.calibrate(*held, method="sigmoid").tune_thresholds(*held)
        after = f1_score(target, model.codec_.encode(model.predict(held[0])), average="macro", zero_division=0)
        assert after > before + 0.02
        model.save(tmp_path / "m.safetensors")
        assert load(tmp_path / "m.safetensors").predict(held[0]) == model.predict(held[0])
        assert model.adjustment_.calibration.method == "sigmoid"


def test_a_damaged_calibration_is_refused(tmp_path, train, test):
    import json

    import safetensors.numpy

    from wordstock.tasks.ngram_file import FILE

    model = NgramClassifier(threads=1).fit(*train).calibrate(*test)
    model.save(tmp_path / "m.safetensors")
    data = (tmp_path / "m.safetensors").read_bytes()
    tensors = safetensors.numpy.load(data)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    meta = json.loads(header["ngram_classifier"])
    del meta["sha256"]
    for wrong in ({"method": "beta"}, {"curves": [[1.0], [2.0]]}, {"curves": [[-1.0]]}, {"multilabel": 3}):
        bad = meta | {"adjustment": {"thresholds": None, "calibration": meta["adjustment"]["calibration"] | wrong}}
        (tmp_path / "b.safetensors").write_bytes(FILE.pack(bad, tensors))
        with pytest.raises(FormatError, match="the settings of a classifier over n-grams"):
            NgramClassifier.load(tmp_path / "b.safetensors")
