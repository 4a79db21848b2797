"""ONNX Runtime: float32, and int8 with inputs quantised at run time, on the CPU."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wordstock._optional import require
from wordstock._threads import thread_count
from wordstock.encoders.backends.exports import FEW_TOKENS, IDS, MASK, export_folder, exported, kept, layer_name
from wordstock.encoders.config import Precision
from wordstock.encoders.folder import ModelFolder
from wordstock.errors import FormatError, InputError
from wordstock.protocols import FloatArray, IntArray

__all__ = ["OnnxBackend", "open_model"]


class OnnxBackend:
    """Sessions of ONNX Runtime, which compute every layer and hand over those that are asked for.

    A session's calls take all of its threads: there is one of one thread, and one of all for long texts by themselves,
    made when the first of them comes.
    """

    name, device = "onnx", "cpu"

    def __init__(self, runtime: Any, path: Path, precision: Precision, threads: int) -> None:
        self._runtime, self._path, self.precision, self.streams = runtime, path, precision, threads
        self._opening = threading.Lock()
        self._narrow = _session(runtime, path, 1)
        self._wide = self._narrow if threads == 1 else None

    def hidden_states(
        self, ids: IntArray, mask: IntArray, layers: Sequence[int], *, beside: bool = False
    ) -> list[FloatArray]:
        """As ``Backend.hidden_states``."""
        asked = sorted(set(layers))
        session = self._narrow if beside or ids.size <= FEW_TOKENS else self._all_threads()
        states = session.run([layer_name(layer) for layer in asked], {IDS: ids, MASK: mask})
        found: dict[int, FloatArray] = dict(zip(asked, states, strict=True))
        return [found[layer] for layer in layers]

    def _all_threads(self) -> Any:
        with self._opening:
            if self._wide is None:
                self._wide = _session(self._runtime, self._path, self.streams)
        return self._wide


def open_model(model: ModelFolder, *, precision: Precision, threads: int | None, device: str | None) -> OnnxBackend:
    """Open the exported copy of a model, made on first use; errors as ``open_backend``."""
    runtime = require("onnxruntime", extra="onnx", purpose="backend='onnx'")
    if precision not in ("float32", "int8"):
        raise InputError(f"precision={precision!r}: the onnx backend has 'float32', 'int8'")
    if device not in (None, "cpu"):
        raise InputError(f"device={device!r}: the onnx backend runs on the cpu; backend='torch' runs on a GPU")
    folder = export_folder(model)
    path = exported(model, folder)
    if precision == "int8":
        from wordstock.encoders.backends.eight_bit import write_dynamic

        source = path
        path = kept(folder / "int8-dynamic.onnx", lambda made: write_dynamic(source, made))
    return OnnxBackend(runtime, path, precision, threads or thread_count())


def _session(runtime: Any, path: Path, threads: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.enable_mem_pattern = False  # it plans memory per shape, and hardly two batches have the same
    options.add_session_config_entry("session.force_spinning_stop", "1")  # else threads spin on after a batch
    failure = runtime.capi.onnxruntime_pybind11_state
    try:
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except (failure.InvalidProtobuf, failure.InvalidGraph, failure.Fail, failure.InvalidArgument) as error:
        raise FormatError(
            path,
            expected="an exported model",
            found=f"{type(error).__name__}: {error!s:.200}",
            remedy="delete it, so that it is made again",
        ) from error
