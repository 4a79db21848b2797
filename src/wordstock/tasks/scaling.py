"""Encoder output to features that a linear model learns from with few examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from wordstock.protocols import FloatArray

__all__ = ["Scaling"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """Vectors to unit length, minus the training mean, divided by one number so that the mean squared length is 1.

    One number for all dimensions, not one each: with few examples the per-dimension deviations are mostly noise. A zero
    vector (a text without a known word) becomes zero, the centre of the training texts, so that only the intercept
    speaks.

    Parameters
    ----------
    center : float64 (dim,).
    scale : positive.
    """

    center: Array
    scale: float

    @classmethod
    def fit(cls, vectors: FloatArray) -> Self:
        """Learn centre and scale from encoder output (n, dim)."""
        unit, known = _unit(vectors)
        if not known.any():
            return cls(np.zeros(vectors.shape[1]), 1.0)
        center = unit[known].mean(axis=0)
        scale = float(np.sqrt(((unit[known] - center) ** 2).sum(axis=1).mean()))
        return cls(center, scale or 1.0)

    def transform(self, vectors: FloatArray) -> Array:
        """float64 (n, dim)."""
        unit, known = _unit(vectors)
        unit[known] -= self.center
        return unit / self.scale


def _unit(vectors: FloatArray) -> tuple[Array, npt.NDArray[np.bool_]]:
    wide = np.asarray(vectors, np.float64)
    norms = np.linalg.norm(wide, axis=1, keepdims=True)
    return np.divide(wide, norms, out=np.zeros_like(wide), where=norms > 0), norms[:, 0] > 0
