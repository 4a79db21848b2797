"""The data of a report: training pool, test set, and nested samples of growing size."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wordstock.errors import InputError, LabelError
from wordstock.evaluate.report.plan import ReportConfig, Task
from wordstock.protocols import IntArray
from wordstock.tasks.data import read_labelled
from wordstock.tasks.labels import LabelCodec

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
    classes : number of classes of a classification; 0 for tagging.
    left_out : test texts that were not used because there are more than wanted.
    """

    task: Task
    name: str
    texts: list[Any]
    labels: list[Any]
    test_texts: list[Any]
    test_labels: list[Any]
    classes: int
    multilabel: bool
    left_out: int = 0

    def sample(self, budget: int, seed: int) -> IntArray:
        """Rows of a sample, which those of larger budgets with the same seed contain; each class once to begin with."""
        order = np.random.default_rng(seed).permutation(len(self.texts))
        if not self.classes or self.multilabel:
            return order[:budget]
        seen: set[Any] = set()
        first = []
        for row in order.tolist():
            if self.labels[row] not in seen:
                seen.add(self.labels[row])
                first.append(row)
        chosen = np.zeros(len(order), bool)
        chosen[first] = True
        return np.concatenate([first, order[~chosen[order]]])[:budget].astype(np.int64)

    def digest(self) -> str:
        """SHA-256 of all texts and labels, in short."""
        state = hashlib.sha256(json.dumps([self.task, self.classes]).encode())
        for part in (self.texts, self.labels, self.test_texts, self.test_labels):
            state.update(json.dumps([_plain(one) for one in part], ensure_ascii=True).encode())
        return state.hexdigest()[:16]


def gather(
    train: Any, test: Any, config: ReportConfig, *, columns: dict[str, Any] | None = None, name: str | None = None
) -> ReportData:
    """Read, check and part the data.

    Parameters
    ----------
    train, test : a path to labelled texts, or (texts, labels); ``test`` may be None.
    columns : for paths, options of ``read_labelled``.
    name : of the data; None takes the path.

    Raises
    ------
    InputError
        Too few texts, lists of different lengths, or what a reader refuses.
    LabelError
        A label of the test set that no training text has.
    """
    name = name or (str(train) if isinstance(train, str | Path) else "the texts given")
    texts, labels = _pair(train, "train", columns)
    task = config.task or ("tagging" if _looks_tagged(texts, labels) else "classification")
    given = None if test is None else _pair(test, "test", columns)
    if len(texts) < 4:
        raise InputError(f"{len(texts)} training texts are too few for a learning curve; give at least some dozens")
    codec = LabelCodec.fit(labels) if task == "classification" else None
    if given is None:
        texts, labels, *given_parts = _parted(texts, labels, config.held_out, plain=codec is not None)
        given = given_parts[0], given_parts[1]
    classes = _known_classes(codec, labels, given[1]) if codec is not None else 0
    if codec is None:
        _check_tags(labels, given[1])
    rows = _test_rows(given[1], config.test_most if not config.quick else min(config.test_most, 300))
    return ReportData(
        task,
        name,
        texts,
        labels,
        [given[0][row] for row in rows],
        [given[1][row] for row in rows],
        classes,
        codec is not None and codec.multilabel,
        len(given[0]) - len(rows),
    )


def _pair(data: Any, what: str, columns: dict[str, Any] | None) -> tuple[list[Any], list[Any]]:
    if isinstance(data, str | Path):
        read = read_labelled(data, **(columns or {}))
        return read.texts, list(read.labels or [])
    try:
        texts, labels = data
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must be a path, or a pair (texts, labels), not {type(data).__name__}") from error
    listed, answers = list(texts), [one.item() if isinstance(one, np.generic) else one for one in labels]
    if len(listed) != len(answers):
        raise InputError(f"{what}: {len(listed)} texts but {len(answers)} labels; give one for each")
    if not listed:
        raise InputError(f"{what} holds no texts")
    return listed, answers


def _looks_tagged(texts: list[Any], labels: list[Any]) -> bool:
    """Sentences as lists of words with as many tags."""
    pairs = list(zip(texts[:20], labels[:20], strict=True))
    return all(
        not isinstance(text, str) and isinstance(tags, list | tuple) and len(text) == len(tags) for text, tags in pairs
    )


def _known_classes(codec: LabelCodec, labels: list[Any], test_labels: list[Any]) -> int:
    pool = LabelCodec.fit(labels)
    try:
        pool.encode(test_labels)
    except LabelError as error:
        raise LabelError(f"the test set has a label that no training text has: {error}") from error
    return len(pool.classes) if not codec.multilabel else len(codec.classes)


def _check_tags(labels: list[Any], test_labels: list[Any]) -> None:
    known = {tag for tags in labels for tag in tags}
    for position, tags in enumerate(test_labels):
        for tag in tags:
            if tag not in known:
                raise LabelError(
                    f"the test sentence at position {position} has the tag {tag!r}, no training sentence has"
                )


def _parted(texts: list[Any], labels: list[Any], share: float, *, plain: bool) -> tuple[list[Any], ...]:
    """Training and test part, each class in its share; of a class with one text, that text is trained on."""
    random = np.random.default_rng(0)
    groups: dict[Any, list[int]] = {}
    for row, label in enumerate(labels):
        groups.setdefault(label if plain and isinstance(label, str | int) else None, []).append(row)
    held: set[int] = set()
    for rows in groups.values():
        count = min(len(rows) - 1, int(share * len(rows) + random.random()))
        held |= {rows[place] for place in random.permutation(len(rows))[:count].tolist()}
    if not held:
        raise InputError(f"no class has two texts, so none can be held out of the {len(texts)}; give test=")
    kept = [row for row in range(len(texts)) if row not in held]
    taken = sorted(held)
    return (
        [texts[row] for row in kept],
        [labels[row] for row in kept],
        [texts[row] for row in taken],
        [labels[row] for row in taken],
    )


def _test_rows(labels: list[Any], most: int) -> list[int]:
    if len(labels) <= most:
        return list(range(len(labels)))
    names = [json.dumps(_plain(label)) if isinstance(label, str | int) else "" for label in labels]
    counts = Counter(names)
    random = np.random.default_rng(0)
    place = random.random(len(labels))
    # The first of each class by chance, at even distances: the sample has each class in its share.
    rank: dict[str, int] = {}
    position = np.empty(len(labels))
    for row in np.argsort(place).tolist():
        turn = rank[names[row]] = rank.get(names[row], 0) + 1
        position[row] = (turn - random.random()) / counts[names[row]]
    return sorted(np.argsort(position)[:most].tolist())


def _plain(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else value
