"""Sentences and tags as callers hold them, checked before anything is learned from them."""

from __future__ import annotations

from typing import Any

from wordstock.errors import InputError, LabelError
from wordstock.tasks.inputs import as_list
from wordstock.tasks.tagging.schemes import Scheme, first_fault, repair_tags, spelled

__all__ = ["as_sentences", "as_tags", "check_sequences"]


def as_sentences(sentences: Any) -> list[list[str]]:
    """A list of lists of words.

    Raises
    ------
    InputError
        Not a sequence of sequences of str, with the position; a sentence without words, or an empty word.
    """
    return [_words(one, number) for number, one in enumerate(as_list(sentences, "sentences"))]


def _words(sentence: Any, number: int) -> list[str]:
    if isinstance(sentence, str):
        raise InputError(
            f"sentence {number} is one str, not a list of words; split it as the tags are, such as sentence.split()"
        )
    words = as_list(sentence, f"sentence {number}")
    if not words:
        raise InputError(f"sentence {number} has no words; leave it out")
    for at, word in enumerate(words):
        if not isinstance(word, str):
            raise InputError(f"word {at} of sentence {number} must be a str, not {type(word).__name__}: {word!r:.60}")
        if not word or word.isspace():
            raise InputError(f"word {at} of sentence {number} is empty; leave it and its tag out")
    return words


def as_tags(tags: Any, sentences: list[list[str]]) -> list[list[str]]:
    """A list of lists of tags, one for each word.

    Raises
    ------
    InputError
        Another number of sentences than of lists of tags, or of words than of tags; names the sentence.
    LabelError
        A tag that is no str, or is empty.
    """
    listed = as_list(tags, "tags")
    if len(listed) != len(sentences):
        raise InputError(f"{len(sentences)} sentences but {len(listed)} lists of tags; give one for each")
    found: list[list[str]] = []
    for number, (one, words) in enumerate(zip(listed, sentences, strict=True)):
        given = as_list(one, f"tags of sentence {number}")
        if len(given) != len(words):
            raise InputError(
                f"sentence {number} has {len(words)} words but {len(given)} tags; it starts {' '.join(words[:6])!r}"
            )
        for at, tag in enumerate(given):
            if not isinstance(tag, str) or not tag.strip():
                raise LabelError(f"tag {at} of sentence {number} must be a str such as 'O' or 'B-PER', not {tag!r:.60}")
        found.append([str(tag) for tag in given])
    return found


def check_sequences(
    tags: list[list[str]], scheme: Scheme, sentences: list[list[str]], *, repair: bool = False
) -> list[list[str]]:
    """The tags, valid in ``scheme``.

    Raises
    ------
    LabelError
        The first inconsistent sequence: names the sentence, the word and the tags; with ``repair`` it is mended.
    """
    if repair:
        return [repair_tags(one, scheme) for one in tags]
    tags = [spelled(one, scheme) for one in tags]
    for number, one in enumerate(tags):
        if fault := first_fault(one, scheme):
            word = sentences[number][fault.position]
            raise LabelError(
                f"sentence {number}, word {fault.position} ({word!r:.40}): {fault.why}; "
                "correct the tags, or pass repair=True"
            )
    return tags
