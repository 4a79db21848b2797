"""An LSTM classifier in Keras on pre-trained vectors: messages to a clinic, 72 of them to learn from.

    KERAS_BACKEND=tensorflow python examples/keras_lstm.py    # or jax, or torch

Needs the extra "keras" and a backend. The vectors are GloVe's, fetched once; the messages are shipped with wordstock.
"""

from __future__ import annotations

import argparse
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np

import wordstock as ws
from wordstock.tasks import random_like, read_labelled

LENGTH = 24  # words of each message


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    emb = ws.load("glove-6b-50d")
    train, test, classes = messages()
    print(f"{len(train.texts)} messages to learn from, {len(test.texts)} held out, {len(classes)} classes; "
          f"{given.seeds} seeds; backend {keras.config.backend()}\n")  # fmt: skip
    # A network that starts from nothing learns the words it is shown; the pre-trained table has all others too.
    shown = emb.subset(word for text in train.texts for word in emb.tokenize(text) if word in emb)
    kinds = {
        "pre-trained, frozen": lambda seed: emb.to_keras(),
        "random, learning": lambda seed: random_like(shown, seed).to_keras(True),
    }
    for name, make in kinds.items():
        scores = [accuracy(make(seed), train, test, classes, given.epochs, seed) for seed in range(given.seeds)]
        print(f"{name:24}{np.mean(scores):6.1%}  ({min(scores):.1%} to {max(scores):.1%})")


def accuracy(layer, train, test, classes, epochs, seed) -> float:
    """Learn, and give the share of held-out messages that are right, from a saved and loaded model."""
    keras.utils.set_random_seed(seed)
    vectorize = layer.vectorizer(LENGTH)
    model = keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            layer,
            keras.layers.Bidirectional(keras.layers.LSTM(32)),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(len(classes), activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy")
    model.fit(vectorize(train.texts), numbers(train, classes), batch_size=18, epochs=epochs, verbose=0)
    with TemporaryDirectory() as folder:
        model.save(Path(folder, "triage.keras"))
        loaded = keras.saving.load_model(Path(folder, "triage.keras"))
    found = loaded.predict(vectorize(test.texts), batch_size=len(test.texts), verbose=0).argmax(axis=1)
    return float(np.mean(found == numbers(test, classes)))


def messages() -> tuple:
    """Messages to learn from and held out, and their classes."""
    with as_file(files("wordstock.cli") / "triage") as folder:
        train, test = (read_labelled(folder / f"{name}.csv") for name in ("train", "test"))
    return train, test, sorted(set(train.labels))


def numbers(part, classes) -> np.ndarray:
    return np.array([classes.index(label) for label in part.labels])


if __name__ == "__main__":
    main()
