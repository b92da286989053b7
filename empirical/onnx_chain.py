"""An ONNX graph as a chain of dense layers: Gemm, or MatMul and Add, Relu, and nodes that only reshape."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.models_io import Chain, Dense
from theory.errors import BadInput

__all__ = ["chain_of_graph"]


@dataclass
class _Builder:
    """Layers so far; ``open`` is a dense layer whose bias or ReLU may still come."""

    file: Path
    layers: list[Dense] = field(default_factory=list)
    weight: NDArray[np.float64] | None = None
    bias: NDArray[np.float64] | None = None

    def refuse(self, reason: str) -> BadInput:
        return BadInput(f"{self.file} is no Gemm/Relu chain: {reason}")

    def close(self) -> None:
        if self.weight is not None:
            bias = np.zeros(self.weight.shape[0]) if self.bias is None else self.bias
            self.layers.append(Dense(self.weight, bias, relu=False))
            self.weight = self.bias = None

    def dense(self, weight: NDArray[np.float64], bias: NDArray[np.float64] | None) -> None:
        self.close()
        self.weight, self.bias = weight, bias

    def relu(self) -> None:
        self.close()
        if not self.layers:
            raise self.refuse("it starts with Relu")
        last = self.layers[-1]  # a Relu after nodes that only reshape belongs to the dense layer before them
        self.layers[-1] = Dense(last.weight, last.bias, relu=True)

    def add(self, bias: NDArray[np.float64]) -> None:
        if self.weight is None or self.bias is not None:
            raise self.refuse("an Add that is no bias of a MatMul")
        self.bias = bias


def chain_of_graph(graph: Any, file: Path) -> Chain:
    """Return the chain a graph computes; anything but one line of known nodes with stored weights is refused.

    Args:
        graph: The ``onnx.GraphProto``.
        file: Where it came from, for the messages.
    """
    builder = _Builder(file)
    stored = _stored(graph, builder)
    inputs = [value.name for value in graph.input if value.name not in stored]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise builder.refuse("it needs one input and one output")
    current = inputs[0]
    for node in graph.node:
        if node.op_type == "Constant":
            continue
        flowing = [name for name in node.input if name not in stored]
        if flowing != [current] or len(node.output) != 1:
            raise builder.refuse(f"the node {node.name or node.op_type} is not next in line")
        _append(builder, node, stored, current)
        current = node.output[0]
    if current != graph.output[0].name:
        raise builder.refuse("the output is not the end of the line")
    builder.close()
    return Chain(tuple(builder.layers))


def _stored(graph: Any, builder: _Builder) -> dict[str, NDArray[np.generic]]:
    from onnx import TensorProto, numpy_helper

    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    tensors[node.output[0]] = attribute.t
    if any(tensor.data_location == TensorProto.EXTERNAL for tensor in tensors.values()):
        raise builder.refuse("its weights are stored in another file; export with the weights inside")
    return {name: numpy_helper.to_array(tensor) for name, tensor in tensors.items()}


def _append(builder: _Builder, node: Any, stored: dict[str, NDArray[np.generic]], current: str) -> None:
    from onnx import helper

    options = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    constants = [np.asarray(stored[name]) for name in node.input if name in stored]
    match node.op_type:
        case "Gemm" if node.input[0] == current and options.get("transA", 0) == 0 and constants:
            weight, bias = _floats(builder, constants[0]), None
            weight = weight if options.get("transB", 0) else weight.T
            if len(constants) > 1:
                bias = np.broadcast_to(_floats(builder, constants[1]).reshape(-1), weight.shape[:1]).copy()
            if options.get("alpha", 1.0) != 1.0 or (bias is not None and options.get("beta", 1.0) != 1.0):
                raise builder.refuse("Gemm with alpha or beta other than 1")
            builder.dense(weight, bias)
        case "MatMul" if node.input[0] == current:
            builder.dense(_floats(builder, constants[0]).T, None)
        case "Add":
            value = _floats(builder, constants[0]).reshape(-1)
            if builder.weight is None or value.size not in (1, builder.weight.shape[0]):
                raise builder.refuse("an Add that is no bias of a MatMul")
            builder.add(np.broadcast_to(value, builder.weight.shape[:1]).copy())
        case "Relu":
            builder.relu()
        case "Identity" | "Flatten" | "Reshape":
            builder.close()
        case other:
            raise builder.refuse(f"the node {node.name or other} is a {other}")


def _floats(builder: _Builder, array: NDArray[np.generic]) -> NDArray[np.float64]:
    if not np.issubdtype(array.dtype, np.floating) or array.dtype.itemsize > 8:
        raise builder.refuse(f"weights of type {array.dtype}")
    return array.astype(np.float64)
