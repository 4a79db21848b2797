"""Tag schemes: how spans are written as one tag per word, what a valid sequence is, and the way from one to another.

``iob2``  every span starts with B: ``B-PER I-PER O``.
``iob1``  a span starts with I; B only where it follows a span of the same type (Ramshaw & Marcus 1995).
``bioes`` B, I inside, E for the last word, S for a span of a single word; L and U, as spaCy writes them, are read so.
``plain`` tags are labels of words, such as parts of speech; there are no spans.

A tag is ``O``, or a prefix, ``-`` and a type that may hold further hyphens; a bare prefix is a span without a type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

from wordstock.errors import InputError, LabelError

__all__ = [
    "Fault",
    "Scheme",
    "TagSpan",
    "check_scheme",
    "convert_tags",
    "detect_scheme",
    "first_fault",
    "repair_tags",
    "spans_of",
    "spelled",
    "split_tag",
    "tags_of",
]

Scheme = Literal["iob1", "iob2", "bioes", "plain"]

_PREFIXES = {"iob1": "IB", "iob2": "BI", "bioes": "BIES"}
_BILUO = {"L": "E", "U": "S"}


class TagSpan(NamedTuple):
    """Words ``start`` to ``stop``, the last one excluded, and their type."""

    start: int
    stop: int
    label: str


class Fault(NamedTuple):
    """Where a sequence breaks its scheme, and how."""

    position: int
    why: str


def check_scheme(scheme: str) -> None:
    """Refuse an unknown name.

    Raises
    ------
    InputError
        Lists the known ones.
    """
    if scheme not in get_args(Scheme):
        raise InputError(f"scheme={scheme!r}: known are {', '.join(map(repr, get_args(Scheme)))}")


def split_tag(tag: str) -> tuple[str, str]:
    """Prefix and type: ``("B", "PER")``; ``("O", "")`` outside; L and U of BILUO as E and S."""
    prefix, _, label = tag.partition("-")
    return (_BILUO.get(prefix, prefix) if label else prefix), label


def spelled(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """The tags with the letters of their scheme: those of BILUO become BIOES."""
    if scheme != "bioes":
        return list(tags)
    return ["-".join(split_tag(tag)) if tag[:2] in ("L-", "U-") else tag for tag in tags]


def spans_of(tags: Sequence[str]) -> list[TagSpan]:
    """The spans of a sequence in any of the span schemes, read as ``conlleval`` reads them.

    Inconsistent sequences are read too: an I without a B before it starts a span, as does a change of type.
    """
    found: list[TagSpan] = []
    begun, before, kind = -1, "O", ""
    for at, tag in enumerate([*tags, "O"]):
        prefix, label = split_tag(tag)
        starts = prefix != "O" and (prefix in {"B", "S"} or before in {"O", "E", "S"} or label != kind)
        if begun >= 0 and (starts or prefix == "O"):
            found.append(TagSpan(begun, at, kind))
            begun = -1
        if starts:
            begun = at
        before, kind = prefix, label
    return found


def tags_of(spans: Iterable[TagSpan | tuple[int, int, str]], length: int, scheme: Scheme = "iob2") -> list[str]:
    """Tags of a sentence of ``length`` words.

    Raises
    ------
    InputError
        A span that is empty, outside of the sentence, or overlaps another; an unknown scheme, or "plain".
    """
    check_scheme(scheme)
    if scheme == "plain":
        raise InputError("scheme='plain' has no spans")
    listed = sorted(TagSpan(*span) for span in spans)
    tags = ["O"] * length
    end, kind = 0, None
    for start, stop, label in listed:
        if not 0 <= start < stop <= length:
            raise InputError(f"span ({start}, {stop}, {label!r}) does not fit a sentence of {length} words")
        if start < end:
            raise InputError(f"span ({start}, {stop}, {label!r}) overlaps the one before it, which ends at {end}")
        suffix = f"-{label}" if label else ""
        tags[start:stop] = [f"I{suffix}"] * (stop - start)
        if scheme != "iob1" or (start == end and kind == label and start > 0):
            tags[start] = f"B{suffix}"
        if scheme == "bioes":
            tags[stop - 1] = f"E{suffix}" if stop - start > 1 else f"S{suffix}"
        end, kind = stop, label
    return tags


def first_fault(tags: Sequence[str], scheme: Scheme) -> Fault | None:
    """The first place where a sequence is not valid in its scheme; None if it is."""
    return next(_faults(tags, scheme), None)


def _faults(tags: Sequence[str], scheme: Scheme) -> Iterator[Fault]:
    if scheme == "plain":
        return
    check_scheme(scheme)
    known = _PREFIXES[scheme]
    for at, (before, tag) in enumerate(pairwise(["O", *tags])):
        prefix, label = split_tag(tag)
        if prefix != "O" and (prefix not in known or len(prefix) != 1):
            forms = ", ".join(f"{one}-TYPE" for one in known)
            yield Fault(at, f"{tag!r} is no tag of {scheme.upper()}, which has O, {forms}")
            continue
        last, kind = split_tag(before)
        follows = last != "O" and kind == label
        if why := _wrong(scheme, prefix, last, follows):
            where = f"after {before!r}" if at else "at the start of a sentence"
            yield Fault(at, f"{tag!r} {where}: {why}")
    if scheme == "bioes" and tags and split_tag(tags[-1])[0] in "BI":
        yield Fault(len(tags) - 1, f"{tags[-1]!r} at the end of a sentence: a span ends with E, or is S")


def _wrong(scheme: Scheme, prefix: str, last: str, follows: bool) -> str:
    """Why ``prefix`` cannot stand after the prefix ``last``, of the same type if ``follows``; "" if it can."""
    if scheme == "iob1":
        return "B only parts two spans of the same type" if prefix == "B" and not follows else ""
    if scheme == "iob2":
        return "a span starts with B" if prefix == "I" and not follows else ""
    if prefix in "IE":
        return "" if follows and last in "BI" else "a span starts with B or is S"
    return "the span before it has no E" if last in "BI" else ""


def repair_tags(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """The nearest valid sequence: the spans that ``conlleval`` reads, written in ``scheme``."""
    return list(tags) if scheme == "plain" else tags_of(spans_of(tags), len(tags), scheme)


def convert_tags(tags: Sequence[str], source: Scheme, target: Scheme, *, repair: bool = False) -> list[str]:
    """A sequence in another scheme.

    Parameters
    ----------
    repair : read an inconsistent sequence as ``conlleval`` does instead of refusing it.

    Raises
    ------
    LabelError
        A sequence that is not valid in ``source``: names the position and the two tags.
    InputError
        An unknown scheme, or "plain" on one side only.
    """
    for scheme in (source, target):
        check_scheme(scheme)
    if (source == "plain") != (target == "plain"):
        raise InputError(f"tags cannot go from {source!r} to {target!r}: plain labels are no spans")
    if source == "plain":
        return list(tags)
    if not repair and (fault := first_fault(tags, source)):
        raise LabelError(f"tag {fault.position}: {fault.why}; correct it, or read with repair=True")
    return tags_of(spans_of(tags), len(tags), target)


def detect_scheme(sequences: Iterable[Sequence[str]]) -> Scheme:
    """The scheme that sequences are written in: the one with the fewest faults, ``iob2`` before ``iob1``.

    Tags of which most have none of the forms ``O``, ``B-``, ``I-``, ``E-``, ``S-``, ``L-``, ``U-`` are plain labels.
    """
    listed = [list(one) for one in sequences]
    distinct = {tag for one in listed for tag in one} - {"O"}
    formed = {tag for tag in distinct if _formed(tag)}
    if len(formed) * 2 < len(distinct) or (distinct and all("-" not in tag for tag in distinct) and distinct != formed):
        return "plain"
    if any(split_tag(tag)[0] in {"E", "S"} for tag in formed):
        return "bioes"
    counts = {scheme: sum(1 for one in listed for _ in _faults(one, scheme)) for scheme in ("iob2", "iob1")}
    return "iob1" if counts["iob1"] < counts["iob2"] else "iob2"


def _formed(tag: str) -> bool:
    prefix, label = split_tag(tag)
    return prefix in {"B", "I", "E", "S"} and (bool(label) or tag == prefix)
