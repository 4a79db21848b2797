"""Sentences packed into blocks of bytes, which compiled code then folds, splits and numbers without Python's lock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple

from wordstock.errors import InputError
from wordstock.protocols import TextBlock
from wordstock.text import Tokenizer
from wordstock.text.scripts import END, has_unspaced

__all__ = ["Batch", "Sentences", "batches"]

Sentences = Iterable[str | Sequence[str] | TextBlock]
Kind = Literal["texts", "lines", "words"]

_SIZE = 3 << 17  # bytes in a batch, about
_SURROGATE = re.compile("[\ud800-\udfff]")
_FIRST, _MOST = 16, 1024  # sentences taken at once
_END = chr(END)  # a space to the tokeniser
_UNIT = "\x1f"
_BETWEEN: dict[Kind, bytes] = {"texts": _END.encode(), "lines": b"", "words": b""}


class Batch(NamedTuple):
    """Whole sentences as bytes.

    data : UTF-8, not yet normalised.
    kind : "texts" are parted by U+001E, "lines" by newlines; of "words" each is followed by byte 0xFF, the last of a
        sentence by 0xFE.
    """

    data: bytes | memoryview
    kind: Kind


def batches(sentences: Sentences, tokenizer: Tokenizer) -> Iterator[Batch]:
    """Pack sentences in order. A str is text, a sequence of str is words; lone surrogates become U+FFFD.

    Raises
    ------
    InputError
        A sentence that is neither, or a word that is not a str; its position is named.
    """
    packer = _Packer(tokenizer)
    iterator = iter(sentences)
    position, size = 0, _FIRST
    while chunk := list(islice(iterator, size)):
        before = packer.bytes
        if not packer.add_texts(chunk):
            for place, sentence in enumerate(chunk, position):
                packer.add(sentence, place)
                yield from packer.take()
        yield from packer.take()
        position += len(chunk)
        # As many sentences at once as make a sixteenth of a batch, so that long ones do not pile up.
        mean = (packer.bytes - before) // len(chunk) + 1
        size = min(_MOST, max(1, _SIZE // 16 // mean))
    packer.flush()
    yield from packer.take()


class _Packer:
    """Collects sentences of one kind until there is enough or the kind changes."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.bytes = 0  # added so far
        self._parts: list[bytes | memoryview] = []
        self._size = 0
        self._kind: Kind = "texts"
        self._ready: list[Batch] = []
        # The compiled tokeniser knows the built-in rules; splitters and segmenters are called from here.
        self._calls = tokenizer.split != "words"
        self._segments = tokenizer.unspaced not in ("characters", "keep")

    def add_texts(self, texts: list[Any]) -> bool:
        """Add these at once, if all are text and nothing about them is special; otherwise do nothing."""
        if self._calls or self._segments or set(map(type, texts)) != {str}:
            return False
        joined = _END.join(texts)
        if joined.count(_END) >= len(texts):
            return False
        self._put("texts", _encoded(joined))
        return True

    def add(self, sentence: Any, position: int) -> None:
        """Add whatever stands at this position of the corpus."""
        if isinstance(sentence, str):
            self._add_text(sentence)
        elif not isinstance(sentence, TextBlock):
            self._add_words(_checked(sentence, position), position)
        elif self._calls or self._segments:
            for line in sentence.lines():
                self._add_text(line)
        elif sentence.data:
            ended = sentence.data[-1:] == b"\n"
            self._put("lines", sentence.data if ended else bytes(sentence.data) + b"\n")

    def _add_text(self, text: str) -> None:
        if self._calls or (self._segments and has_unspaced(text)):
            self._add_words(self.tokenizer(text), -1)
        else:
            self._put("texts", _encoded(text.replace(_END, " ")))

    def _add_words(self, words: Sequence[str], position: int) -> None:
        try:
            joined = _UNIT.join(words)
        except TypeError:
            wrong = next(word for word in words if not isinstance(word, str))
            raise InputError(
                f"sentence {position} (counted from 0) holds {wrong!r:.80}, a {type(wrong).__name__}; words must be "
                "str: for items of another kind see wordstock.vocab.item_sequences"
            ) from None
        if joined.count(_UNIT) < len(words):
            data = _encoded(joined).replace(b"\x1f", b"\xff")
        else:  # a word holds the separator
            data = b"\xff".join(map(_encoded, words))
        self._put("words", data + b"\xfe")

    def _put(self, kind: Kind, data: bytes | memoryview) -> None:
        if kind != self._kind:
            self.flush()
            self._kind = kind
        self._parts.append(data)
        self._size += len(data) + 1
        self.bytes += len(data) + 1
        if self._size >= _SIZE:
            self.flush()

    def flush(self) -> None:
        """Make a batch of what there is."""
        if self._parts:
            alone = len(self._parts) == 1
            data = self._parts[0] if alone else _BETWEEN[self._kind].join(self._parts)
            self._ready.append(Batch(data, self._kind))
        self._parts, self._size = [], 0

    def take(self) -> list[Batch]:
        ready, self._ready = self._ready, []
        return ready


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text).encode()


def _checked(sentence: Any, position: int) -> Sequence[str]:
    if isinstance(sentence, bytes | bytearray) or not isinstance(sentence, Iterable):
        raise InputError(
            f"sentence {position} (counted from 0) must be a str or a sequence of str, not "
            f"{type(sentence).__name__}: {sentence!r:.80}"
        )
    return sentence if isinstance(sentence, list | tuple) else list(sentence)
