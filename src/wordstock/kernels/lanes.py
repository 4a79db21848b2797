"""Vector arithmetic on table rows, emitted as LLVM vectors: what a loop vectoriser does not do by itself.

The rows that one training step touches are drawn at random, so a compiler cannot know that they do not overlap: it
guards a loop over eight rows with dozens of address comparisons and keeps a scalar copy of it. Written as vectors, all
loads of a block come before its stores and nothing needs to be proved.

Every function takes an llvmlite builder and appends to it; the intrinsics of ``blocks`` are made of them.
"""

from __future__ import annotations

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils

__all__ = [
    "F32",
    "I64",
    "LANES",
    "first_eight",
    "fma",
    "load",
    "log",
    "reduce_rows",
    "row",
    "sigmoid",
    "splat",
    "store",
]

F32, I32, I64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)

# Floats to a vector: rows are padded to 16, and processors with 512-bit vectors have 32 registers of them.
LANES = 16 if llvm.get_host_cpu_features().get("avx512f") else 8

_ALIGN = 4  # bytes; rows may start anywhere
_STEEPEST = 9.0  # |score| beyond which the sigmoid is taken as flat: 1.2e-4 from its limit


def constant(lanes, value):
    """The same float in every lane."""
    return ir.Constant(ir.VectorType(F32, lanes), [value] * lanes)


def splat(builder, value, lanes):
    """A scalar in every lane."""
    kind = ir.VectorType(F32, lanes)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, I32(0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(I32, lanes), [0] * lanes))


def load(builder, pointer, lanes):
    """The vector at a float pointer."""
    value = builder.load(builder.bitcast(pointer, ir.VectorType(F32, lanes).as_pointer()))
    value.align = _ALIGN
    return value


def store(builder, value, pointer):
    """Write a vector at a float pointer."""
    builder.store(value, builder.bitcast(pointer, value.type.as_pointer())).align = _ALIGN


def fma(builder, a, b, c):
    """A * b + c, one instruction where the processor has it."""
    kind = ir.FunctionType(a.type, [a.type] * 3)
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fmuladd.v{a.type.count}f32")
    return builder.call(function, [a, b, c])


def row(builder, matrix, number):
    """Pointer to the first float of a row of a C-contiguous float32 matrix."""
    columns = builder.extract_value(matrix.shape, 1)
    return builder.gep(matrix.data, [builder.mul(number, columns)])


def reduce_rows(builder, vectors):
    """Lane i of the result is the sum of vector i; there are as many vectors as lanes.

    Two vectors are merged while neighbours are added, so n sums cost n - 1 additions and not n * log2(n). Lanes are
    paired within 128-bit parts first and across them last: permutations within are the cheap ones.
    """
    lanes = vectors[0].type.count
    while len(vectors) > 1:
        even, odd = _pairs(lanes, across=len(vectors) * 4 <= lanes)
        vectors = [
            builder.fadd(builder.shuffle_vector(a, b, even), builder.shuffle_vector(a, b, odd))
            for a, b in zip(vectors[::2], vectors[1::2], strict=True)
        ]
    return vectors[0]


def first_eight(builder, vector):
    """The first eight lanes."""
    if vector.type.count == 8:
        return vector
    return builder.shuffle_vector(vector, vector, ir.Constant(ir.VectorType(I32, 8), list(range(8))))


def _pairs(lanes, across):
    """Shuffle masks that take the even and the odd lanes, or 128-bit parts, of two vectors."""
    if across:
        parts = [range(start, start + 4) for start in range(0, 2 * lanes, 4)]
        masks = [[i for part in parts[first::2] for i in part] for first in (0, 1)]
    else:
        starts = range(0, lanes, 4)
        masks = [[start + i + first for start in starts for i in (0, 2, lanes, lanes + 2)] for first in (0, 1)]
    return [ir.Constant(ir.VectorType(I32, lanes), mask) for mask in masks]


def sigmoid(builder, score):
    """1 / (1 + exp(-score)) within 3e-5 for scores up to 9, beyond which it is flat; NaN stays NaN.

    sigmoid(s) = (1 + tanh(s / 2)) / 2, with Lambert's continued fraction for tanh cut after seven terms.
    """
    lanes = score.type.count
    score = _bound(builder, "<", score, constant(lanes, -_STEEPEST))
    score = _bound(builder, ">", score, constant(lanes, _STEEPEST))
    half = builder.fmul(score, constant(lanes, 0.5))
    square = builder.fmul(half, half)
    over = builder.fmul(half, _polynomial(builder, square, (1, 378, 17325, 135135)))
    under = _polynomial(builder, square, (28, 3150, 62370, 135135))
    return builder.fdiv(builder.fadd(under, over), builder.fadd(under, under))


def _bound(builder, beyond, value, limit):
    """The limit where ``value`` lies beyond it; a comparison with NaN is false and lets it through."""
    return builder.select(builder.fcmp_ordered(beyond, value, limit), limit, value)


def _polynomial(builder, x, coefficients):
    """Horner's scheme, highest power first."""
    lanes = x.type.count
    total = constant(lanes, coefficients[0])
    for coefficient in coefficients[1:]:
        total = fma(builder, total, x, constant(lanes, coefficient))
    return total


def log(builder, value):
    """Natural logarithm of positive normal floats, within 1e-6: the exponent, and atanh's series for the mantissa."""
    lanes = value.type.count
    integers = ir.VectorType(I32, lanes)

    def bits(number):
        return ir.Constant(integers, [number] * lanes)

    raw = builder.bitcast(value, integers)
    exponent = builder.sub(builder.lshr(raw, bits(23)), bits(127))
    mantissa = builder.bitcast(builder.or_(builder.and_(raw, bits(0x007FFFFF)), bits(0x3F800000)), value.type)
    one = constant(lanes, 1.0)
    t = builder.fdiv(builder.fsub(mantissa, one), builder.fadd(mantissa, one))
    series = builder.fmul(t, _polynomial(builder, builder.fmul(t, t), (2 / 9, 2 / 7, 2 / 5, 2 / 3, 2)))
    total = fma(builder, builder.sitofp(exponent, value.type), constant(lanes, 0.6931471805599453), series)
    return fma(builder, value, constant(lanes, 0.0), total)  # the bits of NaN look like a number; this does not
