"""An LSTM classifier in PyTorch on pre-trained vectors: messages to a clinic, 72 of them to learn from.

    python examples/torch_lstm.py

Needs the extra "torch". The vectors are GloVe's, fetched once; the messages are shipped with wordstock.
"""

from __future__ import annotations

import argparse
from importlib.resources import as_file, files

import numpy as np
import torch
from torch.utils.data import DataLoader

import wordstock as ws
from wordstock.tasks import random_like, read_labelled
from wordstock.tasks.torch import build_head


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    emb = ws.load("glove-6b-50d")
    train, test, classes = messages()
    print(f"{len(train)} messages to learn from, {len(test)} held out, {len(classes)} classes; {given.seeds} seeds\n")
    kinds = {
        "pre-trained, frozen": lambda seed: emb.to_torch(),
        "pre-trained, learning from step 100 on": lambda seed: emb.to_torch(100, sparse=True),
        "random, learning": lambda seed: random_like(emb, seed).to_torch(True, sparse=True),
    }
    for name, make in kinds.items():
        scores = [accuracy(make(seed), train, test, len(classes), given.epochs, seed) for seed in range(given.seeds)]
        print(f"{name:40}{np.mean(scores):6.1%}  ({min(scores):.1%} to {max(scores):.1%})")


def accuracy(layer, train, test, n_classes, epochs, seed) -> float:
    """Learn, and give the share of held-out messages that are right."""
    torch.manual_seed(seed)
    head = build_head("bilstm", layer.embedding_dim, n_classes, hidden=32)
    optimisers = [torch.optim.Adam(head.parameters(), lr=5e-3)]
    if layer.trainable:
        optimisers.append(torch.optim.SparseAdam(layer.parameters(), lr=5e-3))
    loader = DataLoader(train, batch_size=16, shuffle=True, collate_fn=layer.collate)
    for _ in range(epochs):
        for batch, labels in loader:
            loss = torch.nn.functional.cross_entropy(head(layer(batch), batch.mask), labels)
            for one in optimisers:
                one.zero_grad()
            loss.backward()
            for one in optimisers:
                one.step()
    layer.eval()
    head.eval()
    with torch.inference_mode():
        batch, labels = layer.collate(test)
        return (head(layer(batch), batch.mask).argmax(dim=1) == labels).float().mean().item()


def messages() -> tuple[list, list, list[str]]:
    """Messages with the number of their class, to learn from and held out; and the classes."""
    with as_file(files("wordstock.cli") / "triage") as folder:
        train, test = (read_labelled(folder / f"{name}.csv") for name in ("train", "test"))
    classes = sorted(set(train.labels))
    numbered = [[(text, classes.index(label)) for text, label in zip(*part, strict=True)] for part in (train, test)]
    return *numbered, classes


if __name__ == "__main__":
    main()
