"""Case, digits and apostrophes of a block of UTF-8, and whether it is in Unicode NFC.

The rules are those of ``text.tokenizer``, which is the definition; a property test holds the two together.
"""

from __future__ import annotations

import numpy as np

from wordstock.kernels.bytemasks import run_length
from wordstock.kernels.compiled import compiled

__all__ = ["fold_ascii", "fold_text"]

_HIGH_BITS = np.uint64(0x8080808080808080)
_POINT, _CLASS_SHIFT, _CLASS, _ASK = 0x1FFFFF, 21, 0xFF, 1 << 31  # as text.folds packs them
_SPACE = 32


@compiled
def fold_ascii(source, target, lower, zero):
    """Copy ``source`` to ``target``, both uint8 (n,); A–Z to a–z if ``lower``, 1–9 to 0 if ``zero``."""
    for i in range(len(source)):
        byte = source[i]
        if lower and byte >= np.uint8(65) and byte <= np.uint8(90):
            byte = np.uint8(byte + 32)
        if zero and byte >= np.uint8(48) and byte <= np.uint8(57):
            byte = np.uint8(48)
        target[i] = byte


@compiled
def _put(target, written, point):
    """Write a code point at ``written``; returns where the next one goes."""
    if point < 0x80:
        target[written] = point
        return written + 1
    if point < 0x800:
        target[written] = 0xC0 | point >> 6
        target[written + 1] = 0x80 | point & 0x3F
        return written + 2
    if point < 0x10000:
        target[written] = 0xE0 | point >> 12
        target[written + 1] = 0x80 | point >> 6 & 0x3F
        target[written + 2] = 0x80 | point & 0x3F
        return written + 3
    target[written] = 0xF0 | point >> 18
    target[written + 1] = 0x80 | point >> 12 & 0x3F
    target[written + 2] = 0x80 | point >> 6 & 0x3F
    target[written + 3] = 0x80 | point & 0x3F
    return written + 4


@compiled
def _point_at(source, p):
    """Code point at ``p`` and its bytes."""
    byte = np.int64(source[p])
    if byte < 0x80:
        return byte, 1
    second = np.int64(source[p + 1]) & 0x3F
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | second, 2
    third = np.int64(source[p + 2]) & 0x3F
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | second << 6 | third, 3
    return (byte & 0x07) << 18 | second << 12 | third << 6 | np.int64(source[p + 3]) & 0x3F, 4


@compiled
def fold_text(source, words, size, start, target, target_words, written, folds):
    """Fold ``source`` from ``start`` on until a character needs its neighbours, or to the end.

    Parameters
    ----------
    source : uint8, ``size`` bytes of valid UTF-8 whose ASCII is folded already, and eight more; ``words`` its eights.
    target : uint8, with as much room from ``written`` on, eight bytes more; ``target_words`` its eights.
    folds : uint32 (131072,), ``text.folds.character_folds``.

    Returns
    -------
    How much of ``target`` is written, and the part of ``source``, start and stop, that Python has to fold next: the
    stretch without ASCII white space or control characters around that character. Both are ``size`` at the end. Such a
    stretch can be folded by itself: nothing before or after it is composed with its characters or changes their case.
    """
    p = start
    asked = False
    before = 0  # combining class of the last character
    while p < size and not asked:
        eight = words[p]
        target_words[written] = eight
        plain = min(run_length(~(eight & _HIGH_BITS)) >> 3, size - p)
        if plain:
            before = 0
            p += plain
            written += plain
        else:
            point, width = _point_at(source, p)
            entry = np.int64(folds[point]) if point < len(folds) else np.int64(_ASK)
            order = entry >> _CLASS_SHIFT & _CLASS
            asked = entry & _ASK != 0 or (order != 0 and order < before)
            if not asked:
                before = order
                p += width
                written = _put(target, written, entry & _POINT)
    stop = p
    if asked:
        while p > start and source[p - 1] > _SPACE:
            p -= 1
        while written > 0 and target[written - 1] > _SPACE:
            written -= 1
        while stop < size and source[stop] > _SPACE:
            stop += 1
    return written, p, stop
