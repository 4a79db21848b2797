"""What a sentence-transformers folder puts after pooling, as torch modules, and back into the folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from wordstock.encoders.head import Dense, Head, LayerNorm
from wordstock.encoders.sentence_layout import HEAD_STEPS, read_steps

__all__ = ["head_modules", "write_head"]


def head_modules(torch: Any, head: Head) -> Any:
    """A ``ModuleList`` of the steps; the tensors have the names that they have in the folder's files."""
    return torch.nn.ModuleList(_module(torch, step) for step in head)


def write_head(folder: Path, modules: Any) -> None:
    """Write the steps' tensors where the folder's ``modules.json`` says they are."""
    from safetensors.numpy import save_file

    if not len(modules):
        return
    places = [path for name, path in read_steps(folder) if name in HEAD_STEPS]
    for place, module in zip(places, modules, strict=True):
        tensors = {name: np.ascontiguousarray(value.float().cpu()) for name, value in module.state_dict().items()}
        save_file(tensors, folder / place / "model.safetensors")


def _module(torch: Any, step: Dense | LayerNorm) -> Any:
    class Norm(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, step: LayerNorm) -> None:
            super().__init__()
            self.norm = torch.nn.LayerNorm(len(step.weight), eps=step.epsilon)

        def forward(self, x: Any) -> Any:
            return self.norm(x)

    class Linear(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, step: Dense) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(step.weight.shape[1], len(step.weight), bias=step.bias is not None)
            self.activation = getattr(torch.nn, step.activation)()
            self.add_input = step.add_input
            self.residual = None
            if step.residual is not None:
                self.residual = torch.nn.Linear(step.residual.shape[1], len(step.residual), bias=False)

        def forward(self, x: Any) -> Any:
            out = self.activation(self.linear(x))
            if self.add_input:
                out = out + (x if self.residual is None else self.residual(x))
            return out

    arrays: dict[str, Any]
    if isinstance(step, LayerNorm):
        module, arrays = Norm(step), {"norm.weight": step.weight, "norm.bias": step.bias}
    else:
        module = Linear(step)
        arrays = {"linear.weight": step.weight, "linear.bias": step.bias, "residual.weight": step.residual}
    there = {name: torch.tensor(array) for name, array in arrays.items() if array is not None}
    module.load_state_dict(there)
    return module
