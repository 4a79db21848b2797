"""Learning vectors from a corpus.

The trainers load compiled code, so they are resolved on first use; the settings are at hand at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from wordstock.train.config import Word2VecConfig
from wordstock.train.fasttext_config import FastTextConfig
from wordstock.train.glove_config import GloVeConfig
from wordstock.train.ngram_config import NgramConfig
from wordstock.train.state import Progress

if TYPE_CHECKING:
    from wordstock.train.fasttext import train_fasttext
    from wordstock.train.glove import train_glove
    from wordstock.train.word2vec import train_word2vec

_HOMES = {"train_fasttext": "fasttext", "train_glove": "glove", "train_word2vec": "word2vec"}

__all__ = [
    "FastTextConfig",
    "GloVeConfig",
    "NgramConfig",
    "Progress",
    "Word2VecConfig",
    "train_fasttext",
    "train_glove",
    "train_word2vec",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'wordstock.train' has no attribute {name!r}")
    return getattr(importlib.import_module(f"wordstock.train.{home}"), name)
