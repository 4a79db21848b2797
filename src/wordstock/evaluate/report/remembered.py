"""An encoder whose vectors are computed once, however many points need them."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from wordstock.encoders.cache import CachedEncoder
from wordstock.protocols import Encoder, FloatArray

__all__ = ["RememberedEncoder"]


class RememberedEncoder:
    """Vectors of known texts from memory; an ``Encoder`` with the same fingerprint.

    Attributes
    ----------
    seconds_per_text : what encoding has cost so far, which a point's seconds must count.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.seconds_per_text = 0.0
        self._known: dict[str, FloatArray] = {}
        self._spent, self._count = 0.0, 0

    @property
    def tunable(self) -> Encoder:
        """The encoder below, without a cache."""
        return self.encoder.encoder if isinstance(self.encoder, CachedEncoder) else self.encoder

    @property
    def dim(self) -> int:
        """Length of every vector."""
        return self.encoder.dim

    @property
    def fingerprint(self) -> str:
        """That of the encoder."""
        return self.encoder.fingerprint

    def __deepcopy__(self, memo: dict[int, Any]) -> RememberedEncoder:
        return self

    def encode(self, texts: str | Sequence[str]) -> FloatArray:
        """As the encoder's, each text once."""
        if isinstance(texts, str):
            alone: FloatArray = self.encode([texts])[0]
            return alone
        if absent := [text for text in dict.fromkeys(texts) if text not in self._known]:
            began = time.perf_counter()
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", ".*hold no word of the vocabulary")
                vectors = self.encoder.encode(absent)
            self._spent += time.perf_counter() - began
            self._count += len(absent)
            self.seconds_per_text = self._spent / self._count
            self._known |= dict(zip(absent, vectors, strict=True))
        out = np.empty((len(texts), self.dim), np.float32)
        for row, text in enumerate(texts):
            out[row] = self._known[text]
        return out

    def encode_words(self, sentences: Sequence[str | Sequence[str]]) -> list[FloatArray]:
        """As the encoder's."""
        return self.encoder.encode_words(sentences)
