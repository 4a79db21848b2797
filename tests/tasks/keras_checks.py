"""What holds with every backend of Keras; ``test_tasks_keras.py`` runs this file once with each."""

import json
import os
import sys
import zipfile

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from layer_samples import WORDS, plain, spelling

import wordstock as ws
from wordstock.errors import InputError, UnknownWordError
from wordstock.tasks.keras import EmbeddingLayer, TextVectorizer, apply_head

# Of Keras's own torch backend, with NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

BACKEND = keras.config.backend()
REFUSED = {"torch": InputError, "jax": Exception, "tensorflow": Exception}[BACKEND]
TEXTS = ["the cat sat", "zebra", "mat on the mat a dog barks", ""] * 3
LABELS = np.array([0, 1, 2, 1] * 3)


def numbers(tensor):
    return ops.convert_to_numpy(tensor)


def classifier(layer, head="linear", length=5, compiled=True, **options):
    inputs = keras.Input((length,), dtype="int32")
    model = keras.Model(inputs, apply_head(head, layer(inputs), 3, **options))
    if compiled:
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def test_the_backend_is_the_one_that_was_asked_for():
    assert os.environ.get("KERAS_BACKEND") == BACKEND


# The layer -------------------------------------------------------------------------------------------------------


@settings(max_examples=10)
@given(st.lists(st.lists(st.sampled_from([*WORDS, "zebra", "Cat"]), max_size=4), min_size=1, max_size=3))
def test_vectors_are_those_of_the_table(sentences):
    table = plain()
    layer = table.to_keras()
    ids = layer.vectorizer(4)(sentences)
    found, mask = numbers(layer(ids)), numbers(layer.compute_mask(ids))
    for row, there, expected in zip(found, mask, table.encode_words(sentences), strict=True):
        np.testing.assert_array_equal(row[: len(expected)], expected)
        assert not row[len(expected) :].any()
        assert there.sum() == len(expected)


@settings(max_examples=10)
@given(st.lists(st.sampled_from([*WORDS, "zebra", "the cat, sat.", "ZÜRICH", ""])))
def test_ids_are_those_of_pytorch(texts):
    table = plain()
    layer = table.to_keras()
    vectorize = layer.vectorizer()
    other = table.to_torch()
    assert layer.ids(texts).tolist() == other.ids(texts).tolist()
    if texts:
        np.testing.assert_array_equal(numbers(vectorize(texts)), other.batch(texts).ids.numpy())


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
@pytest.mark.parametrize("trainable", [False, True])
@pytest.mark.parametrize("dtype", [None, "float16", "mixed_bfloat16"])
def test_precisions(precision, trainable, dtype):
    table = plain().with_precision(precision)
    layer = table.to_keras(trainable, dtype=dtype)
    found = layer(layer.vectorizer()([WORDS]))
    assert keras.backend.standardize_dtype(found.dtype) == layer.compute_dtype
    np.testing.assert_allclose(
        numbers(ops.cast(found, "float32"))[0], table.vectors(WORDS), rtol=2e-2 if dtype else 1e-6, atol=1e-6
    )
    stored = precision if not trainable else "float16" if dtype == "float16" else "float32"
    if precision != "float32" or trainable:
        assert keras.backend.standardize_dtype(layer.vectors.dtype) == stored
    assert bool(layer.trainable_variables) == trainable


def test_ids_survive_half_precision():
    table = plain(keys=[str(i) for i in range(5000)])
    inputs = keras.Input((1,), dtype="int32")
    model = keras.Model(inputs, table.to_keras(dtype="mixed_float16")(inputs))
    found = model.predict(np.array([[4999]], np.int32), verbose=0)
    np.testing.assert_allclose(found[0, 0], table["4997"], rtol=1e-2, atol=1e-3)
    with pytest.raises(InputError, match="whole numbers, not float16"):
        table.to_keras()(ops.zeros((1,), dtype="float16"))
    np.testing.assert_array_equal(numbers(table.to_keras()(ops.convert_to_tensor([4999.0])))[0], table["4997"])


def test_an_unknown_word_and_padding():
    table = plain()
    layer = table.to_keras(True, unknown="mean", mask_zero=False)
    found = numbers(layer(np.array([1, 0])))
    np.testing.assert_allclose(found[0], table.storage.data.mean(axis=0), atol=1e-6)
    assert not found[1].any()
    assert layer.compute_mask(np.array([1, 0])) is None
    with pytest.raises(UnknownWordError, match="near matches: cat"):
        table.to_keras(unknown="raise").vectorizer()(["the catt"])


