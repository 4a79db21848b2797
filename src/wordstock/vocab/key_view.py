"""The keys of a vocabulary as a sequence, decoded as they are asked for."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from wordstock.vocab.vocabulary import Vocabulary

__all__ = ["KeyView"]

_AT_ONCE = 1 << 16  # keys decoded from one copy of their bytes


class KeyView(Sequence[str]):
    """The keys of a vocabulary as a read-only sequence."""

    __slots__ = ("_vocabulary",)

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def __len__(self) -> int:
        return len(self._vocabulary)

    def __contains__(self, key: object) -> bool:
        return key in self._vocabulary

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self._vocabulary.key(i) for i in range(*index.indices(len(self)))]
        number = operator.index(index)
        if number < 0:
            number += len(self)
        if not 0 <= number < len(self):
            raise IndexError(f"key {index} of {len(self)}")
        return self._vocabulary.key(number)

    def __iter__(self) -> Iterator[str]:
        vocabulary = self._vocabulary
        offsets = vocabulary.sound_offsets()
        for start in range(0, len(self), _AT_ONCE):
            bounds = offsets[start : start + _AT_ONCE + 1].tolist()
            base = bounds[0]
            piece = vocabulary.blob[base : bounds[-1]].tobytes()
            try:
                for i in range(len(bounds) - 1):
                    yield piece[bounds[i] - base : bounds[i + 1] - base].decode()
            except UnicodeDecodeError:
                vocabulary.key(start + i)
                raise

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Number of a key, through the hash index; ValueError if it is not there."""
        number = self._vocabulary.find(value) if isinstance(value, str) else -1
        if number < 0 or number not in range(*slice(start, stop).indices(len(self))):
            raise ValueError(f"{value!r} is not in the keys")
        return number

    def __repr__(self) -> str:
        shown = ", ".join(repr(key) for key in self[:5])
        return f"<{len(self):,} keys: {shown}{', …' if len(self) > 5 else ''}>"
