"""A table as an encoder: texts and sentences to vectors, as its settings say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from wordstock.embeddings.config import EncodeConfig
from wordstock.embeddings.lookup import Missing, vectors_of
from wordstock.embeddings.sentence import check_texts, each_sentence, text_means, warn_blank
from wordstock.embeddings.unknown import spelled_by
from wordstock.protocols import FloatArray
from wordstock.vocab import Vocabulary

if TYPE_CHECKING:
    from wordstock.embeddings.table import Embeddings

__all__ = ["Split", "encode_sentences", "encode_texts", "splitter", "words_of"]

Split = Callable[[str], list[str]]


def splitter(vocabulary: Vocabulary, config: EncodeConfig) -> Split:
    """What cuts a text into the words that are looked up: the tokeniser, and phrases joined where they are keys."""
    tokenizer = config.tokenizer
    if config.phrases is None:
        return tokenizer
    from wordstock.vocab.phrase_keys import KeyPhrases

    join = KeyPhrases(vocabulary, config.phrases).join
    return lambda text: join(tokenizer(text))


def encode_texts(table: Embeddings, texts: str | Sequence[str], split: Split) -> FloatArray:
    """``Embeddings.encode``."""
    listed = [texts] if isinstance(texts, str) else check_texts(texts)
    spells = table.config.unknown == "subword" and table.subwords is not None
    spell = partial(spelled_by, table) if spells else None
    out, blank = text_means(listed, table.storage, table.lookup, table.row_weights, split, spell)
    if table.common is not None:
        out -= (out @ table.common.T) @ table.common
    if table.config.unit:
        norms = np.linalg.norm(out, axis=1, keepdims=True)
        np.divide(out, norms, out=out, where=norms > 0)
    warn_blank(blank, len(listed), stacklevel=4)
    return out[0] if isinstance(texts, str) else out


def encode_sentences(table: Embeddings, sentences: Sequence[str | Sequence[str]]) -> list[FloatArray]:
    """``Embeddings.encode_words``."""
    policy: Missing = "zero" if table.subwords is None else "subword"
    return [vectors_of(table, words, policy) for words in each_sentence(sentences, table.words)]


def words_of(table: Embeddings, sentence: str | Sequence[str], split: Split) -> list[str]:
    """``Embeddings.words``."""
    if isinstance(sentence, str):
        return split(sentence)
    normalize = table.config.tokenizer.normalize
    return [word if table.lookup[word] >= 0 else normalize(word) for word in check_texts(sentence, "word")]
