"""Which bytes of a text are letters or digits of ASCII, a bit each: 64 are compared at once, as LLVM vectors."""

from __future__ import annotations

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from wordstock.kernels.compiled import compiled

__all__ = ["BLOCK", "holds", "mark_words", "run_length"]

BLOCK = 64  # bytes to a mask
_CASE, _A, _ZERO, _LETTERS, _DIGITS, _SLASH = 32, 97, 48, 26, 10, 47


def _loaded(context, builder, array, arguments):
    """64 bytes of an array from an index on, and a function that gives a byte 64 times."""
    kind = ir.VectorType(ir.IntType(8), BLOCK)
    data = context.make_array(array)(context, builder, arguments[0]).data
    found = builder.load(builder.bitcast(builder.gep(data, [arguments[1]]), kind.as_pointer()))
    found.align = 1
    return found, lambda value: ir.Constant(kind, [value] * BLOCK)


@intrinsic
def _words_in(typingctx, text, start):
    """Bit i is set where ``text[start + i]`` is a letter or digit; uint8 (n,), 64 bytes must be there."""
    signature = types.uint64(text, start)

    def generate(context, builder, signature, arguments):
        found, every = _loaded(context, builder, signature.args[0], arguments)
        letter = builder.sub(builder.or_(found, every(_CASE)), every(_A))
        digit = builder.sub(found, every(_ZERO))
        either = builder.or_(
            builder.icmp_unsigned("<", letter, every(_LETTERS)), builder.icmp_unsigned("<", digit, every(_DIGITS))
        )
        return builder.bitcast(either, ir.IntType(64))

    return signature, generate


@intrinsic
def _slashes_in(typingctx, text, start):
    """Bit i is set where ``text[start + i]`` is a slash."""
    signature = types.uint64(text, start)

    def generate(context, builder, signature, arguments):
        found, every = _loaded(context, builder, signature.args[0], arguments)
        return builder.bitcast(builder.icmp_unsigned("==", found, every(_SLASH)), ir.IntType(64))

    return signature, generate


def _bits(marks):
    """64 truth values as the compiled functions give them."""
    return np.packbits(marks, bitorder="little").view("<u8")[0]


def _words_in_python(text, start):
    """``_words_in`` where the compiler is off."""
    found = text[start : start + BLOCK]
    letters = ((found | _CASE) - np.uint8(_A)) < _LETTERS
    return _bits(letters | ((found - np.uint8(_ZERO)) < _DIGITS))


def _slashes_in_python(text, start):
    """``_slashes_in`` where the compiler is off."""
    return _bits(text[start : start + BLOCK] == _SLASH)


@intrinsic
def _ones(typingctx, bits):
    """How many bits of a uint64 are set before the first that is not, from the lowest on."""
    signature = types.int64(types.uint64)

    def generate(context, builder, signature, arguments):
        return builder.cttz(builder.not_(arguments[0]), ir.Constant(ir.IntType(1), 0))

    return signature, generate


def _ones_in_python(bits):
    """The same where the compiler is off."""
    length = 0
    while int(bits) >> length & 1:
        length += 1
    return length


_OFF = numba.config.DISABLE_JIT  # type: ignore[attr-defined]  # set on import
run_length = _ones_in_python if _OFF else _ones
_word_bits = _words_in_python if _OFF else _words_in
_slash_bits = _slashes_in_python if _OFF else _slashes_in


@compiled
def mark_words(text, masks):
    """Set bit i of ``masks[b]`` where byte 64 b + i of ``text`` is a letter or digit of ASCII.

    Parameters
    ----------
    text : uint8, at least 64 bytes for every mask.
    masks : uint64 (n,), written.
    """
    for b in range(len(masks)):
        masks[b] = _word_bits(text, b * BLOCK)


@compiled
def holds(text, mark):
    """Whether ``mark``, which ends with a slash, is somewhere in ``text``; both uint8."""
    size, length = len(text), len(mark)
    found = False
    p = 0
    while p < size and not found:
        if p + BLOCK <= size and _slash_bits(text, p) == 0:
            p += BLOCK
        else:
            stop = min(p + BLOCK, size)
            while p < stop and not found:
                if text[p] == _SLASH and p >= length - 1:
                    same = 0
                    while same < length and text[p - same] == mark[length - 1 - same]:
                        same += 1
                    found = same == length
                p += 1
    return found
