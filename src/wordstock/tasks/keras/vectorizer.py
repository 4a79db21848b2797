"""TextVectorizer: texts to numbers of words as a Keras layer, by the table's own tokeniser."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from wordstock._optional import require
from wordstock._settings import check_whole, plain
from wordstock.embeddings import Embeddings, Storage, read_native
from wordstock.errors import InputError
from wordstock.protocols import IntArray
from wordstock.tasks.inputs import as_list
from wordstock.tasks.word_ids import PADDING, WordIds
from wordstock.vocab import Vocabulary

__all__ = ["TextVectorizer"]

_FILE = "words.safetensors"


@keras.saving.register_keras_serializable(package="wordstock")
class TextVectorizer(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Texts, or lists of words, to padded ids, int32 (texts, length).

    Only TensorFlow has tensors of text: with that backend the layer may be the first of a model. With every backend it
    takes lists, tuples and arrays of str, and gives ids to fit a model with, and may be mapped over a ``tf.data``
    pipeline, in batches or one by one. In a saved model its words are a file of their own beside the weights.

    Parameters
    ----------
    word_ids : how words become numbers; None waits for the words of a file.
    length : words of each text, more are cut; None takes the longest of each call.
    unknown : of ``word_ids``.
    """

    def __init__(
        self, word_ids: WordIds | None = None, length: int | None = None, *, unknown: str = "zero", **options: Any
    ) -> None:
        super().__init__(trainable=False, **options)
        check_whole("length", length, 1, optional=True)
        self._word_ids, self.length = word_ids, plain(length)
        self.unknown: Any = unknown if word_ids is None else word_ids.unknown
        self.supports_jit = False
        self.built = True

    @property
    def word_ids(self) -> WordIds:
        """How words become numbers; InputError before they have been loaded."""
        if self._word_ids is None:
            raise InputError("the vectoriser has no words: make it with emb.to_keras().vectorizer(), or load a model")
        return self._word_ids

    def __call__(self, texts: Any, *others: Any, **options: Any) -> Any:
        """Ids of texts, at once; or, for a symbolic input of TensorFlow, the layer's place in a model."""
        if _is_tensorflow(texts) and keras.config.backend() != "tensorflow":  # a pipeline's: its own tensors come out
            return self.call(texts)
        if isinstance(texts, keras.KerasTensor) or _is_tensorflow(texts):
            return super().__call__(texts, *others, **options)
        return ops.convert_to_tensor(self.numbers(texts), dtype="int32")

    def numbers(self, texts: Any) -> IntArray:
        """The ids as an array, int64 (texts, length).

        Raises
        ------
        InputError
            A single str, an array of several columns, or something that is not a text.
        UnknownWordError
            A word that the table lacks, with ``unknown="raise"``.
        """
        if isinstance(texts, str | bytes):
            raise InputError("expected a list of texts; for one text pass a list with it")
        if isinstance(texts, np.ndarray) and texts.ndim < 3 and texts.shape[1:] in ((), (1,)):
            texts = texts.ravel()
        found = [self.word_ids.ids(_plain(text)) for text in as_list(texts, "texts")]
        length = self.length or max(1, *map(len, found), 1)
        out = np.full((len(found), length), PADDING, np.int64)
        for row, ids in zip(out, found, strict=True):
            row[: len(ids)] = ids[:length]
        return out

    def call(self, texts: Any) -> Any:
        """Ids of a TensorFlow tensor of text, (texts,) or (texts, 1), or (length,) of a single text."""
        tf = require("tensorflow", extra="keras", purpose="a model that takes texts")
        if texts.shape.rank == 0:
            return self.call(texts[None])[0]
        ids = tf.numpy_function(lambda given: self.numbers(given).astype(np.int32), [texts], tf.int32)
        ids.set_shape((None if texts.shape.rank is None else texts.shape[0], self.length))
        return ids

    def compute_output_spec(self, texts: Any) -> Any:
        """Shape and dtype of the ids."""
        if keras.config.backend() != "tensorflow":
            raise InputError(
                f"the {keras.config.backend()} backend has no tensors of text: call the vectoriser on the texts, and "
                "give the model its ids"
            )
        return keras.KerasTensor((texts.shape[0], self.length), dtype="int32")

    def get_config(self) -> dict[str, Any]:
        """Settings, no words."""
        config: dict[str, Any] = super().get_config() | {"length": self.length, "unknown": self.unknown}
        config.pop("trainable", None)
        return config

    def save_assets(self, dir_path: str) -> None:
        """Write the words and how texts are cut, as a native file without vectors."""
        table = self.word_ids.table
        words = table.with_storage(Storage(np.empty((len(table.storage), 0), np.float32)))
        words.save(Path(dir_path, _FILE))

    def load_assets(self, dir_path: str) -> None:
        """Read back what ``save_assets`` wrote; into memory, since Keras removes the folder."""
        table = read_native(Path(dir_path, _FILE))
        found = table.vocabulary
        rows = None if found.rows is None else found.rows.copy()
        vocabulary = Vocabulary(found.blob.copy(), found.offsets.copy(), slots=found.slots.copy(), rows=rows)
        words = Embeddings(vocabulary, Storage(table.storage.data.copy()), card=table.card, config=table.config)
        self._word_ids = WordIds(words, self.unknown)


def _is_tensorflow(texts: Any) -> bool:
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and bool(tensorflow.is_tensor(texts))


def _plain(text: Any) -> str | Sequence[str]:
    """A str or a list of them, from what TensorFlow and numpy make of such."""
    if isinstance(text, bytes):
        try:
            return text.decode()
        except UnicodeDecodeError as error:
            raise InputError(f"the text {text!r:.80} is not UTF-8; decode it first") from error
    if isinstance(text, np.str_ | str):
        return str(text)
    if isinstance(text, list | tuple):
        return text
    raise InputError(f"a text must be a str or a list of words, not {type(text).__name__}: {text!r:.80}")