def test_numpys_numbers_are_settings_too():
    layer = plain().to_keras(np.True_)
    assert layer.trainable is True
    vectorizer = layer.vectorizer(np.int64(3))
    assert type(vectorizer.get_config()["length"]) is int
    assert numbers(vectorizer(["the cat"])).shape == (1, 3)
    with pytest.raises(InputError, match=r"length=1.5: needs a whole number of at least 1, or None"):
        layer.vectorizer(1.5)


@pytest.mark.parametrize("ids", [[15], [-1], [2, 200]])
def test_ids_that_no_word_has(ids):
    layer = plain().to_keras()
    with pytest.raises(InputError, match=r"the id (15|-1|200) is out of range: this layer has ids 0 to 14"):
        layer(np.array(ids))


def test_ids_that_no_word_has_in_compiled_code(capfd):
    model = classifier(plain().to_keras(True), length=3)
    right, wrong = np.array([[2, 14, 0]]), np.array([[2, 15, 0]])
    model.predict(right, verbose=0)
    with pytest.raises(REFUSED, match=r"out of range: this layer has ids 0 to 14"):
        model.predict(wrong, verbose=0)
    model = classifier(plain().to_keras(True), length=3)  # Keras's JAX trainer loses its weights in an error
    with pytest.raises(REFUSED, match=r"out of range: this layer has ids 0 to 14"):
        model.fit(wrong, np.array([1]), verbose=0)


def test_sequential_model_without_an_input():
    table = plain()
    model = keras.Sequential([table.to_keras(), keras.layers.GlobalAveragePooling1D()])
    found = model.predict(np.array([[2, 3, 0]]), verbose=0)
    np.testing.assert_allclose(found[0], table.vectors(WORDS[:2]).mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("trainable", [False, True])
def test_what_learns(trainable):
    table = plain()
    layer = table.to_keras(trainable, unknown="mean")
    model = classifier(layer)
    model.fit(layer.vectorizer(5)(TEXTS), LABELS, epochs=2, verbose=0)
    trained = layer.to_embeddings()
    assert np.allclose(trained["naïve"], table["naïve"])  # is in no text
    assert np.allclose(trained["the"], table["the"]) != trainable
    assert not numbers(layer(np.array([0]))).any()
    assert (trained.card == table.card) != trainable
    assert table.verify()


def test_a_layer_may_be_frozen_for_a_while():
    table = plain()
    layer = table.to_keras(True)
    layer.trainable = False
    model = classifier(layer)
    ids = layer.vectorizer(5)(TEXTS)
    model.fit(ids, LABELS, verbose=0)
    np.testing.assert_array_equal(layer.to_embeddings()["the"], table["the"])
    layer.trainable = True
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(ids, LABELS, verbose=0)
    assert not np.allclose(layer.to_embeddings()["the"], table["the"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"trainable": 100}, "trainable=100: a Keras layer takes True or False"),
        ({"mask_zero": "no"}, "mask_zero='no': needs True or False"),
        ({"unknown": "subword"}, "is for PyTorch, emb.to_torch"),
        ({"unknown": "skip"}, "unknown='skip': known are"),
        ({"weights": 1}, "no setting weights; it has unknown, mask_zero, dtype, name"),
    ],
)
def test_settings_that_cannot_be(options, said):
    with pytest.raises(InputError, match=said):
        spelling()[0].to_keras(**options)


# Texts -----------------------------------------------------------------------------------------------------------


def test_texts_to_ids():
    vectorize = plain().to_keras().vectorizer(3)
    expected = [[2, 3, 4], [1, 0, 0], [0, 0, 0]]
    for texts in (
        ["the cat sat on", "zebra", ""],
        np.array(["the cat sat on", "zebra", ""]),
        (["the", "cat", "sat"], ["q"], []),
    ):
        assert numbers(vectorize(texts)).tolist() == expected
    assert vectorize.numbers(["the cat"]).dtype == np.int64
    with pytest.raises(InputError, match="expected a list of texts"):
        vectorize("the cat")
    with pytest.raises(InputError, match="must be a str or a list of words, not int"):
        vectorize([3])
    with pytest.raises(InputError, match="texts must be a sequence, not NoneType"):
        vectorize(None)
    with pytest.raises(InputError, match=r"one dimension, not shape \(1, 2\)"):
        vectorize(np.array([["the cat", "a dog"]]))
    with pytest.raises(InputError, match="is not UTF-8"):
        vectorize([b"caf\xe9"])
    with pytest.raises(InputError, match="length=0"):
        TextVectorizer(plain().to_keras().word_ids, 0)
    with pytest.raises(InputError, match="has no words"):
        TextVectorizer()(["the"])


