"""Sentences to padded tensors: what goes from a data set to a layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from wordstock._settings import check_type, check_whole, store_plain
from wordstock.errors import InputError
from wordstock.protocols import FloatArray
from wordstock.tasks.word_ids import PADDING, Sentence, WordIds

__all__ = ["IGNORED", "Batcher", "WordBatch", "pad_vectors"]

IGNORED = -100  # the label of padding, which PyTorch's cross-entropy leaves out


class WordBatch(NamedTuple):
    """Sentences side by side, padded at their ends to the longest, and to one word at least.

    Parameters
    ----------
    ids : int64 (sentences, words); 0 is padding, 1 an unknown word.
    lengths : int64 (sentences,), words of each.
    mask : bool (sentences, words), True where a word is.
    grams, bounds : int64, the n-grams of unknown words that are spelled and where those of each begin, as
        ``torch.nn.EmbeddingBag`` takes them; empty where none are. The k-th such word has the id ``WordIds.size + k``.
    """

    ids: Tensor
    lengths: Tensor
    mask: Tensor
    grams: Tensor
    bounds: Tensor

    def to(self, device: Any, *, non_blocking: bool = False) -> Self:
        """The same on another device."""
        return type(self)(*(one.to(device, non_blocking=non_blocking) for one in self))


@dataclass(frozen=True)
class Batcher:
    """Makes batches; small and picklable, so that a DataLoader's workers may have it.

    Parameters
    ----------
    word_ids : how words become numbers.
    max_words : sentences are cut after so many; None leaves them whole.
    """

    word_ids: WordIds
    max_words: int | None = None

    def __post_init__(self) -> None:
        store_plain(self)
        check_whole("max_words", self.max_words, 1, optional=True)

    def batch(self, sentences: Iterable[str | Sequence[str] | Sentence]) -> WordBatch:
        """Texts, lists of words, or what ``WordIds.sentences`` made of them once, as one batch.

        Raises
        ------
        InputError
            No sentences, a str instead of a list of them, or a word that is not a str.
        UnknownWordError
            A word that the table lacks, with ``unknown="raise"``.
        """
        if isinstance(sentences, str):
            raise InputError("a batch is made of a list of sentences; for one sentence pass a list with it")
        given = [one if isinstance(one, Sentence) else self.word_ids.sentences([one])[0] for one in sentences]
        if not given:
            raise InputError("a batch needs at least one sentence")
        lengths = [len(one.ids) if self.max_words is None else min(len(one.ids), self.max_words) for one in given]
        ids = np.full((len(given), max(1, *lengths)), PADDING, np.int64)
        grams, bounds, spelled, start = [], [], 0, 0
        for row, length, one in zip(ids, lengths, given, strict=True):
            row[:length] = one.ids[:length]
            if len(one.bounds):
                row[:length][row[:length] >= self.word_ids.size] += spelled
                grams.append(one.grams)
                bounds.append(one.bounds + start)
                spelled, start = spelled + len(one.bounds), start + len(one.grams)
        counts = torch.tensor(lengths)
        return WordBatch(
            torch.from_numpy(ids),
            counts,
            torch.arange(ids.shape[1]) < counts[:, None],
            torch.from_numpy(np.concatenate([np.empty(0, np.int64), *grams])),
            torch.from_numpy(np.concatenate([np.empty(0, np.int64), *bounds])),
        )

    def __call__(self, items: Sequence[Any]) -> Any:
        """A DataLoader's ``collate_fn``.

        Parameters
        ----------
        items : sentences; or tuples (sentence, target, ...), where a target is a number or, for one label per word, a
            list of whole numbers.

        Returns
        -------
        A WordBatch; or a tuple of it and a tensor per target: (sentences,) of numbers, or int64 (sentences, words),
        padded with -100, which cross-entropy leaves out.

        Raises
        ------
        InputError
            As ``batch``; items of different lengths; a target that is no number; or a list of labels of another length
            than its sentence, or that are not whole numbers.
        """
        items = list(items)
        if not items or not isinstance(items[0], tuple) or isinstance(items[0], Sentence):
            return self.batch(items)
        if len({len(item) for item in items}) > 1:
            raise InputError("the items of a batch are tuples of different lengths; give each (sentence, target, ...)")
        sentences, *targets = zip(*items, strict=True)
        batch = self.batch(sentences)
        return (batch, *(_targets(list(target), sentences, batch, self) for target in targets))


def _targets(target: list[Any], sentences: Sequence[Any], batch: WordBatch, batcher: Batcher) -> Tensor:
    if not all(isinstance(one, list | tuple | np.ndarray | Tensor) and np.ndim(one) for one in target):
        return _numbers(target, f"the targets {target!r:.80}")
    out = torch.full(batch.ids.shape, IGNORED)
    for number, (labels, length) in enumerate(zip(target, batch.lengths.tolist(), strict=True)):
        cut = batcher.max_words is not None and len(labels) > length == batcher.max_words
        if len(labels) != length and not cut:
            raise InputError(
                f"{len(labels)} labels for the {length} words of the sentence at position {number} of its batch: "
                f"{sentences[number]!r:.80}; give one per word, and words as a list rather than a text"
            )
        given = _numbers(labels, f"the labels of the sentence at position {number} of its batch, {labels!r:.80},")
        if len(given) and given.is_floating_point():
            raise InputError(f"the labels of the sentence at position {number} of its batch must be whole numbers")
        out[number, :length] = given[:length]
    return out


def _numbers(values: Any, what: str) -> Tensor:
    if isinstance(values, Tensor):
        return values
    try:
        return torch.tensor(np.array([one.cpu() if isinstance(one, Tensor) else one for one in values]))
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must be numbers; give the number of each class") from error


def pad_vectors(sentences: Iterable[FloatArray]) -> tuple[Tensor, Tensor]:
    """What ``Encoder.encode_words`` gives, as a head takes it.

    Parameters
    ----------
    sentences : float32 (n_words, dim) each.

    Returns
    -------
    float32 (sentences, words, dim), zeros at the ends; bool (sentences, words), True where a word is.

    Raises
    ------
    InputError
        No sentences, something that is no array, or vectors of different lengths.
    """
    check_type("sentences", sentences, Iterable, "a list of arrays (n_words, dim)")
    sentences = list(sentences)
    for number, one in enumerate(sentences):
        check_type(f"sentences[{number}]", one, np.ndarray | Tensor, "an array (n_words, dim)")
    if not sentences:
        raise InputError("no sentences to pad")
    widths = {one.shape[1:] for one in sentences}
    if len(widths) != 1 or len(*widths) != 1:
        raise InputError(f"sentences have vectors of shapes {sorted(widths)}; give (n_words, dim) with one dim")
    lengths = torch.tensor([len(one) for one in sentences])
    out = torch.zeros(len(sentences), max(1, int(lengths.max())), *widths.pop())
    for row, one in zip(out, sentences, strict=True):
        row[: len(one)] = torch.tensor(one)
    return out, torch.arange(out.shape[1]) < lengths[:, None]
