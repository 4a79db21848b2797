"""Keys as one block of UTF-8 bytes with a hash index beside it, so that opening a file builds no dictionary.

The index is an open-addressing table of ``int32`` key numbers (-1 = empty) with a power-of-two number of slots, at
least twice the number of keys. A key with CRC-32 ``h`` starts at slot ``(h * 2654435769 mod 2**32) >> (32 - log2
slots)`` and walks forward by one. A lookup touches one or two pages of a memory-mapped file.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from wordstock._settings import check_type
from wordstock.errors import FormatError, InputError, UnknownWordError
from wordstock.protocols import IntArray
from wordstock.vocab.key_block import ByteArray, encoded_keys, pack, take_keys
from wordstock.vocab.key_view import KeyView
from wordstock.vocab.suggest import near_matches

__all__ = ["Vocabulary"]

SlotArray = npt.NDArray[np.int32]

_GOLDEN = 2654435769
_EMPTY = -1
_LIMIT = 2**30  # keys; slots are int32 and CRC-32 spreads over 2**32


class Vocabulary:
    """An immutable ordered set of unique keys, each with a row and perhaps a count.

    Parameters
    ----------
    blob : uint8 (n_bytes,), the keys' UTF-8 bytes one after the other.
    offsets : int64 (n + 1,), where each key starts in ``blob``.
    slots : int32 (2**k,), the hash index; None builds it.
    rows : int32 (n,), row of the vector table for each key, where several keys may share one; None = key i is row i.
    counts : int64 (n,), how often each key was seen in training; None if unknown.
    """

    __slots__ = (
        "_blob_view",
        "_first",
        "_offset_view",
        "_shift",
        "_slot_view",
        "blob",
        "counts",
        "offsets",
        "rows",
        "slots",
    )

    def __init__(
        self,
        blob: ByteArray,
        offsets: IntArray,
        *,
        slots: SlotArray | None = None,
        rows: npt.NDArray[np.int32] | None = None,
        counts: IntArray | None = None,
    ) -> None:
        self.blob, self.offsets = blob, offsets
        self.rows, self.counts = rows, counts
        size = len(offsets) - 1
        for name, array in (("rows", rows), ("counts", counts)):
            if array is not None and len(array) != size:
                raise InputError(f"{name} has {len(array)} entries for {size} keys; give one per key")
        self.slots = build_slots(_hashes(blob, offsets)) if slots is None else slots
        self._shift = 32 - (len(self.slots).bit_length() - 1)
        self._blob_view = blob.data
        self._offset_view = offsets.data
        self._slot_view = self.slots.data
        self._first: IntArray | None = None

    @classmethod
    def from_keys(
        cls,
        keys: Iterable[str],
        *,
        rows: npt.NDArray[np.int32] | None = None,
        counts: IntArray | None = None,
    ) -> Vocabulary:
        """Build from unique strings.

        Raises
        ------
        InputError
            A key that is not a str, cannot be written as UTF-8, or occurs twice.
        """
        check_type("keys", keys, Iterable, "a list of str")
        encoded = encoded_keys(list(keys))
        blob, offsets = pack(encoded)
        if len(set(encoded)) != len(encoded):
            seen: set[bytes] = set()
            for position, key in enumerate(encoded):
                if key in seen:
                    raise InputError(f"key {key.decode()!r} at position {position} occurs twice; keys must be unique")
                seen.add(key)
        return cls(blob, offsets, rows=rows, counts=counts)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.blob, self.offsets, self.slots, self.rows, self.counts)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.find(key) >= 0

    @property
    def keys(self) -> KeyView:
        """The keys in order, decoded as they are asked for."""
        return KeyView(self)

    def key(self, number: int) -> str:
        """The key with this number, 0 <= number < len(self).

        Raises
        ------
        FormatError
            Bytes that are not UTF-8, or no place for them: the file that the keys are mapped from is damaged.
        """
        start, stop = self._offset_view[number], self._offset_view[number + 1]
        try:
            if not 0 <= start <= stop <= len(self._blob_view):
                raise ValueError(f"bytes {start} to {stop} of {len(self._blob_view)}")
            return str(self._blob_view[start:stop], "utf-8")
        except ValueError as error:
            raise FormatError(
                "the mapped file of keys",
                expected=f"key {number} as UTF-8",
                found=f"{error!s:.80}",
                remedy="the file is damaged; save or fetch it again",
            ) from None

    def sound_offsets(self) -> IntArray:
        """``offsets``, all looked at: for code that goes through many keys and checks the place of none.

        Raises
        ------
        FormatError
            A key without a place: the file that the keys are mapped from is damaged.
        """
        wrong = np.flatnonzero(self.offsets[1:] < self.offsets[:-1])
        if len(wrong):  # the first is 0 and the last the end of the keys, which opening has checked
            self.key(int(wrong[0]))
        return self.offsets

    def find(self, key: str) -> int:
        """Number of ``key``, or -1."""
        try:
            wanted = key.encode()
        except UnicodeEncodeError:  # a lone surrogate: no UTF-8 file can hold it
            return -1
        slots, offsets, blob = self._slot_view, self._offset_view, self._blob_view
        mask = len(slots) - 1
        slot = (crc32(wanted) * _GOLDEN & 0xFFFFFFFF) >> self._shift
        size = len(offsets) - 1
        for _ in range(len(slots)):  # bounded even where a damaged file has no empty slot
            number = slots[slot]
            if number < 0 or number >= size:
                return -1
            if blob[offsets[number] : offsets[number + 1]] == wanted:
                return int(number)
            slot = (slot + 1) & mask
        return -1

    def find_folded(self, key: str) -> int:
        """Number of ``key``, or of its lower, title, upper or capitalised form, in that order; or -1."""
        number = self.find(key)
        if number >= 0:
            return number
        for other in (key.lower(), key.title(), key.upper(), key.capitalize()):
            if other != key and (number := self.find(other)) >= 0:
                return number
        return -1

    def require(self, key: str, *, fold: bool = False, hint: str = "") -> int:
        """Number of ``key``.

        Raises
        ------
        UnknownWordError
            The key is not there; near matches are named.
        InputError
            ``key`` is not a str.
        """
        if not isinstance(key, str):
            raise InputError(f"a key must be a str, not {type(key).__name__}: {key!r:.80}")
        number = self.find_folded(key) if fold else self.find(key)
        if number < 0:
            raise UnknownWordError(key, near_matches(key, self.__contains__), hint)
        return number

    def row(self, number: int) -> int:
        """Row of the vector table that key ``number`` uses."""
        return number if self.rows is None else int(self.rows[number])

    def first_keys(self, n_rows: int) -> IntArray:
        """For each of ``n_rows`` rows, the number of its first key, -1 for a row without key; int64 (n_rows,)."""
        if self.rows is None:
            return np.arange(n_rows, dtype=np.int64)
        if self._first is None:
            first = np.full(n_rows, -1, np.int64)
            first[self.rows[::-1]] = np.arange(len(self) - 1, -1, -1, dtype=np.int64)
            self._first = first
        return self._first

    def select(self, numbers: IntArray) -> Vocabulary:
        """A vocabulary of these keys in this order; counts follow, rows do not (key i is row i)."""
        blob, offsets = take_keys(self.blob, self.sound_offsets(), numbers)
        return Vocabulary(blob, offsets, counts=None if self.counts is None else self.counts[numbers])


def _rebuild(
    blob: ByteArray,
    offsets: IntArray,
    slots: SlotArray,
    rows: npt.NDArray[np.int32] | None,
    counts: IntArray | None,
) -> Vocabulary:
    return Vocabulary(blob, offsets, slots=slots, rows=rows, counts=counts)


def build_slots(hashes: npt.NDArray[np.uint32]) -> SlotArray:
    """The hash index over keys with these CRC-32 values."""
    size = len(hashes)
    if size > _LIMIT:
        raise InputError(f"{size:,} keys are more than one table holds ({_LIMIT:,}); split the table")
    bits = max(4, (2 * size - 1).bit_length())
    slots = np.full(1 << bits, _EMPTY, np.int32)
    place = ((hashes.astype(np.uint64) * np.uint64(_GOLDEN)) & np.uint64(0xFFFFFFFF)) >> np.uint64(32 - bits)
    place = place.astype(np.int64)
    pending = np.arange(size, dtype=np.int32)
    while len(pending):
        wanted = place[pending]
        free = slots[wanted] == _EMPTY
        slots[wanted[free]] = pending[free]
        pending = pending[slots[wanted] != pending]
        place[pending] = (place[pending] + 1) & (len(slots) - 1)
    return slots


def _hashes(blob: ByteArray, offsets: IntArray) -> npt.NDArray[np.uint32]:
    data, bounds = blob.tobytes(), offsets.tolist()
    pieces = (crc32(data[bounds[i] : bounds[i + 1]]) for i in range(len(bounds) - 1))
    return np.fromiter(pieces, np.uint32, len(bounds) - 1)
