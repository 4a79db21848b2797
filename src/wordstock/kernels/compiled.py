"""The one way to compile a kernel: without the GIL, kept on disk where some folder can keep it."""

import numba

__all__ = ["compiled"]


def compiled(function=None, **options):
    """``numba.njit`` that releases the GIL, divides as NumPy does, and caches what it compiled.

    Where no cache folder can be written (a read-only installation and home), each process compiles anew instead of
    failing. ``options`` go to numba: ``inline``, ``fastmath``.
    """
    if function is None:
        return lambda inner: compiled(inner, **options)
    options = {"nogil": True, "error_model": "numpy"} | options
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        return numba.njit(**options)(function)
