"""The CRC-32 of bytes that were read in parts, so that several threads can read."""

from __future__ import annotations

__all__ = ["joined"]

_POLYNOMIAL = 0xEDB88320  # of zlib and PNG, the lowest power in the highest bit
_ONE = 1 << 31


def joined(first: int, second: int, size: int) -> int:
    """The CRC-32 of two strings of bytes one after the other, from that of each and the size of the second one.

    Appending ``size`` bytes multiplies the first by x ** (8 * size), modulo the polynomial (M. Adler, zlib's
    ``crc32_combine``).
    """
    power, factor, bits = _ONE >> 1, _ONE, 8 * size
    while bits:
        if bits & 1:
            factor = _product(factor, power)
        power = _product(power, power)
        bits >>= 1
    return _product(factor, first) ^ second


def _product(a: int, b: int) -> int:
    total = 0
    while a:
        if a & _ONE:
            total ^= b
        a = a << 1 & 0xFFFFFFFF
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)
    return total
