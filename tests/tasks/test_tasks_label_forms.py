"""Labels in data frames and matrices: what they are read as, and what is refused."""

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from wordstock.errors import InputError, LabelError
from wordstock.tasks import NgramClassifier, SequenceTagger, TextClassifier
from wordstock.tasks.labels import LabelCodec

MATRIX = np.array([[0, 1, 1], [1, 0, 0], [1, 1, 0], [0, 0, 0]])
NAMES = ["z", "a", "m"]


def frame(library, columns):
    if library == "polars":
        return pl.DataFrame(columns)
    return pytest.importorskip("pandas").DataFrame(columns)


def named(library, names=NAMES, matrix=MATRIX):
    return frame(library, {name: matrix[:, number].tolist() for number, name in enumerate(names)})


@pytest.mark.parametrize("library", ["polars", "pandas"])
@pytest.mark.parametrize("values", [["a", "b", "a"], [3, 1, 3], [True, False, False]])
def test_a_frame_of_one_column_is_the_column(library, values):
    codec, codes = LabelCodec.learn(frame(library, {"y": values}))
    expected, wanted = LabelCodec.learn(values)
    assert codec.to_dict() == expected.to_dict()
    assert codes.tolist() == wanted.tolist()


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_a_frame_of_0_and_1_is_several_labels_with_names(library):
    codec, target = LabelCodec.learn(named(library))
    assert codec.classes.tolist() == NAMES
    np.testing.assert_array_equal(target, MATRIX)
    np.testing.assert_array_equal(codec.decode(target), MATRIX)
    turned = named(library, ["m", "z", "a"], MATRIX[:, [2, 0, 1]])
    np.testing.assert_array_equal(codec.encode(turned), MATRIX)
    np.testing.assert_array_equal(codec.encode(MATRIX), MATRIX)
    assert LabelCodec.from_dict(codec.to_dict()).to_dict() == codec.to_dict()
    with pytest.raises(LabelError, match="unknown label column 'b'; known are 'z', 'a', 'm'"):
        codec.encode(named(library, ["z", "a", "b"]))


def test_pandas_own_types():
    pandas = pytest.importorskip("pandas")
    given = pandas.DataFrame({"a": pandas.array([1, 0, 1], "Int64"), "b": [True, True, False]})
    codec, target = LabelCodec.learn(given)
    assert target.tolist() == [[True, True], [False, True], [True, False]]
    assert codec.classes.tolist() == ["a", "b"]
    given["a"] = pandas.array([1, None, 1], "Int64")
    with pytest.raises(LabelError, match="columns 'a', 'b', which do not hold 0 and 1 alone"):
        LabelCodec.learn(given)


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_frames_that_are_no_labels(library):
    with pytest.raises(LabelError, match="data frame with the columns 'text', 'y'"):
        LabelCodec.fit(frame(library, {"text": ["a", "b"], "y": ["p", "q"]}))
    with pytest.raises(LabelError, match="the columns 'p', 'q'"):
        LabelCodec.fit(frame(library, {"p": [0, 2], "q": [1, 1]}))
    with pytest.raises(InputError, match="tags must be one column, not a whole DataFrame"):
        SequenceTagger("any").fit([["a"], ["b"]], frame(library, {"p": ["O", "O"], "q": ["O", "O"]}))


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array, sparse.lil_matrix])
def test_a_sparse_matrix_is_several_labels(make):
    codec, target = LabelCodec.learn(make(MATRIX))
    np.testing.assert_array_equal(target, MATRIX)
    assert codec.classes.tolist() == [0, 1, 2]
    with pytest.raises(LabelError, match="only 0 and 1"):
        LabelCodec.fit(make(MATRIX * 2))
    with pytest.raises(InputError, match="not a sparse matrix"):
        SequenceTagger("any").fit(make(MATRIX), [])


@pytest.mark.parametrize("rows", [MATRIX.tolist(), list(MATRIX), MATRIX.astype(bool).tolist(), [(0, 1), (1, 0)]])
def test_a_matrix_as_lists_is_refused(rows):
    with pytest.raises(LabelError, match=r"pass numpy.array\(labels\)"):
        LabelCodec.fit(rows)


def test_numbers_as_labels_are_still_labels():
    assert LabelCodec.fit([[0, 1], [1], [0]]).classes.tolist() == [0, 1]
    codec = LabelCodec.fit([[0, 1], [1, 2], [2, 0]])
    assert codec.encode([[0, 1]]).tolist() == [[True, True, False]]


def test_classifiers_learn_from_a_frame_and_come_back(table, train, tmp_path):
    names = sorted(set(train[1]), reverse=True)
    matrix = np.array([[int(label == name) for name in names] for label in train[1]])
    given = pl.DataFrame({name: matrix[:, number] for number, name in enumerate(names)})
    for model, read in ((TextClassifier(table, C=5), {"encoder": table}), (NgramClassifier(dim=8, loss="ova"), {})):
        model.fit(train[0], given)
        assert model.classes_.tolist() == names
        assert model.score(train[0], given) == model.score(train[0], matrix)
        model.save(tmp_path / "a.safetensors")
        again = type(model).load(tmp_path / "a.safetensors", **read)
        np.testing.assert_array_equal(again.predict(train[0]), model.predict(train[0]))
        assert again.top_k(train[0][:3], 1) == model.top_k(train[0][:3], 1)


def test_going_on_with_a_frame_keeps_the_columns_where_they_were(train):
    model = NgramClassifier(dim=8, loss="ova", warm_start=True)
    model.fit(train[0][:4], named("polars"))
    model.fit(train[0][:4], named("polars", ["b", "z", "m"]))
    assert model.classes_.tolist() == ["z", "a", "m", "b"]
    assert model._learn(named("polars", ["b", "z", "m"]))[1].astype(int).tolist() == [
        [m[1], 0, m[2], m[0]] for m in MATRIX.tolist()
    ]
