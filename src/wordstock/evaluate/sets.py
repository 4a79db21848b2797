"""Evaluation sets: word pairs with human scores, and analogy questions in sections."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from wordstock.errors import InputError

__all__ = ["AnalogySection", "AnalogySet", "Question", "SimilaritySet"]


class Question(NamedTuple):
    """``a`` is to ``b`` as ``c`` is to any of ``answers``."""

    a: str
    b: str
    c: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class SimilaritySet:
    """Word pairs, each with the score that people gave it.

    Raises
    ------
    InputError
        No pair, another number of scores than of pairs, or a score that is not a finite number.
    """

    name: str
    pairs: tuple[tuple[str, str], ...]
    scores: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.pairs) != len(self.scores):
            raise InputError(f"set {self.name!r}: {len(self.scores)} scores for {len(self.pairs)} pairs; give one each")
        if not self.pairs:
            raise InputError(f"set {self.name!r} holds no pair")
        for pair, score in zip(self.pairs, self.scores, strict=True):
            if not math.isfinite(score):
                raise InputError(f"set {self.name!r}: the score of {pair} is {score}; it must be a finite number")

    def __len__(self) -> int:
        return len(self.pairs)


@dataclass(frozen=True)
class AnalogySection:
    """Questions about one relation."""

    name: str
    questions: tuple[Question, ...]

    def __len__(self) -> int:
        return len(self.questions)


@dataclass(frozen=True)
class AnalogySet:
    """Analogy questions in sections.

    Raises
    ------
    InputError
        No question, or a question without an answer.
    """

    name: str
    sections: tuple[AnalogySection, ...]

    def __post_init__(self) -> None:
        if not len(self):
            raise InputError(f"set {self.name!r} holds no question")
        for section in self.sections:
            for question in section.questions:
                if not question.answers:
                    raise InputError(f"set {self.name!r}, section {section.name!r}: {question[:3]} has no answer")

    def __len__(self) -> int:
        return sum(map(len, self.sections))
