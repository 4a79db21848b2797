"""Claim: a step of a network over our layers takes as long as over PyTorch's own Embedding; a look-up alone longer."""

import os
import sys

from options import options

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import torch

from pairs import HEAD, paired
from peer import glove

SHAPES = [(32, 30), (256, 100)]  # sentences, longest
CALLS = {32: 300, 256: 30}
HIDDEN = 64


def run() -> str:
    torch.set_num_threads(1)
    table = glove()
    rows = np.concatenate([np.zeros((2, table.dim), np.float32), np.array(table.storage.data, np.float32)])
    layer, peer = table.to_torch(), torch.nn.Embedding.from_pretrained(torch.from_numpy(rows), padding_idx=0)
    keras_layer, keras_peer = table.to_keras(), keras.layers.Embedding(*rows.shape, trainable=False, weights=[rows])
    lstm = torch.nn.LSTM(table.dim, HIDDEN, batch_first=True, bidirectional=True)
    lines = [HEAD]
    for sentences, longest in SHAPES:
        ids = batch(sentences, longest, len(rows))
        assert torch.equal(layer(ids), peer(ids))
        assert np.array_equal(numbers(keras_layer(ids)), numbers(keras_peer(ids)))
        what, calls = f"{sentences} sentences of up to {longest} words", CALLS[sentences]

        def repeated(looked_up, ids=ids, calls=calls):
            def work():
                with torch.no_grad():
                    for _ in range(calls):
                        looked_up(ids)

            return work

        def step(looked_up, ids=ids, calls=calls):
            def work():
                for _ in range(calls // 30):
                    lstm(looked_up(ids))[0].sum().backward()

            return work

        lines.append(paired(repeated(layer), repeated(peer)).row(f"torch, look up {what}", ""))
        lines.append(paired(repeated(keras_layer), repeated(keras_peer)).row(f"Keras, look up {what}", ""))
        name = f"torch, one step of a BiLSTM({HIDDEN}) over {what}"
        lines.append(paired(step(layer), step(peer)).row(name, "≥ 0.9×"))
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines) + (
        "\n\nOne thread, frozen vectors of 400,000 words, a third of the places padding; Keras on torch. Peers: "
        "`nn.Embedding.from_pretrained` and `keras.layers.Embedding`, which hold a copy of the vectors and do not look "
        "whether ids are in range (the first fails with its own message, the second gives NaN on some backends); ours "
        "keeps those of the file. Results are checked to be equal before anything is timed."
    )


def numbers(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def batch(sentences: int, longest: int, size: int) -> torch.Tensor:
    """Ids as frequent as words are, padded at the end."""
    random = np.random.default_rng(0)
    ids = random.zipf(1.3, size=(sentences, longest)) % (size - 2) + 2
    lengths = random.integers(longest // 3, longest + 1, sentences)
    ids[np.arange(longest) >= lengths[:, None]] = 0
    return torch.from_numpy(ids)


if __name__ == "__main__":
    options(__doc__)
    print(run())
