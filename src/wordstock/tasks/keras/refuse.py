"""Ids that no word has, refused on every backend, also inside compiled code."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from wordstock._optional import require
from wordstock.tasks.word_ids import check_ids

__all__ = ["refuse_others"]


def refuse_others(ids: Any, size: int) -> None:
    """Raise an InputError for an id below 0 or from ``size`` on.

    Compiled code cannot raise it itself: there TensorFlow raises its own InvalidArgumentError, and JAX a
    JaxRuntimeError, with the same words. Without this, JAX would go on with NaN.
    """
    backend = keras.config.backend()
    if backend == "tensorflow":
        _tensorflow(ids, size)
    elif backend == "jax":
        _jax(ids, size)
    elif backend == "torch":
        if ids.numel() and ids.device.type != "meta":  # shapes are worked out on tensors without numbers
            check_ids(int(ids.min()), int(ids.max()), size)
    elif backend == "numpy":
        _array(ids, size)


def _array(ids: Any, size: int) -> None:
    found = np.asarray(ids)
    if found.size:
        check_ids(int(found.min()), int(found.max()), size)


def _tensorflow(ids: Any, size: int) -> None:
    tf = require("tensorflow", extra="keras", purpose="this backend")
    if hasattr(ids, "numpy"):  # not inside a compiled function
        _array(ids.numpy(), size)
        return
    said = f"an id is out of range: this layer has ids 0 to {size - 1}; make ids with the layer of the same table"
    tf.debugging.assert_non_negative(ids, said)
    tf.debugging.assert_less(ids, tf.cast(size, ids.dtype), said)


def _jax(ids: Any, size: int) -> None:
    jax = require("jax", extra="keras", purpose="this backend")
    if isinstance(ids, jax.core.Tracer):
        if ids.size:
            jax.debug.callback(lambda low, high: check_ids(int(low), int(high), size), ids.min(), ids.max())
        return
    _array(ids, size)
