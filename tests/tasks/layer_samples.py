"""Tables for layers: plain ones, shared rows, and one with n-grams whose words are the mean of all their rows."""

import numpy as np

from wordstock.embeddings import Embeddings, Storage
from wordstock.vocab import Subwords, Vocabulary

WORDS = ["the", "cat", "sat", "on", "a", "mat", "dog", "barks", "Zürich", "naïve", "new_york", "<unk>", "0"]


def plain(dim=6, seed=0, keys=WORDS):
    return Embeddings.from_arrays(keys, np.random.default_rng(seed).normal(size=(len(keys), dim)).astype(np.float32))


def spelling(dim=5, seed=0, keys=("cat", "cats", "dog", "river", "rivers"), buckets=40):
    """As fastText composes: a word is the mean of its own row and those of its n-grams."""
    random = np.random.default_rng(seed)
    subwords = Subwords(2, 4, buckets)
    own = random.normal(size=(len(keys), dim)).astype(np.float32)
    grams = random.normal(size=(buckets, dim)).astype(np.float32)
    rows = [np.vstack([own[i], grams[subwords.rows(key)]]).mean(axis=0) for i, key in enumerate(keys)]
    vocabulary = Vocabulary.from_keys(keys)
    table = Embeddings(vocabulary, Storage(np.array(rows)), subwords=subwords, subword_vectors=grams)
    return table, own
