"""Where words stand in a text, and which of the model's tokens they are made of."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from operator import index

import numpy as np

from wordstock.embeddings.sentence import check_texts
from wordstock.errors import InputError
from wordstock.protocols import IntArray
from wordstock.text import Tokenizer

__all__ = ["Span", "checked_spans", "joined", "located_words", "token_ranges", "word_spans"]

Span = tuple[int, int]


def located_words(sentence: str | Sequence[str], tokenizer: Tokenizer) -> tuple[str, list[Span]]:
    """A sentence as one text, and where its words stand in it.

    Parameters
    ----------
    sentence : words, which are put together with spaces, or a str, which is brought to Unicode NFC and split.

    Raises
    ------
    InputError
        A sentence that is neither, or holds something else than str.
    """
    if isinstance(sentence, str):
        text = sentence if sentence.isascii() else unicodedata.normalize("NFC", sentence)
        return text, word_spans(text, tokenizer)
    return joined(check_texts(sentence, "word"))


def joined(words: Sequence[str]) -> tuple[str, list[Span]]:
    """Words put together with single spaces, and where each then stands."""
    spans, at = [], 0
    for word in words:
        spans.append((at, at + len(word)))
        at += len(word) + 1
    return " ".join(words), spans


def checked_spans(texts: Sequence[str], spans: object) -> list[list[Span]]:
    """The spans of each text as pairs of ints.

    Raises
    ------
    InputError
        Another number of lists than texts, or a span that is no pair, empty or outside of its text.
    """
    if not isinstance(spans, Iterable):
        raise InputError(f"spans={spans!r:.80}: needs a list of pairs (start, stop) for each text")
    given = list(spans)
    if len(given) != len(texts):
        raise InputError(f"{len(texts)} texts but {len(given)} lists of spans; give one for each text")
    return [_pairs(places, text, position) for position, (text, places) in enumerate(zip(texts, given, strict=True))]


def _pairs(places: object, text: str, position: int) -> list[Span]:
    if isinstance(places, str | Mapping) or not isinstance(places, Iterable):
        raise InputError(f"spans of the text at position {position}: needs pairs (start, stop), not {places!r:.80}")
    pairs = []
    for place in places:
        try:
            start, stop = map(index, place)
        except (TypeError, ValueError):
            raise InputError(
                f"span {place!r:.80} of the text at position {position}: needs a pair of whole numbers, start and stop"
            ) from None
        if not 0 <= start < stop <= len(text):
            raise InputError(
                f"span ({start}, {stop}) of the text at position {position}: needs 0 <= start < stop <= {len(text)}"
            )
        pairs.append((start, stop))
    return pairs


def word_spans(text: str, tokenizer: Tokenizer) -> list[Span]:
    """Where the tokeniser's words stand in ``text``, which must be in Unicode NFC.

    Its casing is ignored: it would change no border of a word.

    Raises
    ------
    InputError
        A splitter of the user's own gave a word that does not stand in the text.
    """
    words = replace(tokenizer, casing="keep")(text)
    if tokenizer.split != "words":
        return _found(text, words)
    # The tokeniser drops nothing but spaces, so that counting the other characters finds every word again.
    places = [at for at, letter in enumerate(text) if not letter.isspace()]
    spans, used = [], 0
    for word in words:
        size = len(word) if word.isalnum() else sum(not letter.isspace() for letter in word)
        spans.append((places[used], places[used + size - 1] + 1))
        used += size
    return spans


def _found(text: str, words: Sequence[str]) -> list[Span]:
    spans, at = [], 0
    for word in words:
        start = text.find(word, at)
        if start < 0:
            raise InputError(
                f"the splitter gave {word!r:.80}, which does not stand in {text!r:.80} after character {at}; "
                "pass lists of words instead of texts"
            )
        at = start + len(word)
        spans.append((start, at))
    return spans


def token_ranges(
    spans: Sequence[Sequence[Span]], offsets: IntArray, bounds: IntArray, lengths: IntArray
) -> tuple[IntArray, IntArray]:
    """The tokens that share a character with each span, as half-open ranges of rows, int64 (spans of all texts,).

    Parameters
    ----------
    spans : of each text, in characters.
    offsets, bounds : of the tokens of all texts, as in ``Tokenized``.
    lengths : characters of each text.
    """
    bases = np.cumsum(lengths + 1) - (lengths + 1)  # all texts in one row of characters, with a gap between them
    counts = np.fromiter(map(len, spans), np.int64, len(spans))
    flat = np.fromiter(chain.from_iterable(chain.from_iterable(spans)), np.int64, 2 * int(counts.sum())).reshape(-1, 2)
    flat = flat + np.repeat(bases, counts)[:, None]
    places = offsets + np.repeat(bases, np.diff(bounds))[:, None]
    first = np.searchsorted(places[:, 1], flat[:, 0], "right")
    last = np.searchsorted(places[:, 0], flat[:, 1], "left")
    return first, np.where(flat[:, 1] > flat[:, 0], np.maximum(last, first), first)
