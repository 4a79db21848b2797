"""The data of a report: training pool, test set, and nested samples of growing size."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wordstock.errors import InputError, LabelError
from wordstock.evaluate.report.given import (
    checked_labels,
    checked_tagged,
    checked_texts,
    looks_tagged,
    read_pair,
    tag_scheme,
    types_of,
)
from wordstock.evaluate.report.plan import ReportConfig, Task
from wordstock.evaluate.report.sampling import Marks, covering, held_out, tested_rows
from wordstock.protocols import IntArray
from wordstock.tasks.labels import LabelCodec
from wordstock.tasks.tagging.schemes import Scheme

__all__ = ["ReportData", "gather"]


@dataclass(frozen=True)
class ReportData:
    """What is learned from, and what is measured on.

    Parameters
    ----------
    task : "classification", or "tagging" with lists of words and of tags.
    name : of the data, for the page.
    texts, labels : the pool that samples are drawn from.
    test_texts, test_labels : the test set.
    marks : what each text of the pool has an example of: its label, its labels, or the types of its spans.
    classes : number of classes of a classification; 0 for tagging.
    scheme : of the tags; None for classification.
    left_out : test texts that were not used because there are more than wanted.
    """

    task: Task
    name: str
    texts: list[Any]
    labels: list[Any]
    test_texts: list[Any]
    test_labels: list[Any]
    marks: list[Marks]
    classes: int
    multilabel: bool
    scheme: Scheme | None = None
    left_out: int = 0

    def sample(self, budget: int, seed: int) -> IntArray:
        """Rows of a sample, which those of larger budgets with the same seed contain.

        It begins with each label once; of several labels per text, with two texts whose labels differ; of tags, with
        one sentence that has a span, or with two tags.
        """
        order = np.random.default_rng(seed).permutation(len(self.texts))
        first = self._first(order.tolist())
        chosen = np.zeros(len(order), bool)
        chosen[first] = True
        return np.concatenate([first, order[~chosen[order]]])[:budget].astype(np.int64)

    def _first(self, order: list[int]) -> list[int]:
        if self.scheme is not None:
            return covering(order, self.marks, 2 if self.scheme == "plain" else 1)
        first = covering(order, self.marks)
        if self.multilabel and len(first) == 1:
            first += [row for row in order if self.marks[row] != self.marks[first[0]]][:1]
        return first

    def digest(self) -> str:
        """SHA-256 of all texts and labels, and of how samples are drawn, in short."""
        drawn = ["a label or two first"] if self.multilabel or self.scheme else []
        state = hashlib.sha256(json.dumps([self.task, self.classes, *drawn]).encode())
        for part in (self.texts, self.labels, self.test_texts, self.test_labels):
            state.update(json.dumps(part, ensure_ascii=True).encode())
        return state.hexdigest()[:16]


def gather(
    train: Any, test: Any, config: ReportConfig, *, columns: dict[str, Any] | None = None, name: str | None = None
) -> ReportData:
    """Read, check and part the data.

    Parameters
    ----------
    train, test : a path to labelled texts, or (texts, labels); ``test`` may be None. Labels are those that
        ``TextClassifier`` or ``SequenceTagger`` takes.
    columns : for paths, options of ``read_labelled``.
    name : of the data, for the page; None takes the path.

    Raises
    ------
    InputError
        Too few texts, lists of different lengths, something that is no text, or what a reader refuses.
    LabelError
        Labels that cannot be used, or a label of the test set that no training text has.
    """
    name = name or (str(train) if isinstance(train, str | Path) else "the texts given")
    texts, labels = read_pair(train, "train", columns)
    task: Task = config.task or ("tagging" if looks_tagged(texts, labels) else "classification")
    given = None if test is None else read_pair(test, "test", columns)
    if len(texts) < 4:
        raise InputError(f"{len(texts)} training texts are too few for a learning curve; give at least some dozens")
    if task == "tagging":
        return _tagged(texts, labels, given, config, name)
    texts = checked_texts(texts, "train")
    codec = LabelCodec.fit(labels)
    labels = checked_labels(codec, labels)
    if codec.multilabel and all(one == labels[0] for one in labels):
        raise LabelError("every text has the same labels; a classifier needs examples with and without a label")
    marks = [frozenset(one) if codec.multilabel else frozenset((one,)) for one in labels]
    if given is not None:
        try:
            given = checked_texts(given[0], "test"), checked_labels(codec, given[1])
        except LabelError as error:
            raise LabelError(f"the test set has a label that no training text has: {error}") from error
    return _parted(
        _Pool(texts, labels, marks), given, config, task=task, name=name, classes=len(frozenset().union(*marks)),
        multilabel=codec.multilabel,
    )  # fmt: skip


@dataclass(frozen=True)
class _Pool:
    texts: list[Any]
    labels: list[Any]
    marks: list[Marks]

    def rows(self, rows: Sequence[int]) -> _Pool:
        return _Pool(*([part[row] for row in rows] for part in (self.texts, self.labels, self.marks)))


def _tagged(
    texts: list[Any], labels: Any, given: tuple[list[Any], Any] | None, config: ReportConfig, name: str
) -> ReportData:
    sentences, tags = checked_tagged(texts, labels, "train")
    scheme = tag_scheme(sentences, tags)
    marks = [types_of(one, scheme) for one in tags]
    if len(known := frozenset().union(*marks)) < (2 if scheme == "plain" else 1):
        raise LabelError(f"every word has the tag {tags[0][0]!r}; a tagger needs examples of at least two tags")
    if given is not None:
        given = checked_tagged(*given, "test")
        for position, one in enumerate(given[1]):
            for tag in one:
                if types_of([tag], scheme) - known:
                    raise LabelError(
                        f"the test sentence at position {position} has the tag {tag!r}, no training sentence has"
                    )
    return _parted(
        _Pool(sentences, tags, marks), given, config, task="tagging", name=name, classes=0, multilabel=False,
        scheme=scheme,
    )  # fmt: skip


def _parted(pool: _Pool, given: tuple[list[Any], list[Any]] | None, config: ReportConfig, **facts: Any) -> ReportData:
    """The data with the test set given, or with one that is held out of the pool."""
    if given is None:
        held = held_out(pool.marks, config.held_out, by_class=facts["classes"] > 0 and not facts["multilabel"])
        out = pool.rows(held)
        given = out.texts, out.labels
        kept = set(range(len(pool.texts))) - set(held)
        pool = pool.rows(sorted(kept))
    rows = tested_rows(given[1], min(config.test_most, 300) if config.quick else config.test_most)
    return ReportData(
        texts=pool.texts,
        labels=pool.labels,
        marks=pool.marks,
        test_texts=[given[0][row] for row in rows],
        test_labels=[given[1][row] for row in rows],
        left_out=len(given[0]) - len(rows),
        **facts,
    )
