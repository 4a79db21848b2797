"""Raw text to sentences of words, each with its characters in the text as it was given."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from wordstock.encoders.words import word_spans
from wordstock.text import Tokenizer
from wordstock.text.sentences import split_sentences

__all__ = ["SplitText", "TextSpan", "split_text"]


class TextSpan(NamedTuple):
    """A stretch of a text: characters ``start`` to ``stop``, the last one excluded, its label and the text itself."""

    start: int
    stop: int
    label: str
    text: str


class SplitText(NamedTuple):
    """Words of each sentence, and of each word its characters (start, stop)."""

    sentences: list[list[str]]
    offsets: list[list[tuple[int, int]]]


def split_text(text: str, tokenizer: Tokenizer) -> SplitText:
    """Sentences by punctuation, words by the tokeniser.

    Offsets count in ``text`` as it is, also where it is not in Unicode NFC, as the words are.
    """
    composed, places = _composed(text)
    sentences: list[list[str]] = []
    offsets: list[list[tuple[int, int]]] = []
    at = 0
    for sentence in split_sentences(composed):
        begin = composed.index(sentence, at)
        at = begin + len(sentence)
        spans = word_spans(sentence, tokenizer)
        if not spans:
            continue
        words = tokenizer(sentence)
        sentences.append(words if len(words) == len(spans) else [sentence[a:b] for a, b in spans])
        offsets.append([(places[begin + a], places[begin + b]) for a, b in spans])
    return SplitText(sentences, offsets)


def _composed(text: str) -> tuple[str, list[int]]:
    """The text in NFC, and where each of its characters begins in ``text``, with the end of the last one."""
    if unicodedata.is_normalized("NFC", text):
        return text, list(range(len(text) + 1))
    composed: list[str] = []
    places: list[int] = []
    at = 0
    while at < len(text):
        stop = at + 1
        while stop < len(text) and _joins(text[stop]):
            stop += 1
        piece = unicodedata.normalize("NFC", text[at:stop])
        composed.append(piece)
        last = stop - 1 if piece[0] == text[at] else at  # what did not compose keeps places of its own
        places += [min(at + number, last) for number in range(len(piece))]
        at = stop
    return "".join(composed), [*places, len(text)]


def _joins(character: str) -> bool:
    """Whether it may compose with the one before it: marks, and the vowels and closing consonants of Hangul."""
    first = unicodedata.normalize("NFD", character)[0]  # some marks are marks only when taken apart
    return bool(unicodedata.combining(first)) or "\u1160" <= first <= "\u11ff"
