"""Lines that were seen before, told by a Bloom filter of fixed size."""

from __future__ import annotations

import hashlib
import logging
import math
import re
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import numpy.typing as npt

from wordstock.errors import InputError

__all__ = ["DuplicateFilter", "normalised"]

_DIGITS = re.compile(r"\d")
_NO_WORD = re.compile(r"[\W_]+")
_BATCH = 4096
_log = logging.getLogger(__name__)


def normalised(text: str) -> str:
    """What two near-duplicates share: letters in one case, every digit a 0, all else gone."""
    return _DIGITS.sub("0", _NO_WORD.sub("", text.casefold()))


class DuplicateFilter:
    """Remembers lines; two are the same if they are equal after ``normalised``.

    A line that was seen is always recognised. A new one is taken for seen, and so lost, with at most the probability
    ``false_positives`` while no more than ``capacity`` different lines have been seen, and more often after that.

    Parameters
    ----------
    capacity : different lines to expect; 10 million lines take 23 MiB at the default rate.
    false_positives : the probability of losing a new line once ``capacity`` are in.

    Raises
    ------
    InputError
        A capacity below 1, or a rate that is not between 0 and 1.
    """

    def __init__(self, capacity: int = 50_000_000, false_positives: float = 1e-4) -> None:
        if capacity < 1:
            raise InputError(f"capacity={capacity}: at least 1")
        if not 0 < false_positives < 1:
            raise InputError(f"false_positives={false_positives}: between 0 and 1, both left out")
        self.capacity, self.false_positives = capacity, false_positives
        bits = math.ceil(-capacity * math.log(false_positives) / math.log(2) ** 2)
        self._hashes = max(1, round(-math.log2(false_positives)))
        self._bytes = np.zeros(bits // 8 + 1, np.uint8)
        self.count = 0  # different lines seen
        self._warned = False

    @property
    def rate(self) -> float:
        """Probability of taking a new line for seen now."""
        filled = -math.expm1(-self._hashes * self.count / (len(self._bytes) * 8))
        return float(filled**self._hashes)

    def is_new(self, texts: list[str]) -> npt.NDArray[np.bool_]:
        """Whether each text is seen for the first time, bool (n,); all of them are seen from now on."""
        digests = b"".join(
            hashlib.blake2b(normalised(text).encode("utf-8", "surrogatepass"), digest_size=16).digest()
            for text in texts
        )
        halves = np.frombuffer(digests, np.dtype("<u8")).reshape(-1, 2)
        _, firsts = np.unique(halves[:, 0], return_index=True)
        new = np.zeros(len(texts), np.bool_)
        new[firsts] = True
        steps = np.arange(self._hashes, dtype=np.uint64)
        bits = (halves[:, :1] + steps * (halves[:, 1:] | np.uint64(1))) % np.uint64(len(self._bytes) * 8)
        cells, masks = (bits >> np.uint64(3)).astype(np.intp), np.left_shift(1, (bits & np.uint64(7))).astype(np.uint8)
        seen = ((self._bytes[cells] & masks) != 0).all(axis=1)
        new &= ~seen
        np.bitwise_or.at(self._bytes, cells[new].ravel(), masks[new].ravel())
        self.count += int(new.sum())
        if self.count > self.capacity and not self._warned:
            self._warned = True
            _log.warning(
                "more than %d different lines: new ones are now lost more often; raise capacity", self.capacity
            )
        return new

    def unique(self, texts: Iterable[str]) -> Iterator[str]:
        """The texts that are new, in their order; they are taken 4,096 at a time."""
        iterator = iter(texts)
        while batch := list(islice(iterator, _BATCH)):
            for text, new in zip(batch, self.is_new(batch), strict=True):
                if new:
                    yield text