@pytest.mark.parametrize("length", [3, None])
def test_texts_of_a_pipeline(length):
    tf = pytest.importorskip("tensorflow")
    vectorize = plain().to_keras().vectorizer(length)
    texts = ["the cat sat", "zebra", ""]
    expected = vectorize.numbers(texts)
    rows = tf.data.Dataset.from_tensor_slices(texts)
    (batch,) = rows.batch(3).map(vectorize)
    assert batch.numpy().tolist() == expected.tolist()
    for ids, row in zip(rows.map(vectorize), expected, strict=True):
        assert ids.numpy().tolist() == row[: len(ids)].tolist()
        assert not row[len(ids) :].any()
    assert numbers(vectorize(tf.constant(texts))).tolist() == expected.tolist()


def test_a_model_that_takes_texts(tmp_path):
    layer = plain().to_keras()
    inputs = keras.Input((), dtype="string")
    if BACKEND != "tensorflow":
        with pytest.raises(InputError, match=f"the {BACKEND} backend has no tensors of text"):
            layer.vectorizer(5)(inputs)
        return
    import tensorflow as tf

    model = keras.Model(inputs, apply_head("linear", layer(layer.vectorizer(5)(inputs)), 3))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    texts = tf.constant([*TEXTS, "Zürich"])
    model.fit(texts, np.array([*LABELS, 1]), verbose=0)
    expected = model.predict(texts, verbose=0)
    model.save(tmp_path / "texts.keras")
    loaded = keras.saving.load_model(tmp_path / "texts.keras")
    np.testing.assert_allclose(loaded.predict(texts, verbose=0), expected, atol=1e-6)


# Files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
@pytest.mark.parametrize("trainable", [False, True])
def test_a_saved_model(precision, trainable, tmp_path):
    table = plain(dim=40, keys=[f"word{i}" for i in range(300)]).with_precision(precision)
    layer = table.to_keras(trainable, unknown="mean", name="vectors_of_words")
    model = classifier(layer)
    ids = layer.vectorizer(5)(["word3 word9 nothing", "word299"])
    model.fit(ids, np.array([0, 1]), verbose=0)
    path = tmp_path / "model.keras"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json").decode()
    assert len(config) < 10_000
    assert "word3" not in config
    loaded = keras.saving.load_model(path)
    np.testing.assert_allclose(loaded.predict(ids, verbose=0), model.predict(ids, verbose=0), atol=1e-6)
    again = loaded.get_layer("vectors_of_words")
    assert (again.trainable, again.precision) == (trainable, layer.precision)
    np.testing.assert_array_equal(numbers(again.vectors), numbers(layer.vectors))
    with pytest.raises(InputError, match="vectors without words"):
        again.vectorizer()
    weights = tmp_path / "m.weights.h5"
    model.save_weights(weights)
    twin = classifier(table.to_keras(trainable), compiled=False)
    twin.load_weights(weights)
    np.testing.assert_allclose(twin.predict(ids, verbose=0), model.predict(ids, verbose=0), atol=1e-6)


def test_words_are_saved_beside_the_weights(tmp_path):
    table = ws.Embeddings.from_arrays(["a", "b", "New_York"], [[1.0], [2]], rows=[0, 1, 1])
    table = table.with_config(phrases="_")
    vectorize = table.to_keras().vectorizer(4)
    config = vectorize.get_config()
    assert "a" not in json.dumps(config["unknown"])
    vectorize.save_assets(str(tmp_path))
    twin = TextVectorizer.from_config(config)
    twin.load_assets(str(tmp_path))
    (tmp_path / "words.safetensors").unlink()
    texts = ["a New York b", "b A c"]
    assert numbers(twin(texts)).tolist() == numbers(vectorize(texts)).tolist() == [[2, 3, 3, 0], [3, 1, 1, 0]]


def test_a_layer_by_itself():
    layer = EmbeddingLayer(3, 2)
    assert not numbers(layer(np.array([[2, 4]]))).any()
    assert EmbeddingLayer.from_config(layer.get_config()).rows == 3
    with pytest.raises(InputError, match="vectors without words"):
        layer.ids("a")


