"""Settings given as NumPy's numbers, as grids of them are, become Python's own."""

from dataclasses import fields

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from wordstock.errors import InputError
from wordstock.tasks import FineTune, NgramClassifier, SequenceTagger, TextClassifier
from wordstock.tasks.head_config import CNNConfig, MLPConfig
from wordstock.tasks.tuning.training import HeadTraining
from wordstock.train import NgramConfig


@pytest.mark.parametrize(
    "config",
    [
        NgramConfig(word_ngrams=np.int64(2), learning_rate=np.float32(0.5), threads=np.int32(1), shuffle=np.True_),
        FineTune(epochs=np.int64(2), learning_rate=np.float32(0.1), held_out=np.float64(0.2), gradual=np.False_),
        HeadTraining(epochs=np.uint8(3), weight_decay=np.float16(0)),
        MLPConfig(hidden=(np.int64(8), 4), dropout=np.float32(0.5)),
        CNNConfig(filters=np.int16(5)),
        SequenceTagger("any", hidden=np.int64(4), dropout=np.float32(0), seed=np.uint64(3)).settings(),
    ],
)
def test_plain_numbers_are_stored(config):
    for field in fields(config):
        value = getattr(config, field.name)
        for one in value if isinstance(value, tuple) else (value,):
            assert not isinstance(one, np.generic), field.name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NgramConfig(epochs=np.True_), "epochs=True: needs a whole number of at least 1"),
        (lambda: NgramConfig(epochs=np.float64(2)), "epochs=2.0: needs a whole number"),
        (lambda: NgramConfig(dim=np.int64(1 << 31)), "dim=2147483648: needs a whole number of at least 1 and below"),
        (lambda: FineTune(learning_rate=np.float32("nan")), "learning_rate=nan: needs a number above 0, or None"),
        (lambda: MLPConfig(hidden=(np.int64(0),)), r"hidden=\(0,\)"),
        (
            lambda: SequenceTagger("any", dropout=np.float32(1)).settings(),
            "dropout=1.0: needs a number from 0 on, below 1",
        ),
    ],
)
def test_numbers_out_of_range_are_still_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_grid_of_ngrams(train):
    settings = {"word_ngrams": np.arange(1, 3), "learning_rate": np.array([0.5], np.float32)}
    search = GridSearchCV(NgramClassifier(dim=8, threads=1), settings, cv=2, error_score="raise").fit(*train)
    assert search.best_params_["word_ngrams"] in (1, 2)


def test_classifier_is_saved_and_read(table, train, tmp_path):
    weights = {label: np.float32(1) for label in set(train[1])}
    given = TextClassifier(table, C=np.float32(2), cv=np.int64(3), seed=np.int64(1), class_weight=weights).fit(*train)
    given.save(tmp_path / "a.safetensors")
    read = TextClassifier.load(tmp_path / "a.safetensors", table)
    assert (read.C, read.cv, read.seed) == (2.0, 3, 1)
    assert read.class_weight == dict.fromkeys(weights, 1.0)


def test_layer_learns_after_a_numpy_number_of_steps(table):
    pytest.importorskip("torch")
    layer = table.to_torch(np.int64(5), max_words=np.int64(3))
    assert type(layer.trainable) is int
    assert layer.collate.max_words == 3
    assert layer.counts


@pytest.mark.parametrize("k", [0, 1.5, True, "2"])
def test_top_k_takes_whole_numbers(table, train, k):
    with pytest.raises(InputError, match=f"k={k!r}: needs a whole number of at least 1"):
        TextClassifier(table, C=1).fit(*train).top_k(["a cat"], k=k)
