"""Small labelled texts whose classes share words of a table, for reports of seconds."""

import numpy as np

import wordstock as ws

TOPICS = {
    "money": ["euro", "dollar", "price", "cost", "cheap", "pay"],
    "travel": ["train", "plane", "hotel", "ticket", "road", "trip"],
    "food": ["bread", "soup", "cheese", "apple", "cook", "taste"],
}
FILLER = ["the", "of", "and", "to", "in", "is"]


def table(dim=16, seed=0):
    """Words of one topic lie around one point, so that a few labels are enough."""
    random = np.random.default_rng(seed)
    keys, rows = list(FILLER), [random.standard_normal((len(FILLER), dim))]
    for words in TOPICS.values():
        keys += words
        rows.append(random.standard_normal(dim) * 1.5 + 0.5 * random.standard_normal((len(words), dim)))
    return ws.Embeddings.from_arrays(keys, np.concatenate(rows).astype(np.float32), card=ws.Card(name="topics"))


def texts(count, seed):
    """(texts, labels): two words of a topic among four that say nothing."""
    random = np.random.default_rng(seed)
    labels = [str(random.choice(sorted(TOPICS))) for _ in range(count)]
    made = [
        " ".join(random.permutation([*random.choice(TOPICS[label], 2), *random.choice(FILLER, 4)])) for label in labels
    ]
    return made, labels
