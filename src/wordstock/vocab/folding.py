"""A batch of text made ready for the compiled tokeniser: normalised, with spaces after it and its letters marked.

Compiled code folds what it can; a character whose neighbours matter is left to ``Tokenizer.normalize``, with the word
around it, and where there are many such characters so is the rest of the batch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wordstock._mapped import mapped_zeros
from wordstock.kernels.bytemasks import BLOCK, holds, mark_words
from wordstock.kernels.fold import fold_ascii, fold_text
from wordstock.kernels.wordtable import PADDING, Found, eights
from wordstock.text import Tokenizer
from wordstock.text.folds import character_folds
from wordstock.text.scripts import END, ENTITY, character_classes
from wordstock.vocab.batches import Batch
from wordstock.vocab.key_block import ByteArray

__all__ = ["Folded", "Workspace"]

_ASKED = 200  # words of a batch that are folded singly
_NEWLINE = ord("\n")
_ENTITY = np.frombuffer(ENTITY.encode(), np.uint8)
_BEYOND_ASCII = 0x80
_SLACK = PADDING + BLOCK


class Folded(NamedTuple):
    """A batch that can be split into words.

    text : uint8, ``size`` bytes and spaces after them; ``words`` its eights.
    masks : uint64, which bytes are letters or digits of ASCII; see ``kernels.bytemasks``.
    rules : of ``kernels.tokenize``; None for words that are split already.
    """

    text: ByteArray
    words: npt.NDArray[np.uint64]
    masks: npt.NDArray[np.uint64]
    size: int
    rules: tuple[npt.NDArray[np.uint8], bool, bool] | None


class Workspace:
    """What one thread needs to number batches, used again for each, so that no memory comes and goes.

    Parameters
    ----------
    tokenizer : how text becomes words.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.found = Found.room()
        self._tokenizer = tokenizer
        self._lower, self._zero = tokenizer.casing == "lower", tokenizer.digits == "zero"
        self._text = self._given = mapped_zeros(0, np.uint8)
        self._masks = mapped_zeros(0, np.uint64)

    def fold(self, batch: Batch) -> Folded:
        """The batch as the compiled tokeniser takes it; it holds until the next call."""
        data = np.frombuffer(batch.data, np.uint8)
        size, rules = len(data), None
        if batch.kind == "words":
            self._text = self._room(self._text, size)
            fold_ascii(data, self._text, False, False)
        else:
            plain = int(data.max(initial=0)) < _BEYOND_ASCII
            entities = bool(holds(data, _ENTITY))
            if plain and not entities:
                self._text = self._room(self._text, size)
                fold_ascii(data, self._text, self._lower, self._zero)
            else:
                size = self._normalised(data, entities)
            classes = character_classes(
                unspaced=self._tokenizer.unspaced == "characters" and not plain,
                ascii_only=plain,
                end=END if batch.kind == "texts" else _NEWLINE,
            )
            rules = classes, self._tokenizer.contractions == "english", entities
        self._text[size : size + _SLACK] = ord(" ")
        masks = self._masks[: size // BLOCK + 2]
        if rules is not None:
            mark_words(self._text, masks[:-1])
            masks[-1] = 0
        return Folded(self._text, eights(self._text), masks, size, rules)

    def _normalised(self, data: ByteArray, entities: bool) -> int:
        """Normalise text beyond ASCII, or with tokens of entities, which keep their case; returns its new size."""
        size = len(data)
        self._text = self._room(self._text, size)
        self._given = self._room(self._given, size)
        fold_ascii(data, self._given, self._lower, self._zero)
        self._given[size : size + PADDING] = 0
        folds = character_folds(lower=self._lower, zero=self._zero)
        given, start, written, asked = eights(self._given), 0, 0, _ASKED if entities else 0
        while start < size:
            stop = size
            if asked < _ASKED:
                written, start, stop = fold_text(
                    self._given, given, size, start, self._text, eights(self._text), written, folds
                )
                asked += 1
            piece = self._tokenizer.normalize(data[start:stop].tobytes().decode()).encode()
            self._text = self._room(self._text, written + len(piece) + size - stop, keep=written)
            self._text[written : written + len(piece)] = np.frombuffer(piece, np.uint8)
            written += len(piece)
            start = stop
        return written

    def _room(self, buffer: ByteArray, size: int, keep: int = 0) -> ByteArray:
        """``buffer``, or a longer one with its first ``keep`` bytes, for ``size`` bytes and what follows."""
        if len(buffer) < size + _SLACK:
            longer = mapped_zeros(size + _SLACK, np.uint8)
            longer[:keep] = buffer[:keep]
            buffer = longer
        if len(self._masks) < len(buffer) // BLOCK + 2:
            self._masks = mapped_zeros(len(buffer) // BLOCK + 2, np.uint64)
        return buffer
