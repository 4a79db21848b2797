"""Words of an evaluation set -> keys of a table, with upper and lower case kept apart or folded."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Literal, get_args

from wordstock.errors import InputError
from wordstock.vocab import Vocabulary

__all__ = ["Case", "KeyLookup"]

Case = Literal["fold", "exact"]


class KeyLookup:
    """The keys that a set's words mean.

    With ``case="fold"`` words and keys are compared in upper case, and of several keys that agree the first one is
    taken, which is the most frequent one in a table sorted by frequency; the published tools do so.

    Parameters
    ----------
    words : every word that will be asked for.
    size : only the first ``size`` keys exist.

    Raises
    ------
    InputError
        An unknown ``case``.
    """

    def __init__(self, vocabulary: Vocabulary, words: Iterable[str], *, case: Case, size: int) -> None:
        if case not in get_args(Case):
            raise InputError(f"case={case!r}: known are 'fold', 'exact'")
        self._fold = case == "fold"
        self._numbers: dict[str, list[int]] = {}
        wanted = {self.form(word) for word in words}
        if self._fold:
            for number, key in enumerate(islice(vocabulary.keys, size)):
                form = key.upper()
                if form in wanted:
                    self._numbers.setdefault(form, []).append(number)
        else:
            found = ((word, vocabulary.find(word)) for word in wanted)
            self._numbers = {word: [number] for word, number in found if 0 <= number < size}

    def form(self, word: str) -> str:
        """What words are compared by."""
        return word.upper() if self._fold else word

    def number(self, word: str) -> int:
        """Number of the key that ``word`` means, or -1."""
        numbers = self._numbers.get(self.form(word))
        return numbers[0] if numbers else -1

    def variants(self, word: str) -> list[int]:
        """Numbers of all keys that agree with ``word``."""
        return self._numbers.get(self.form(word), [])
