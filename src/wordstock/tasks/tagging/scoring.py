"""Span-level precision, recall and F1, counted as the CoNLL shared tasks' ``conlleval`` counts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from wordstock.errors import InputError
from wordstock.tasks.tagging.schemes import spans_of, split_tag

__all__ = ["SpanCounts", "SpanScores", "score_spans"]


@dataclass(frozen=True)
class SpanCounts:
    """How many spans there are, were found, and of those are right in both borders and type."""

    gold: int = 0
    found: int = 0
    correct: int = 0

    @property
    def precision(self) -> float:
        """Share of what was found that is right; 0 where nothing was found."""
        return self.correct / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Share of what is there that was found; 0 where nothing is there."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.gold + self.found
        return 2 * self.correct / total if total else 0.0


@dataclass(frozen=True)
class SpanScores(SpanCounts):
    """The counts over all types, those of each type, and of the words' own tags.

    Parameters
    ----------
    types : counts by type, sorted.
    words, right : words, and those whose tag is predicted to the letter, but for L and U, which are E and S.
    """

    types: dict[str, SpanCounts] = field(default_factory=dict)
    words: int = 0
    right: int = 0

    @property
    def accuracy(self) -> float:
        """Share of words with the right tag."""
        return self.right / self.words if self.words else 0.0

    @property
    def macro_f1(self) -> float:
        """Mean of the types' F1."""
        return sum(one.f1 for one in self.types.values()) / len(self.types) if self.types else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, shares from 0 to 1."""
        return {
            **_shares(self),
            "macro_f1": self.macro_f1,
            "accuracy": self.accuracy,
            "words": self.words,
            "types": {name: _shares(one) for name, one in self.types.items()},
        }

    def __str__(self) -> str:
        """What ``conlleval`` prints."""
        lines = [
            f"processed {self.words} tokens with {self.gold} phrases; "
            f"found: {self.found} phrases; correct: {self.correct}.",
            f"accuracy: {100 * self.accuracy:6.2f}%; {_line(self)}",
            *(f"{name:>17}: {_line(one)}  {one.found}" for name, one in self.types.items()),
        ]
        return "\n".join(lines)


def score_spans(gold: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> SpanScores:
    """Compare tags of the same sentences, in any of the span schemes.

    Raises
    ------
    InputError
        Another number of sentences, or of tags in a sentence, which it names.
    """
    if len(gold) != len(found):
        raise InputError(f"{len(gold)} sentences of tags to compare with {len(found)}; give the same sentences")
    counts: dict[str, list[int]] = {}
    words = right = 0
    for number, (expected, given) in enumerate(zip(gold, found, strict=True)):
        if len(expected) != len(given):
            raise InputError(f"sentence {number}: {len(expected)} tags to compare with {len(given)}")
        words += len(expected)
        right += sum(a == b or split_tag(a) == split_tag(b) for a, b in zip(expected, given, strict=True))
        there, seen = set(spans_of(expected)), set(spans_of(given))
        for column, group in enumerate((there, seen, there & seen)):
            for span in group:
                counts.setdefault(span.label, [0, 0, 0])[column] += 1
    types = {name: SpanCounts(*counts[name]) for name in sorted(counts)}
    gold_count, found_count, correct = (sum(one[column] for one in counts.values()) for column in range(3))
    return SpanScores(gold_count, found_count, correct, types=types, words=words, right=right)


def _shares(counts: SpanCounts) -> dict[str, Any]:
    shares = {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1}
    return shares | {name: value for name, value in asdict(counts).items() if name in ("gold", "found", "correct")}


def _line(counts: SpanCounts) -> str:
    return (
        f"precision: {100 * counts.precision:6.2f}%; recall: {100 * counts.recall:6.2f}%; FB1: {100 * counts.f1:6.2f}"
    )
