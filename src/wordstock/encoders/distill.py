"""A static table out of any encoder: hundreds of times as fast, with most of its quality for whole texts.

Each word gets one vector: that of the word alone, as model2vec does (Tulkens & van Dongen 2024), or the mean over its
occurrences in a corpus (Bommasani, Davis & Cardie 2020). The vectors are centred and turned to their principal
components, and the table weighs words by their frequency (SIF, Arora et al. 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from os import PathLike
from typing import NamedTuple

import numpy as np

from wordstock._paths import user_path
from wordstock._settings import check_number, check_type, check_whole, plain
from wordstock.embeddings import Card, Embeddings, EncodeConfig
from wordstock.embeddings.storage import BLOCK_ROWS, Storage
from wordstock.encoders.occurrences import average_occurrences
from wordstock.errors import InputError
from wordstock.protocols import Encoder, FloatArray
from wordstock.text import Tokenizer
from wordstock.vocab import TokenShards, Vocabulary, count_words, open_shards

__all__ = ["distill"]

Report = Callable[[int, int | None], object]
Given = Iterable[str] | Vocabulary | Embeddings
Corpus = TokenShards | PathLike[str] | str | Iterable[str | Sequence[str]]

_BLOCK = 4096  # words given to the encoder at once
_ALONE = (
    "Tulkens & van Dongen (2024), Model2Vec: Fast State-of-the-Art Static Embeddings; "
    "Arora, Liang & Ma (2017), A Simple but Tough-to-Beat Baseline for Sentence Embeddings, ICLR"
)
_IN_CONTEXT = (
    "Bommasani, Davis & Cardie (2020), Interpreting Pretrained Contextualized Representations via Reductions to "
    "Static Embeddings, ACL"
)


class Words(NamedTuple):
    """The words to distil.

    Parameters
    ----------
    vocabulary : the words, with counts where they are known.
    frequencies : float32 (n,), each word's share of a corpus; None takes it from counts or, without, from the order.
    config : how the table will turn text into these words.
    """

    vocabulary: Vocabulary
    frequencies: FloatArray | None
    config: EncodeConfig


def distill(
    encoder: Encoder,
    vocabulary: Given | None = None,
    *,
    corpus: Corpus | None = None,
    dim: int | None = 256,
    sif_a: float | None = 1e-3,
    min_count: int = 5,
    max_size: int | None = 100_000,
    max_occurrences: int = 20,
    tokenizer: Tokenizer | None = None,
    progress: Report | None = None,
) -> Embeddings:
    """Make a table of an encoder's word vectors.

    Parameters
    ----------
    encoder : anything with ``encode`` and ``encode_words``.
    vocabulary : the words: a list, a ``Vocabulary`` or a table, whose keys are taken. Without counts the order counts:
        the most frequent first. None takes the words of ``corpus``.
    corpus : texts, or sentences as lists of words; shards of token ids, or the folder they are in. Each word's vector
        is then the mean of its vectors in context (``encoder.encode_words``) instead of ``encoder.encode`` of the word
        alone. Texts are cut into stretches of at most 256 words. Read twice where ``vocabulary`` is None. A word of
        ``vocabulary`` that the corpus lacks is taken as a sentence of its own.
    dim : the vectors are centred and turned to this many principal components, or to all there are if those are fewer.
        None leaves them as the encoder gives them.
    sif_a : a of the weight a / (a + p(word)) with which the table averages words; None weighs all alike.
    min_count, max_size : which words of the corpus are taken, where ``vocabulary`` is None.
    max_occurrences : of each word, the first so many in the corpus; sentences without a word that is still wanted are
        not run.
    tokenizer : splits texts of the corpus, now, and later those that the table encodes. None takes that of the table
        or shards given, or the default one.
    progress : called with how many words (without corpus) or sentences are done, and how many there are, or None.

    Returns
    -------
    A float32 table in memory. Words for which the encoder gives a zero vector are left out; ``card.notes`` counts them.
    ``frequencies`` come from the counts of ``vocabulary``, else from the corpus, else by Zipf's law from the order.

    Raises
    ------
    InputError
        Something that is no encoder, neither vocabulary nor corpus, nothing in them, a setting out of range, or a
        corpus that can be read only once where it must be read twice.
    """
    check_type("encoder", encoder, Encoder, "an encoder, such as wordstock.load gives")
    check_type("tokenizer", tokenizer, Tokenizer | None, "a wordstock.text.Tokenizer or None")
    check_whole("dim", dim, 1, optional=True)
    check_whole("max_occurrences", max_occurrences, 1)
    check_whole("min_count", min_count, 1)
    check_whole("max_size", max_size, 1, optional=True)
    check_number("sif_a", sif_a, 0, optional=True)
    dim, max_occurrences, sif_a = plain(dim), plain(max_occurrences), plain(sif_a)
    if corpus is None:
        if vocabulary is None:
            raise InputError("distill needs words: give vocabulary=, corpus=, or both")
        words = _given_words(vocabulary, tokenizer)
        vectors = _alone(encoder, words, progress)
        method, citation = "words alone", _ALONE
    else:
        sentences, vocabulary, tokenizer = _opened(corpus, vocabulary, tokenizer)
        if vocabulary is None:
            words = _counted_words(sentences, tokenizer, min_count, max_size)
        else:
            words = _given_words(vocabulary, tokenizer)
        found = average_occurrences(
            encoder, words.vocabulary, sentences, words.config.tokenizer, max_occurrences, progress
        )
        vectors = found.vectors
        if words.vocabulary.counts is None and words.frequencies is None and found.counts.any():
            words = words._replace(frequencies=(found.counts / found.counts.sum()).astype(np.float32))
        method, citation = f"words in context, up to {max_occurrences} of each", _IN_CONTEXT
    return _table(encoder, words, vectors, dim, sif_a, method, citation)


def _opened(
    corpus: Corpus, vocabulary: Given | None, tokenizer: Tokenizer | None
) -> tuple[Iterable[str | Sequence[str]], Given | None, Tokenizer | None]:
    """Sentences; of shards also the words and the tokeniser that they were made with, where the caller gives none."""
    if isinstance(corpus, str | PathLike):
        if not user_path(corpus, "corpus").is_dir():
            raise InputError(f"corpus={str(corpus)!r:.80} is not a folder of shards; pass texts or sentences as a list")
        corpus = open_shards(user_path(corpus))
    if isinstance(corpus, TokenShards):
        return (
            corpus.sentences(),
            corpus.vocabulary if vocabulary is None else vocabulary,
            tokenizer or corpus.tokenizer,
        )
    check_type("corpus", corpus, Iterable, "texts, sentences or shards")
    if vocabulary is None and iter(corpus) is corpus:
        raise InputError(
            "the corpus is an iterator, which can be read only once, but its words are counted first: pass a list, "
            "an object that can be iterated anew, or vocabulary="
        )
    return corpus, vocabulary, tokenizer


def _given_words(vocabulary: Given, tokenizer: Tokenizer | None) -> Words:
    given: object = vocabulary
    if isinstance(given, str):
        raise InputError("vocabulary is a single str; pass a list of words")
    if isinstance(given, bytes) or not isinstance(given, Iterable | Vocabulary | Embeddings):
        raise InputError(f"vocabulary must be words, a Vocabulary or a table, not {type(given).__name__}")
    frequencies = config = None
    if isinstance(vocabulary, Embeddings):
        config = replace(vocabulary.config, unknown="skip")  # its n-grams do not follow
        if vocabulary.vocabulary.counts is None:
            frequencies = vocabulary.given_frequencies
        found = _bare(vocabulary.vocabulary)
    elif isinstance(vocabulary, Vocabulary):
        found = _bare(vocabulary)
    else:
        found = Vocabulary.from_keys(vocabulary)
    if not len(found):
        raise InputError("the vocabulary is empty; give some words")
    config = config or EncodeConfig.for_keys(found.keys)
    return Words(found, frequencies, config if tokenizer is None else replace(config, tokenizer=tokenizer))


def _bare(vocabulary: Vocabulary) -> Vocabulary:
    """The same keys, each with a row of its own."""
    if vocabulary.rows is None:
        return vocabulary
    return Vocabulary(vocabulary.blob, vocabulary.offsets, slots=vocabulary.slots, counts=vocabulary.counts)


def _counted_words(
    corpus: Iterable[str | Sequence[str]], tokenizer: Tokenizer | None, min_count: int, max_size: int | None
) -> Words:
    tokenizer = tokenizer or Tokenizer()
    found = count_words(corpus, min_count=min_count, max_size=max_size, tokenizer=tokenizer)
    return Words(found, None, EncodeConfig(tokenizer=tokenizer))


def _alone(encoder: Encoder, words: Words, progress: Report | None) -> FloatArray:
    """``encoder.encode`` of each word, the short ones first; float32 (n, dim)."""
    texts = list(words.vocabulary.keys)
    if words.config.phrases is not None:
        texts = [text.replace(words.config.phrases, " ") for text in texts]
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    vectors: FloatArray | None = None
    for start in range(0, len(order), _BLOCK):
        numbers = order[start : start + _BLOCK]
        found = encoder.encode([texts[number] for number in numbers])
        if vectors is None:
            vectors = np.empty((len(texts), found.shape[1]), np.float32)
        vectors[numbers] = found
        if progress is not None:
            progress(start + len(numbers), len(texts))
    if vectors is None:
        raise InputError("the vocabulary is empty; give some words")
    return vectors


def _table(
    encoder: Encoder,
    words: Words,
    vectors: FloatArray,
    dim: int | None,
    sif_a: float | None,
    method: str,
    citation: str,
) -> Embeddings:
    vocabulary, frequencies = words.vocabulary, words.frequencies
    Embeddings(vocabulary, Storage(vectors)).check_finite()
    kept = np.flatnonzero(vectors.any(axis=1))
    notes: tuple[str, ...] = ()
    if len(kept) < len(vectors):
        if not len(kept):
            raise InputError(f"the encoder gives a zero vector for each of the {len(vectors):,} words")
        notes = (f"{len(vectors) - len(kept):,} words were left out: the encoder has no vector for them",)
        if vocabulary.counts is None and frequencies is None:
            frequencies = Embeddings(vocabulary, Storage(vectors)).frequencies
        vocabulary, vectors = vocabulary.select(kept), vectors[kept]
        frequencies = None if frequencies is None else frequencies[kept]
    if dim is not None:
        vectors = principal_components(vectors, dim)
    config = (
        replace(words.config, pooling="mean") if sif_a is None else replace(words.config, pooling="sif", sif_a=sif_a)
    )
    return Embeddings(
        vocabulary,
        Storage(vectors),
        card=_card(encoder, config, method, citation, dim, notes),
        config=config,
        frequencies=frequencies,
    )


def _card(
    encoder: Encoder, config: EncodeConfig, method: str, citation: str, dim: int | None, notes: tuple[str, ...]
) -> Card:
    source = getattr(encoder, "card", None)
    source = source if isinstance(source, Card) else Card()
    return Card(
        name=f"{source.name}-distilled" if source.name else "",
        licence=source.licence,
        source=f"distilled from {source.name or type(encoder).__name__}",
        language=source.language,
        casing=config.tokenizer.casing,
        tokenizer=config.tokenizer.to_dict(),
        training={
            "algorithm": "distillation",
            "encoder": source.name or type(encoder).__name__,
            "encoder_fingerprint": encoder.fingerprint,
            "method": method,
            "principal_components": dim,
        },
        citation=citation,
        notes=notes,
    )


def principal_components(vectors: FloatArray, dim: int) -> FloatArray:
    """The vectors less their mean, in the directions of greatest variance: float32 (n, min(dim, columns)).

    The directions are the eigenvectors of the covariance, summed in float64; each has its largest number positive.
    With all of them the inner products of the centred vectors are kept.
    """
    columns = vectors.shape[1]
    total, products = np.zeros(columns), np.zeros((columns, columns))
    for start in range(0, len(vectors), BLOCK_ROWS):
        wide = vectors[start : start + BLOCK_ROWS].astype(np.float64)
        total += wide.sum(axis=0)
        products += wide.T @ wide
    mean = total / len(vectors)
    directions = np.linalg.eigh(products / len(vectors) - np.outer(mean, mean))[1][:, ::-1][:, :dim]
    largest = np.abs(directions).argmax(axis=0)
    directions = directions * np.sign(directions[largest, np.arange(directions.shape[1])])
    out = np.empty((len(vectors), directions.shape[1]), np.float32)
    for start in range(0, len(vectors), BLOCK_ROWS):
        block = vectors[start : start + BLOCK_ROWS]
        out[start : start + len(block)] = (block - mean) @ directions
    return out
