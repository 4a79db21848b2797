"""Near matches of an unknown word: other casings first, then every string one edit away (Norvig 2007)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

__all__ = ["near_matches"]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LONGEST = 40  # characters; past that one edit is hardly a misspelling and the candidates are many


def near_matches(word: str, known: Callable[[str], bool], limit: int = 5) -> list[str]:
    """Up to ``limit`` known words that differ from ``word`` by casing, spacing or one edit.

    ``known`` is asked about some 54 candidates per character, so the cost does not grow with the vocabulary.
    """
    found: list[str] = []
    for candidate in _candidates(word):
        if candidate and candidate != word and candidate not in found and known(candidate):
            found.append(candidate)
            if len(found) == limit:
                break
    return found


def _candidates(word: str) -> Iterator[str]:
    stripped = word.strip()
    for base in (stripped, stripped.replace(" ", "_"), stripped.replace(" ", "-"), stripped.replace("_", " ")):
        yield from (base, base.lower(), base.title(), base.capitalize(), base.upper())
    if len(stripped) > _LONGEST or not stripped:
        return
    for base in dict.fromkeys((stripped, stripped.lower())):
        yield from _one_edit(base)


def _one_edit(word: str) -> Iterator[str]:
    letters = "".join(dict.fromkeys(_LETTERS + word))
    splits = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    for left, right in splits:
        if len(right) > 1:
            yield left + right[1] + right[0] + right[2:]
    for left, right in splits:
        if right and len(word) > 1:
            yield left + right[1:]
    for left, right in splits:
        for letter in letters:
            if right:
                yield left + letter + right[1:]
            yield left + letter + right
