"""OpenVINO on the CPU: float32, bfloat16 where the processor has it, and weights of eight bits.

The exported copy is converted once more, into OpenVINO's own format, ``openvino/model.xml`` and ``.bin`` in its folder,
which is mapped and opens in a fraction of the time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

import numpy as np

from wordstock._optional import require
from wordstock._threads import thread_count
from wordstock.encoders.backends.eight_bit_openvino import BLOCK, eight_bit_model
from wordstock.encoders.backends.exports import FEW_TOKENS, IDS, MASK, export_folder, exported, kept, layer_name
from wordstock.encoders.backends.sample import RANGES, sample
from wordstock.encoders.config import Precision
from wordstock.encoders.folder import ModelFolder
from wordstock.errors import FormatError, InputError
from wordstock.protocols import FloatArray, IntArray

__all__ = ["OpenVinoBackend", "open_model"]

_FILE = "model.xml"
_binding = threading.Lock()


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
            "INFERENCE_PRECISION_HINT": "f32" if precision == "float32" or not _has_bfloat16(openvino) else "bf16",
            "INFERENCE_NUM_THREADS": threads,
        }
        if precision == "int8":
            self._options["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = BLOCK
        self._compiling = threading.Lock()
        # By process: the threads of a model do not survive a fork, and letting go of it there would wait for them.
        self._made: dict[tuple[int, bool, int], _Requests] = {}
        first = self._requests(True, threads)
        # OpenVINO's Python binding fills tables of its own during the first call of a process. Two threads that make
        # their first calls at once wait for each other for ever, one of them with Python's lock.
        with _binding:
            first.run(np.zeros((1, 1), np.int64), np.ones((1, 1), np.int64))

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
            key = os.getpid(), only_last, streams
            if key not in self._made:
                layers = [self._n_layers] if only_last else range(self._n_layers + 1)
                self._made[key] = _Requests(self._compiled(layers, streams))
            return self._made[key]

    def _compiled(self, layers: Sequence[int], streams: int) -> Any:
        with _damage(self._path.parent):
            graph = self._core.read_model(self._path)
            outputs = [graph.output(layer_name(layer)) for layer in layers]
            inputs = {port.get_any_name(): port.get_node() for port in graph.inputs}
            return self._core.compile_model(
                self._openvino.Model(outputs, [inputs[IDS], inputs[MASK]]),
                "CPU",
                self._options | {"NUM_STREAMS": streams},
            )


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
            # A request that copied its inputs would write them where those of a request before it were.
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

    def convert(made: Path) -> None:
        source = exported(model, folder)
        with _damage(source):
            if precision == "int8":
                graph = eight_bit_model(openvino, source, sample(RANGES, model, 1))
            else:
                graph = openvino.Core().read_model(source)
        made.mkdir()
        openvino.save_model(graph, made / _FILE, compress_to_fp16=False)

    name = f"openvino-int8-{BLOCK}" if precision == "int8" else "openvino"
    path = kept(folder / name, convert) / _FILE
    return OpenVinoBackend(openvino, path, precision, model.n_layers, threads or thread_count())


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, KeyError) as error:
        raise FormatError(
            path,
            expected="an exported model",
            found=f"{type(error).__name__}: {' '.join(str(error).split()):.200}",
            remedy="delete it, so that it is made again",
        ) from error
