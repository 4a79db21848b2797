"""Phrases: words that stand together more often than chance, joined into one token.

word2phrase (Mikolov et al. 2013, "Distributed Representations of Words and Phrases", eq. 6, times the corpus size as
in its code): ``(c(ab) - discount) * N / (c(a) * c(b)) > threshold``. NPMI (Bouma 2009): ``ln(p(ab) / (p(a) p(b))) /
-ln p(ab) > threshold`` for pairs seen at least ``discount`` times. ``c`` are counts in the corpus as the pass before
left it and ``N`` its number of words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from wordstock._settings import check_flag, check_known, check_number, check_whole, store_plain
from wordstock.errors import InputError

if TYPE_CHECKING:
    from wordstock.vocab.batches import Sentences

__all__ = ["PhraseSettings", "Phrases"]

Pair = tuple[str, str]
_THRESHOLDS = {"word2phrase": 100.0, "npmi": 0.5}


@dataclass(frozen=True)
class PhraseSettings:
    """How phrases are found.

    Parameters
    ----------
    passes : each pass may join what the one before left or made, so that two find phrases of up to four words.
    score : "word2phrase" or "npmi".
    threshold : a pair with a higher score is joined; None is 100 for word2phrase and 0.5 for NPMI.
    discount : word2phrase's delta; for NPMI the least count of a pair.
    delimiter : stands between the words of a phrase.
    words_only : leave alone tokens without a letter or digit, such as punctuation marks.

    Raises
    ------
    InputError
        A setting that cannot be meant.
    """

    passes: int = 2
    score: Literal["word2phrase", "npmi"] = "word2phrase"
    threshold: float | None = None
    discount: int = 5
    delimiter: str = "_"
    words_only: bool = True

    def __post_init__(self) -> None:
        store_plain(self)
        check_known("score", self.score, tuple(_THRESHOLDS))
        check_whole("passes", self.passes, 1)
        check_whole("discount", self.discount, 0)
        check_number("threshold", self.threshold, -math.inf, optional=True)
        check_flag("words_only", self.words_only)
        if self.score == "word2phrase" and not self.limit > 0:
            raise InputError(f"threshold={self.threshold}: needs a positive number, such as 100")
        if self.score == "npmi" and not -1 <= self.limit <= 1:
            raise InputError(f"threshold={self.threshold}: NPMI lies between -1 and 1; try 0.5")

    @property
    def limit(self) -> float:
        """The threshold, the default where none was given."""
        return _THRESHOLDS[self.score] if self.threshold is None else self.threshold

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values, the threshold written out."""
        return {**asdict(self), "threshold": self.limit}


@dataclass(frozen=True)
class Phrases:
    """The pairs that each pass joins; apply them to the tokens of any text with ``join``.

    Parameters
    ----------
    passes : the pairs of each pass.
    settings : how they were found.
    """

    passes: tuple[frozenset[Pair], ...] = ()
    settings: PhraseSettings = field(default_factory=PhraseSettings)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_starts", [{first for first, _ in pairs} for pairs in self.passes])

    def __len__(self) -> int:
        """Number of pairs over all passes."""
        return sum(map(len, self.passes))

    @classmethod
    def learn(cls, sentences: Sentences, settings: PhraseSettings | None = None) -> Phrases:
        """Find the phrases of a corpus; ``build_shards`` finds them on the way to shards.

        Raises
        ------
        InputError
            An empty corpus, or a sentence that is neither text nor words.
        StorageError
            The disk is full: the corpus is held as token ids in the system's temporary folder.
        """
        from wordstock.vocab.phrase_pass import learn_phrases

        return learn_phrases(sentences, settings or PhraseSettings())

    def join(self, tokens: Sequence[str]) -> list[str]:
        """``tokens`` with phrases joined, from left to right, pass by pass."""
        found = list(tokens)
        starts: list[set[str]] = self._starts  # type: ignore[attr-defined]
        for pairs, begins in zip(self.passes, starts, strict=True):
            if begins.isdisjoint(found):
                continue
            found = self._joined(found, pairs, begins)
        return found

    def _joined(self, tokens: list[str], pairs: frozenset[Pair], begins: set[str]) -> list[str]:
        delimiter = self.settings.delimiter
        found: list[str] = []
        i, last = 0, len(tokens) - 1
        while i <= last:
            token = tokens[i]
            if i < last and token in begins and (token, tokens[i + 1]) in pairs:
                found.append(f"{token}{delimiter}{tokens[i + 1]}")
                i += 2
            else:
                found.append(token)
                i += 1
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: the settings and, per pass, the pairs in order."""
        return {**self.settings.to_dict(), "pairs": [[list(pair) for pair in sorted(each)] for each in self.passes]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Phrases:
        """Read back what ``to_dict`` gave.

        Raises
        ------
        InputError
            Something else.
        """
        try:
            values = dict(values)
            passes = tuple(frozenset((str(a), str(b)) for a, b in pairs) for pairs in values.pop("pairs"))
            return cls(passes, PhraseSettings(**values))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"these are not saved phrases: {error!r:.200}") from error
