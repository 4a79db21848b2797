"""The tokeniser's rules on UTF-8 bytes, each token looked up in a word table as it is found.

The rules are those of ``text.tokenizer``, which is the definition; a property test holds the two together.
"""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled
from wordstock.kernels.wordtable import add_keyed, first_bytes, long_key, mix, short_key, word_key

__all__ = ["fold_ascii", "keep_entities", "tokenize"]

# Classes of characters, as text.scripts numbers them.
_SPACE, _PUNCTUATION, _LETTER, _MARK, _UNSPACED, _UNDERSCORE, _END = range(7)
_ENTITY = np.frombuffer(b"ENTITY/", np.uint8)
_SPACE_BYTE, _APOSTROPHE, _LOW_LINE = 32, 39, 95

# Eight bytes at once: each test sets the high bit of the bytes that pass it.
_NOTHING, _ONE, _SEVEN, _TOP_BYTE = np.uint64(0), np.uint64(1), np.uint64(7), np.uint64(56)
_ONES, _HIGH_BITS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_LOWER_BIT, _LOW_SEVEN = np.uint64(0x2020202020202020), np.uint64(0x7F7F7F7F7F7F7F7F)
_FROM_A, _PAST_Z = np.uint64(0x1F1F1F1F1F1F1F1F), np.uint64(0x0505050505050505)  # 128 - "a", 128 - "z" - 1
_FROM_0, _PAST_9 = np.uint64(0x5050505050505050), np.uint64(0x4646464646464646)  # 128 - "0", 128 - "9" - 1


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


@compiled(inline="always")
def _stops(eight):
    """The high bit of each of eight bytes that is no letter or digit of ASCII."""
    low = eight & _LOW_SEVEN
    folded = low | _LOWER_BIT
    letters = (folded + _FROM_A) & ~(folded + _PAST_Z)
    digits = (low + _FROM_0) & ~(low + _PAST_9)
    return ~(letters | digits) & _HIGH_BITS | (eight & _HIGH_BITS)


@compiled(inline="always")
def _before(stops):
    """How many bytes come before the first one whose high bit is set."""
    below = ((stops & (~stops + _ONE)) >> _SEVEN) - _ONE
    return np.int64(((below & _ONES) * _ONES) >> _TOP_BYTE)


@compiled
def _class_at(text, p, classes):
    """Class and width in bytes of the character at ``p``; spaces follow the text."""
    byte = np.int64(text[p])
    if byte < 0x80:
        return np.int64(classes[byte]), np.int64(1)
    if byte < 0xE0:
        return np.int64(classes[((byte & 0x1F) << 6) | (np.int64(text[p + 1]) & 0x3F)]), np.int64(2)
    middle = np.int64(text[p + 1]) & 0x3F
    last = np.int64(text[p + 2]) & 0x3F
    if byte < 0xF0:
        return np.int64(classes[((byte & 0x0F) << 12) | (middle << 6) | last]), np.int64(3)
    point = ((byte & 0x07) << 18) | (middle << 12) | (last << 6) | (np.int64(text[p + 3]) & 0x3F)
    return np.int64(classes[point]), np.int64(4)


@compiled
def _entity_end(given, text, p, classes):
    """End of the entity's token that begins at ``p``, or ``p`` if none does; ``given`` is ``text`` before folding."""
    if p + len(_ENTITY) >= len(given):
        return p
    for i in range(len(_ENTITY)):
        if given[p + i] != _ENTITY[i]:
            return p
    if p:
        before = p - 1
        while text[before] & 0xC0 == 0x80:
            before -= 1
        kind, _ = _class_at(text, before, classes)
        if kind in (_LETTER, _MARK, _UNSPACED, _UNDERSCORE):
            return p
    begin = q = p + len(_ENTITY)
    kind, width = _class_at(text, q, classes)
    while kind not in (_SPACE, _END):
        q += width
        kind, width = _class_at(text, q, classes)
    return q if q > begin else p


@compiled
def keep_entities(source, target, classes):
    """Undo ``fold_ascii`` for the tokens of entities; eight spaces follow the text in ``target``."""
    p = 0
    while p < len(source):
        if source[p] == _ENTITY[0]:
            end = _entity_end(source, target, p, classes)
            target[p:end] = source[p:end]
            p = max(p, end - 1)
        p += 1


@compiled
def _cuts(text, p):
    """Whether ``n't`` or ``N'T`` begins here, which cuts a word in two."""
    if text[p + 1] != _APOSTROPHE:
        return False
    return (text[p] == 110 and text[p + 2] == 116) or (text[p] == 78 and text[p + 2] == 84)


@compiled
def _at_boundary(text, p, classes):
    """Whether a word character before ``p`` is followed by none."""
    kind, _ = _class_at(text, p, classes)
    return (kind != _LETTER and kind != _UNSPACED and kind != _UNDERSCORE) or _cuts(text, p)


