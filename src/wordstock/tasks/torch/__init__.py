"""Pre-trained vectors and what learns from them, as PyTorch modules.

The layer, and its batches::

    layer = emb.to_torch(trainable=False)              # True, or a number of steps after which it begins to learn
    batch = layer.batch(["a text", ["or", "words"]])   # WordBatch(ids, lengths, mask, grams, bounds), right-padded
    vectors = layer(batch)                             # (texts, words, dim); zeros where ``batch.mask`` is False
    loader = DataLoader(list(zip(texts, labels)), batch_size=32, collate_fn=layer.collate)   # (WordBatch, labels)

The heads, over these vectors or any others::

    head = build_head("bilstm", dim_in=emb.dim, n_out=6)               # or BiLSTMConfig(hidden=64, layers=2)
    scores = head(layer(batch), batch.mask)                            # (texts, 6)
    tagger = build_head("bilstm", dim_in=emb.dim, n_out=9, level="word")
    scores = tagger(layer(batch), batch.mask)                          # (texts, words, 9)
    states = tagger.features(layer(batch), batch.mask)                 # (texts, words, tagger.width), for a CRF
    vectors, mask = pad_vectors(enc.encode_words(sentences))           # frozen contextual vectors, computed once
"""

from wordstock._optional import require

require("torch", extra="torch", purpose="a PyTorch layer")

from wordstock.tasks.head_config import (  # noqa: E402  what they need has just been asked for
    BiLSTMConfig,
    CNNConfig,
    HeadConfig,
    HeadName,
    Level,
    LinearConfig,
    MLPConfig,
    Pooling,
    TransformerConfig,
    head_config,
)
from wordstock.tasks.torch.batch import Batcher, WordBatch, pad_vectors  # noqa: E402
from wordstock.tasks.torch.heads import Head, build_head, pool_words  # noqa: E402
from wordstock.tasks.torch.layer import EmbeddingLayer, TorchOptions, to_torch  # noqa: E402

__all__ = [
    "Batcher",
    "BiLSTMConfig",
    "CNNConfig",
    "EmbeddingLayer",
    "Head",
    "HeadConfig",
    "HeadName",
    "Level",
    "LinearConfig",
    "MLPConfig",
    "Pooling",
    "TorchOptions",
    "TransformerConfig",
    "WordBatch",
    "build_head",
    "head_config",
    "pad_vectors",
    "pool_words",
    "to_torch",
]
