"""Text to vectors with a static table: tokens to rows, then weighted means."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from wordstock._threads import run_slices
from wordstock.embeddings.lookup import RowLookup
from wordstock.embeddings.storage import Storage
from wordstock.embeddings.unknown import SpellWords, add_unknown
from wordstock.errors import InputError
from wordstock.protocols import FloatArray, IntArray
from wordstock.vocab import Vocabulary

__all__ = [
    "check_keys",
    "check_texts",
    "each_sentence",
    "key_frequencies",
    "pool_texts",
    "sif_weights",
    "text_means",
    "warn_blank",
]

_Words = TypeVar("_Words")

_CHUNK = 8192  # texts tokenised at once
_SMALLEST = 512  # texts that are worth a thread


def check_texts(texts: object, what: str = "text", *, first: int = 0) -> list[str]:
    """A list of str from whatever sequence was passed; ``first`` is the position of its first item in messages.

    Raises
    ------
    InputError
        Not a sequence, or an item that is not a str; names its position and type.
    """
    if isinstance(texts, bytes | Mapping) or not isinstance(texts, Iterable):
        raise InputError(f"expected a str or a sequence of str, not {type(texts).__name__}")
    listed = list(texts)
    for position, text in enumerate(listed):
        if not isinstance(text, str):
            raise InputError(
                f"{what} at position {first + position} must be a str, not {type(text).__name__}: {text!r:.80}"
                + ("; drop it or replace it by an empty str" if what == "text" else "")
            )
    return listed


def check_keys(keys: object) -> list[str]:
    """``check_texts`` of keys, which a mapping such as a Counter holds too."""
    return check_texts(list(keys) if isinstance(keys, Mapping) else keys, "key")


def each_sentence(sentences: object, words: Callable[[Any], _Words]) -> list[_Words]:
    """What ``words`` makes of each sentence; what it refuses is told with the sentence's position.

    Raises
    ------
    InputError
        A single str or something that is no sequence; a sentence that ``words`` refuses.
    """
    if isinstance(sentences, str):
        raise InputError("expected a list of sentences, not a str; for one sentence pass a list with it")
    if isinstance(sentences, bytes | Mapping) or not isinstance(sentences, Iterable):
        raise InputError(f"expected a list of sentences, not {type(sentences).__name__}")
    found = []
    for position, sentence in enumerate(sentences):
        try:
            found.append(words(sentence))
        except InputError as error:
            raise InputError(f"sentence at position {position}: {error}") from None
    return found


def key_frequencies(vocabulary: Vocabulary) -> FloatArray:
    """Each key's share of all counts, float32 (n_keys,); without counts, Zipf's law by rank, 1 / (rank * H(n))."""
    if vocabulary.counts is not None and vocabulary.counts.sum() > 0:
        share = vocabulary.counts / vocabulary.counts.sum()
    else:
        share = 1 / np.arange(1, len(vocabulary) + 1)
        share /= share.sum()
    return np.asarray(share, np.float32)


def sif_weights(share: FloatArray, rows: npt.NDArray[np.int32] | None, n_rows: int, a: float) -> FloatArray:
    """The weight a / (a + p) of every row (Arora et al. 2017), float32 (n_rows,).

    p is a key's share of the corpus; a row that several keys have takes the sum of their shares.
    """
    if rows is not None:
        share = np.bincount(rows, weights=share, minlength=n_rows).astype(np.float32)
    weights: FloatArray = (a / (a + share)).astype(np.float32)
    return weights


def text_means(
    texts: Sequence[str],
    storage: Storage,
    lookup: RowLookup,
    weights: FloatArray,
    tokenize: Callable[[str], list[str]],
    spell: SpellWords | None = None,
) -> tuple[FloatArray, IntArray]:
    """Weighted mean of each text's known words, float32 (n, dim), and the texts that have none, int64 (m,).

    ``spell`` makes vectors of unknown words, which then count as known.
    """
    out = np.empty((len(texts), storage.dim), np.float32)
    blank = []
    for start in range(0, len(texts), _CHUNK):
        part = texts[start : start + _CHUNK]
        tokens = list(map(tokenize, part))
        bounds = np.zeros(len(part) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, tokens), np.int64, len(part)), out=bounds[1:])
        rows = lookup.rows(chain.from_iterable(tokens), int(bounds[-1]))
        means = out[start : start + len(part)]
        pool_texts(storage, rows, weights, bounds, means)
        if spell is not None and (rows < 0).any():
            rows = np.maximum(rows, add_unknown(list(chain.from_iterable(tokens)), rows, bounds, spell, means))
        known = np.concatenate([[0], np.cumsum(rows >= 0)])
        blank.append(start + np.flatnonzero(known[bounds[1:]] == known[bounds[:-1]]))
    return out, np.concatenate(blank) if blank else np.empty(0, np.int64)


def pool_texts(storage: Storage, rows: IntArray, weights: FloatArray, bounds: IntArray, out: FloatArray) -> None:
    """Weighted mean of each text's rows into ``out``, float32 (n, dim); rows below 0 do not count.

    Parameters
    ----------
    rows : int64, of all texts one after the other; text i has those from ``bounds[i]`` to ``bounds[i + 1]``.
    weights : float32 (n_rows,), or empty for plain means.
    """
    from wordstock.kernels.pool import pool_rows

    data, scales = storage.data, storage.scales
    if data.dtype == np.float16:  # compiled code has no float16: widen the rows that occur
        used, positions = np.unique(rows, return_inverse=True)
        known = used >= 0
        data = storage.take(used[known])
        if len(weights):
            weights = weights[used[known]]
        rows = positions.reshape(rows.shape) - int(not known.all())
    if scales is None:
        scales = np.empty(0, np.float32)
    run_slices(
        lambda first, last: pool_rows(data, scales, rows, weights, bounds, first, last, out),
        len(out),
        smallest=_SMALLEST,
    )


def warn_blank(blank: IntArray, total: int, *, stacklevel: int = 3) -> None:
    """One warning for all texts that became zero vectors; it names the line ``stacklevel`` calls up."""
    if len(blank):
        warnings.warn(
            f"{len(blank)} of {total} texts hold no word of the vocabulary and became zero vectors "
            f"(the first at position {blank[0]})",
            stacklevel=stacklevel,
        )
