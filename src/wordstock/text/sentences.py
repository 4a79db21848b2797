"""Paragraphs to sentences, by punctuation alone: no language is asked for and nothing is dropped but spaces.

A sentence ends at ``. ! ? …`` and their relatives, with any closing quotes and brackets, where a space and something
that can begin a sentence follow; at the full stops of East Asian, Indic, Burmese, Khmer, Ethiopic, Arabic and
Tibetan writing wherever they stand; and at a blank line. A dot after a single letter (``J. Smith``, ``e.g.``), after
a number that begins the line (``1. First``), or before a lower-case letter ends nothing. Titles such as ``Dr.`` do:
without word lists the cost of a wrong cut is one context window across it, in training as in encoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from wordstock.errors import InputError

__all__ = ["sentence_spans", "split_sentences", "stream_sentences"]

_CLOSING = "\"'”’»)\\]}›"
_BREAK = re.compile(
    rf"(?<![.!?…])[.!?…]++[{_CLOSING}]*+(?=\s)|[。！？｡][”’」』）】]*|[।॥၊။។៕።፧؟۔།]+[{_CLOSING}]*|\n[^\S\n]*(?=\n)"
)
_INITIAL = re.compile(r"(?:^|[\s.(\[“\"'-])[^\W\d_]\.$|^\s*\d+\.$")
_LOOK_BACK = 24  # characters before a dot that are looked at


def split_sentences(text: str) -> list[str]:
    """The sentences of ``text`` in order, stripped; a text without a full stop is one sentence.

    Raises
    ------
    InputError
        ``text`` is not a str.
    """
    return [text[start:stop] for start, stop in sentence_spans(text)]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Where the sentences of ``split_sentences`` stand: (first character, the one after the last), in order.

    Raises
    ------
    InputError
        ``text`` is not a str.
    """
    if not isinstance(text, str):
        raise InputError(f"a text must be a str, not {type(text).__name__}: {text!r:.80}")
    found: list[tuple[int, int]] = []
    start = 0
    for match in _BREAK.finditer(text):
        if _ends(text, start, match.start(), match.end()):
            found.append((start, match.end()))
            start = match.end()
    found.append((start, len(text)))
    return [span for one in found if (span := _stripped(text, *one))[0] < span[1]]


def stream_sentences(texts: Iterable[str]) -> Iterator[str]:
    """The sentences of each text, one after the other.

    Raises
    ------
    InputError
        An item that is not a str.
    """
    for text in texts:
        yield from split_sentences(text)


def _stripped(text: str, start: int, stop: int) -> tuple[int, int]:
    piece = text[start:stop]
    begin = start + len(piece) - len(piece.lstrip())
    return begin, max(begin, start + len(piece.rstrip()))


def _ends(text: str, start: int, mark: int, stop: int) -> bool:
    if text[mark] not in ".!?…":
        return True
    follows = text[stop : stop + _LOOK_BACK].lstrip()
    if follows[:1].islower():
        return False
    if text[mark] == "." and stop == mark + 1:
        return not _INITIAL.search(text[max(start, stop - _LOOK_BACK) : stop])
    return True
