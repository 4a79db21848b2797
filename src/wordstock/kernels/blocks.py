"""One gradient step between a window's input rows and up to eight output rows, in vector registers.

Three functions that a kernel calls; compiled, each is an intrinsic that keeps its block in registers (see ``lanes``).
Without the compiler (``NUMBA_DISABLE_JIT=1``) the plain NumPy below runs: it is also the definition of what they do.

``block`` is a tuple whose length, 1 to 8, is the number of output rows: a length is part of a type, so that each
has its own machine code.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from wordstock.kernels import lanes as vec
from wordstock.kernels.lanes import I64, LANES

__all__ = ["LARGEST_BLOCK", "prefetch_row", "score_pair", "update_block"]

LARGEST_BLOCK = 8
_LINE = 16  # floats in a cache line


def score_pair(inputs, outputs, rows, targets, block, signs, rates, at, gradients, losses):
    """Score input rows ``rows[at]`` and ``rows[at + 1]`` with every output row of the block.

    With z = sign * <input, output>: ``gradients`` float32 (contexts, 8) gets sign * rate * (1 - sigmoid(z)) and
    ``losses`` float32 (16,) has rate * log(sigmoid(z)) added. ``inputs``, ``outputs`` float32 (n, dim), dim a multiple
    of 16; ``rows`` int64, ``targets`` int64 (len(block),), ``signs`` float32 (8,) +1 or -1, ``rates`` float32
    (contexts, 8), 0 for a pair that does not count.
    """
    size = len(block)
    for context in (at, at + 1):
        sign = signs[:size]
        z = sign * (outputs[targets[:size]] @ inputs[rows[context]])
        sigmoid = 1 / (1 + np.exp(-np.clip(z, -9, 9)))
        rate = rates[context, :size]
        gradients[context, :size] = sign * rate * (1 - sigmoid)
        losses[:size] += rate * np.log(sigmoid)


def update_block(inputs, outputs, rows, targets, block, n_rows, gradients, scales):
    """Add the gradients to both sides, each seeing the other as it was.

    inputs[r] += scale * sum_k g[k] * outputs[k] and outputs[k] += sum_r g[r, k] * inputs[r], for the first ``n_rows``
    of ``rows``. ``scales`` float32 (n,), one per input row, or None for 1. The ``rows`` must differ from each other,
    and so must the ``targets``.
    """
    size = len(block)
    used = rows[:n_rows]
    weights = gradients[:n_rows, :size]
    old = outputs[targets[:size]]
    outputs[targets[:size]] += weights.T @ inputs[used]
    change = weights @ old
    inputs[used] += change if scales is None else scales[used, None] * change


def prefetch_row(matrix, row):
    """Ask for a row of a float32 matrix before it is needed."""


@intrinsic
def _score_pair(typing, inputs, outputs, rows, targets, block, signs, rates, at, gradients, losses):
    def generate(context, builder, signature, arguments):
        views = _views(context, builder, signature, arguments)
        inputs, outputs, rows, targets, _, signs, rates, at, gradients, losses = views
        size = block.count
        sources = [vec.row(builder, inputs, _item(builder, rows, builder.add(at, I64(i)))) for i in (0, 1)]
        drains = [vec.row(builder, outputs, _item(builder, targets, I64(k))) for k in range(size)]
        zero = vec.constant(LANES, 0.0)
        sums = [cgutils.alloca_once_value(builder, zero) for _ in range(2 * size)]
        columns = builder.extract_value(inputs.shape, 1)
        with cgutils.for_range_slice(builder, I64(0), columns, I64(LANES)) as (start, _):
            x = [vec.load(builder, builder.gep(source, [start]), LANES) for source in sources]
            for k, drain in enumerate(drains):
                y = vec.load(builder, builder.gep(drain, [start]), LANES)
                for i in (0, 1):
                    total = sums[i * size + k]
                    builder.store(vec.fma(builder, x[i], y, builder.load(total)), total)
        totals = [builder.load(total) for total in sums]
        spare = [zero] * (LARGEST_BLOCK - size)
        padded = [*totals[:size], *spare, *totals[size:], *spare]
        halves = [vec.reduce_rows(builder, padded[i : i + LANES]) for i in range(0, 16, LANES)]
        score = halves[0] if LANES == 16 else _join(builder, *halves)
        eight = vec.load(builder, signs.data, 8)
        sign = _join(builder, eight, eight)
        rate = vec.load(builder, vec.row(builder, rates, at), 16)
        sigmoid, log = vec.log_sigmoid(builder, builder.fmul(score, sign))
        miss = builder.fsub(vec.constant(16, 1.0), sigmoid)
        vec.store(builder, builder.fmul(builder.fmul(sign, rate), miss), vec.row(builder, gradients, at))
        loss = vec.load(builder, losses.data, 16)
        vec.store(builder, vec.fma(builder, rate, log, loss), losses.data)
        return context.get_dummy_value()

    return types.void(inputs, outputs, rows, targets, block, signs, rates, at, gradients, losses), generate


@intrinsic
def _update_block(typing, inputs, outputs, rows, targets, block, n_rows, gradients, scales):
    def generate(context, builder, signature, arguments):
        views = _views(context, builder, signature, arguments)
        inputs, outputs, rows, targets, _, n_rows, gradients, scales = views
        size = block.count
        drains = [vec.row(builder, outputs, _item(builder, targets, I64(k))) for k in range(size)]
        columns = builder.extract_value(inputs.shape, 1)
        sums = [cgutils.alloca_once(builder, ir.VectorType(vec.F32, LANES)) for _ in range(size)]
        with cgutils.for_range_slice(builder, I64(0), columns, I64(LANES)) as (start, _):
            old = [vec.load(builder, builder.gep(drain, [start]), LANES) for drain in drains]
            for value, total in zip(old, sums, strict=True):
                builder.store(value, total)
            with cgutils.for_range(builder, n_rows) as loop:
                number = _item(builder, rows, loop.index)
                place = builder.gep(vec.row(builder, inputs, number), [start])
                x = vec.load(builder, place, LANES)
                change = x if signature.args[-1] == types.none else vec.constant(LANES, 0.0)
                weights = vec.row(builder, gradients, loop.index)
                for k in range(size):
                    weight = builder.load(builder.gep(weights, [I64(k)]))
                    weight = vec.splat(builder, weight, LANES)
                    change = vec.fma(builder, weight, old[k], change)
                    builder.store(vec.fma(builder, weight, x, builder.load(sums[k])), sums[k])
                if signature.args[-1] != types.none:
                    scale = vec.splat(builder, _item(builder, scales, number), LANES)
                    change = vec.fma(builder, scale, change, x)
                vec.store(builder, change, place)
            for drain, total in zip(drains, sums, strict=True):
                vec.store(builder, builder.load(total), builder.gep(drain, [start]))
        return context.get_dummy_value()

    return types.void(inputs, outputs, rows, targets, block, n_rows, gradients, scales), generate


@intrinsic
def _prefetch_row(typing, matrix, row):
    def generate(context, builder, signature, arguments):
        matrix, row = _views(context, builder, signature, arguments)
        first = vec.row(builder, matrix, row)
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        columns = builder.extract_value(matrix.shape, 1)
        with cgutils.for_range_slice(builder, I64(0), columns, I64(_LINE)) as (start, _):
            place = builder.bitcast(builder.gep(first, [start]), byte)
            builder.call(prefetch, [place, number(1), number(3), number(1)])  # for writing, keep near, data
        return context.get_dummy_value()

    return types.void(matrix, row), generate


def _views(context, builder, signature, arguments):
    """Arrays as structures, everything else as it is."""
    return [
        context.make_array(kind)(context, builder, value) if isinstance(kind, types.Array) else value
        for kind, value in zip(signature.args, arguments, strict=True)
    ]


def _item(builder, array, index):
    return builder.load(builder.gep(array.data, [index]))


def _join(builder, low, high):
    """Two vectors of eight as one of sixteen."""
    return builder.shuffle_vector(low, high, ir.Constant(ir.VectorType(ir.IntType(32), 16), list(range(16))))


@overload(score_pair, jit_options={"forceinline": True})
def _overload_score_pair(inputs, outputs, rows, targets, block, signs, rates, at, gradients, losses):
    def compiled(inputs, outputs, rows, targets, block, signs, rates, at, gradients, losses):
        _score_pair(inputs, outputs, rows, targets, block, signs, rates, at, gradients, losses)

    return compiled


@overload(update_block, jit_options={"forceinline": True})
def _overload_update_block(inputs, outputs, rows, targets, block, n_rows, gradients, scales):
    def compiled(inputs, outputs, rows, targets, block, n_rows, gradients, scales):
        _update_block(inputs, outputs, rows, targets, block, n_rows, gradients, scales)

    return compiled


@overload(prefetch_row, jit_options={"forceinline": True})
def _overload_prefetch_row(matrix, row):
    def compiled(matrix, row):
        _prefetch_row(matrix, row)

    return compiled
