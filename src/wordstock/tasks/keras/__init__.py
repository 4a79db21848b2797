"""Pre-trained vectors and what learns from them, as Keras 3 layers for the tensorflow, torch and jax backends.

::

    layer = emb.to_keras(trainable=False)                    # keras.Layer: ids -> vectors, with a mask
    vectorize = layer.vectorizer(length=30)                  # keras.Layer: texts -> ids, by the table's tokeniser
    inputs = keras.Input((30,), dtype="int32")
    scores = apply_head("bilstm", layer(inputs), n_out=6)    # or BiLSTMConfig(hidden=64); level="word" for each word
    model = keras.Model(inputs, scores)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(vectorize(texts), labels)
    model.save("model.keras")                                # vectors among the weights, not in the JSON config

Import this package before ``keras.saving.load_model`` reads such a file.
"""

import os

from wordstock._optional import require
from wordstock.errors import InputError, MissingExtraError

_asked = os.environ.get("KERAS_BACKEND", "tensorflow")
try:
    require("keras", extra="keras", purpose="a Keras layer")
except ModuleNotFoundError as error:
    raise MissingExtraError(
        f"Keras is installed, but not {error.name}, needed by its backend {_asked!r}; run: pip install tensorflow-cpu, "
        "or set the environment variable KERAS_BACKEND to 'torch' or 'jax' where those are installed"
    ) from error
except ValueError as error:
    raise InputError(f"KERAS_BACKEND={_asked!r}: known are 'tensorflow', 'torch', 'jax' ({error})") from error

from wordstock.tasks.head_config import (  # noqa: E402  what they need has just been asked for
    BiLSTMConfig,
    CNNConfig,
    HeadConfig,
    HeadName,
    Level,
    LinearConfig,
    MLPConfig,
    Pooling,
    TransformerConfig,
    head_config,
)
from wordstock.tasks.keras.heads import apply_head  # noqa: E402
from wordstock.tasks.keras.layer import EmbeddingLayer, KerasOptions, to_keras  # noqa: E402
from wordstock.tasks.keras.vectorizer import TextVectorizer  # noqa: E402

__all__ = [
    "BiLSTMConfig",
    "CNNConfig",
    "EmbeddingLayer",
    "HeadConfig",
    "HeadName",
    "KerasOptions",
    "Level",
    "LinearConfig",
    "MLPConfig",
    "Pooling",
    "TextVectorizer",
    "TransformerConfig",
    "apply_head",
    "head_config",
    "to_keras",
]
