"""Weights of eight bits in an exported graph, in two forms.

``write_dynamic``: weights per column, inputs per tensor at run time (``DynamicQuantizeLinear`` and ``MatMulInteger`` of
ONNX). Fast wherever eight-bit products are, but the range of a batch sets the steps of all its texts.
``write_blockwise``: weights per column and block of rows (``MatMulNBits`` of ONNX Runtime's own operators), inputs as
the runtime likes. More exact, and a text does not see its batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wordstock._optional import require
from wordstock.protocols import FloatArray

__all__ = ["quantised_blocks", "quantised_columns", "write_blockwise", "write_dynamic"]

_BLOCK = 128
_MOST_7_BIT = 63  # processors without VNNI add pairs of products in 16 bits, which 8-bit weights would overflow
_MOST_8_BIT = 127


def quantised_columns(weight: FloatArray) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """Weights (rows, columns) as int8 within 7 bits, and the step of each column, float32 (columns,)."""
    steps = np.abs(weight).max(axis=0) / _MOST_7_BIT
    steps[steps == 0] = 1
    return np.rint(weight / steps).astype(np.int8), steps.astype(np.float32)


def quantised_blocks(weight: FloatArray, block: int) -> tuple[npt.NDArray[np.uint8], FloatArray]:
    """Weights (rows, columns) as uint8 (columns, blocks, block) around 128, and steps float32 (columns, blocks)."""
    rows, columns = weight.shape
    blocks = -(-rows // block)
    padded = np.zeros((blocks * block, columns), np.float32)
    padded[:rows] = weight
    grouped = padded.reshape(blocks, block, columns).transpose(2, 0, 1)
    steps = np.abs(grouped).max(axis=2) / _MOST_8_BIT
    steps[steps == 0] = 1
    return (np.rint(grouped / steps[:, :, None]) + 128).astype(np.uint8), steps.astype(np.float32)


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


def write_blockwise(source: Path, path: Path) -> None:
    """Write the graph of ``source`` with weights in blocks of eight bits."""
    onnx = require("onnx", extra="onnx", purpose="int8 precision")
    tensor = onnx.numpy_helper.from_array

    def products(node: Any, weight: FloatArray) -> Iterator[Any]:
        whole, steps = quantised_blocks(weight, _BLOCK)
        name = node.input[1]
        yield tensor(whole, f"{name}_q"), tensor(steps.reshape(-1), f"{name}_s")
        yield onnx.helper.make_node(
            "MatMulNBits",
            [node.input[0], f"{name}_q", f"{name}_s"],
            list(node.output),
            domain="com.microsoft",
            K=weight.shape[0],
            N=weight.shape[1],
            bits=8,
            block_size=_BLOCK,
        )

    _rewrite(onnx, source, path, products, domain="com.microsoft")


def _rewrite(
    onnx: Any, source: Path, path: Path, products: Callable[[Any, FloatArray], Iterator[Any]], domain: str = ""
) -> None:
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
    if domain:
        graph_file.opset_import.append(onnx.helper.make_opsetid(domain, 1))
    onnx.save(graph_file, path)
