"""Texts through a model: tokenised once, cut, packed, run and pooled, in the order in which they came."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from wordstock.encoders.backends import Backend
from wordstock.encoders.config import ContextConfig
from wordstock.encoders.folder import ModelFolder
from wordstock.encoders.packing import Batch, Windows, batches, cut, shared_budget
from wordstock.encoders.pooling import combine, pool
from wordstock.encoders.side_by_side import run_batches
from wordstock.encoders.sizes import resolved_layers, states_dim
from wordstock.encoders.subwords import SubwordTokenizer, Tokenized
from wordstock.errors import FormatError, InputError, ModelError
from wordstock.protocols import FloatArray

__all__ = ["Progress", "Runner", "blocks"]


class Progress(NamedTuple):
    """How far an encoding has come.

    Parameters
    ----------
    done, total : texts; ``total`` is None where it is not known beforehand.
    seconds : since the call began.
    """

    done: int
    total: int | None
    seconds: float

    @property
    def rate(self) -> float:
        """Texts per second so far."""
        return self.done / self.seconds if self.seconds > 0 else 0.0


class Meter:
    """Counts texts and tells a caller."""

    def __init__(self, tell: Callable[[Progress], None] | None, total: int | None = None) -> None:
        self._tell, self._total, self._done, self._began = tell, total, 0, time.perf_counter()

    def add(self, texts: int) -> None:
        """So many more are done."""
        self._done += texts
        if self._tell is not None and texts:
            self._tell(Progress(self._done, self._total, time.perf_counter() - self._began))


def blocks(texts: Sequence[str], most_texts: int, most_characters: int) -> Iterator[tuple[int, int]]:
    """Ranges of texts with bounded numbers of texts and characters, at least one text each."""
    start, held = 0, 0
    for stop, text in enumerate(texts):
        if stop > start and (stop - start >= most_texts or held + len(text) > most_characters):
            yield start, stop
            start, held = stop, 0
        held += len(text)
    if start < len(texts):
        yield start, len(texts)


class Runner:
    """A model with the settings under which it is used.

    Raises
    ------
    InputError
        Settings that do not fit the model: a layer that it does not have, a text longer than it can take.
    """

    def __init__(
        self, model: ModelFolder, tokenizer: SubwordTokenizer, backend: Backend, config: ContextConfig, budget: int
    ) -> None:
        self._model, self._tokenizer, self._backend, self._config = model, tokenizer, backend, config
        self._budget = budget
        self._layers = resolved_layers(config, model)
        self._states_dim = states_dim(config, model)
        self.max_length = config.max_length or model.max_length
        special = len(tokenizer.prefix) + len(tokenizer.suffix)
        self._room = self.max_length - special
        if model.max_length < special + 2:
            raise FormatError(
                model.path,
                expected=f"a model that takes at least {special + 2} tokens, {special} special ones included",
                found=f"{model.max_length} as the least of max_position_embeddings, max_seq_length, model_max_length",
            )
        if self.max_length > model.max_length or self._room < 2:
            raise InputError(
                f"max_length={self.max_length}: this model takes {special + 2} to {model.max_length} tokens"
            )

    def texts(self, texts: Sequence[str], prompt: str, first: int, meter: Meter) -> tuple[FloatArray, int]:
        """Pooled vectors, float32 (n, dim before the head), and how many texts lost their end.

        Parameters
        ----------
        prompt : put before each text.
        first : position of the first text, for messages.
        """
        tokens = self._tokenizer.tokenize([prompt + text for text in texts] if prompt else texts, first=first)
        use_windows = self._config.long == "window"
        lead = len(self._tokenizer.tokenize([prompt.rstrip()]).ids) if prompt and use_windows else 0
        windows = cut(
            tokens.ids, tokens.bounds, self._room, windows=use_windows, overlap=self._config.overlap, lead=lead
        )
        pooled = np.zeros((len(windows.text), self._states_dim * len(self._config.pooling)), np.float32)
        left = np.bincount(windows.text, minlength=len(texts))  # windows of each text that are still to come

        def take(batch: Batch, states: list[FloatArray]) -> None:
            pooled[batch.windows] = self._finite(pool(combine(states, self._config), batch.mask, self._config.pooling))

        def done(batch: Batch) -> None:
            np.subtract.at(left, windows.text[batch.windows], 1)
            meter.add(int((left[np.unique(windows.text[batch.windows])] == 0).sum()))

        run_batches(self._backend, self._batches(windows), self._layers, take, done)
        meter.add(int(left.astype(bool).sum()))  # texts without any token
        return _over_windows(pooled, windows, len(texts)), windows.truncated

    def tokens(self, texts: Sequence[str], first: int) -> tuple[Tokenized, FloatArray]:
        """Every token's vector, float32 (tokens, dim), special tokens left out; long texts in windows.

        A token that stands in two windows takes the one in which it has more text on its shorter side.
        """
        tokens = self._tokenizer.tokenize(texts, offsets=True, first=first)
        windows = cut(tokens.ids, tokens.bounds, self._room, windows=True, overlap=self._config.overlap)
        keep_from, keep_to = _kept(windows)
        out = np.empty((len(tokens.ids), self._states_dim), np.float32)
        prefix = len(self._tokenizer.prefix)

        def take(batch: Batch, states: list[FloatArray]) -> None:
            source = windows.start[batch.windows][:, None] + np.arange(batch.ids.shape[1]) - prefix
            kept = (source >= keep_from[batch.windows][:, None]) & (source < keep_to[batch.windows][:, None])
            out[source[kept]] = self._finite(combine(states, self._config)[kept])

        run_batches(self._backend, self._batches(windows), self._layers, take)
        return tokens, out

    def _finite(self, vectors: FloatArray) -> FloatArray:
        if not np.isfinite(vectors).all():
            raise ModelError(
                f"{self._model.path}: the model gives NaN or infinity; its weights are damaged, or some numbers in it "
                f"are too large for {self._backend.name} in {self._backend.precision}: try another backend or "
                "precision='float32'"
            )
        return vectors

    def _batches(self, windows: Windows) -> Iterator[Batch]:
        prefix, suffix = self._tokenizer.prefix, self._tokenizer.suffix
        budget = shared_budget(windows, len(prefix) + len(suffix), self._budget, self._backend.streams)
        return batches(windows, prefix, suffix, self._model.pad_id, budget)


def _over_windows(pooled: FloatArray, windows: Windows, count: int) -> FloatArray:
    if len(pooled) == count:
        return pooled
    weights = np.maximum(windows.lengths - windows.lead, 1).astype(np.float32)
    weights /= np.bincount(windows.text, weights, count).astype(np.float32)[windows.text]
    starts = np.searchsorted(windows.text, np.arange(count))
    summed: FloatArray = np.add.reduceat(pooled * weights[:, None], starts, axis=0)
    return summed


def _kept(windows: Windows) -> tuple[np.ndarray, np.ndarray]:
    """The tokens that each window's vectors are taken for: overlaps are split in the middle."""
    keep_from, keep_to = windows.start.copy(), windows.stop.copy()
    follows = np.flatnonzero(windows.text[1:] == windows.text[:-1])
    middle = (windows.stop[follows] + windows.start[follows + 1]) // 2
    keep_to[follows], keep_from[follows + 1] = middle, middle
    return keep_from, keep_to
