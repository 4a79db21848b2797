"""Weights of eight bits in OpenVINO's own graph, so that a text's vector stays close and does not see its batch.

A product's weights are rounded per column and block of rows, its inputs at run time per token in the same blocks
(OpenVINO's dynamic quantisation). A channel that is much larger than the others would set the step of its whole block:
where an input has such channels it is divided, and the rows of the weights multiplied, by the square root of the ratio
of their ranges (SmoothQuant, Xiao et al. 2023), the input's range being what a few texts show. What that cannot mend is
left as it was: a product with more inputs than outputs, which is that behind a layer's activation function, whose large
values are in other channels for each token.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wordstock.encoders.packing import Batch
from wordstock.protocols import FloatArray

__all__ = ["BLOCK", "eight_bit_model", "quantised_blocks", "smoothing"]

BLOCK = 128  # rows that share a step
_MOST = 127
_UNEVEN = 3.0  # times the median channel, from which on an input is worth the smoothing


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


def smoothing(largest: FloatArray, weights: Sequence[FloatArray]) -> FloatArray:
    """By what to divide each channel of an input, float32 (rows,), with a geometric mean of 1.

    Parameters
    ----------
    largest : float32 (rows,), the largest magnitude of each channel.
    weights : of all products that take the input, each (rows, columns).
    """
    tiny = np.float32(1e-6)
    rows = np.max([np.abs(weight).max(axis=1) for weight in weights], axis=0)
    scale = np.sqrt(np.maximum(largest, tiny) / np.maximum(rows, tiny))
    return np.asarray(scale / np.exp(np.log(scale).mean()), np.float32)


def eight_bit_model(openvino: Any, source: Path, batches: Iterable[Batch]) -> Any:
    """The graph of ``source`` with products of eight-bit numbers.

    Parameters
    ----------
    batches : of texts, to see the ranges of the products' inputs.
    """
    graph = openvino.Core().read_model(source)
    sharing: dict[tuple[str, int], list[Any]] = {}  # query, key and value take one input
    for node in _products(graph):
        given = node.input_value(0)
        sharing.setdefault((given.get_node().get_friendly_name(), given.get_index()), []).append(node)
    largest = _largest(openvino, graph, [nodes[0].input_value(0) for nodes in sharing.values()], batches)
    ops = importlib.import_module("openvino.opset13")
    for nodes, highest in zip(sharing.values(), largest, strict=True):
        given = nodes[0].input_value(0)
        weights = [_weight(node) for node in nodes]
        if highest.max() > _UNEVEN * np.median(highest):
            scale = smoothing(highest, weights)
            weights = [weight * scale[:, None] for weight in weights]
            given = ops.multiply(given, ops.constant(1 / scale)).output(0)
        for node, weight in zip(nodes, weights, strict=True):
            whole, steps = quantised_blocks(weight)
            wide = ops.multiply(ops.convert(ops.constant(whole), "f32"), ops.constant(steps))
            flat = ops.reshape(wide, ops.constant(np.array(weight.T.shape)), special_zero=False)
            node.output(0).replace(ops.matmul(given, flat, transpose_a=False, transpose_b=True).output(0))
    return graph


def _products(graph: Any) -> list[Any]:
    """Products with a constant matrix that has no more rows than columns."""
    found = []
    for node in graph.get_ordered_ops():
        if node.get_type_name() == "MatMul" and not node.get_attributes()["transpose_a"]:
            second = node.input_value(1).get_node()
            shape = list(second.get_output_shape(0)) if second.get_type_name() == "Constant" else []
            if len(shape) == 2:
                rows, columns = reversed(shape) if node.get_attributes()["transpose_b"] else shape
                if rows <= columns:
                    found.append(node)
    return found


def _weight(node: Any) -> FloatArray:
    data = np.array(node.input_value(1).get_node().data, np.float32)
    return data.T if node.get_attributes()["transpose_b"] else data


def _largest(openvino: Any, graph: Any, inputs: list[Any], batches: Iterable[Batch]) -> list[FloatArray]:
    """The largest magnitude of each channel of the given values, float32 (rows,) each."""
    seen = openvino.Model(inputs, [port.get_node() for port in graph.inputs])
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    request = openvino.Core().compile_model(seen, "CPU", options).create_infer_request()
    largest: list[FloatArray] = []
    for batch in batches:
        states = request.infer([batch.ids, batch.mask], share_inputs=True).values()
        found = [np.abs(state.reshape(-1, state.shape[-1])).max(axis=0) for state in states]
        largest = [np.maximum(*both) for both in zip(largest, found, strict=True)] if largest else found
    return largest
