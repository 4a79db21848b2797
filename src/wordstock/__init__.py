"""wordstock: load, query and reuse pre-trained embeddings.

The public names are resolved on first use, so that ``import wordstock`` costs little more than ``import numpy``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as _numpy  # noqa: F401  every path through the library needs it

from wordstock._version import __version__ as __version__

if TYPE_CHECKING:
    from wordstock.embeddings import Card, Embeddings, EncodeConfig, Neighbor, all_but_the_top, merge
    from wordstock.encoders.distill import distill
    from wordstock.encoders.stack import stack
    from wordstock.errors import WordstockError
    from wordstock.evaluate.report import transfer_report
    from wordstock.hub import load
    from wordstock.stores import VectorStore
    from wordstock.tasks import SequenceTagger, TextClassifier
    from wordstock.train import train_fasttext, train_glove, train_word2vec

_HOMES = {
    "Card": "embeddings",
    "Embeddings": "embeddings",
    "EncodeConfig": "embeddings",
    "Neighbor": "embeddings",
    "all_but_the_top": "embeddings",
    "distill": "encoders.distill",
    "merge": "embeddings",
    "WordstockError": "errors",
    "load": "hub",
    "stack": "encoders.stack",
    "SequenceTagger": "tasks",
    "VectorStore": "stores",
    "TextClassifier": "tasks",
    "train_fasttext": "train",
    "train_glove": "train",
    "train_word2vec": "train",
    "transfer_report": "evaluate.report",
}

__all__ = [
    "Card",
    "Embeddings",
    "EncodeConfig",
    "Neighbor",
    "SequenceTagger",
    "TextClassifier",
    "VectorStore",
    "WordstockError",
    "all_but_the_top",
    "distill",
    "load",
    "merge",
    "stack",
    "train_fasttext",
    "train_glove",
    "train_word2vec",
    "transfer_report",
]


if not TYPE_CHECKING:  # a type checker would take any name for a public one

    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'wordstock' has no attribute {name!r}")
        value = getattr(importlib.import_module(f"wordstock.{home}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
