"""Scratch memory of one thread: zeros of the shapes asked for, on cache lines of their own."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wordstock.kernels.scratch import private_arrays

SHAPES = st.lists(st.integers(0, 9), min_size=1, max_size=2).map(tuple)
WANTED = st.lists(st.tuples(SHAPES, st.sampled_from([np.float32, np.int64, np.uint64])), min_size=1, max_size=6)


@given(WANTED)
def test_no_two_arrays_are_on_one_cache_line(wanted):
    made = private_arrays(*wanted)
    lines = []
    for (shape, dtype), array in zip(wanted, made, strict=True):
        assert (array.shape, array.dtype) == (shape, dtype)
        assert array.flags.c_contiguous
        assert not array.any()
        array[...] = 1
        start = array.ctypes.data
        assert start % 64 == 0 or not array.size
        lines.append(set(range(start // 64, -(-(start + array.nbytes) // 64))) if array.size else set())
    assert sum(map(len, lines)) == len(set().union(*lines))
    assert all((array == 1).all() for array in made)
    owner = made[0].base
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    end = owner.ctypes.data + owner.nbytes
    assert all(line * 64 >= owner.ctypes.data and (line + 1) * 64 <= end for line in set().union(*lines))
