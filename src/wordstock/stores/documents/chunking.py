"""Texts to chunks that an encoder takes in whole: sentences packed to a number of tokens, with an overlap."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from wordstock.errors import InputError
from wordstock.stores.checking import MAX_TEXT
from wordstock.text import Tokenizer, sentence_spans

__all__ = ["Chunk", "ChunkSettings", "TokenCounter", "chunk_text"]

TokenCounter = Callable[[list[str]], Sequence[int]]  # texts to the number of tokens of each

_PIECE = 32  # characters of an unbroken run, such as a line of Chinese or a URL, that are never parted
_WIDEST = 4  # bytes of a character in UTF-8 at most


class Chunk(NamedTuple):
    """A part of a text: ``text[start:stop]``, in characters."""

    start: int
    stop: int


@dataclass(frozen=True)
class ChunkSettings:
    """How texts are cut.

    Parameters
    ----------
    size : tokens of a chunk at most. Encoders such as MiniLM see 256 word pieces, about 200 words of English.
    overlap : tokens at the end of a chunk that the next one begins with, in whole sentences: at most this many. None is
        a fifth of the size.

    Raises
    ------
    InputError
        A size below 1, an overlap below 0 or of more than half the size.
    """

    size: int = 160
    overlap: int | None = None

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InputError(f"size={self.size}: a chunk holds at least 1 token")
        if self.overlap is not None and not 0 <= self.overlap <= self.size // 2:
            raise InputError(f"overlap={self.overlap}: from 0 to half the size, {self.size // 2}")

    @property
    def shared(self) -> int:
        """The overlap in tokens."""
        return self.size // 5 if self.overlap is None else self.overlap


def chunk_text(
    text: str,
    settings: ChunkSettings | None = None,
    *,
    spans: Sequence[tuple[int, int]] | None = None,
    count: TokenCounter | None = None,
) -> list[Chunk]:
    """The chunks of ``text`` in order: whole sentences while they fit, a longer sentence cut between words.

    They also fit into the text field of a store, 65,535 bytes of UTF-8, however few tokens that are. Nothing but white
    space is left out: every other character is in at least one chunk.

    Parameters
    ----------
    spans : parts of the text, such as sections or pages, that no chunk crosses; None for the whole text.
    count : counts the tokens of each of some texts; None counts those of ``Tokenizer()``. A sum over sentences stands
        for the count of a chunk.

    Returns
    -------
    list of Chunk, offsets in characters of ``text``.
    """
    settings = ChunkSettings() if settings is None else settings
    count = _words if count is None else count
    chunks: list[Chunk] = []
    for start, stop in [(0, len(text))] if spans is None else spans:
        found = [(start + a, start + b) for a, b in sentence_spans(text[start:stop])]
        chunks += _packed(text, _units(text, found, settings, count), settings)
    return chunks


class _Unit(NamedTuple):
    start: int
    stop: int
    tokens: int


def _words(texts: list[str]) -> list[int]:
    tokenizer = Tokenizer()
    return [len(tokenizer(text)) for text in texts]


def _units(text: str, spans: Sequence[tuple[int, int]], settings: ChunkSettings, count: TokenCounter) -> list[_Unit]:
    """Sentences, or the words of one that is too long, with their tokens."""
    units: list[_Unit] = []
    word = re.compile(rf"\S{{1,{min(_PIECE, settings.size)}}}")
    for (start, stop), tokens in zip(spans, count([text[a:b] for a, b in spans]) if spans else [], strict=True):
        if tokens <= settings.size and _stored(text, start, stop):
            units.append(_Unit(start, stop, int(tokens)))
            continue
        words = [match.span() for match in word.finditer(text, start, stop)]
        sizes = count([text[a:b] for a, b in words])
        units += [_Unit(a, b, int(size)) for (a, b), size in zip(words, sizes, strict=True)]
    return units


def _stored(text: str, start: int, stop: int) -> bool:
    """Whether a store's text field holds ``text[start:stop]``."""
    most = _WIDEST * (stop - start)
    return most <= MAX_TEXT or (
        stop - start <= MAX_TEXT and len(text[start:stop].encode("utf-8", "replace")) <= MAX_TEXT
    )


def _packed(text: str, units: list[_Unit], settings: ChunkSettings) -> list[Chunk]:
    chunks: list[Chunk] = []
    first = total = 0  # units[first:here] hold ``total`` tokens and are the open chunk
    for here, unit in enumerate(units):
        full = total + unit.tokens > settings.size
        if here > first and (full or not _stored(text, units[first].start, unit.stop)):
            chunks.append(Chunk(units[first].start, units[here - 1].stop))
            # Where few tokens fill the field, as large a part of them is shared as of a whole chunk.
            shared = settings.shared if full else settings.shared * total // settings.size
            first, total = here, 0
            while (
                first > 0
                and units[first - 1].start > chunks[-1].start
                and total + units[first - 1].tokens <= shared
                and total + units[first - 1].tokens + unit.tokens <= settings.size
                and _stored(text, units[first - 1].start, unit.stop)
            ):
                first -= 1
                total += units[first].tokens
        total += unit.tokens
    if units:
        chunks.append(Chunk(units[first].start, units[-1].stop))
    return chunks
