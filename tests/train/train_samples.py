"""A stand-in for shards: ids in memory with the attributes that training reads."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from wordstock.vocab import Vocabulary


@dataclass
class MemoryShards:
    vocabulary: Vocabulary
    arrays: list
    settings: dict = field(default_factory=dict)

    @property
    def n_tokens(self):
        return sum(int((array >= 0).sum()) for array in self.arrays)


def shards_of(sentences, pieces=1):
    """Number the words by falling count, ties by bytes, and write -1 after each sentence."""
    counts = {}
    for sentence in sentences:
        for word in sentence:
            counts[word] = counts.get(word, 0) + 1
    words = sorted(counts, key=lambda word: (-counts[word], word.encode()))
    number = {word: i for i, word in enumerate(words)}
    cuts = [len(sentences) * i // pieces for i in range(pieces + 1)]
    arrays = [
        np.array([i for sentence in sentences[a:b] for i in [*map(number.get, sentence), -1]], np.int32)
        for a, b in pairwise(cuts)
    ]
    return MemoryShards(Vocabulary.from_keys(words, counts=np.array([counts[word] for word in words])), arrays)


def topic_sentences(n=3000, topics=4, words=12, seed=3):
    """Sentences that each stay within one topic; word ``t_i`` belongs to topic t."""
    random = np.random.default_rng(seed)
    return [
        [f"{topic}_{i}" for i in random.integers(0, words, random.integers(4, 15))]
        for topic in random.integers(0, topics, n)
    ]


def purity(table):
    """Share of words whose three nearest words are of their own topic."""
    same = [n.key.split("_")[0] == key.split("_")[0] for key in table.keys for n in table.nearest(key, 3)]
    return sum(same) / len(same)
