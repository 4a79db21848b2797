"""Accuracy on analogy questions: "a is to b as c is to what?"."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, get_args

import numpy as np

from wordstock._settings import check_known, check_whole
from wordstock.embeddings import Embeddings, Storage
from wordstock.embeddings.search import AnalogyMethod, top_k_analogies
from wordstock.evaluate.lookup import Case, KeyLookup
from wordstock.evaluate.sets import AnalogySet, Question
from wordstock.protocols import FloatArray, IntArray
from wordstock.vocab import Vocabulary

__all__ = ["AnalogyResult", "SectionScore", "evaluate_analogy"]


@dataclass(frozen=True)
class SectionScore:
    """How many of a section's questions could be asked, and how many of those were answered rightly.

    Parameters
    ----------
    answered : questions whose three words, and at least one right answer, are in the vocabulary.
    """

    name: str
    questions: int
    answered: int
    correct: int

    @property
    def skipped(self) -> int:
        """Questions with an out-of-vocabulary word."""
        return self.questions - self.answered

    @property
    def accuracy(self) -> float | None:
        """Share of the answered questions; None where there is none. This is the figure usually published."""
        return self.correct / self.answered if self.answered else None

    @property
    def accuracy_all(self) -> float | None:
        """Share of all questions, those with unknown words counted as wrong (gensim's ``dummy4unknown``)."""
        return self.correct / self.questions if self.questions else None

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {
            **asdict(self),
            "skipped": self.skipped,
            "accuracy": self.accuracy,
            "accuracy_all": self.accuracy_all,
        }


@dataclass(frozen=True)
class AnalogyResult:
    """Top-1 accuracy per section and in total; the total sums the sections' questions."""

    name: str
    method: AnalogyMethod
    sections: tuple[SectionScore, ...]
    total: SectionScore
    oov_words: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {
            "kind": "analogy",
            "name": self.name,
            "method": self.method,
            "sections": [section.to_dict() for section in self.sections],
            "total": self.total.to_dict(),
            "oov_words": self.oov_words,
        }


def evaluate_analogy(
    embeddings: Embeddings,
    dataset: AnalogySet,
    *,
    method: AnalogyMethod = "3cosadd",
    restrict: int | None = None,
    case: Case = "fold",
) -> AnalogyResult:
    """Ask every question and count the right answers.

    The answer is the key with the best score among all searched keys but the question's own; with ``case="fold"``, but
    every key that equals one of the question's words in another case too. It is right if it equals one of the
    question's right answers, so a right answer that is also a word of its question can never be given. With the
    defaults the counts equal those of gensim's ``evaluate_word_analogies`` with ``restrict_vocab`` at the size of the
    table, but for scores that tie in float32.

    Parameters
    ----------
    restrict : search only the first so many keys, and skip questions with a word beyond them; None searches all.
    case : "fold" compares in upper case, the first key winning; "exact" keeps case apart.

    Raises
    ------
    InputError
        An unknown ``method`` or ``case``, or ``restrict`` below 1.
    """
    check_known("method", method, get_args(AnalogyMethod))
    check_whole("restrict", restrict, 1, optional=True)
    size = min(len(embeddings), restrict or len(embeddings))
    questions = [question for section in dataset.sections for question in section.questions]
    words = {word for question in questions for word in (*question[:3], *question.answers)}
    lookup = KeyLookup(embeddings.vocabulary, words, case=case, size=size)
    numbers = {word: lookup.number(word) for word in words}
    answered = np.array([_known(question, numbers) for question in questions], bool)
    correct = np.zeros(len(questions), bool)
    asked = np.flatnonzero(answered)
    if len(asked):
        found = _answers(embeddings, [questions[i] for i in asked], lookup, size, method)
        for i, number in zip(asked.tolist(), found.tolist(), strict=True):
            correct[i] = any(number in lookup.variants(answer) for answer in questions[i].answers)
    sections, start = [], 0
    for section in dataset.sections:
        part = slice(start, start + len(section))
        sections.append(SectionScore(section.name, len(section), int(answered[part].sum()), int(correct[part].sum())))
        start += len(section)
    return AnalogyResult(
        name=dataset.name,
        method=method,
        sections=tuple(sections),
        total=SectionScore("total", len(questions), int(answered.sum()), int(correct.sum())),
        oov_words=tuple(sorted(word for word, number in numbers.items() if number < 0)),
    )


def _known(question: Question, numbers: dict[str, int]) -> bool:
    a, b, c, answers = question
    return min(numbers[a], numbers[b], numbers[c]) >= 0 and max(map(numbers.__getitem__, answers)) >= 0


def _answers(
    embeddings: Embeddings, questions: list[Question], lookup: KeyLookup, size: int, method: AnalogyMethod
) -> IntArray:
    """Number of the key that each question is answered with, int64 (n,); -1 where no key is left."""
    forms = {lookup.form(word): word for question in questions for word in question[:3]}
    place = {form: i for i, form in enumerate(forms)}
    triples = np.array([[place[lookup.form(word)] for word in question[:3]] for question in questions], np.int64)
    storage, inverse_norms, first = _searched(embeddings, size)
    variants = [np.array(lookup.variants(word), np.int64) for word in forms.values()]
    skip = [_lines(embeddings.vocabulary, size, numbers) for numbers in variants]
    lines = np.array([line[0] for line in skip], np.int64)
    units = storage.take(lines) * inverse_norms[lines, None]
    _, rows = top_k_analogies(storage, inverse_norms, units, triples, 1, method, skip=skip)
    return np.append(first, -1)[rows[:, 0]]


def _searched(embeddings: Embeddings, size: int) -> tuple[Storage, FloatArray, IntArray]:
    """The rows that the first ``size`` keys use, their inverse norms, and the number of the first key of each."""
    storage, inverse, rows = embeddings.storage, embeddings.inverse_norms, embeddings.vocabulary.rows
    first = np.arange(size, dtype=np.int64)
    if rows is not None or size < len(storage):
        used: slice | IntArray = slice(0, size)
        if rows is not None:
            used, first = np.unique(rows[:size], return_index=True)
        storage = Storage(storage.data[used], None if storage.scales is None else storage.scales[used])
        inverse = inverse[used]
    return storage, inverse, first


def _lines(vocabulary: Vocabulary, size: int, numbers: IntArray) -> IntArray:
    """Where the keys with these numbers stand in what ``_searched`` returns."""
    if vocabulary.rows is None:
        return numbers
    return np.searchsorted(np.unique(vocabulary.rows[:size]), vocabulary.rows[numbers]).astype(np.int64)
