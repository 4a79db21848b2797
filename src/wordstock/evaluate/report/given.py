"""What the caller gave as texts and labels, checked whole, so that a fault is named by its place among all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wordstock.errors import InputError, LabelError
from wordstock.tasks.data import read_labelled
from wordstock.tasks.inputs import as_list, as_texts
from wordstock.tasks.labels import LabelCodec
from wordstock.tasks.tagging.schemes import Scheme, detect_scheme, first_fault, spans_of
from wordstock.tasks.tagging.sentences import as_sentences, as_tags

__all__ = ["checked_labels", "checked_tagged", "checked_texts", "looks_tagged", "read_pair", "tag_scheme", "types_of"]


def read_pair(data: Any, what: str, columns: dict[str, Any] | None) -> tuple[list[Any], Any]:
    """Texts, and as many labels: a list, or a matrix of 0 and 1.

    Raises
    ------
    InputError
        No path and no pair, no texts, lists of different lengths, or what a reader refuses.
    """
    if isinstance(data, str | Path):
        read = read_labelled(data, **(columns or {}))
        return read.texts, list(read.labels or [])
    try:
        texts, labels = data
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must be a path, or a pair (texts, labels), not {type(data).__name__}") from error
    listed = as_list(texts, f"{what}: texts")
    matrix = isinstance(labels, np.ndarray) and labels.ndim == 2
    answers = labels if matrix else as_list(labels, f"{what}: labels")
    if len(listed) != len(answers):
        raise InputError(f"{what}: {len(listed)} texts but {len(answers)} labels; give one for each")
    if not listed:
        raise InputError(f"{what} holds no texts")
    return listed, answers


def looks_tagged(texts: list[Any], labels: Any) -> bool:
    """Sentences as lists of words with as many tags."""
    if isinstance(labels, np.ndarray):
        return False
    pairs = list(zip(texts[:20], labels[:20], strict=True))
    return all(
        not isinstance(text, str)
        and isinstance(tags, list | tuple)
        and hasattr(text, "__len__")
        and len(text) == len(tags)
        for text, tags in pairs
    )


def checked_texts(texts: list[Any], what: str) -> list[str]:
    """The texts.

    Raises
    ------
    InputError
        One that is no str: names its place.
    """
    try:
        return as_texts(texts)
    except InputError as error:
        raise InputError(f"{what}: {error}") from error


def checked_labels(codec: LabelCodec, labels: Any) -> list[Any]:
    """The labels as plain values, or lists of them; of a matrix the numbers of the columns.

    Raises
    ------
    LabelError
        A label that ``codec`` does not know, or another form than it learned.
    """
    target = codec.encode(labels)
    names = codec.classes.tolist()
    if not codec.multilabel:
        return [names[number] for number in target.tolist()]
    return [[names[column] for column in np.flatnonzero(row)] for row in target]


def checked_tagged(sentences: list[Any], tags: Any, what: str) -> tuple[list[list[str]], list[list[str]]]:
    """Sentences and tags.

    Raises
    ------
    InputError, LabelError
        Words or tags that are no str or are missing: names their place.
    """
    try:
        words = as_sentences(sentences)
        return words, as_tags(tags, words)
    except (InputError, LabelError) as error:
        raise type(error)(f"{what}: {error}") from error


def tag_scheme(sentences: Sequence[Sequence[str]], tags: Sequence[Sequence[str]]) -> Scheme:
    """The scheme of all training tags, which a sample of them may not show.

    Raises
    ------
    LabelError
        A sequence that is not valid in it.
    """
    scheme = detect_scheme(tags)
    for number, one in enumerate(tags):
        if fault := first_fault(one, scheme):
            word = sentences[number][fault.position]
            raise LabelError(
                f"train: sentence {number}, word {fault.position} ({word!r:.40}): {fault.why}; correct the tags"
            )
    return scheme


def types_of(tags: Sequence[str], scheme: Scheme) -> frozenset[str]:
    """The types of a sentence's spans, or its plain tags."""
    return frozenset(tags) if scheme == "plain" else frozenset(span.label for span in spans_of(tags))
