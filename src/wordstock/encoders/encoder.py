"""ContextualEncoder: vectors of texts, words, tokens and spans from a transformer; an ``Encoder``."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from wordstock._settings import check_type, check_whole
from wordstock.embeddings import Card
from wordstock.embeddings.sentence import check_texts, each_sentence
from wordstock.encoders.backends import Backend
from wordstock.encoders.config import ContextConfig
from wordstock.encoders.folder import ModelFolder
from wordstock.encoders.identity import fingerprint_of, weights_digest
from wordstock.encoders.parts import Parts, Pieces
from wordstock.encoders.running import Meter, Progress, Runner, blocks
from wordstock.encoders.sizes import states_dim, text_dim
from wordstock.encoders.subwords import SubwordTokenizer
from wordstock.encoders.words import Span, checked_spans, located_words
from wordstock.errors import InputError
from wordstock.protocols import FloatArray

if TYPE_CHECKING:
    from wordstock.encoders.training import TrainableEncoder

__all__ = ["ContextualEncoder", "Pieces"]

_TEXTS, _CHARACTERS = 16384, 1 << 26  # tokenised at once; sorting by length gains little beyond


class ContextualEncoder:
    """Vectors in context from a model of the Hugging Face kind; open one with ``wordstock.load`` or ``open_encoder``.

    Instances are immutable and may be shared between threads; pickling one stores its folder and settings.

    Attributes
    ----------
    model : what its folder says of it.
    config : the settings in use; ``with_config`` changes them.
    card : name, licence and source.
    """

    def __init__(
        self,
        model: ModelFolder,
        tokenizer: SubwordTokenizer,
        backend: Backend,
        config: ContextConfig,
        *,
        card: Card | None = None,
        batch_tokens: int,
        reopen: Callable[[ContextConfig], ContextualEncoder],
    ) -> None:
        self.model, self.config, self.card = model, config, card or Card()
        self.backend, self.batch_tokens = backend, batch_tokens
        self._tokenizer, self._reopen = tokenizer, reopen
        self._runner = Runner(model, tokenizer, backend, config, batch_tokens)
        self._dim = text_dim(config, model)
        self._parts = Parts(self._runner, tokenizer, config.subwords, self.word_dim)

    # Size and identity -----------------------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The model's folder."""
        return self.model.path

    @property
    def dim(self) -> int:
        """Length of a text's vector."""
        return self._dim

    @property
    def word_dim(self) -> int:
        """Length of a word's vector: ``dim``, but for models with several poolings or a linear layer after them."""
        states = states_dim(self.config, self.model)
        return min(states, self.config.truncate_dim or states)

    @property
    def max_length(self) -> int:
        """Most tokens read at once, special tokens included."""
        return self._runner.max_length

    @cached_property
    def weights_digest(self) -> str:
        """SHA-256 over weights, tokeniser and configuration."""
        return weights_digest(self.model)

    @cached_property
    def fingerprint(self) -> str:
        """Stable hash of weights and every setting that changes what ``encode`` returns.

        Backends agree in float32 and bfloat16, and the one that "auto" chose has been seen to keep a cosine of 0.999 to
        float32: none of them is part of it, so that what one machine made loads on another. Backends differ in what
        they do in int8, which is.
        """
        family = self.backend.name if self.config.precision == "int8" else ""
        return fingerprint_of(self.weights_digest, self.model, self.config, family)

    def __repr__(self) -> str:
        name = f"{self.card.name!r}, " if self.card.name else ""
        where = f"{self.backend.name} {self.backend.precision} on {self.backend.device}"
        return f"ContextualEncoder({name}{self.model.kind}, {self.model.n_layers} layers, dim {self.dim}, {where})"

    def with_config(self, config: ContextConfig | None = None, **changes: Any) -> ContextualEncoder:
        """The same model with other settings: ``enc.with_config(pooling="cls")``.

        Another precision loads the weights anew.

        Raises
        ------
        InputError
            An unknown setting or value, or one that does not fit the model.
        """
        check_type("config", config, ContextConfig | None, "a ContextConfig, or settings by name")
        try:
            config = replace(config or self.config, **changes)
        except TypeError as error:
            known = ", ".join(self.config.to_dict())
            raise InputError(f"unknown setting in {', '.join(changes)}; known are {known}") from error
        if config.precision != self.config.precision:
            return self._reopen(config)
        changed = ContextualEncoder(
            self.model,
            self._tokenizer,
            self.backend,
            config,
            card=self.card,
            batch_tokens=self.batch_tokens,
            reopen=self._reopen,
        )
        if "weights_digest" in self.__dict__:
            changed.__dict__["weights_digest"] = self.weights_digest
        return changed

    def trainable(self, *, device: str | None = None) -> TrainableEncoder:
        """The model as a torch module with weights of its own, for training: docs/encoders.md, "Training".

        Parameters
        ----------
        device : "cpu" or "cuda"; None takes that of this encoder.

        Raises
        ------
        MissingExtraError
            The extra "encoders" is not installed.
        """
        from wordstock.encoders.training import TrainableEncoder

        return TrainableEncoder(self, device=device)

    def __deepcopy__(self, memo: dict[int, Any]) -> ContextualEncoder:
        return self  # immutable: scikit-learn's clone need not copy the weights

    def __reduce__(self) -> tuple[Any, ...]:
        return self._reopen, (self.config,)

    # Texts -----------------------------------------------------------------------------------------------------

    def encode(
        self,
        texts: str | Sequence[str],
        *,
        prompt: str | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> FloatArray:
        """One vector per text, float32 (n, dim); (dim,) for a single str.

        A text's vector depends on the texts beside it by rounding only: in float32 by less than 1e-5 of its length. An
        empty text gets the vector of the special tokens alone.

        Parameters
        ----------
        prompt : the name of one of ``config.prompts`` to put before each text, "" for none; None takes
            ``config.prompt``.
        progress : called after each batch.

        Raises
        ------
        InputError
            An item that is not a str or holds a lone surrogate, with its position; an unknown prompt.
        """
        listed = [texts] if isinstance(texts, str) else check_texts(texts)
        before = self.config.prompt_text(self.config.prompt if prompt is None else prompt)
        meter = Meter(progress, len(listed))
        out = np.empty((len(listed), self.dim), np.float32)
        truncated = 0
        for start, stop in blocks(listed, _TEXTS, _CHARACTERS):
            pooled, lost = self._runner.texts(listed[start:stop], before, start, meter)
            out[start:stop] = self._finished(pooled)
            truncated += lost
        self._warn_truncated(truncated, len(listed))
        return out[0] if isinstance(texts, str) else out

    def encode_stream(
        self,
        texts: Iterable[str],
        *,
        block: int = 4096,
        prompt: str | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Iterator[FloatArray]:
        """Vectors of any number of texts, block by block: float32 (block, dim), the last one shorter.

        Memory depends on ``block``, not on the number of texts. The order is that of the texts.

        Raises
        ------
        InputError
            As ``encode``, when the item is reached; a block below 1, or a single str.
        """
        if isinstance(texts, str) or not isinstance(texts, Iterable):
            raise InputError(f"encode_stream takes an iterable of texts, not {type(texts).__name__}")
        check_whole("block", block, 1)
        before = self.config.prompt_text(self.config.prompt if prompt is None else prompt)
        return self._stream(iter(texts), block, before, Meter(progress))

    def _stream(self, texts: Iterator[str], block: int, before: str, meter: Meter) -> Iterator[FloatArray]:
        done, truncated = 0, 0
        while part := list(islice(texts, block)):
            pooled, lost = self._runner.texts(check_texts(part, first=done), before, done, meter)
            yield self._finished(pooled)
            done += len(part)
            truncated += lost
        self._warn_truncated(truncated, done)

    def _finished(self, vectors: FloatArray) -> FloatArray:
        for step in self.model.head:
            vectors = step(vectors)
        vectors = vectors[:, : self.dim]
        if self.config.unit:
            norms = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
        return vectors

    def _warn_truncated(self, truncated: int, total: int) -> None:
        if truncated:
            warnings.warn(
                f"{truncated} of {total} texts are longer than {self.max_length} tokens and lost their end; "
                "with_config(long='window') reads them whole",
                stacklevel=3,
            )

    # Parts of texts --------------------------------------------------------------------------------------------

    @overload
    def encode_words(self, sentences: Sequence[str | Sequence[str]]) -> list[FloatArray]: ...
    @overload
    def encode_words(
        self, sentences: Sequence[str | Sequence[str]], *, located: Literal[False]
    ) -> list[FloatArray]: ...
    @overload
    def encode_words(self, sentences: Sequence[str | Sequence[str]], *, located: Literal[True]) -> list[Pieces]: ...
    def encode_words(
        self, sentences: Sequence[str | Sequence[str]], *, located: bool = False
    ) -> list[FloatArray] | list[Pieces]:
        """One vector per word in its context: a float32 (n_words, word_dim) array per sentence.

        A word's vector is made of those of the model's tokens that share a character with it, as ``config.subwords``
        says, from ``config.layers``; no prompt is put before it and it is not scaled. A word of which the model's
        tokeniser keeps nothing gets zeros. Long texts are read in windows.

        Parameters
        ----------
        sentences : lists of words, which are put together with spaces; or str, which are brought to Unicode NFC and
            split by ``config.tokenizer``.
        located : return words and their characters too, as ``Pieces``.

        Raises
        ------
        InputError
            A sentence that is neither, or holds something else than str, with its position.
        """
        found = each_sentence(sentences, lambda one: located_words(one, self.config.tokenizer))
        texts, spans = [text for text, _ in found], [places for _, places in found]
        return self._parts.located(texts, spans) if located else self._parts.spans(texts, spans)

    def encode_spans(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[FloatArray]:
        """One vector per stretch of characters in its context, made as a word's: float32 (n_spans, word_dim) per text.

        Parameters
        ----------
        spans : of each text, pairs (start, stop) of characters, ``stop`` excluded.

        Raises
        ------
        InputError
            Another number of lists than texts, or a span that is no pair, empty or outside of its text.
        """
        listed = _several("encode_spans", texts)
        return self._parts.spans(listed, checked_spans(listed, spans))

    def encode_tokens(self, texts: Sequence[str]) -> list[Pieces]:
        """Every token of each text with its characters and its vector in context; special tokens are left out.

        Raises
        ------
        InputError
            An item that is not a str or holds a lone surrogate, with its position.
        """
        return self._parts.tokens(_several("encode_tokens", texts))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has for the model, special ones left out; ``max_length`` counts those too.

        Raises
        ------
        InputError
            As ``encode_tokens``.
        """
        listed = _several("count_tokens", texts)
        bounds = self._tokenizer.tokenize(listed).bounds
        return [last - first for first, last in itertools.pairwise(bounds.tolist())]


def _several(method: str, texts: object) -> list[str]:
    if isinstance(texts, str):
        raise InputError(f"{method} takes a list of texts; for one text pass a list with it")
    return check_texts(texts)
