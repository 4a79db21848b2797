"""Weights of eight bits in an ONNX graph: weights per column, inputs per tensor at run time.

``DynamicQuantizeLinear`` and ``MatMulInteger`` of ONNX are fast wherever eight-bit products are, but the range of a
batch sets the steps of all its texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wordstock._optional import require
from wordstock.protocols import FloatArray

__all__ = ["quantised_columns", "write_dynamic"]

_MOST_7_BIT = 63  # processors without VNNI add pairs of products in 16 bits, which 8-bit weights would overflow


def quantised_columns(weight: FloatArray) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """Weights (rows, columns) as int8 within 7 bits, and the step of each column, float32 (columns,)."""
    steps = np.abs(weight).max(axis=0) / _MOST_7_BIT
    steps[steps == 0] = 1
    return np.rint(weight / steps).astype(np.int8), steps.astype(np.float32)


def write_dynamic(source: Path, path: Path) -> None:
    """Write the graph of ``source`` with products of eight-bit weights and inputs."""
    onnx = require("onnx", extra="onnx", purpose="int8 precision")
    helper, tensor = onnx.helper, onnx.numpy_helper.from_array
    done: set[str] = set()

    def products(node: Any, weight: FloatArray) -> Iterator[Any]:
        data, given, out = node.input[0], node.input[1], node.output[0]
        whole, steps = quantised_columns(weight)
        yield tensor(whole, f"{given}_q"), tensor(steps, f"{given}_s")
        if data not in done:  # query, key and value share one input
            done.add(data)
            yield helper.make_node("DynamicQuantizeLinear", [data], [f"{data}_q", f"{data}_s", f"{data}_z"])
        yield helper.make_node("MatMulInteger", [f"{data}_q", f"{given}_q", f"{data}_z"], [f"{out}_i"])
        yield helper.make_node("Cast", [f"{out}_i"], [f"{out}_f"], to=onnx.TensorProto.FLOAT)
        yield helper.make_node("Mul", [f"{data}_s", f"{given}_s"], [f"{out}_s"])
        yield helper.make_node("Mul", [f"{out}_f", f"{out}_s"], [out])

    _rewrite(onnx, source, path, products)


def _rewrite(onnx: Any, source: Path, path: Path, products: Callable[[Any, FloatArray], Iterator[Any]]) -> None:
    """Replace every product with a matrix of weights by what ``products`` gives: its two tensors, then nodes."""
    graph_file = onnx.load(source)
    graph = graph_file.graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    nodes, replaced = [], set()
    for node in graph.node:
        given = tensors.get(node.input[1]) if node.op_type == "MatMul" else None
        if given is None or len(given.dims) != 2:
            nodes.append(node)
            continue
        parts = products(node, np.asarray(onnx.numpy_helper.to_array(given), np.float32))
        whole_and_steps = next(parts)
        if given.name not in replaced:
            graph.initializer.extend(whole_and_steps)
            replaced.add(given.name)
        nodes += parts
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    remaining = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(remaining)
    onnx.save(graph_file, path)
