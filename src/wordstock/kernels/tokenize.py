"""The tokeniser's rules on UTF-8 bytes, each token looked up in a word table as it is found.

The rules are those of ``text.tokenizer``, which is the definition; a property test holds the two together.
"""

from __future__ import annotations

import numpy as np

from wordstock.kernels.bytemasks import BLOCK, run_length
from wordstock.kernels.compiled import compiled
from wordstock.kernels.wordtable import number_found, remember, word_key

__all__ = ["tokenize"]

# Classes of characters, as text.scripts numbers them.
_SPACE, _PUNCTUATION, _LETTER, _MARK, _UNSPACED, _UNDERSCORE, _END = range(7)
_ENTITY = np.frombuffer(b"ENTITY/", np.uint8)
_SPACE_BYTE, _APOSTROPHE, _LOW_LINE = 32, 39, 95

_ONE = np.uint64(1)


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
def _entity_end(text, p, classes):
    """End of the entity's token that begins at ``p``, or ``p`` if none does."""
    for i in range(len(_ENTITY)):
        if text[p + i] != _ENTITY[i]:
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
def _plain_length(masks, p):
    """How many letters and digits of ASCII there are from ``p`` on."""
    length = np.int64(0)
    while True:
        block, place = (p + length) // BLOCK, np.uint64((p + length) % BLOCK)
        bits = (masks[block] >> place) | (masks[block + 1] << _ONE << (np.uint64(BLOCK - 1) - place))
        more = run_length(bits)
        length += more
        if more < BLOCK:
            return length


@compiled
def _find_words(text, words, masks, size, p, classes, english, entities, slots, found):
    """Fill ``found``; returns where to go on, and how many words and long ones there are."""
    starts, stops, keys, longs = found
    n = n_longs = 0
    while p < size and n < len(starts):
        # Most words are letters and digits of ASCII up to a space: their end is found in one step.
        q = p + _plain_length(masks, p)
        after = text[q]
        plain = q > p and after < 0x80 and after != _APOSTROPHE and after != _LOW_LINE
        if entities or not plain:
            end = _entity_end(text, p, classes) if entities else p
            if end > p:
                q = end
            elif not plain:
                kind, width = _class_at(text, p, classes)
                if kind == _SPACE:
                    p += width
                    continue
                if kind == _END:
                    n, n_longs = remember(slots, starts, stops, keys, longs, n, n_longs, p, p, np.uint64(0))
                    p += 1
                    continue
                q = _token_end(text, p, kind, width, classes, english)
        n, n_longs = remember(slots, starts, stops, keys, longs, n, n_longs, p, q, word_key(words, p, q))
        p = q + np.int64(text[q] == _SPACE_BYTE)
    return p, n, n_longs


@compiled
def tokenize(text, words, masks, size, start, rules, found, table, ids, written):
    """Split ``text`` into tokens and number them; a character of the class ``END_CLASS`` ends a sentence.

    Parameters
    ----------
    text : uint8, ``size`` bytes of valid UTF-8 and spaces, ``PADDING`` at least; ``words`` its eights.
    masks : uint64, ``bytemasks.mark_words`` of it, and one more.
    start, written : where to go on in ``text`` and in ``ids``.
    rules : (classes, english, entities). Classes, uint8 (1114112,), or (128,) for ASCII text, are
        ``text.scripts.character_classes``; ``english`` says whether contractions are split, otherwise underscores count
        as letters; ``entities`` whether tokens of entities are looked for.
    found : ``Found``, for this call's own use.
    table : ``WordArrays``.
    ids : int32 (size + 1,), written: token numbers, -1 after each sentence that has tokens.

    Returns
    -------
    The position up to which the text was read, less than ``size`` where the table is full; and how much of ``ids`` is
    used.
    """
    classes, english, entities = rules
    p = start
    done = n = 0
    while p < size and done == n:
        p, n, n_longs = _find_words(text, words, masks, size, p, classes, english, entities, table.slots, found)
        done, written = number_found(found, n, n_longs, table, text, words, ids, written)
    if done < n:
        p = found.starts[done]
    elif written and ids[written - 1] != -1:
        ids[written] = -1
        written += 1
    return min(p, size), written  # the space after the last word lies beyond
