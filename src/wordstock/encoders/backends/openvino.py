"""OpenVINO on the CPU: float32, bfloat16 where the processor has it, and weights of eight bits."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

import numpy as np

from wordstock._optional import require
from wordstock._threads import thread_count
from wordstock.encoders.backends.exports import FEW_TOKENS, IDS, MASK, export_folder, exported, kept, layer_name
from wordstock.encoders.config import Precision
from wordstock.encoders.folder import ModelFolder
from wordstock.errors import FormatError, InputError
from wordstock.protocols import FloatArray, IntArray

__all__ = ["OpenVinoBackend", "open_model"]

_GROUP = 128  # inputs that share a step where the processor multiplies eight-bit numbers: the weights' block


class OpenVinoBackend:
    """Compiled models, each made when it is first needed.

    When it compiles, OpenVINO fixes what comes out and the threads of a call: there is one model for the last layer and
    one for all layers, each for calls of one thread side by side and for single calls of all threads.
    """

    name, device = "openvino", "cpu"

    def __init__(self, openvino: Any, path: Path, precision: Precision, n_layers: int, threads: int) -> None:
        self._path, self._n_layers = path, n_layers
        self._openvino, self._core, self.precision = openvino, openvino.Core(), precision
        self.streams = threads
        self._options: dict[str, Any] = {
            # Left to itself it takes bfloat16 where the processor has that.
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bfloat16" else "f32",
            "INFERENCE_NUM_THREADS": threads,
        }
        if precision == "int8":
            self._options["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = _GROUP
        self._compiling = threading.Lock()
        self._made: dict[tuple[bool, int], _Requests] = {}
        self._requests(True, threads)

    def hidden_states(
        self, ids: IntArray, mask: IntArray, layers: Sequence[int], *, beside: bool = False
    ) -> list[FloatArray]:
        """As ``Backend.hidden_states``."""
        only_last = all(layer == self._n_layers for layer in layers)
        streams = self.streams if beside or ids.size <= FEW_TOKENS else 1
        states = self._requests(only_last, streams).run(ids, mask)
        return [states[0 if only_last else layer] for layer in layers]

    def _requests(self, only_last: bool, streams: int) -> _Requests:
        with self._compiling:
            if (only_last, streams) not in self._made:
                layers = [self._n_layers] if only_last else range(self._n_layers + 1)
                self._made[only_last, streams] = _Requests(self._compiled(layers, streams))
            return self._made[only_last, streams]

    def _compiled(self, layers: Sequence[int], streams: int) -> Any:
        try:
            graph = self._core.read_model(self._path)
            outputs = [graph.output(layer_name(layer)) for layer in layers]
            inputs = {port.get_any_name(): port.get_node() for port in graph.inputs}
            return self._core.compile_model(
                self._openvino.Model(outputs, [inputs[IDS], inputs[MASK]]),
                "CPU",
                self._options | {"NUM_STREAMS": streams},
            )
        except (RuntimeError, KeyError) as error:
            raise FormatError(
                self._path,
                expected="an exported model",
                found=f"{type(error).__name__}: {error!s:.200}",
                remedy="delete it, so that it is made again",
            ) from error


class _Requests:
    """Inference requests of one compiled model: each serves one call at a time."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        self._idle: LifoQueue[Any] = LifoQueue()

    def run(self, ids: IntArray, mask: IntArray) -> list[FloatArray]:
        """The outputs in their order, copied: the request's own arrays belong to its next call."""
        try:
            request = self._idle.get_nowait()
        except Empty:
            request = self._compiled.create_infer_request()
        try:
            found = request.infer([ids, mask], share_inputs=True)
            return [np.asarray(array, np.float32) for array in found.values()]
        finally:
            self._idle.put(request)


def _has_bfloat16(openvino: Any) -> bool:
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def open_model(model: ModelFolder, *, precision: Precision, threads: int | None, device: str | None) -> OpenVinoBackend:
    """Open the exported copy of a model, made on first use; errors as ``open_backend``."""
    openvino = require("openvino", extra="openvino", purpose="backend='openvino'")
    if device not in (None, "cpu"):
        raise InputError(f"device={device!r}: the openvino backend runs on the cpu; backend='torch' runs on a GPU")
    if precision == "bfloat16" and not _has_bfloat16(openvino):
        raise InputError(
            "precision='bfloat16': this processor has no bfloat16 instructions, and OpenVINO would compute in float32; "
            "use precision='float32'"
        )
    folder = export_folder(model)
    path = exported(model, folder)
    if precision == "int8":
        from wordstock.encoders.backends.eight_bit import write_blockwise

        source = path
        path = kept(folder / "int8-blocks.onnx", lambda made: write_blockwise(source, made))
    return OpenVinoBackend(openvino, path, precision, model.n_layers, threads or thread_count())
