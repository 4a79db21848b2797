"""Parts of texts with their vectors: tokens, words, stretches of characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from wordstock.encoders.pooling import join_pieces
from wordstock.encoders.running import Runner, blocks
from wordstock.encoders.subwords import SubwordTokenizer, Tokenized
from wordstock.encoders.words import Span, token_ranges
from wordstock.protocols import FloatArray, IntArray

__all__ = ["Parts", "Pieces"]

_TEXTS = 16384  # run at once
_CHARACTERS = 400_000  # of texts whose tokens' vectors are held at once: some 100,000 vectors


class Pieces(NamedTuple):
    """Parts of one text with their vectors.

    Parameters
    ----------
    text : each part: a token as the vocabulary writes it, or a word.
    offsets : int64 (n, 2), its characters in the text.
    vectors : float32 (n, word_dim).
    """

    text: list[str]
    offsets: IntArray
    vectors: FloatArray


class Parts:
    """What ``ContextualEncoder`` gives of parts of texts, which it has checked.

    Parameters
    ----------
    subwords : which of a word's tokens make its vector.
    dim : numbers kept of each vector.
    """

    def __init__(
        self, runner: Runner, tokenizer: SubwordTokenizer, subwords: Literal["mean", "first", "last"], dim: int
    ) -> None:
        self._runner, self._tokenizer, self._subwords, self._dim = runner, tokenizer, subwords, dim

    def tokens(self, texts: Sequence[str]) -> list[Pieces]:
        """Every token of each text."""
        out = []
        for start, stop in blocks(texts, _TEXTS, _CHARACTERS):
            tokens, vectors = self._runner.tokens(texts[start:stop], start)
            offsets = _offsets(tokens)
            for first, last in zip(tokens.bounds[:-1].tolist(), tokens.bounds[1:].tolist(), strict=True):
                text = self._tokenizer.pieces(tokens.ids[first:last])
                out.append(Pieces(text, offsets[first:last], vectors[first:last, : self._dim].copy()))
        return out

    def spans(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[FloatArray]:
        """Vectors of each text's spans."""
        out: list[FloatArray] = []
        for start, stop in blocks(texts, _TEXTS, _CHARACTERS):
            part = texts[start:stop]
            tokens, vectors = self._runner.tokens(part, start)
            lengths = np.fromiter(map(len, part), np.int64, len(part))
            first, last = token_ranges(spans[start:stop], _offsets(tokens), tokens.bounds, lengths)
            words = join_pieces(vectors[:, : self._dim], first, last, self._subwords)
            ends = np.cumsum(np.fromiter(map(len, spans[start:stop]), np.int64, len(part)))
            out += np.split(words, ends[:-1])
        return out

    def located(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[Pieces]:
        """Spans with their characters and vectors."""
        return [
            Pieces([text[a:b] for a, b in places], np.array(places, np.int64).reshape(-1, 2), vectors)
            for text, places, vectors in zip(texts, spans, self.spans(texts, spans), strict=True)
        ]


def _offsets(tokens: Tokenized) -> IntArray:
    return np.empty((0, 2), np.int64) if tokens.offsets is None else tokens.offsets
