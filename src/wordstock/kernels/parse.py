"""Lines of text into keys and float32 rows.

Every number equals ``np.float32(float(text))`` bit for bit. The usual ``-0.12345`` is read eight digits at a time
from one 64-bit load. Up to 2**53 and 10**22 one division or multiplication of exact doubles is correctly rounded
(Clinger 1990). Beyond that the product is off by a few units in the last place of a double, which does not matter
unless a float32 boundary lies within that distance; such a number, nan, infinity and anything that is not plain
decimal go to a list for Python's ``float``.
"""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled

__all__ = ["BAD_LINE", "DONE", "LIST_FULL", "copy_keys", "find_large", "parse_rows"]

DONE, LIST_FULL, BAD_LINE = 0, 1, 2

_TAB, _NEWLINE, _RETURN, _SPACE, _PLUS, _MINUS, _POINT, _ZERO, _E = 9, 10, 13, 32, 43, 45, 46, 48, 101
_DIGITS = 19  # decimal digits that always fit in uint64
_LARGEST_EXPONENT = 60
_POWERS = np.array([float(f"1e{k}") for k in range(_LARGEST_EXPONENT + 1)])
_EXACT = np.uint64(2**53)
_BELOW, _ABOVE = 1 - 2.0**-49, 1 + 2.0**-49

# Constants of the eight-digit trick: numba would turn uint64 with a plain int into a float.
_ZEROS = np.uint64(0x3030303030303030)
_NOT_DIGIT = np.uint64(0x7676767676767676)
_HIGH_BITS = np.uint64(0x8080808080808080)
_ONES = np.uint64(0x0101010101010101)
_ONE, _SEVEN, _EIGHT, _TEN = np.uint64(1), np.uint64(7), np.uint64(8), np.uint64(10)
_SIXTEEN, _THIRTY_TWO, _TOP_BYTE = np.uint64(16), np.uint64(32), np.uint64(56)
_PAIRS = np.uint64(0x000000FF000000FF)
_UPPER, _LOWER = np.uint64(0x000F424000000064), np.uint64(0x0000271000000001)
_HUNDRED_MILLION = np.uint64(100_000_000)


@compiled(inline="always")
def _leading_digits(word):
    """(count of digits before the first other of eight characters, their value padded with zeros to eight digits)."""
    digits = word ^ _ZEROS
    stops = ((digits + _NOT_DIGIT) | digits) & _HIGH_BITS
    below = ((stops & (~stops + _ONE)) >> _SEVEN) - _ONE
    count = ((below & _ONES) * _ONES) >> _TOP_BYTE
    digits &= below
    digits = digits * _TEN + (digits >> _EIGHT)
    value = ((digits & _PAIRS) * _UPPER + ((digits >> _SIXTEEN) & _PAIRS) * _LOWER) >> _THIRTY_TWO
    return np.int64(count), value


@compiled
def _scale(mantissa, exponent):
    """(mantissa * 10**exponent as float32, whether that is certain)."""
    if exponent < -_LARGEST_EXPONENT or exponent > _LARGEST_EXPONENT:
        return np.float32(0), mantissa == np.uint64(0)
    value = np.float64(mantissa)
    if exponent < 0:
        value /= _POWERS[-exponent]
    else:
        value *= _POWERS[exponent]
    if mantissa < _EXACT and -22 <= exponent <= 22:
        return np.float32(value), True
    low, high = np.float32(value * _BELOW), np.float32(value * _ABOVE)
    return low, low == high


@compiled
def _decimal(data, start, stop):
    """(value of the text in start..stop, whether it is a plain decimal whose value is certain)."""
    p = start
    negative = data[p] == _MINUS
    if negative or data[p] == _PLUS:
        p += 1
    mantissa = np.uint64(0)
    exponent = 0
    kept = 0
    seen = 0
    point = False
    while p < stop:
        c = np.int64(data[p])
        if _ZERO <= c <= _ZERO + 9:
            seen += 1
            if kept < _DIGITS:
                mantissa = mantissa * _TEN + np.uint64(c - _ZERO)
                kept += mantissa > np.uint64(0)
                exponent -= point
            else:
                exponent += not point
        elif c == _POINT and not point:
            point = True
        else:
            break
        p += 1
    if seen == 0:
        return np.float32(0), False
    if p < stop and (data[p] | 32) == _E:
        p += 1
        down = p < stop and data[p] == _MINUS
        if p < stop and (down or data[p] == _PLUS):
            p += 1
        if p == stop:
            return np.float32(0), False
        power = 0
        while p < stop and _ZERO <= data[p] <= _ZERO + 9:
            power = min(power * 10 + np.int64(data[p]) - _ZERO, 1_000_000)
            p += 1
        exponent += -power if down else power
    if p < stop:
        return np.float32(0), False
    value, certain = _scale(mantissa, exponent)
    return -value if negative else value, certain


@compiled(inline="always")
def _ends(c):
    return c in (_SPACE, _NEWLINE, _TAB, _RETURN)


@compiled
def _resembles_decimal(data, start, stop):
    """Whether the text could be a number with a point or an exponent; a cheap test that may say yes too often."""
    marks = digits = 0
    for i in range(start, stop):
        c = data[i]
        if _ZERO <= c <= _ZERO + 9:
            digits += 1
        elif c == _POINT or (c | 32) == _E:
            marks += 1
        elif c not in (_MINUS, _PLUS):
            return False
    return marks > 0 and digits > 0


