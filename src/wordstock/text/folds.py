"""What each character becomes in normalised text, where that depends on nothing but the character.

From the Unicode data of this Python. ``Tokenizer.normalize`` is the definition; the compiled folding of a block of text
takes single characters from here and leaves the others to it.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt

__all__ = ["ASK", "CLASS_SHIFT", "POINT", "character_folds"]

POINT = 0x1FFFFF  # bits of the code point
CLASS_SHIFT = 21  # above it, eight bits of the canonical combining class
ASK = 1 << 31  # it depends on its neighbours
_SIZE = 0x20000  # code points in the table; none beyond has case, and few are composed
_FINAL = (0x03A3, 0x0130)  # a sigma's lower case depends on its place; a dotted I becomes two characters


@cache
def character_folds(*, lower: bool, zero: bool) -> npt.NDArray[np.uint32]:
    """For each of the first 131,072 code points what it becomes, uint32.

    The lowest 21 bits are the new code point, the next eight the combining class of the old one. The highest bit is set
    where neighbours matter: for Unicode NFC (a character that is decomposed, composed, or may be composed with the one
    before), for the lower case of sigma, and where more bytes are needed than before.

    Parameters
    ----------
    lower : fold to lower case.
    zero : write decimal digits as 0.
    """
    points = np.arange(_SIZE, dtype=np.uint32)
    every = points.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    folds = points.copy()
    folds[0x2019] = ord("'")
    ask = np.zeros(_SIZE, np.bool_)
    if lower:
        rest = every.translate(dict.fromkeys(_FINAL, "x"))
        folds = np.frombuffer(rest.lower().encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint32)
        folds[0x2019] = ord("'")
        ask[list(_FINAL)] = True
    if zero:
        folds[list(map(str.isdecimal, every))] = ord("0")
    ask |= _width(folds) > _width(points)
    for character, parts in zip(every, map(unicodedata.decomposition, every), strict=True):
        if parts and not parts.startswith("<"):
            ask[[int(part, 16) for part in parts.split()[1:]]] = True
            ask[ord(character)] |= not unicodedata.is_normalized("NFC", character)
    ask[0x1160:0x1200] = True  # vowels and final consonants of Hangul syllables
    classes = np.fromiter(map(unicodedata.combining, every), np.uint32, _SIZE)
    folds |= classes << np.uint32(CLASS_SHIFT)
    folds[ask] |= np.uint32(ASK)
    folds.flags.writeable = False
    return folds


def _width(points: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """Bytes of each code point in UTF-8."""
    return np.searchsorted([0x80, 0x800, 0x10000], points, side="right")
