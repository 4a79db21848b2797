"""Words to rows of a table, and rows to vectors, with a policy for the words that it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from wordstock.embeddings.unknown import spelled_by
from wordstock.errors import InputError
from wordstock.protocols import FloatArray, IntArray
from wordstock.vocab import Vocabulary

if TYPE_CHECKING:
    from wordstock.embeddings.table import Embeddings

__all__ = ["Missing", "RowLookup", "vectors_of"]

Missing = Literal["raise", "zero", "subword"]

_MEMO_LIMIT = 2_000_000  # words remembered; past that the memo starts afresh


class RowLookup(dict[str, int]):
    """Word -> row, -1 if unknown; each word goes through the hash index once and is then remembered."""

    def __init__(self, vocabulary: Vocabulary, *, fold: bool) -> None:
        super().__init__()
        self._find = vocabulary.find_folded if fold else vocabulary.find
        self._rows = vocabulary.rows

    def __missing__(self, word: str) -> int:
        number = self._find(word)
        row = number if number < 0 or self._rows is None else int(self._rows[number])
        if len(self) >= _MEMO_LIMIT:
            self.clear()
        self[word] = row
        return row

    def rows(self, words: Iterable[str], count: int) -> IntArray:
        """Row of each word, int64 (count,)."""
        return np.fromiter(map(self.__getitem__, words), np.int64, count)


def vectors_of(table: Embeddings, words: Sequence[str], missing: Missing) -> FloatArray:
    """``Embeddings.vectors`` of words that are known to be str."""
    if missing not in ("raise", "zero", "subword"):
        raise InputError(f"missing={missing!r}: known are 'raise', 'zero', 'subword'")
    if missing == "subword" and table.subwords is None:
        raise InputError(
            "missing='subword' needs a table with n-gram vectors, as fastText trains them; "
            "this one has none: use missing='zero'"
        )
    rows, storage = table.lookup.rows(words, len(words)), table.storage
    absent = np.flatnonzero(rows < 0)
    if not len(absent):
        return storage.take(rows)
    if missing == "raise":
        hint = f"{len(absent)} of {len(words)} keys are unknown; missing='zero' gives zero rows"
        table.vocabulary.require(words[absent[0]], hint=hint if len(words) > 1 else "")
    out = storage.take(np.maximum(rows, 0)) if len(storage) else np.zeros((len(rows), table.dim), np.float32)
    out[absent] = 0
    if missing == "subword":
        out[absent] = spelled_by(table, [words[position] for position in absent.tolist()])[0]
    return out
