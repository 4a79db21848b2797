"""EmbeddingLayer: a table as a Keras layer. Padding is 0, an unknown word 1, row r of the table 2 + r."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, TypedDict, Unpack

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from wordstock._optional import require
from wordstock._settings import check_flag, plain
from wordstock.embeddings import Embeddings, Storage
from wordstock.embeddings.private import private_arrays
from wordstock.errors import InputError
from wordstock.protocols import FloatArray, IntArray
from wordstock.tasks.keras.refuse import refuse_others
from wordstock.tasks.keras.vectorizer import TextVectorizer
from wordstock.tasks.word_ids import FIRST, PADDING, UNKNOWN, Unknown, WordIds, unknown_vector

__all__ = ["EmbeddingLayer", "KerasOptions", "to_keras"]

_NOTE = "its vectors were trained further as a Keras layer"
_EXACT = 1 << 24  # whole numbers that float32 holds


class KerasOptions(TypedDict, total=False):
    """Keyword arguments of ``to_keras``."""

    unknown: Literal["auto", "zero", "mean", "raise"]
    mask_zero: bool
    dtype: Any
    name: str | None


def to_keras(table: Embeddings, trainable: bool = False, **options: Unpack[KerasOptions]) -> EmbeddingLayer:
    """A table as a Keras layer, for whichever backend Keras has.

    Parameters
    ----------
    trainable : whether the vectors learn. Those that do not are kept in the precision of the table; a layer that is to
        learn later is made with True, and then gets ``layer.trainable = False`` for as long.
    unknown : "zero" or "mean", what the vector of unknown words starts as; "raise" refuses such words when texts become
        ids. "auto" is "zero". Spelling them of n-grams is for PyTorch: ``to_torch``.
    mask_zero : give the layers above a mask that is False on padding.
    dtype : a Keras dtype or policy, such as "mixed_float16"; None is Keras's own default.
    name : of the layer.

    Raises
    ------
    InputError
        A setting that is not known or does not suit the table.
    """
    trainable = plain(trainable)
    if not isinstance(trainable, bool):
        raise InputError(f"trainable={trainable!r}: a Keras layer takes True or False")
    if wrong := options.keys() - KerasOptions.__annotations__.keys():
        known = ", ".join(KerasOptions.__annotations__)
        raise InputError(f"to_keras has no setting {', '.join(sorted(wrong))}; it has {known}")
    unknown: Unknown = options.pop("unknown", "auto")
    if unknown == "subword":
        raise InputError("unknown='subword' is for PyTorch, emb.to_torch(); in Keras use unknown='zero' or 'mean'")
    word_ids = WordIds(table, "zero" if unknown == "auto" else unknown)
    precision = "float32" if trainable else table.storage.precision
    rows, dim = table.storage.data.shape
    return EmbeddingLayer(rows, dim, precision, trainable=trainable, word_ids=word_ids, **options)


@keras.saving.register_keras_serializable(package="wordstock")
class EmbeddingLayer(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Numbers of words to vectors; ``to_keras`` makes it.

    Parameters
    ----------
    rows, dim : shape of the vectors.
    precision : of vectors that do not learn: "float32", "float16" or "int8" with a scale per row.
    mask_zero : as in ``to_keras``.
    word_ids : words and vectors to start with; None starts with zeros, for weights from a file.
    """

    def __init__(
        self,
        rows: int,
        dim: int,
        precision: str = "float32",
        *,
        mask_zero: bool = True,
        word_ids: WordIds | None = None,
        **options: Any,
    ) -> None:
        check_flag("mask_zero", mask_zero)
        super().__init__(autocast=False, **options)  # float16 would round ids
        self.rows, self.dim, self.precision, self.mask_zero = rows, dim, precision, mask_zero
        self.supports_masking = True
        # XLA drops TensorFlow's assertions, and with them the one that ids are in range.
        self.supports_jit = keras.config.backend() != "tensorflow"
        self._word_ids = word_ids
        self.built: bool = False
        self.build(None)

    def build(self, input_shape: Any) -> None:
        """Make the variables, with the table's vectors where there is a table."""
        if self.built:
            return
        table = None if self._word_ids is None else self._word_ids.table
        given: dict[str, npt.NDArray[Any]] = {}
        if table is not None and self._word_ids is not None:
            given = {"vectors": self._start(table), "unknown": unknown_vector(table, self._word_ids.unknown)}
            if table.storage.scales is not None:
                given["scales"] = table.storage.scales.copy()
        stored = self.precision != "float32"
        self.vectors = self._weight("vectors", (self.rows, self.dim), self.precision if stored else None, given)
        self.unknown = self._weight("unknown", (self.dim,), "float32" if stored else None, given)
        self.scales = None
        if self.precision == "int8":
            self.scales = self._weight("scales", (self.rows,), "float32", given)
        self.built = True

    def _start(self, table: Embeddings) -> npt.NDArray[Any]:
        """Pages of the table's file where a backend can take them; float32 of a quantised table that learns."""
        if self.precision == table.storage.precision:
            return private_arrays(table)["vectors"]
        out = np.empty((self.rows, self.dim), np.float32)
        for start, block in table.storage.blocks():
            out[start : start + len(block)] = block
        return out

    def _weight(self, name: str, shape: tuple[int, ...], dtype: str | None, given: dict[str, npt.NDArray[Any]]) -> Any:
        array = given.get(name)

        def start(shape: tuple[int, ...], dtype: Any = None) -> Any:
            values = given[name].astype(dtype or given[name].dtype, copy=False)
            if keras.config.backend() == "torch":  # Keras would copy an array, and takes a tensor as it is
                return require("torch", extra="torch", purpose="this backend").from_numpy(values)
            return values

        return self.add_weight(
            name=name,
            shape=shape,
            dtype=dtype,
            initializer="zeros" if array is None else start,
            trainable=dtype is None,  # what is stored in another precision stays as it is
            autocast=False,  # of the rows in use, not of the table
        )

    def call(self, ids: Any) -> Any:
        """Vectors, (..., dim).

        Parameters
        ----------
        ids : whole numbers of any shape; float32 too where it holds them exactly, as ``keras.Sequential`` makes them.

        Raises
        ------
        InputError
            An id that no word has, or a dtype that cannot hold ids.
        """
        dtype = keras.backend.standardize_dtype(ids.dtype)
        exact = self.rows + FIRST <= _EXACT
        if "int" not in dtype and not (dtype == "float64" or (dtype == "float32" and exact)):
            raise InputError(
                f"ids must be whole numbers, not {dtype}; begin with keras.Input((length,), dtype='int32')"
            )
        ids = ops.cast(ids, "int32")
        refuse_others(ids, self.rows + FIRST)
        rows = ops.clip(ids - FIRST, 0, self.rows - 1)
        vectors = ops.cast(ops.take(self.vectors, rows, axis=0), self.compute_dtype)
        if self.scales is not None:
            scales = ops.take(self.scales, rows, axis=0)
            vectors = vectors * ops.cast(ops.expand_dims(scales, -1), self.compute_dtype)
        # Products with 0 and 1: a choice by ``where`` takes several times as long, and the gradients are the same.
        told = (ids >= FIRST, ids == UNKNOWN)
        known, unknown = (ops.cast(ops.expand_dims(one, -1), self.compute_dtype) for one in told)
        return vectors * known + ops.cast(self.unknown, self.compute_dtype) * unknown

    def compute_mask(self, ids: Any, previous: Any = None) -> Any:
        """True where no padding is; None without ``mask_zero``."""
        return ops.not_equal(ids, PADDING) if self.mask_zero else None

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the ids with one dimension more."""
        return (*shape, self.dim)

    def get_config(self) -> dict[str, Any]:
        """Sizes and settings, no vectors."""
        own = {"rows": self.rows, "dim": self.dim, "precision": self.precision, "mask_zero": self.mask_zero}
        config: dict[str, Any] = super().get_config() | own
        config.pop("autocast", None)
        return config

    # Words to numbers, and back to a table -----------------------------------------------------------------------

    @property
    def word_ids(self) -> WordIds:
        """How words become numbers.

        Raises
        ------
        InputError
            The layer was loaded from a file, which has the vectors and not the words.
        """
        if self._word_ids is None:
            raise InputError(
                "a loaded layer has vectors without words; save the layer's vectorizer in the model or apart"
            )
        return self._word_ids

    def ids(self, sentence: str | Sequence[str]) -> IntArray:
        """Numbers of the words of a text or a list, int64 (n_words,), the same as those of ``to_torch``."""
        return self.word_ids.ids(sentence)

    def vectorizer(self, length: int | None = None, *, name: str | None = None) -> TextVectorizer:
        """The matching layer from texts to ids; see ``TextVectorizer``."""
        return TextVectorizer(self.word_ids, length, name=name)

    def to_embeddings(self) -> Embeddings:
        """The vectors as they are now, as a table; that of an unknown word has no key and is left out.

        The table itself where nothing has changed.
        """
        table = self.word_ids.table
        if self.precision != "float32":
            return table
        vectors: FloatArray = np.array(ops.convert_to_numpy(self.vectors), np.float32)
        if np.array_equal(vectors, table.storage.data):
            return table
        trained = table.with_storage(Storage(vectors))
        trained.check_finite()
        return trained.with_card(replace(table.card, notes=(*table.card.notes, _NOTE)))
