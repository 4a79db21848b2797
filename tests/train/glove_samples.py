"""A small corpus with known clusters, in the shape of token shards."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np

from wordstock.vocab import Vocabulary

CLUSTERS, SIZE = 6, 8


def shards_of(sentences, words, arrays=2):
    """Stand-in for token shards: sentences of word numbers, cut into some arrays."""
    counts = np.bincount([w for s in sentences for w in s], minlength=words)
    order = np.argsort(-counts, kind="stable")
    new = np.empty(words, np.int32)
    new[order] = np.arange(words)
    cuts = np.linspace(0, len(sentences), arrays + 1).astype(int)
    parts = [np.array([i for s in sentences[a:b] for i in [*new[list(s)], -1]], np.int32) for a, b in pairwise(cuts)]
    keys = [f"w{w // SIZE}-{w % SIZE}" for w in order]
    return SimpleNamespace(
        vocabulary=Vocabulary.from_keys(keys, counts=counts[order].astype(np.int64)),
        arrays=parts,
        n_tokens=int(counts.sum()),
        settings={"tokenizer": {"casing": "lower"}, "min_count": 1},
    )


def clustered(sentences=1500, seed=1):
    """Most words of a sentence are from one cluster; the others from all clusters, or from a seventh of common words.

    Words of two clusters must meet now and then: GloVe learns nothing from pairs that never do.
    """
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(sentences):
        own = rng.integers(CLUSTERS) * SIZE + rng.integers(0, SIZE, 10)
        kind = rng.random(10)
        other = np.where(kind < 0.8, rng.integers(0, CLUSTERS * SIZE, 10), CLUSTERS * SIZE + rng.integers(0, SIZE, 10))
        drawn.append(np.where(kind < 0.6, own, other).tolist())
    return shards_of(drawn, (CLUSTERS + 1) * SIZE)
