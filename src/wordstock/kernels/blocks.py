"""One gradient step between a window's input rows and up to eight output rows, in vector registers.

Functions that a kernel calls; compiled, each is an intrinsic that keeps its block in registers (see ``lanes``).
Without the compiler (``NUMBA_DISABLE_JIT=1``) the plain NumPy below runs: it is also the definition of what they do.

``block`` is a tuple whose length, 1 to 8, is the number of output rows: a length is part of a type, so that each
has its own machine code. The output rows are those that ``targets`` int64 names from ``first`` on, with their
``signs`` float32 (first + 8 or more,), +1 or -1, and ``weights``, as long, 1, or 0 for a target that does not count.
A slice of each would count references, for every centre anew. ``inputs``, ``outputs`` float32 (n, dim), dim a multiple
of 16; ``rows`` int64; ``rate`` float32; ``losses`` float32 (8,).

A word that stands in a window twice may be in ``rows`` twice: it is updated by turns. The ``targets`` must differ.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from wordstock.kernels import lanes as vec
from wordstock.kernels.lanes import I64, LANES

__all__ = ["LARGEST_BLOCK", "prefetch_row", "row_address", "score_mean", "score_rows", "update_mean", "update_rows"]

LARGEST_BLOCK = 8
_LINE = 16  # floats in a cache line
_PARTS = [I64(at) for at in range(0, _LINE, LANES)]  # the vectors of one


def score_rows(inputs, outputs, rows, n_rows, targets, first, block, signs, weights, rate, gradients, losses):
    """Score the first ``n_rows`` of ``rows`` with every output row of the block.

    With z = sign * <input, output>: ``gradients`` float32 (contexts, 8) gets sign * weight * rate * (1 - sigmoid(z))
    and ``losses`` has weight * log(sigmoid(z)) added. ``rows[n_rows]`` must be a valid row: they are taken in pairs.
    """
    size = len(block)
    for at in range(n_rows):
        scores = outputs[targets[first : first + size]] @ inputs[rows[at]]
        _grade(scores, first, size, signs, weights, rate, gradients[at], losses)


def update_rows(inputs, outputs, rows, n_rows, targets, first, block, gradients, scales, ahead):
    """Add the gradients to both sides, each seeing the other as it was.

    inputs[r] += scale * sum_k g[r, k] * outputs[k] and outputs[k] += sum_r g[r, k] * inputs[r], for the first
    ``n_rows`` of ``rows``. ``scales`` float32 (n,), one per input row, or None for 1. ``ahead`` int64
    (as ``targets``), addresses of rows that the next step needs, fetched a line at a time beside the arithmetic.
    """
    size = len(block)
    chosen = targets[first : first + size]
    old = outputs[chosen]
    for at in range(n_rows):
        row = rows[at]
        outputs[chosen] += np.outer(gradients[at, :size], inputs[row])
        change = gradients[at, :size] @ old
        inputs[row] += change if scales is None else scales[row] * change


def score_mean(inputs, outputs, rows, n_rows, targets, first, block, signs, weights, rate, mean, gradients, losses):
    """As ``score_rows`` for one input, the mean of the rows, which is left in ``mean`` float32 (dim,)."""
    size = len(block)
    mean[:] = inputs[rows[:n_rows]].sum(axis=0) / np.float32(n_rows)
    scores = outputs[targets[first : first + size]] @ mean
    _grade(scores, first, size, signs, weights, rate, gradients[0], losses)


def update_mean(inputs, outputs, rows, n_rows, targets, first, block, mean, gradients, scales, ahead):
    """As ``update_rows`` with ``mean`` as the input; every row takes the whole change, not divided by their number."""
    size = len(block)
    chosen = targets[first : first + size]
    change = gradients[0, :size] @ outputs[chosen]
    outputs[chosen] += np.outer(gradients[0, :size], mean)
    for at in range(n_rows):
        row = rows[at]
        inputs[row] += change if scales is None else scales[row] * change


def prefetch_row(matrix, row):
    """Ask for a row of a float32 matrix before it is needed."""


def row_address(matrix, row):
    """Where a row of a float32 matrix begins, int64, for ``ahead``; ``ctypes.data`` would count references."""
    return matrix.ctypes.data + row * matrix.strides[0]


def _grade(scores, first, size, signs, weights, rate, gradients, losses):
    signs, weights = signs[first : first + size], weights[first : first + size]
    sigmoid = 1 / (1 + np.exp(-np.clip(signs * scores, -9, 9)))
    gradients[:size] = signs * weights * rate * (1 - sigmoid)
    losses[:size] += weights * np.log(sigmoid)


@intrinsic
def _score_rows(typing, inputs, outputs, rows, n_rows, targets, first, block, signs, weights, rate, gradients, losses):
    def generate(context, builder, signature, arguments):
        views = _views(context, builder, signature, arguments)
        inputs, outputs, rows, n_rows, targets, first, _, signs, weights, rate, gradients, losses = views
        size = block.count
        drains = _rows(builder, outputs, targets, first, size)
        columns = builder.extract_value(inputs.shape, 1)
        zero = vec.constant(LANES, 0.0)
        with cgutils.for_range_slice(builder, I64(0), n_rows, I64(2)) as (at, _):
            sources = [vec.row(builder, inputs, _item(builder, rows, builder.add(at, I64(i)))) for i in (0, 1)]
            sums = [cgutils.alloca_once_value(builder, zero) for _ in range(2 * size)]
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
            place = vec.row(builder, gradients, at)
            for i in range(0, 16, LANES):
                scores = vec.reduce_rows(builder, padded[i : i + LANES])
                vec.store(builder, scores, builder.gep(place, [I64(i)]))
        grade, finish = _grader(builder, first, size, signs, weights, rate, losses)
        with cgutils.for_range(builder, n_rows) as loop:
            place = vec.row(builder, gradients, loop.index)
            vec.store(builder, grade(vec.load(builder, place, 8)), place)
            eighth = builder.icmp_signed("==", builder.and_(loop.index, I64(7)), I64(7))
            with cgutils.if_unlikely(builder, eighth):
                finish()
        finish()
        return context.get_dummy_value()

    return types.void(
        inputs, outputs, rows, n_rows, targets, first, block, signs, weights, rate, gradients, losses
    ), generate


@intrinsic
def _update_rows(typing, inputs, outputs, rows, n_rows, targets, first, block, gradients, scales, ahead):
    def generate(context, builder, signature, arguments):
        views = _views(context, builder, signature, arguments)
        inputs, outputs, rows, n_rows, targets, first, _, gradients, scales, ahead = views
        size, plain = block.count, signature.args[8] == types.none
        drains = _rows(builder, outputs, targets, first, size)
        fetched = [_item(builder, ahead, builder.add(first, I64(k))) for k in range(size)]
        columns = builder.extract_value(inputs.shape, 1)
        sums = [cgutils.alloca_once(builder, ir.VectorType(vec.F32, LANES)) for _ in range(size)]
        with cgutils.for_range_slice(builder, I64(0), columns, I64(_LINE)) as (line, _):
            _prefetch(builder, fetched, line)
            for part in _PARTS:
                start = builder.add(line, part)
                old = [vec.load(builder, builder.gep(drain, [start]), LANES) for drain in drains]
                for value, total in zip(old, sums, strict=True):
                    builder.store(value, total)
                with cgutils.for_range(builder, n_rows) as loop:
                    number = _item(builder, rows, loop.index)
                    place = builder.gep(vec.row(builder, inputs, number), [start])
                    x = vec.load(builder, place, LANES)
                    change = x if plain else vec.constant(LANES, 0.0)
                    weights = vec.row(builder, gradients, loop.index)
                    for k in range(size):
                        weight = vec.splat(builder, builder.load(builder.gep(weights, [I64(k)])), LANES)
                        change = vec.fma(builder, weight, old[k], change)
                        builder.store(vec.fma(builder, weight, x, builder.load(sums[k])), sums[k])
                    if not plain:
                        scale = vec.splat(builder, _item(builder, scales, number), LANES)
                        change = vec.fma(builder, scale, change, x)
                    vec.store(builder, change, place)
                for drain, total in zip(drains, sums, strict=True):
                    vec.store(builder, builder.load(total), builder.gep(drain, [start]))
        return context.get_dummy_value()

    return types.void(inputs, outputs, rows, n_rows, targets, first, block, gradients, scales, ahead), generate


@intrinsic
def _score_mean(
    typing, inputs, outputs, rows, n_rows, targets, first, block, signs, weights, rate, mean, gradients, losses
):
    def generate(context, builder, signature, arguments):
        views = _views(context, builder, signature, arguments)
        inputs, outputs, rows, n_rows, targets, first, _, signs, weights, rate, mean, gradients, losses = views
        size = block.count
        drains = _rows(builder, outputs, targets, first, size)
        columns = builder.extract_value(inputs.shape, 1)
        zero = vec.constant(LANES, 0.0)
        share = builder.fdiv(vec.F32(1.0), builder.sitofp(n_rows, vec.F32))
        share = vec.splat(builder, share, LANES)
        sums = [cgutils.alloca_once_value(builder, zero) for _ in range(size)]
        totals = [cgutils.alloca_once(builder, zero.type) for _ in _PARTS]
        with cgutils.for_range_slice(builder, I64(0), columns, I64(_LINE)) as (line, _):
            for total in totals:
                builder.store(zero, total)
            with cgutils.for_range(builder, n_rows) as loop:
                source = builder.gep(vec.row(builder, inputs, _item(builder, rows, loop.index)), [line])
                for total, part in zip(totals, _PARTS, strict=True):
                    x = vec.load(builder, builder.gep(source, [part]), LANES)
                    builder.store(builder.fadd(builder.load(total), x), total)
            for total, part in zip(totals, _PARTS, strict=True):
                start = builder.add(line, part)
                x = builder.fmul(builder.load(total), share)
                vec.store(builder, x, builder.gep(mean.data, [start]))
                for drain, each in zip(drains, sums, strict=True):
                    y = vec.load(builder, builder.gep(drain, [start]), LANES)
                    builder.store(vec.fma(builder, x, y, builder.load(each)), each)
        padded = [*(builder.load(each) for each in sums), *[zero] * (LANES - size)]
        scores = vec.first_eight(builder, vec.reduce_rows(builder, padded))
        grade, finish = _grader(builder, first, size, signs, weights, rate, losses)
        vec.store(builder, grade(scores), gradients.data)
        finish()
        return context.get_dummy_value()

    return types.void(
        inputs, outputs, rows, n_rows, targets, first, block, signs, weights, rate, mean, gradients, losses
    ), generate


@intrinsic
def _update_mean(typing, inputs, outputs, rows, n_rows, targets, first, block, mean, gradients, scales, ahead):
    def generate(context, builder, signature, arguments):
        views = _views(context, builder, signature, arguments)
        inputs, outputs, rows, n_rows, targets, first, _, mean, gradients, scales, ahead = views
        size, plain = block.count, signature.args[9] == types.none
        drains = _rows(builder, outputs, targets, first, size)
        fetched = [_item(builder, ahead, builder.add(first, I64(k))) for k in range(size)]
        columns = builder.extract_value(inputs.shape, 1)
        weights = [vec.splat(builder, builder.load(builder.gep(gradients.data, [I64(k)])), LANES) for k in range(size)]
        with cgutils.for_range_slice(builder, I64(0), columns, I64(_LINE)) as (line, _):
            _prefetch(builder, fetched, line)
            changes = []
            for part in _PARTS:
                start = builder.add(line, part)
                x = vec.load(builder, builder.gep(mean.data, [start]), LANES)
                change = vec.constant(LANES, 0.0)
                for weight, drain in zip(weights, drains, strict=True):
                    place = builder.gep(drain, [start])
                    y = vec.load(builder, place, LANES)
                    change = vec.fma(builder, weight, y, change)
                    vec.store(builder, vec.fma(builder, weight, x, y), place)
                changes.append(change)
            with cgutils.for_range(builder, n_rows) as loop:
                number = _item(builder, rows, loop.index)
                first = builder.gep(vec.row(builder, inputs, number), [line])
                for change, part in zip(changes, _PARTS, strict=True):
                    place = builder.gep(first, [part])
                    x = vec.load(builder, place, LANES)
                    if plain:
                        changed = builder.fadd(x, change)
                    else:
                        scale = vec.splat(builder, _item(builder, scales, number), LANES)
                        changed = vec.fma(builder, scale, change, x)
                    vec.store(builder, changed, place)
        return context.get_dummy_value()

    return types.void(inputs, outputs, rows, n_rows, targets, first, block, mean, gradients, scales, ahead), generate


@intrinsic
def _prefetch_row(typing, matrix, row):
    def generate(context, builder, signature, arguments):
        matrix, row = _views(context, builder, signature, arguments)
        first = builder.ptrtoint(vec.row(builder, matrix, row), I64)
        columns = builder.extract_value(matrix.shape, 1)
        with cgutils.for_range_slice(builder, I64(0), columns, I64(_LINE)) as (column, _):
            _prefetch(builder, [first], column)
        return context.get_dummy_value()

    return types.void(matrix, row), generate


@intrinsic
def _row_address(typing, matrix, row):
    def generate(context, builder, signature, arguments):
        matrix, row = _views(context, builder, signature, arguments)
        return builder.ptrtoint(vec.row(builder, matrix, row), I64)

    return types.int64(matrix, row), generate


def _prefetch(builder, addresses, column):
    """Ask for one cache line of each row in the second-level cache: the first is full of the rows in use."""
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
    prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
    for address in addresses:
        place = builder.inttoptr(builder.add(address, builder.mul(column, I64(4))), byte)
        builder.call(prefetch, [place, number(0), number(2), number(1)])  # for reading, not nearest, data


def _views(context, builder, signature, arguments):
    """Arrays as structures, everything else as it is."""
    return [
        context.make_array(kind)(context, builder, value) if isinstance(kind, types.Array) else value
        for kind, value in zip(signature.args, arguments, strict=True)
    ]


def _rows(builder, matrix, numbers, first, count):
    """Pointers to the rows of ``count`` numbers from ``first`` on."""
    return [vec.row(builder, matrix, _item(builder, numbers, builder.add(first, I64(k)))) for k in range(count)]


def _grader(builder, first, size, signs, weights, rate, losses):
    """Two functions: from eight scores to eight gradients, and one that adds the losses of up to eight calls.

    A logarithm costs as much as a sigmoid, so sigmoids are multiplied first: eight of them are above 1e-32.
    """
    sign, weight = (vec.load(builder, builder.gep(array.data, [first]), 8) for array in (signs, weights))
    used = ir.Constant(ir.VectorType(vec.F32, 8), [1.0] * size + [0.0] * (8 - size))
    weight = builder.fmul(weight, used)  # the next block's lie behind
    step = builder.fmul(builder.fmul(sign, weight), vec.splat(builder, rate, 8))
    one = vec.constant(8, 1.0)
    product = cgutils.alloca_once_value(builder, one)

    def grade(scores):
        chance = vec.sigmoid(builder, builder.fmul(scores, sign))
        builder.store(builder.fmul(chance, builder.load(product)), product)
        return builder.fmul(step, builder.fsub(one, chance))

    def finish():
        log = vec.log(builder, builder.load(product))
        vec.store(builder, vec.fma(builder, weight, log, vec.load(builder, losses.data, 8)), losses.data)
        builder.store(one, product)

    return grade, finish


def _item(builder, array, index):
    return builder.load(builder.gep(array.data, [index]))


@overload(score_rows, jit_options={"forceinline": True})
def _overload_score_rows(inputs, outputs, rows, n_rows, targets, first, block, signs, weights, rate, gradients, losses):
    def compiled(inputs, outputs, rows, n_rows, targets, first, block, signs, weights, rate, gradients, losses):
        _score_rows(inputs, outputs, rows, n_rows, targets, first, block, signs, weights, rate, gradients, losses)

    return compiled


@overload(update_rows, jit_options={"forceinline": True})
def _overload_update_rows(inputs, outputs, rows, n_rows, targets, first, block, gradients, scales, ahead):
    def compiled(inputs, outputs, rows, n_rows, targets, first, block, gradients, scales, ahead):
        _update_rows(inputs, outputs, rows, n_rows, targets, first, block, gradients, scales, ahead)

    return compiled


@overload(score_mean, jit_options={"forceinline": True})
def _overload_score_mean(
    inputs, outputs, rows, n_rows, targets, first, block, signs, weights, rate, mean, gradients, losses
):
    def compiled(inputs, outputs, rows, n_rows, targets, first, block, signs, weights, rate, mean, gradients, losses):
        _score_mean(inputs, outputs, rows, n_rows, targets, first, block, signs, weights, rate, mean, gradients, losses)

    return compiled


@overload(update_mean, jit_options={"forceinline": True})
def _overload_update_mean(inputs, outputs, rows, n_rows, targets, first, block, mean, gradients, scales, ahead):
    def compiled(inputs, outputs, rows, n_rows, targets, first, block, mean, gradients, scales, ahead):
        _update_mean(inputs, outputs, rows, n_rows, targets, first, block, mean, gradients, scales, ahead)

    return compiled


@overload(prefetch_row, jit_options={"forceinline": True})
def _overload_prefetch_row(matrix, row):
    def compiled(matrix, row):
        _prefetch_row(matrix, row)

    return compiled


@overload(row_address, jit_options={"forceinline": True})
def _overload_row_address(matrix, row):
    def compiled(matrix, row):
        return _row_address(matrix, row)

    return compiled
