"""Which characters separate words, make up words, or belong to a script that is written without spaces.

Both the regular expressions of the Python tokeniser and the class table of the compiled one are made here, from the
Unicode data of this Python, so that the two cannot drift apart.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt

__all__ = [
    "END",
    "END_CLASS",
    "ENTITY",
    "LETTER",
    "MARK",
    "PUNCTUATION",
    "SPACE",
    "UNDERSCORE",
    "UNSPACED",
    "character_classes",
    "entities",
    "has_unspaced",
    "marks",
    "script_ranges",
]

# Unicode blocks of scripts whose words are not set apart by spaces; decimal digits inside them are not counted in.
_RANGES: dict[str, tuple[tuple[int, int], ...]] = {
    "han": (
        (0x3005, 0x3007),
        (0x3021, 0x3029),
        (0x3400, 0x4DBF),
        (0x4E00, 0x9FFF),
        (0xF900, 0xFAFF),
        (0x20000, 0x3FFFF),
    ),
    "kana": ((0x3031, 0x3035), (0x3041, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F), (0x1B000, 0x1B16F)),
    "thai": ((0x0E01, 0x0E4F),),
    "lao": ((0x0E81, 0x0ECF), (0x0EDC, 0x0EDF)),
    "khmer": ((0x1780, 0x17DF),),
    "burmese": (
        (0x1000, 0x103F),
        (0x104A, 0x108F),
        (0x109A, 0x109F),
        (0xA9E0, 0xA9EF),
        (0xA9FA, 0xA9FE),
        (0xAA60, 0xAA7F),
    ),
}

SPACE, PUNCTUATION, LETTER, MARK, UNSPACED, UNDERSCORE, END_CLASS = range(7)
ENTITY = "ENTITY/"  # begins the token of an entity, such as ENTITY/Barack_Obama
END = 0x1E  # record separator: ends a sentence in a block of several; a space otherwise
_MARKS = ("Mn", "Mc")
_ASSIGNED = 0x40000  # beyond there are no letters, digits or spaces


@cache
def marks() -> str:
    """The combining marks of the basic plane, such as Indic vowel signs, ready for a character class."""
    return "".join(chr(c) for c in range(0x300, 0xFFFF) if unicodedata.category(chr(c)) in _MARKS)


@cache
def entities() -> re.Pattern[str]:
    """Matches the token of an entity: ``ENTITY/`` where no word goes on, and all up to the next white space."""
    return re.compile(rf"(?<![\w{marks()}])({ENTITY}\S+)")


@cache
def script_ranges(*scripts: str) -> str:
    """The blocks of these scripts, or of all without spaces, as the inside of a character class."""
    return "".join(f"{chr(low)}-{chr(high)}" for name in scripts or _RANGES for low, high in _RANGES[name])


def has_unspaced(text: str) -> bool:
    """Whether ``text`` holds a character of a script that is written without spaces."""
    return not text.isascii() and _unspaced().search(text) is not None


@cache
def _unspaced() -> re.Pattern[str]:
    return re.compile(f"[{script_ranges()}]")


@cache
def character_classes(*, unspaced: bool, ascii_only: bool = False, end: int = END) -> npt.NDArray[np.uint8]:
    """The class of every code point, uint8 (1114112,) or, for ASCII alone, (128,).

    ``LETTER``: letters and digits; ``MARK``: combining marks, which continue a word; ``UNSPACED``: letters of the
    scripts without spaces, which are ``LETTER`` where ``unspaced`` is False; ``END_CLASS``: the character ``end``,
    which ends a sentence; ``UNDERSCORE``, ``SPACE``; ``PUNCTUATION``: everything else.
    """
    classes = np.full(128 if ascii_only else sys.maxunicode + 1, PUNCTUATION, np.uint8)
    every = list(map(chr, range(min(len(classes), _ASSIGNED))))
    classes[: len(every)][list(map(str.isalnum, every))] = LETTER
    classes[: len(every)][list(map(str.isspace, every))] = SPACE
    if not ascii_only:
        classes[[ord(mark) for mark in marks()]] = MARK
        if unspaced:
            for low, high in (span for spans in _RANGES.values() for span in spans):
                part = classes[low : high + 1]
                part[part == LETTER] = UNSPACED
    classes[ord("_")] = UNDERSCORE
    classes[end] = END_CLASS
    classes.flags.writeable = False
    return classes
