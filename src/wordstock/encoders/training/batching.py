"""Texts and words as tensors for training: tokenised once, put together in any batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from wordstock.embeddings.sentence import check_texts, each_sentence
from wordstock.encoders.encoder import ContextualEncoder
from wordstock.encoders.packing import Windows, batches, cut, padded
from wordstock.encoders.subwords import Tokenized, open_tokenizer
from wordstock.encoders.words import located_words, token_ranges
from wordstock.protocols import IntArray

if TYPE_CHECKING:
    import torch

__all__ = ["Batcher", "TokenizedWords", "TrainingBatch", "WordPlaces"]


class TokenizedWords(NamedTuple):
    """Tokens of sentences, and which of them each word is made of.

    Parameters
    ----------
    tokens : of all sentences.
    first, last : int64 (words,), half-open ranges of tokens, counted from the first token of the word's sentence.
    bounds : int64 (sentences + 1,), where each sentence's words start.
    """

    tokens: Tokenized
    first: IntArray
    last: IntArray
    bounds: IntArray


class WordPlaces(NamedTuple):
    """Where the words of a batch stand.

    Parameters
    ----------
    piece : int64 tensor (pieces,), rows of the batch's states when texts and length are one axis.
    word : int64 tensor (pieces,), the word that each of them belongs to, counted over the batch.
    words : words in the batch, sentence after sentence.
    """

    piece: torch.Tensor
    word: torch.Tensor
    words: int


class TrainingBatch(NamedTuple):
    """What the model is given at once.

    Parameters
    ----------
    rows : int64 (n,), the texts, as they were numbered when they were tokenised.
    ids, mask : int64 tensors (n, length) on the module's device, padded on the right, special tokens included.
    words : of tokenised words, where each stands.
    """

    rows: IntArray
    ids: torch.Tensor
    mask: torch.Tensor
    words: WordPlaces | None = None


class Batcher:
    """Makes tokens of texts, and batches of tokens, as an encoder's settings say."""

    def __init__(self, encoder: ContextualEncoder, device: str) -> None:
        self._tokenizer = open_tokenizer(encoder.model)
        self._config, self._pad, self._device = encoder.config, encoder.model.pad_id, device
        self._room = encoder.max_length - len(self._tokenizer.prefix) - len(self._tokenizer.suffix)

    def tokenize(self, texts: Sequence[str], prompt: str | None = None) -> Tokenized:
        """As ``TrainableEncoder.tokenize``."""
        before = self._config.prompt_text(self._config.prompt if prompt is None else prompt)
        return self._cut(self._tokenizer.tokenize([before + text for text in check_texts(texts)]))

    def tokenize_words(self, sentences: Sequence[str | Sequence[str]]) -> TokenizedWords:
        """As ``TrainableEncoder.tokenize_words``."""
        found = each_sentence(sentences, lambda one: located_words(one, self._config.tokenizer))
        texts, spans = [text for text, _ in found], [places for _, places in found]
        tokens = self._tokenizer.tokenize(texts, offsets=True)
        offsets = np.empty((0, 2), np.int64) if tokens.offsets is None else tokens.offsets
        lengths = np.array([len(text) for text in texts], np.int64)
        first, last = token_ranges(spans, offsets, tokens.bounds, lengths)
        counts = np.array([len(places) for places in spans], np.int64)
        bases = np.repeat(tokens.bounds[:-1], counts)
        first, last = np.minimum(first - bases, self._room), np.minimum(last - bases, self._room)
        if self._config.subwords == "first":
            last = np.minimum(last, first + 1)
        elif self._config.subwords == "last":
            first = np.maximum(first, last - 1)
        bounds = np.concatenate([[0], np.cumsum(counts)])
        return TokenizedWords(self._cut(Tokenized(tokens.ids, tokens.bounds)), first, last, bounds)

    def batch(self, tokens: Tokenized | TokenizedWords, rows: Sequence[int] | IntArray) -> TrainingBatch:
        """As ``TrainableEncoder.batch``."""
        words = tokens if isinstance(tokens, TokenizedWords) else None
        plain = tokens.tokens if isinstance(tokens, TokenizedWords) else tokens
        made = padded(
            _windows(plain), np.asarray(rows, np.int64), self._tokenizer.prefix, self._tokenizer.suffix, self._pad
        )
        places = None if words is None else self._places(words, made.windows, made.ids.shape[1])
        return TrainingBatch(made.windows, self._tensor(made.ids), self._tensor(made.mask), places)

    def batches(self, tokens: Tokenized | TokenizedWords, budget: int) -> Iterator[TrainingBatch]:
        """As ``TrainableEncoder.batches``."""
        plain = tokens.tokens if isinstance(tokens, TokenizedWords) else tokens
        for made in batches(_windows(plain), self._tokenizer.prefix, self._tokenizer.suffix, self._pad, budget):
            yield self.batch(tokens, made.windows)

    def _cut(self, tokens: Tokenized) -> Tokenized:
        windows = cut(tokens.ids, tokens.bounds, self._room, windows=False)
        if not windows.truncated:
            return tokens
        kept = np.concatenate([np.arange(a, b) for a, b in zip(windows.start, windows.stop, strict=True)])
        return Tokenized(tokens.ids[kept], np.concatenate([[0], np.cumsum(windows.lengths)]))

    def _places(self, words: TokenizedWords, rows: IntArray, length: int) -> WordPlaces:
        numbers = np.concatenate([np.arange(words.bounds[row], words.bounds[row + 1]) for row in rows])
        place = np.repeat(np.arange(len(rows)), words.bounds[rows + 1] - words.bounds[rows])
        pieces = np.maximum(words.last[numbers] - words.first[numbers], 0)
        start = place * length + len(self._tokenizer.prefix) + words.first[numbers]
        within = np.arange(int(pieces.sum())) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        word = np.repeat(np.arange(len(numbers)), pieces)
        return WordPlaces(self._tensor(np.repeat(start, pieces) + within), self._tensor(word), len(numbers))

    def _tensor(self, array: IntArray) -> torch.Tensor:
        import torch

        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)


def _windows(tokens: Tokenized) -> Windows:
    count = len(tokens.bounds) - 1
    return Windows(tokens.ids, np.arange(count), tokens.bounds[:-1], tokens.bounds[1:], np.zeros(count, np.int64))
