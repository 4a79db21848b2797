"""The vocabulary: which words there are, how often each was seen, and what it is made of.

``count_words``, ``build_shards`` and the rest of what turns a corpus into ids loads compiled code, so those names are
resolved on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from wordstock.vocab.key_view import KeyView
from wordstock.vocab.subwords import Subwords
from wordstock.vocab.vocabulary import Vocabulary

if TYPE_CHECKING:
    from wordstock.vocab.baskets import item_sequences
    from wordstock.vocab.counting import count_words
    from wordstock.vocab.id_source import IdSource
    from wordstock.vocab.phrases import Phrases, PhraseSettings
    from wordstock.vocab.shards import TokenShards, build_shards, open_shards
    from wordstock.vocab.walks import GraphWalks

_HOMES = {
    "GraphWalks": "walks",
    "IdSource": "id_source",
    "Phrases": "phrases",
    "PhraseSettings": "phrases",
    "TokenShards": "shards",
    "build_shards": "shards",
    "count_words": "counting",
    "item_sequences": "baskets",
    "open_shards": "shards",
}

__all__ = [
    "GraphWalks",
    "IdSource",
    "KeyView",
    "Phrases",
    "PhraseSettings",
    "Subwords",
    "TokenShards",
    "Vocabulary",
    "build_shards",
    "count_words",
    "item_sequences",
    "open_shards",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'wordstock.vocab' has no attribute {name!r}")
    return getattr(importlib.import_module(f"wordstock.vocab.{home}"), name)
