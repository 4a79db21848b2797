"""Small tables of words in three topics, texts about them, and an encoder that is no table."""

from __future__ import annotations

import numpy as np

from wordstock.embeddings import Card, Embeddings

TOPICS = {
    "animal": ["cat", "dog", "horse", "cow", "sheep", "goat", "hen", "pig", "duck", "mouse"],
    "money": ["bank", "loan", "price", "coin", "cheque", "debt", "invoice", "salary", "tax", "fee"],
    "weather": ["rain", "wind", "snow", "sun", "storm", "cloud", "frost", "fog", "hail", "thunder"],
}
FILLER = ["the", "a", "is", "of", "and", "to", "in", "it", "on", "with"]


class Letters:
    """An encoder that is no table: counts of letters, folded into 16 numbers."""

    dim = 16
    fingerprint = "f" * 64

    def encode(self, texts):
        if isinstance(texts, str):
            return self.encode([texts])[0]
        out = np.zeros((len(texts), self.dim), np.float32)
        for row, text in zip(out, texts, strict=True):
            for letter in text:
                row[ord(letter) % self.dim] += 1
        return out

    def encode_words(self, sentences):
        return [self.encode(s.split() if isinstance(s, str) else list(s)) for s in sentences]


def make_table(dim: int = 12, seed: int = 0, name: str = "small") -> Embeddings:
    random = np.random.default_rng(seed)
    keys, rows = list(FILLER), [random.normal(size=dim) for _ in FILLER]
    for words in TOPICS.values():
        center = random.normal(size=dim) * 1.5
        for word in words:
            keys.append(word)
            rows.append(center + random.normal(size=dim))
    return Embeddings.from_arrays(keys, np.array(rows, np.float32), card=Card(name=name))


def make_texts(per_class: int, seed: int) -> tuple[list[str], list[str]]:
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for topic, words in TOPICS.items():
        for _ in range(per_class):
            chosen = [*random.choice(words, 2), *random.choice(FILLER, 3), random.choice(TOPICS["weather"])]
            texts.append(" ".join(random.permutation(chosen)))
            labels.append(topic)
    order = random.permutation(len(texts))
    return [texts[i] for i in order], [labels[i] for i in order]
