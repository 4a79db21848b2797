"""The tags a tagger knows: as numbers for the network, in the caller's scheme outside of it.

Whatever the scheme of the training tags, spans are learned in BIOES, where the CRF learns borders best (Ratinov & Roth
2009), and answered in the scheme that they came in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from wordstock.errors import LabelError
from wordstock.protocols import IntArray
from wordstock.tasks.tagging.schemes import Scheme, first_fault, spans_of, split_tag, tags_of

__all__ = ["AllowedTags", "TagSet", "labels_of"]

_SHOWN = 12  # known labels named in an error


def labels_of(tags: Iterable[str], scheme: Scheme) -> set[str]:
    """The types of spans among some tags, or the plain labels."""
    return set(tags) if scheme == "plain" else {split_tag(tag)[1] for tag in tags if tag != "O"}


class AllowedTags(NamedTuple):
    """What may stand first, next to each other (row, then column) and last: bool (k,), (k, k), (k,)."""

    start: npt.NDArray[np.bool_]
    transitions: npt.NDArray[np.bool_]
    end: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class TagSet:
    """The scheme of the caller's tags, and the types of spans or the plain tags, sorted."""

    scheme: Scheme
    labels: tuple[str, ...]

    @classmethod
    def learn(cls, tags: Sequence[Sequence[str]], scheme: Scheme) -> Self:
        """The tags of training sentences.

        Raises
        ------
        LabelError
            There is only one: nothing can be learned.
        """
        distinct = {tag for one in tags for tag in one}
        labels = labels_of(distinct, scheme)
        if len(labels) < (2 if scheme == "plain" else 1):
            only = sorted(distinct)[0] if distinct else "none"
            raise LabelError(f"every word has the tag {only!r}; a tagger needs examples of at least two tags")
        return cls(scheme, tuple(sorted(labels)))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The tags as the network knows them."""
        if self.scheme == "plain":
            return self.labels
        return ("O", *(prefix + (f"-{label}" if label else "") for label in self.labels for prefix in "BIES"))

    def encode(self, tags: Sequence[Sequence[str]], what: str = "tags") -> list[IntArray]:
        """Numbers of valid tags, int64 (words,) per sentence.

        Raises
        ------
        LabelError
            A label that was not there in training: names it, its sentence and the known ones.
        """
        numbers = {name: number for number, name in enumerate(self.names)}
        out = []
        for row, one in enumerate(tags):
            given = list(one) if self.scheme == "plain" else tags_of(spans_of(one), len(one), "bioes")
            for at, tag in enumerate(given):
                if tag not in numbers:
                    label = tag if self.scheme == "plain" else split_tag(tag)[1]
                    raise LabelError(
                        f"unknown label {label!r} at word {at} of sentence {row} of the {what}: it was not there in "
                        f"training; known are {self._known()}",
                        at=(row, at),
                    )
            out.append(np.fromiter((numbers[tag] for tag in given), np.int64, len(given)))
        return out

    def decode(self, numbers: IntArray) -> list[str]:
        """Tags in the caller's scheme."""
        found = [self.names[number] for number in numbers.tolist()]
        return found if self.scheme == "plain" else tags_of(spans_of(found), len(found), self.scheme)

    def allowed(self) -> AllowedTags:
        """What a valid sequence may hold."""
        size = len(self.names)
        if self.scheme == "plain":
            return AllowedTags(np.ones(size, bool), np.ones((size, size), bool), np.ones(size, bool))
        start = np.array([split_tag(name)[0] in "OBS" for name in self.names])
        end = np.array([split_tag(name)[0] in "OES" for name in self.names])
        pairs = np.array([[not first_fault(_between(a, b), "bioes") for b in self.names] for a in self.names])
        return AllowedTags(start, pairs, end)

    def _known(self) -> str:
        more = f" and {len(self.labels) - _SHOWN} more" if len(self.labels) > _SHOWN else ""
        return ", ".join(map(repr, self.labels[:_SHOWN])) + more


def _between(a: str, b: str) -> list[str]:
    """The two tags in the shortest sequence that is valid if they may be neighbours."""
    first, last = split_tag(a)[0], split_tag(b)[0]
    before = [f"B{a[1:]}"] if first in "IE" else []
    after = [f"E{b[1:]}"] if last in "BI" else []
    return [*before, a, b, *after]
