"""A hint to the processor that a cache line will be wanted soon; nothing at all where the compiler is off."""

from __future__ import annotations

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

__all__ = ["fetch_ahead"]

_FOR_READING, _KEEP, _DATA = 0, 3, 1  # arguments of llvm.prefetch


@intrinsic
def _prefetch(typingctx, array, index):
    """Ask for the cache line of ``array[index]``, a one-dimensional contiguous array; any index is safe."""
    signature = types.void(array, index)

    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), cgutils.voidptr_t)
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(function, [address, *(ir.Constant(word, value) for value in (_FOR_READING, _KEEP, _DATA))])
        return context.get_dummy_value()

    return signature, generate


def _nothing(array, index):
    """Plain Python has no use for the hint."""


fetch_ahead = _nothing if numba.config.DISABLE_JIT else _prefetch  # type: ignore[attr-defined]  # set on import
