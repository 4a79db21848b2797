"""Hidden states to vectors: layers combined, tokens pooled, pieces of words averaged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from wordstock.encoders.config import ContextConfig, Pooling
from wordstock.protocols import FloatArray, IntArray

__all__ = ["combine", "join_pieces", "pool"]


def combine(states: Sequence[FloatArray], config: ContextConfig) -> FloatArray:
    """One array from those of several layers, each float32 (n, length, hidden)."""
    if len(states) == 1:
        return states[0]
    if config.combine == "concat":
        return np.concatenate(states, axis=-1)
    weights = np.array(config.layer_weights or [1.0] * len(states))
    weights /= weights.sum()
    mixed: FloatArray = states[0] * np.float32(weights[0])
    for state, weight in zip(states[1:], weights[1:], strict=True):
        mixed += state * np.float32(weight)
    return mixed


def pool(states: FloatArray, mask: IntArray, kinds: Sequence[Pooling]) -> FloatArray:
    """One vector per text, float32 (n, hidden times kinds).

    Parameters
    ----------
    states : float32 (n, length, hidden).
    mask : int64 (n, length), 1 for a token; padding stands on the right, and each row has a token.
    """
    parts = [_pool(states, mask, kind) for kind in kinds]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _pool(states: FloatArray, mask: IntArray, kind: Pooling) -> FloatArray:
    rows, counts = np.arange(len(states)), mask.sum(axis=1)
    if kind == "cls":
        return np.asarray(states[:, 0], np.float32)
    if kind == "last":
        return np.asarray(states[rows, counts - 1], np.float32)
    if kind == "max":
        if counts.min() == states.shape[1]:
            return np.asarray(states.max(axis=1), np.float32)
        highest: FloatArray = np.where(mask[:, :, None] > 0, states, np.float32(-np.inf)).max(axis=1)
        return highest
    weights = mask.astype(np.float32)
    if kind == "weighted_mean":
        weights *= np.arange(1, states.shape[1] + 1, dtype=np.float32)
    total = weights.sum(axis=1, keepdims=True)
    weights /= np.sqrt(total) if kind == "mean_sqrt" else total
    pooled: FloatArray = np.matmul(weights[:, None, :], states)[:, 0]  # one product per text: faster than einsum
    return pooled


def join_pieces(
    tokens: FloatArray, first: IntArray, last: IntArray, how: Literal["mean", "first", "last"]
) -> FloatArray:
    """One vector per word from the tokens ``first`` up to ``last``, zeros where there are none.

    Parameters
    ----------
    tokens : float32 (tokens, dim).
    first, last : int64 (words,), half-open ranges of rows.
    """
    out = np.zeros((len(first), tokens.shape[1]), np.float32)
    there = np.flatnonzero(last > first)
    if how == "last":
        out[there] = tokens[last[there] - 1]
        return out
    out[there] = tokens[first[there]]
    if how == "mean":
        several = there[(last - first)[there] > 1]
        counts = (last - first)[several]
        depth = 1
        while (more := np.flatnonzero(counts > depth)).size:  # piece by piece: few words have many
            out[several[more]] += tokens[first[several[more]] + depth]
            depth += 1
        out[several] /= counts[:, None].astype(np.float32)
    return out