@compiled
def _suffix_end(text, p, classes):
    """End of ``'s 're 've 'll 'd 'm`` (or all capitals) that begins at ``p``, or ``p`` if there is none."""
    one, two = text[p + 1], text[p + 2]
    if (one == 115 or one == 100 or one == 109 or one == 83 or one == 68 or one == 77) and _at_boundary(
        text, p + 2, classes
    ):
        return p + 2
    lower = (one == 114 and two == 101) or (one == 118 and two == 101) or (one == 108 and two == 108)
    upper = (one == 82 and two == 69) or (one == 86 and two == 69) or (one == 76 and two == 76)
    if (lower or upper) and _at_boundary(text, p + 3, classes):
        return p + 3
    return p


@compiled
def _is_negation(text, p, classes):
    """Whether the token ``n't``, in any casing, begins at ``p``."""
    if text[p + 1] != _APOSTROPHE:
        return False
    if (text[p] | 32) != 110 or (text[p + 2] | 32) != 116:
        return False
    return _at_boundary(text, p + 3, classes)


@compiled
def _word_end(text, p, classes, english):
    """End of the run of letters that begins at ``p``; single underscores join runs."""
    kind, width = _class_at(text, p, classes)
    q = p + width
    while True:
        kind, width = _class_at(text, q, classes)
        if kind in (_LETTER, _MARK):
            if english and _cuts(text, q):
                return q
            q += width
        elif kind == _UNDERSCORE:
            kind, width = _class_at(text, q + 1, classes)
            if (kind != _LETTER and kind != _MARK) or (english and _cuts(text, q + 1)):
                return q
            q += 1 + width
        else:
            return q


@compiled
def _plain_end(text, p, classes):
    """End of the run of letters and underscores that begins at ``p``."""
    q = p
    while True:
        kind, width = _class_at(text, q, classes)
        if kind != _LETTER and kind != _MARK and kind != _UNDERSCORE:
            return q
        q += width


@compiled
def _token_end(text, p, kind, width, classes, english):
    if kind == _UNSPACED:
        q = p + width
        while True:
            kind, width = _class_at(text, q, classes)
            if kind != _MARK:
                return q
            q += width
    if kind == _PUNCTUATION:
        if english and text[p] == _APOSTROPHE:
            return max(p + width, _suffix_end(text, p, classes))
        return p + width
    if not english:
        return _plain_end(text, p, classes)
    if kind == _UNDERSCORE:
        return p + width
    if _is_negation(text, p, classes):
        return p + 3
    return _word_end(text, p, classes, english)


@compiled
def tokenize(text, words, size, start, classes, english, entities, table, ids, written):
    """Split ``text`` into tokens and number them; U+001E ends a sentence.

    Parameters
    ----------
    text : uint8, ``size`` bytes of valid UTF-8 and eight spaces; ``words`` its eights (``wordtable.eights``).
    start, written : where to go on in ``text`` and in ``ids``.
    classes : uint8 (1114112,), or (128,) for ASCII text: ``text.scripts.character_classes``.
    english : whether contractions are split; otherwise underscores count as letters.
    entities : whether tokens of entities are looked for.
    table : ``WordArrays``.
    ids : int32 (size + 1,), written: token numbers, -1 after each sentence that has tokens.

    Returns
    -------
    The position up to which the text was read, less than ``size`` where the table is full; and how much of ``ids`` is
    used.
    """
    slots, offsets, counts, blob, state = table
    p = start
    while p < size:
        # Most words are letters and digits of ASCII up to a space: their end and key are found eight bytes at a time.
        eight = words[p]
        stops = _stops(eight)
        q = p
        value = key = _NOTHING
        while stops == _NOTHING:
            value = mix(value, eight)
            q += 8
            eight = words[q]
            stops = _stops(eight)
        length = _before(stops)
        if length:
            eight = first_bytes(eight, length)
            key = short_key(eight, length)
            value = mix(value, eight)
        if q > p:
            key = long_key(value, q + length - p)
        q += length
        end = _entity_end(text, text, p, classes) if entities else p
        if end > p:
            q = end
            key = word_key(words, p, q)
        elif q == p or text[q] >= 0x80 or text[q] == _APOSTROPHE or text[q] == _LOW_LINE:
            kind, width = _class_at(text, p, classes)
            if kind == _SPACE:
                p += width
                continue
            if kind == _END:
                if written and ids[written - 1] != -1:
                    ids[written] = -1
                    written += 1
                p += 1
                continue
            q = _token_end(text, p, kind, width, classes, english)
            key = word_key(words, p, q)
        number = add_keyed(slots, offsets, counts, blob, state, text, p, q, 1, key)
        if number < 0:
            return p, written
        ids[written] = number
        written += 1
        p = q + np.int64(text[q] == _SPACE_BYTE)
    if written and ids[written - 1] != -1:
        ids[written] = -1
        written += 1
    return size, written
