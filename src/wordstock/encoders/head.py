"""What a sentence-transformers folder puts after pooling: linear layers and layer normalisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wordstock.errors import InputError
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

    def check_shapes(self) -> None:
        """Refuse arrays that do not fit each other; InputError."""
        shape = self.weight.shape
        if len(shape) != 2 or (self.bias is not None and self.bias.shape != shape[:1]):
            raise InputError(f"a weight of shape {shape}, bias {None if self.bias is None else self.bias.shape}")
        added = shape[1:] * 2 if self.residual is None else self.residual.shape
        if self.add_input and added != shape:
            raise InputError(f"a weight of shape {shape} and a residual of {added}")

    def dim(self, given: int) -> int:
        """Length of what comes out; InputError for another length of what goes in."""
        _check_length(given, self.weight.shape[1], "Dense")
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

    def check_shapes(self) -> None:
        """Refuse arrays that do not fit each other; InputError."""
        if self.weight.ndim != 1 or self.weight.shape != self.bias.shape:
            raise InputError(f"a weight of shape {self.weight.shape}, bias {self.bias.shape}")

    def dim(self, given: int) -> int:
        """Length of what comes out, that of what goes in; InputError for another one."""
        _check_length(given, len(self.weight), "LayerNorm")
        return given


def _check_length(given: int, wanted: int, name: str) -> None:
    if given != wanted:
        raise InputError(
            f"pooling gives {given} numbers but this model's {name} step takes {wanted}: "
            "leave its pooling as it is, and layers at one or combine='mean'"
        )


Head = tuple[Dense | LayerNorm, ...]
