"""An encoder whose vectors are computed once, however many points need them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from wordstock.encoders.cache import CachedEncoder
from wordstock.encoders.sizes import word_dim_of
from wordstock.evaluate.report.spent import Spent
from wordstock.protocols import Encoder, FloatArray
from wordstock.tasks.tagging.features import WordVectors

__all__ = ["RememberedEncoder"]

_Vectors = TypeVar("_Vectors")


class RememberedEncoder:
    """Vectors of known texts from memory; an ``Encoder`` with the same fingerprint.

    Vectors of words are kept by the tagger, for as long as this object lives.

    Attributes
    ----------
    spent : what encoding has cost so far.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.spent = Spent()
        self._known: dict[str, FloatArray] = {}
        self._count = 0

    @property
    def tunable(self) -> Encoder:
        """The encoder below, without a cache."""
        return self.encoder.encoder if isinstance(self.encoder, CachedEncoder) else self.encoder

    @property
    def dim(self) -> int:
        """Length of every vector."""
        return self.encoder.dim

    @property
    def word_dim(self) -> int:
        """Length of a word's vector."""
        return word_dim_of(self.encoder)

    @property
    def fingerprint(self) -> str:
        """That of the encoder."""
        return self.encoder.fingerprint

    def __deepcopy__(self, memo: dict[int, Any]) -> RememberedEncoder:
        return self

    def share(self, items: Sequence[Any]) -> Spent:
        """What so many texts, or sentences of words, cost to encode at the mean of all, encoding them if need be.

        It is told by the rate, so that a point costs the same whichever comes first.
        """
        if isinstance(items[0], str):
            self.encode(items)
        else:
            WordVectors(self, items)
        return self.spent * (len(items) / self._count)

    def encode(self, texts: str | Sequence[str]) -> FloatArray:
        """As the encoder's, each text once."""
        if isinstance(texts, str):
            alone: FloatArray = self.encode([texts])[0]
            return alone
        if absent := [text for text in dict.fromkeys(texts) if text not in self._known]:
            vectors = self._counted(self.encoder.encode, absent)
            self._known |= dict(zip(absent, vectors, strict=True))
        out = np.empty((len(texts), self.dim), np.float32)
        for row, text in enumerate(texts):
            out[row] = self._known[text]
        return out

    def encode_words(self, sentences: Sequence[str | Sequence[str]]) -> list[FloatArray]:
        """As the encoder's."""
        return self._counted(self.encoder.encode_words, sentences)

    def _counted(self, encode: Callable[[Any], _Vectors], items: Sequence[Any]) -> _Vectors:
        began = Spent.so_far()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*hold no word of the vocabulary")
            vectors = encode(items)
        self.spent += Spent.so_far() - began
        self._count += len(items)
        return vectors
