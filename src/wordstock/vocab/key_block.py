"""Many keys as one block of UTF-8 bytes, uint8, and the offsets at which each begins, int64."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from wordstock.errors import InputError
from wordstock.protocols import IntArray

__all__ = ["ByteArray", "encoded_keys", "pack", "take_keys"]

ByteArray = npt.NDArray[np.uint8]

_AT_ONCE = 1 << 15  # keys copied together


def encoded_keys(keys: list[str]) -> list[bytes]:
    """Each key in UTF-8.

    Raises
    ------
    InputError
        One that is not a str, or cannot be written as UTF-8; names its position.
    """
    try:
        return [key.encode() for key in keys]
    except (AttributeError, UnicodeEncodeError):
        for position, key in enumerate(keys):
            if not isinstance(key, str):
                raise InputError(
                    f"key at position {position} must be a str, not {type(key).__name__}: {key!r:.80}"
                ) from None
            try:
                key.encode()
            except UnicodeEncodeError:
                raise InputError(
                    f"key at position {position} holds a lone surrogate and cannot be stored as UTF-8: {key!r:.80}"
                ) from None
        raise


def pack(encoded: Sequence[bytes]) -> tuple[ByteArray, IntArray]:
    """Keys as bytes -> (blob uint8, offsets int64)."""
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=offsets[1:])
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


def take_keys(blob: ByteArray, offsets: IntArray, numbers: IntArray) -> tuple[ByteArray, IntArray]:
    """The keys with these numbers, in this order, as (blob, offsets)."""
    lengths = offsets[numbers + 1] - offsets[numbers]
    taken = np.zeros(len(numbers) + 1, np.int64)
    np.cumsum(lengths, out=taken[1:])
    out = np.empty(taken[-1], np.uint8)
    for start in range(0, len(numbers), _AT_ONCE):  # one index per byte: all of them would be 24 times the keys' size
        part = slice(start, start + _AT_ONCE)
        first, last = taken[start], taken[min(start + _AT_ONCE, len(numbers))]
        sources = np.repeat(offsets[numbers[part]] - taken[:-1][part], lengths[part])
        out[first:last] = blob[sources + np.arange(first, last)]
    return out, taken
