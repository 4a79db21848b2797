"""Sentences packed into blocks of bytes, which compiled code then splits and numbers without Python's lock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wordstock.errors import InputError
from wordstock.text import Tokenizer
from wordstock.text.scripts import END, ENTITY, character_classes, has_unspaced

__all__ = ["Batch", "Rules", "batches"]

_SIZE = 1 << 20  # characters in a batch
_SURROGATE = re.compile("[\ud800-\udfff]")
_FIRST, _MOST = 16, 1024  # sentences taken at once
_END = chr(END)  # a space to the tokeniser
_UNIT, _RECORD = "\x1f", b"\xfe"


class Rules(NamedTuple):
    """How a batch of text becomes tokens; see ``kernels.tokenize``."""

    classes: npt.NDArray[np.uint8]
    english: bool
    lower: bool
    zero: bool
    entities: bool


class Batch(NamedTuple):
    """Whole sentences as bytes.

    data : text with a record separator (U+001E) between sentences where there are ``rules``; else words, each followed
        by byte 0xFF or, at the end of a sentence, 0xFE.
    """

    data: bytes
    rules: Rules | None


def batches(sentences: Iterable[str | Sequence[str]], tokenizer: Tokenizer) -> Iterator[Batch]:
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
        before = packer.characters
        if not packer.add_texts(chunk):
            for place, sentence in enumerate(chunk, position):
                if isinstance(sentence, str):
                    packer.add_text(sentence)
                else:
                    packer.add_words(_checked(sentence, place), place)
                yield from packer.take()
        yield from packer.take()
        position += len(chunk)
        # As many sentences at once as make a sixteenth of a batch, so that long ones do not pile up.
        mean = (packer.characters - before) // len(chunk) + 1
        size = min(_MOST, max(1, _SIZE // 16 // mean))
    packer.flush()
    yield from packer.take()


class _Packer:
    """Collects sentences of one kind, text or words, until there is enough or the kind changes."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.characters = 0  # added so far
        self._parts: list[bytes] = []
        self._size = 0
        self._words = self._beyond_ascii = False
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
        if self._words:
            self.flush()
        if joined.isascii():
            self._parts.append(joined.encode())
        else:
            self._beyond_ascii = True
            normalize = self.tokenizer.normalize
            encoded = [text.encode() if text.isascii() else _encoded(normalize(text)) for text in texts]
            self._parts.append(_END.encode().join(encoded))
        self._grown(len(joined))
        return True

    def add_text(self, text: str) -> None:
        tokenizer = self.tokenizer
        if self._calls or (self._segments and has_unspaced(text)):
            self.add_words(tokenizer(text), -1)
            return
        if self._words:
            self.flush()
        text = text.replace(_END, " ")
        if text.isascii():
            self._parts.append(text.encode())
        else:
            self._beyond_ascii = True
            self._parts.append(_encoded(tokenizer.normalize(text)))
        self._grown(len(text))

    def add_words(self, words: Sequence[str], position: int) -> None:
        if not self._words:
            self.flush()
            self._words = True
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
        self._parts.append(data)
        self._grown(len(data))

    def _grown(self, size: int) -> None:
        self._size += size + 1
        self.characters += size + 1
        if self._size >= _SIZE:
            self.flush()

    def flush(self) -> None:
        """Make a batch of what there is; the next one holds text unless words follow."""
        if self._parts:
            if self._words:
                self._ready.append(Batch(_RECORD.join(self._parts) + _RECORD, None))
            else:
                data = _END.encode().join(self._parts)
                self._ready.append(Batch(data, self._rules(entities=ENTITY.encode() in data)))
        self._parts, self._size = [], 0
        self._words = self._beyond_ascii = False

    def take(self) -> list[Batch]:
        ready, self._ready = self._ready, []
        return ready

    def _rules(self, *, entities: bool) -> Rules:
        tokenizer = self.tokenizer
        unspaced = tokenizer.unspaced == "characters"
        classes = (
            character_classes(unspaced=unspaced)
            if self._beyond_ascii
            else character_classes(unspaced=False, ascii_only=True)
        )
        english = tokenizer.contractions == "english"
        return Rules(classes, english, tokenizer.casing == "lower", tokenizer.digits == "zero", entities)


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
