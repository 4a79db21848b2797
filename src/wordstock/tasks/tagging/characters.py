"""What a word's letters say of it: hashed affixes and shape, or its characters by number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal
from zlib import crc32

import numpy as np

from wordstock.protocols import IntArray

__all__ = ["BUCKETS", "FIELDS", "LONGEST", "Characters", "character_ids", "hashed_fields", "learn_alphabet", "shape"]

Characters = Literal["hashed", "cnn", "none"]

FIELDS = 8  # of a word, each hashed on its own
BUCKETS = 4096  # of each field
LONGEST = 24  # characters of a word that are looked at: its first and its last ones
_DIGIT = re.compile(r"\d")
_RUN = re.compile(r"(.)\1+")
_PAD, _UNKNOWN, _FIRST = 0, 1, 2


def shape(word: str) -> str:
    """Upper case as X, lower case as x, digits as d: ``BRCA1`` is XXXXd; other characters stay."""
    return "".join(
        "d" if one.isdigit() else "X" if one.isupper() else "x" if one.islower() or one.isalpha() else one
        for one in word
    )


def hashed_fields(words: Sequence[str]) -> IntArray:
    """Buckets of the word itself, two of its prefixes, three suffixes, its shape and that without repeats.

    int64 (n, FIELDS), each from 0 to BUCKETS - 1. Letters are folded to lower case and digits to 0 but for the shapes.
    """
    out = np.empty((len(words), FIELDS), np.int64)
    for row, word in zip(out, words, strict=True):
        folded, form = _DIGIT.sub("0", word.lower()), shape(word)
        affixes = folded[:2], folded[:4], folded[-2:], folded[-3:], folded[-4:]
        fields = folded, *affixes, form[:3] + form[-3:], _RUN.sub(r"\1", form)
        row[:] = [crc32(field.encode("utf-8", "surrogatepass"), number) for number, field in enumerate(fields)]
    return out % BUCKETS


def learn_alphabet(words: Iterable[str], *, least: int = 2) -> str:
    """The characters that occur at least ``least`` times, sorted."""
    counts = Counter(letter for word in words for letter in word)
    return "".join(sorted(letter for letter, count in counts.items() if count >= least))


def character_ids(words: Sequence[str], alphabet: str) -> IntArray:
    """Numbers of a word's characters, int64 (n, length): 0 is padding, 1 a character that is not in the alphabet."""
    numbers = {letter: number for number, letter in enumerate(alphabet, _FIRST)}
    half = LONGEST // 2
    cut = [word if len(word) <= LONGEST else word[:half] + word[-half:] for word in words]
    out = np.full((len(cut), max(map(len, cut), default=1)), _PAD, np.int64)
    for row, word in zip(out, cut, strict=True):
        row[: len(word)] = [numbers.get(letter, _UNKNOWN) for letter in word]
    return out
