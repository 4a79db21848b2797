"""A small language with two kinds of names in it, and a tiny contextual model that reads it."""

from __future__ import annotations

import json

import numpy as np
from topic_samples import FILLER, TOPICS

from wordstock.tasks.tagging import tags_of

ANIMALS, MONEY, WEATHER = (TOPICS[name] for name in ("animal", "money", "weather"))


def tagged(count, seed, scheme="iob2"):
    """Sentences with BEAST, one animal, and DEAL, a money word and a weather word; both of either are none alone."""
    random = np.random.default_rng(seed)
    sentences, tags = [], []
    for _ in range(count):
        words, spans = [], []
        for kind in random.choice(["beast", "deal", "money", "filler", "filler"], random.integers(2, 6)):
            if kind == "beast":
                spans.append((len(words), len(words) + 1, "BEAST"))
                words.append(str(random.choice(ANIMALS)))
            elif kind == "deal":
                spans.append((len(words), len(words) + 2, "DEAL"))
                words += [str(random.choice(MONEY)), str(random.choice(WEATHER))]
            else:
                words.append(str(random.choice(MONEY if kind == "money" else FILLER)))
                words.append(str(random.choice(FILLER)))
        sentences.append(words)
        tags.append(tags_of(spans, len(words), scheme))
    return sentences, tags


def build_bert(folder):
    """A random BERT whose tokens are the words of the language; written as ``save_pretrained`` does."""
    import tokenizers
    import torch
    import transformers

    words = [*FILLER, *ANIMALS, *MONEY, *WEATHER, "."]
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words])}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    torch.manual_seed(3)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_attention_heads=4,
        intermediate_size=48,
        num_hidden_layers=2,
        max_position_embeddings=32,
    )
    folder.mkdir(parents=True, exist_ok=True)
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}), encoding="utf-8")
    return folder