@compiled
def _split_from_right(data, line, vector, row, spans, pending, n):
    """One line whose key may hold separators; the new length of ``pending``, -1 for too few columns, -2 for no room."""
    stop = line
    while data[stop] != _NEWLINE:
        stop += 1
    while stop > line and _ends(data[stop - 1]):
        stop -= 1
    start = stop
    for column in range(len(vector) - 1, -1, -1):
        start = stop
        while start > line and data[start - 1] != _SPACE and data[start - 1] != _TAB:
            start -= 1
        if start in (line, stop):
            return -1
        value, certain = _decimal(data, start, stop)
        vector[column] = value
        if not certain:
            if n == len(pending):
                return -2
            pending[n, 0], pending[n, 1], pending[n, 2], pending[n, 3] = row, column, start, stop
            n += 1
        stop = start
        while column > 0 and stop > line and (data[stop - 1] == _SPACE or data[stop - 1] == _TAB):
            stop -= 1
    stop = start - 1
    spans[row, 0], spans[row, 1] = line, stop
    start = stop
    while start > line and data[start - 1] != _SPACE and data[start - 1] != _TAB:
        start -= 1
    if start > line and _resembles_decimal(data, start, stop):
        if n == len(pending):
            return -2
        pending[n, 0], pending[n, 1], pending[n, 2], pending[n, 3] = row, -1, start, stop
        n += 1
    return n


@compiled
def parse_rows(data, words, start, stop, vectors, spans, pending):
    """Parse lines ``key SP number SP number ... LF`` in start..stop until rows or lines run out.

    A key ends before the last ``dim`` numbers, so it may hold separators; these are space and tab, in runs between
    numbers, a single one after the key. Separators and CR before the LF are ignored.

    Parameters
    ----------
    data : uint8 (n,); ``data[stop - 1]`` is LF, and at least 32 bytes follow ``stop``.
    words : uint64 (n - 7,), the eight bytes of ``data`` from each position on, little-endian.
    vectors : float32 (rows, dim), written.
    spans : int64 (rows, 2), written: where each key starts and stops in ``data``.
    pending : int64 (capacity > dim, 4), written: row, column, start and stop of each text that Python must parse;
        column -1 is the end of a key that resembles a number: if it is one, the row has too many columns.

    Returns
    -------
    rows done, position reached, entries in ``pending``, and DONE, LIST_FULL (start again from the position) or
    BAD_LINE (the line at the position has too few columns).
    """
    dim = vectors.shape[1]
    p = start
    n = 0
    for row in range(len(vectors)):
        if p >= stop:
            return row, p, n, DONE
        line = p
        before = n
        vector = vectors[row]
        while data[p] != _SPACE and data[p] != _TAB and data[p] != _NEWLINE:
            p += 1
        spans[row, 0], spans[row, 1] = line, p
        column = 0
        while column < dim and data[p] != _NEWLINE:
            p += 1
            if _ends(data[p]):
                break
            q = p + np.int64(data[p] == _MINUS)
            lead = np.int64(data[q]) - _ZERO
            simple = False
            value = np.float32(0)
            if 0 <= lead <= 9 and data[q + 1] == _POINT:
                count, tail = _leading_digits(words[q + 2])
                mantissa = np.uint64(lead) * _HUNDRED_MILLION + tail
                if count < 8:
                    q += 2 + count
                    value = np.float32(np.float64(mantissa) / 1e8)
                    simple = _ends(data[q])
                else:
                    count, tail = _leading_digits(words[q + 10])
                    q += 10 + count
                    if count < 8 and _ends(data[q]):
                        value, simple = _scale(mantissa * _HUNDRED_MILLION + tail, -16)
                if simple and data[p] == _MINUS:
                    value = -value
            if not simple:
                q = p
                while not _ends(data[q]):
                    q += 1
                value, simple = _decimal(data, p, q)
                if not simple:
                    if n == len(pending):
                        return row, line, before, LIST_FULL
                    pending[n, 0], pending[n, 1], pending[n, 2], pending[n, 3] = row, column, p, q
                    n += 1
            vector[column] = value
            column += 1
            p = q
        while data[p] == _SPACE or data[p] == _TAB or data[p] == _RETURN:
            p += 1
        if column < dim or data[p] != _NEWLINE:
            n = _split_from_right(data, line, vector, row, spans, pending, before)
            if n < 0:
                return row, line, before, BAD_LINE if n == -1 else LIST_FULL
            while data[p] != _NEWLINE:
                p += 1
        p += 1
    return len(vectors), p, n, DONE


@compiled
def copy_keys(data, spans, offsets, blob):
    """Gather the keys at ``spans`` (int64 (n, 2)) of ``data`` in ``blob`` at ``offsets`` (int64 (n + 1,))."""
    for i in range(len(spans)):
        target = offsets[i] - spans[i, 0]
        for p in range(spans[i, 0], spans[i, 1]):
            blob[target + p] = data[p]


@compiled
def find_large(vectors, start, limit):
    """First row from ``start`` on that holds NaN or a component of at least ``limit`` in size; -1 if none."""
    for row in range(start, len(vectors)):
        vector = vectors[row]
        hits = np.int32(0)
        for i in range(len(vector)):
            hits += np.int32(not (abs(vector[i]) < limit))
        if hits:
            return row
    return -1
