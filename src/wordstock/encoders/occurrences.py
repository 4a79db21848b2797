"""Words' vectors in context, averaged over their occurrences in a corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from wordstock.errors import InputError
from wordstock.protocols import Encoder, FloatArray, IntArray
from wordstock.text import Tokenizer
from wordstock.vocab import Vocabulary

__all__ = ["Occurrences", "average_occurrences"]

_STRETCH = 256  # words run as one sentence at most
_BLOCK = 1 << 14  # words whose vectors are held at once


class Occurrences(NamedTuple):
    """What a corpus gave.

    Parameters
    ----------
    vectors : float32 (n_words, dim), the mean of each word's vectors.
    counts : int64 (n_words,), all occurrences, averaged or not.
    """

    vectors: FloatArray
    counts: IntArray


class _Stretch(NamedTuple):
    """Words as the encoder gets them, the number of each in the vocabulary or -1, and those whose vector is taken."""

    words: list[str]
    numbers: list[int]
    places: list[int]


def average_occurrences(
    encoder: Encoder,
    vocabulary: Vocabulary,
    sentences: Iterable[str | Sequence[str]],
    tokenizer: Tokenizer,
    most: int,
    progress: Callable[[int, int | None], object] | None = None,
) -> Occurrences:
    """Mean of each word's first ``most`` vectors in context; a word that does not occur is run alone.

    Memory holds the sums, float32 (n_words, dim), and the vectors of a few thousand words at a time.

    Raises
    ------
    InputError
        A sentence that is neither a str nor a sequence of str.
    """
    picker = _Picker(vocabulary, tokenizer, most)
    sums: FloatArray | None = None
    done = 0
    for block, read in _blocks(picker, sentences):
        sums = _add(sums, encoder, block, len(vocabulary))
        done = read
        if progress is not None:
            progress(done, None)
    absent = [number for number, taken in enumerate(picker.taken) if not taken]
    for start in range(0, len(absent), _BLOCK):
        part = absent[start : start + _BLOCK]
        sums = _add(sums, encoder, [_Stretch([vocabulary.key(n)], [n], [0]) for n in part], len(vocabulary))
        if progress is not None:
            progress(done + start + len(part), done + len(absent))
    if sums is None:
        raise InputError("the vocabulary is empty; give some words")
    sums /= np.maximum(picker.taken, 1).astype(np.float32)[:, None]
    return Occurrences(sums, np.array(picker.counts, np.int64))


def _add(sums: FloatArray | None, encoder: Encoder, block: list[_Stretch], size: int) -> FloatArray:
    vectors = encoder.encode_words([stretch.words for stretch in block])
    for stretch, found in zip(block, vectors, strict=True):
        if len(found) != len(stretch.words):
            raise InputError(f"the encoder gave {len(found)} vectors for {len(stretch.words)} words")
    taken = np.concatenate([found[stretch.places] for stretch, found in zip(block, vectors, strict=True)])
    numbers = np.array([stretch.numbers[place] for stretch in block for place in stretch.places], np.int64)
    if sums is None:
        sums = np.zeros((size, taken.shape[1]), np.float32)
    np.add.at(sums, numbers, taken)
    return sums


def _blocks(picker: _Picker, sentences: Iterable[str | Sequence[str]]) -> Iterator[tuple[list[_Stretch], int]]:
    """Stretches to run, some thousands of words together, and how many sentences have been read."""
    block: list[_Stretch] = []
    held = read = 0
    for read, sentence in enumerate(sentences, 1):
        for stretch in picker.pick(sentence, read - 1):
            block.append(stretch)
            held += len(stretch.words)
            if held >= _BLOCK:
                yield block, read
                block, held = [], 0
    if block:
        yield block, read


class _Picker:
    """Counts words and picks the occurrences that are averaged."""

    def __init__(self, vocabulary: Vocabulary, tokenizer: Tokenizer, most: int) -> None:
        self.counts = [0] * len(vocabulary)
        self.taken = [0] * len(vocabulary)
        self._numbers = {key: number for number, key in enumerate(vocabulary.keys)}
        self._most = most
        self._tokenizer = tokenizer
        # The encoder sees the text's own case and digits; only the look-up folds them.
        self._split = replace(tokenizer, casing="keep", digits="keep") if tokenizer.split == "words" else tokenizer

    def pick(self, sentence: str | Sequence[str], position: int) -> Iterator[_Stretch]:
        words, keys = self._words(sentence, position)
        numbers = [self._numbers.get(key, -1) for key in keys]
        for start in range(0, len(words), _STRETCH):
            part, places = numbers[start : start + _STRETCH], []
            for place, number in enumerate(part):
                if number >= 0:
                    self.counts[number] += 1
                    if self.taken[number] < self._most:
                        self.taken[number] += 1
                        places.append(place)
            if places:
                yield _Stretch(words[start : start + _STRETCH], part, places)

    def _words(self, sentence: str | Sequence[str], position: int) -> tuple[list[str], list[str]]:
        """The words for the encoder, and what each is looked up as."""
        if isinstance(sentence, str):
            words = self._split(_storable(sentence))
            return words, [self._tokenizer.normalize(word) for word in words]
        given: object = sentence
        if isinstance(given, bytes) or not isinstance(given, Iterable):
            raise InputError(f"sentence {position} (counted from 0) must be a str or words: {sentence!r:.80}")
        words = list(sentence)
        if wrong := [word for word in words if not isinstance(word, str)]:
            raise InputError(f"sentence {position} (counted from 0) holds {wrong[0]!r:.80}; words must be str")
        words = [_storable(word) for word in words if word]
        return words, words


def _storable(text: str) -> str:
    """Lone surrogates, which no model takes, become U+FFFD, as where words are counted."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
