"""What a sentence-transformers folder puts after pooling: linear layers and layer normalisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wordstock.protocols import FloatArray

__all__ = ["ACTIVATIONS", "Dense", "Head", "LayerNorm"]


def _sigmoid(x: FloatArray) -> FloatArray:
    out: FloatArray = (0.5 * (1 + np.tanh(0.5 * x))).astype(np.float32)
    return out


ACTIVATIONS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "Identity": lambda x: x,
    "ReLU": lambda x: np.maximum(x, 0),
    "Sigmoid": _sigmoid,
    "Tanh": lambda x: np.tanh(x),
}


@dataclass(frozen=True)
class Dense:
    """``activation(x @ weight.T + bias)``, plus ``x`` itself or ``x @ residual.T`` where the model has that.

    Parameters
    ----------
    weight : float32 (out, in); ``bias`` float32 (out,) or None.
    activation : a name in ``ACTIVATIONS``.
    residual : float32 (out, in); None with ``add_input`` adds ``x``.
    """

    weight: FloatArray
    bias: FloatArray | None
    activation: str
    add_input: bool = False
    residual: FloatArray | None = None

    def __call__(self, x: FloatArray) -> FloatArray:
        """Vectors float32 (n, in) to (n, out)."""
        out = x @ self.weight.T
        if self.bias is not None:
            out += self.bias
        out = ACTIVATIONS[self.activation](out)
        if self.add_input:
            out = out + (x if self.residual is None else x @ self.residual.T)
        return out

    def dim(self, _: int) -> int:
        """Length of what comes out."""
        return len(self.weight)


@dataclass(frozen=True)
class LayerNorm:
    """Layer normalisation (Ba, Kiros, Hinton 2016) with ``weight`` and ``bias`` float32 (dim,)."""

    weight: FloatArray
    bias: FloatArray
    epsilon: float = 1e-5

    def __call__(self, x: FloatArray) -> FloatArray:
        """Vectors float32 (n, dim) to the same shape."""
        centred = x - x.mean(axis=1, keepdims=True)
        spread = np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + np.float32(self.epsilon))
        out: FloatArray = centred / spread * self.weight + self.bias
        return out

    def dim(self, given: int) -> int:
        """Length of what comes out."""
        return given


Head = tuple[Dense | LayerNorm, ...]
