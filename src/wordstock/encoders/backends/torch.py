"""PyTorch and transformers: float32 and bfloat16, on the CPU or a GPU."""

from __future__ import annotations

import os
import pickle
import re
import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import safetensors

from wordstock._optional import require
from wordstock._threads import thread_count
from wordstock.encoders.config import Precision
from wordstock.encoders.folder import ModelFolder
from wordstock.errors import FormatError, InputError
from wordstock.protocols import FloatArray, IntArray

__all__ = ["TorchBackend", "load_weights", "open_model", "quietly", "read_pickled"]

_PURPOSE = "running a contextual encoder"
_OF_A_LAYER = re.compile(r"(^|\.)layers?\.\d+\.")  # other weights without a place belong to heads of the training
_DAMAGE = (
    OSError,
    ValueError,
    RuntimeError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    ImportError,
    EOFError,
    struct.error,
    pickle.UnpicklingError,
    safetensors.SafetensorError,
)


class TorchBackend:
    """A transformers model in inference mode."""

    name = "torch"

    def __init__(self, torch: Any, model: Any, *, precision: Precision, threads: int | None, device: str) -> None:
        self._torch, self._model, self._threads = torch, model, threads
        self.precision, self.device = precision, device
        self._process = os.getpid()

    @property
    def streams(self) -> int:
        """As ``Backend.streams``."""
        return (self._threads or self._torch.get_num_threads()) if self.device == "cpu" else 1

    def hidden_states(
        self, ids: IntArray, mask: IntArray, layers: Sequence[int], *, beside: bool = False
    ) -> list[FloatArray]:
        """As ``Backend.hidden_states``."""
        torch = self._torch
        # After a fork OpenMP would wait for ever for the threads that its parent had.
        alone = beside or os.getpid() != self._process
        every = any(layer != self._model.config.num_hidden_layers for layer in layers)
        with torch.inference_mode(), self._limited_threads(1 if alone else self._threads):
            given = (torch.from_numpy(array).to(self.device) for array in (ids, mask))
            ran = self._model(*given, output_hidden_states=every, return_dict=True)
            states = ran.hidden_states if every else {self._model.config.num_hidden_layers: ran.last_hidden_state}
            return [states[layer].float().cpu().numpy() for layer in layers]

    @contextmanager
    def _limited_threads(self, threads: int | None) -> Iterator[None]:
        """Of the calling thread: torch keeps the number for each thread by itself."""
        before = self._torch.get_num_threads()
        if threads is None or threads == before:
            yield
            return
        self._torch.set_num_threads(threads)
        try:
            yield
        finally:
            self._torch.set_num_threads(before)


def open_model(model: ModelFolder, *, precision: Precision, threads: int | None, device: str | None) -> TorchBackend:
    """Load a folder's weights; errors as ``open_backend``."""
    torch = require("torch", extra="encoders", purpose=_PURPOSE)
    dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if precision not in dtypes:
        raise InputError(f"precision={precision!r}: the torch backend has {', '.join(map(repr, dtypes))}")
    place = _device(torch, device)
    if threads is None and os.environ.get("WORDSTOCK_THREADS"):
        threads = thread_count()
    module = load_weights(model, dtypes[precision]).to(place)
    return TorchBackend(torch, module, precision=precision, threads=threads, device=place)


def load_weights(model: ModelFolder, dtype: Any, *, attention: str | None = None) -> Any:
    """A folder's model as a transformers module on the CPU, ready for inference.

    Parameters
    ----------
    dtype : of torch.
    attention : transformers' name of an implementation, such as "eager"; None takes its own choice.

    Raises
    ------
    MissingExtraError, FormatError
        As ``open_backend``.
    """
    transformers = require("transformers", extra="encoders", purpose=_PURPOSE)
    from huggingface_hub.errors import StrictDataclassError  # comes with transformers

    options: dict[str, Any] = {"add_pooling_layer": False} if model.architecture.pooler else {}
    if attention is not None:
        options["attn_implementation"] = attention
    try:
        with quietly(transformers):
            loaded, told = transformers.AutoModel.from_pretrained(
                model.weights_folder,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=not model.pickled,
                weights_only=True,
                dtype=dtype,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # told below, by name
                **options,
            )
    except (*_DAMAGE, StrictDataclassError) as error:
        raise FormatError(
            model.weights[0],
            expected=f"weights of a {model.kind} model that fit its config.json",
            found=f"{type(error).__name__}: {' '.join(str(error).split()):.300}",
            remedy="fetch or save the model again",
        ) from error
    if odd := sorted(told["mismatched_keys"]):
        name, here, wanted = odd[0]
        raise FormatError(
            model.weights[0],
            expected=f"{name} of shape {tuple(wanted)}, as config.json says",
            found=f"{tuple(here)}" + (f", and {len(odd) - 1} others that do not fit" if len(odd) > 1 else ""),
            remedy="fetch or save the model again",
        )
    if missing := sorted(told["missing_keys"]):
        raise FormatError(
            model.weights[0],
            expected=f"all weights of a {model.kind} model",
            found=f"none for {len(missing)} of them, such as {missing[0]}",
            remedy="fetch or save the model again",
        )
    if spare := [name for name in sorted(told["unexpected_keys"]) if _OF_A_LAYER.search(name)]:
        warnings.warn(
            f"{model.weights[0]}: {len(spare)} weights such as {spare[0]} have no place in a {model.kind} model as "
            "config.json describes it; they were left out",
            stacklevel=2,
        )
    return loaded.eval()


def read_pickled(path: Path) -> dict[str, FloatArray]:
    """The tensors of a pickled file, for a user who trusts it; torch unpickles nothing but tensors.

    Raises
    ------
    FormatError
        A file that holds something else.
    """
    torch = require("torch", extra="encoders", purpose=f"reading {path}")
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
        return {name: np.asarray(tensor.float().numpy(), np.float32) for name, tensor in tensors.items()}
    except _DAMAGE as error:
        raise FormatError(path, expected="pickled tensors by name", found=f"{error!r:.200}") from error


def _device(torch: Any, asked: str | None) -> str:
    seen = torch.cuda.is_available()
    if asked is None:
        return "cuda" if seen else "cpu"
    if asked != "cpu" and not (asked.split(":")[0] == "cuda" and seen):
        raise InputError(f"device={asked!r}: torch sees {'cpu and cuda' if seen else 'only the cpu'} here")
    return asked


@contextmanager
def quietly(transformers: Any) -> Iterator[None]:
    """Keep transformers' bars and report off the terminal; what matters in the report is checked here."""
    log = transformers.utils.logging
    level, bar = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bar:
            log.enable_progress_bar()
