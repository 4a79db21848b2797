"""Several encoders as one: their vectors side by side, word by word and text by text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any, Literal, overload

import numpy as np

from wordstock._settings import check_known, check_type
from wordstock.embeddings.sentence import check_texts, each_sentence
from wordstock.encoders.sizes import word_dim_of
from wordstock.errors import InputError
from wordstock.protocols import Encoder, FloatArray
from wordstock.text import Tokenizer

__all__ = ["Stack", "stack"]


class Stack:
    """The concatenation of several encoders (Akbik et al. 2018, "Contextual string embeddings"); an ``Encoder``.

    Parameters
    ----------
    encoders : two or more; their vectors follow each other in this order.
    scale : "none" leaves the vectors; "unit" scales each encoder's part to length 1 first, so that none outweighs
        another only by its scale. A zero vector stays one.
    tokenizer : splits sentences given as str, for all encoders alike; None = words in their own case.

    Raises
    ------
    InputError
        Fewer than two encoders, something that is none, or an unknown scale.
    """

    def __init__(
        self,
        encoders: Sequence[Encoder],
        *,
        scale: Literal["none", "unit"] = "none",
        tokenizer: Tokenizer | None = None,
    ) -> None:
        check_type("encoders", encoders, Iterable, "a list of encoders")
        given = list(encoders)
        for number, encoder in enumerate(given):
            if not isinstance(encoder, Encoder):
                raise InputError(f"item {number} of a stack is no encoder but {type(encoder).__name__}")
        if len(given) < 2:
            raise InputError(f"a stack needs at least 2 encoders, not {len(given)}")
        check_known("scale", scale, ("none", "unit"))
        check_type("tokenizer", tokenizer, Tokenizer | None, "a wordstock.text.Tokenizer or None")
        self.encoders = tuple(given)
        self.scale = scale
        self.tokenizer = tokenizer or Tokenizer(casing="keep")

    @property
    def dim(self) -> int:
        """The sum of the encoders' dims."""
        return sum(encoder.dim for encoder in self.encoders)

    @property
    def word_dim(self) -> int:
        """Length of a word's vector: ``dim``, but with an encoder whose words have shorter vectors than its texts."""
        return sum(word_dim_of(encoder) for encoder in self.encoders)

    @property
    def fingerprint(self) -> str:
        """A hash of the encoders' fingerprints, in order, and the settings."""
        parts = [encoder.fingerprint for encoder in self.encoders]
        return sha256(repr((parts, self.scale, self.tokenizer.to_dict())).encode()).hexdigest()

    @property
    def slices(self) -> list[slice]:
        """Where each encoder's part lies in the vector of a text."""
        ends = np.cumsum([0, *(encoder.dim for encoder in self.encoders)])
        return [slice(int(start), int(stop)) for start, stop in pairwise(ends)]

    def __repr__(self) -> str:
        return f"Stack({', '.join(map(repr, self.encoders))}; dim {self.dim})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Stack:
        return self  # immutable, as encoders are: scikit-learn's clone need not copy their vectors

    @overload
    def encode(self, texts: str) -> FloatArray: ...
    @overload
    def encode(self, texts: Sequence[str]) -> FloatArray: ...
    def encode(self, texts: str | Sequence[str]) -> FloatArray:
        """One vector per text, float32 (n, dim); a single str gives (dim,).

        Raises
        ------
        InputError
            An item that is not a str.
        """
        if not isinstance(texts, str):
            texts = check_texts(texts)
        return np.concatenate([self._scaled(encoder.encode(texts)) for encoder in self.encoders], axis=-1)

    def encode_words(self, sentences: Sequence[str | Sequence[str]]) -> list[FloatArray]:
        """One float32 (n_words, word_dim) array per sentence, a list of words or a str that ``tokenizer`` splits.

        Raises
        ------
        InputError
            A str instead of a list of sentences, or what an encoder refuses.
        """
        words = each_sentence(sentences, self._words)
        parts = [encoder.encode_words(words) for encoder in self.encoders]
        return [np.concatenate([self._scaled(part) for part in one], axis=1) for one in zip(*parts, strict=True)]

    def _words(self, sentence: str | Sequence[str]) -> list[str]:
        return self.tokenizer(sentence) if isinstance(sentence, str) else check_texts(sentence, "word")

    def _scaled(self, vectors: FloatArray) -> FloatArray:
        if self.scale == "none":
            return vectors
        norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
        scaled: FloatArray = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
        return scaled


def stack(
    encoders: Sequence[Encoder], *, scale: Literal["none", "unit"] = "none", tokenizer: Tokenizer | None = None
) -> Stack:
    """Put several encoders side by side: ``ws.stack([glove, minilm])``; see ``Stack``.

    Raises
    ------
    InputError
        Fewer than two encoders, something that is none, or an unknown scale.
    """
    return Stack(encoders, scale=scale, tokenizer=tokenizer)
