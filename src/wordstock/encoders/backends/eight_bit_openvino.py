"""Weights of eight bits in OpenVINO's own graph, so that a text's vector stays close and does not see its batch.

Only the feed-forward products have them, two thirds of the arithmetic: attention's would cost more cosine for the time
that they would save. Weights are rounded per column and block of rows, inputs at run time per
token in the same blocks (OpenVINO's dynamic quantisation). A channel that is much larger than the others would set the
step of its whole block: what a layer's normalisation gives has such channels, so there the input is divided, and the
rows of the weights multiplied, by the square root of the ratio of their root mean squares (after SmoothQuant, Xiao et
al. 2023, which takes their largest values), the input's being those of a few texts. Behind the activation function the
large values are in other channels for each token, and nothing is divided.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wordstock.encoders.packing import Batch
from wordstock.protocols import FloatArray

__all__ = ["BLOCK", "eight_bit_model", "quantised_blocks", "smoothing"]

BLOCK = 64  # rows that share a step, of weights and inputs; 96 are 3 % faster and lose half as much cosine again
_MOST = 127
_ATTENTION = re.compile(r"/(?:attention|attn)/")


def quantised_blocks(weight: FloatArray, block: int = BLOCK) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """Weights (rows, columns) as int8 (columns, blocks, block), and steps float32 (columns, blocks, 1).

    Rows that ``block`` does not divide are one block.
    """
    rows, columns = weight.shape
    size = block if rows % block == 0 else rows
    grouped = np.ascontiguousarray(weight.T).reshape(columns, rows // size, size)
    steps = np.abs(grouped).max(axis=2, keepdims=True) / _MOST
    steps[steps == 0] = 1
    return np.rint(grouped / steps).astype(np.int8), steps.astype(np.float32)


def smoothing(spread: FloatArray, weight: FloatArray) -> FloatArray:
    """By what to divide each channel of an input, float32 (rows,), with a geometric mean of 1.

    Parameters
    ----------
    spread : float32 (rows,), the root mean square of each channel.
    weight : float32 (rows, columns).
    """
    tiny = np.float32(1e-6)
    rows = _root_mean_square(weight, axis=1)
    scale = np.sqrt(np.maximum(spread, tiny) / np.maximum(rows, tiny))
    return np.asarray(scale / np.exp(np.log(scale).mean()), np.float32)


def eight_bit_model(openvino: Any, source: Path, batches: Iterable[Batch]) -> Any:
    """The graph of ``source`` with products of eight-bit numbers.

    Parameters
    ----------
    batches : of texts, to see the ranges of the products' inputs.
    """
    graph = openvino.Core().read_model(source)
    products = [(node, _weight(node)) for node in _products(graph)]
    widening = [node.input_value(0) for node, weight in products if _widens(weight)]
    spreads = iter(_spreads(openvino, graph, widening, batches))
    ops = importlib.import_module("openvino.opset13")
    for node, weight in products:
        given = node.input_value(0)
        if _widens(weight):
            scale = smoothing(next(spreads), weight)
            weight = weight * scale[:, None]
            given = ops.multiply(given, ops.constant(1 / scale)).output(0)
        whole, steps = quantised_blocks(weight)
        wide = ops.multiply(ops.convert(ops.constant(whole), "f32"), ops.constant(steps))
        flat = ops.reshape(wide, ops.constant(np.array(weight.T.shape)), special_zero=False)
        node.output(0).replace(ops.matmul(given, flat, transpose_a=False, transpose_b=True).output(0))
    return graph


def _products(graph: Any) -> list[Any]:
    """Products with a constant matrix but for attention's, whose scope all model families call so."""
    found = []
    for node in graph.get_ordered_ops():
        if node.get_type_name() == "MatMul" and not node.get_attributes()["transpose_a"]:
            second = node.input_value(1).get_node()
            shape = list(second.get_output_shape(0)) if second.get_type_name() == "Constant" else []
            if len(shape) == 2 and not _ATTENTION.search(node.get_friendly_name()):
                found.append(node)
    return found


def _widens(weight: FloatArray) -> bool:
    """Whether a layer's input goes in: the product behind the activation function makes it narrow again."""
    rows, columns = weight.shape
    return bool(rows < columns)


def _weight(node: Any) -> FloatArray:
    data = np.array(node.input_value(1).get_node().data, np.float32)
    return data.T if node.get_attributes()["transpose_b"] else data


def _spreads(openvino: Any, graph: Any, inputs: list[Any], batches: Iterable[Batch]) -> list[FloatArray]:
    """The root mean square of each channel of the given values, float32 (rows,) each, padding left out."""
    seen = openvino.Model(inputs, [port.get_node() for port in graph.inputs])
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    request = openvino.Core().compile_model(seen, "CPU", options).create_infer_request()
    parts: list[list[FloatArray]] = [[] for _ in inputs]
    for batch in batches:
        states = request.infer([batch.ids, batch.mask], share_inputs=True).values()
        for part, state in zip(parts, states, strict=True):
            part.append(np.array(state[batch.mask > 0]))
    return [_root_mean_square(np.concatenate(part), axis=0) for part in parts]


def _root_mean_square(values: FloatArray, *, axis: int) -> FloatArray:
    return np.asarray(np.sqrt(np.square(values).mean(axis=axis)), np.float32)