@pytest.mark.skipif(sys.platform != "linux", reason="RssAnon is Linux's")
def test_one_copy_at_most(tmp_path):
    def private():
        with open("/proc/self/status") as status:  # noqa: PTH123
            return int(next(line for line in status if line.startswith("RssAnon")).split()[1]) / 1024

    ws.Embeddings.from_arrays(map(str, range(40_000)), np.ones((40_000, 512), np.float32)).save(
        tmp_path / "t.safetensors"
    )
    plain().to_keras()(np.array([2]))
    table = ws.load(str(tmp_path / "t.safetensors"))
    before = private()
    layer = table.to_keras()
    layer(np.array([2, 3]))
    assert private() - before < (20 if BACKEND == "torch" else 78 + 40)  # MiB; the vectors are 78


# Heads -----------------------------------------------------------------------------------------------------------

NAMES = ["linear", "mlp", "bilstm", "transformer", "cnn"]
SMALL = {
    "linear": {},
    "mlp": {},
    "bilstm": {"hidden": 5},
    "transformer": {"width": 8, "feedforward": 12, "layers": 1},
    "cnn": {"filters": 4},
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("level", ["text", "word"])
def test_a_head_gives_what_that_of_pytorch_gives(name, level, tmp_path):
    import torch
    from transplant import transplant

    from wordstock.tasks.torch import build_head

    changes = SMALL[name] | ({"layers": 2} if level == "text" and name in ("bilstm", "transformer") else {})
    vectors, given_mask = keras.Input((None, 6)), keras.Input((None,), dtype="bool")
    scores = apply_head(name, vectors, 3, mask=given_mask, level=level, **changes)
    model = keras.Model([vectors, given_mask], scores)
    torch.manual_seed(0)
    head = build_head(name, 6, 3, level=level, **changes).eval()
    transplant(head, model)
    values = torch.randn(4, 5, 6)
    mask = torch.arange(5) < torch.tensor([5, 2, 0, 3])[:, None]
    expected = head(values, mask).detach().numpy()
    found = numbers(model([values.numpy(), mask.numpy()], training=False))
    if level == "word":
        expected, found = expected[mask], found[mask.numpy()]
    np.testing.assert_allclose(found, expected, atol=2e-5)
    if level == "word":
        return
    model.save(tmp_path / "head.keras")
    loaded = keras.saving.load_model(tmp_path / "head.keras")
    again = numbers(loaded([values.numpy(), mask.numpy()], training=False))
    np.testing.assert_allclose(again, found, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_padding_changes_nothing(name):
    layer = plain().to_keras()
    inputs = keras.Input((None,), dtype="int32")
    model = keras.Model(inputs, apply_head(name, layer(inputs), 3, pooling="mean_max", **SMALL[name]))
    ids = np.array([[2, 3, 4], [5, 0, 0], [0, 0, 0]], np.int32)
    wider = np.pad(ids, ((0, 0), (0, 4)))
    short, long = (numbers(model(one, training=False)) for one in (ids, wider))
    assert np.isfinite(short).all()
    np.testing.assert_allclose(short, long, atol=1e-5)


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_one_vector_per_text(name):
    for pooling in ("mean", "mean_max"):
        inputs = keras.Input((6,))
        model = keras.Model(inputs, apply_head(name, inputs, 3, pooling=pooling))
        assert model(np.ones((2, 6), np.float32)).shape == (2, 3)


@pytest.mark.parametrize(
    ("head", "options", "shape", "said"),
    [
        ("lstm", {}, (5, 6), "head='lstm': known are"),
        ("linear", {"level": "char"}, (5, 6), "level='char'"),
        ("linear", {"hidden": 3}, (5, 6), "no setting hidden"),
        ("bilstm", {}, (6,), r"takes a tensor \(texts, words, dim\)"),
    ],
)
def test_heads_that_cannot_be(head, options, shape, said):
    with pytest.raises(InputError, match=said):
        apply_head(head, keras.Input(shape), 3, **options)
    with pytest.raises(InputError, match=r"this head takes a tensor \(texts, words, dim\)"):
        apply_head("bilstm", [[[1.0]]], 2)
    with pytest.raises(InputError, match="n_out=0"):
        apply_head("linear", keras.Input((5, 6)), 0)
