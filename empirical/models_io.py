"""Read a dense ReLU chain from a file: an ONNX Gemm/Relu chain, or the state dict of an ``nn.Sequential``.

Nothing is unpickled: ``.pt`` and ``.pth`` go through ``torch.load(weights_only=True)``, safetensors carry no code, and
ONNX files with weights stored elsewhere are refused. Weights come back as float64 arrays, which hold every float32 and
float16 exactly.
"""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from theory.errors import BadInput

__all__ = ["LARGEST_FILE", "Chain", "Dense", "matrix_size", "read_chain"]

#: Bytes; a network on 32×32 matrices with two layers of 2048 hidden units takes half of it in float64.
LARGEST_FILE = 1 << 28


@dataclass(frozen=True)
class Dense:
    """One dense layer x ↦ Wx + b, followed by ReLU or not.

    Attributes:
        weight: float64, shape (outputs, inputs).
        bias: float64, shape (outputs,).
        relu: Whether ReLU follows.

    Raises:
        BadInput: If shapes disagree or an entry is not finite.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    relu: bool

    def __post_init__(self) -> None:
        if self.weight.ndim != 2 or self.bias.shape != self.weight.shape[:1] or 0 in self.weight.shape:
            shapes = f"{self.weight.shape} and {self.bias.shape}"
            raise BadInput(f"a dense layer needs a matrix and a bias of its outputs' length, not shapes {shapes}")
        if not (np.isfinite(self.weight).all() and np.isfinite(self.bias).all()):
            raise BadInput("a weight is not finite (NaN or infinity); repair the model first")


@dataclass(frozen=True)
class Chain:
    """Dense layers one after the other: the real-number map that the file describes.

    Attributes:
        layers: At least one; widths fit.

    Raises:
        BadInput: If there is no layer or widths do not fit.
    """

    layers: tuple[Dense, ...]

    def __post_init__(self) -> None:
        if not self.layers:
            raise BadInput("the model has no dense layer")
        for number, (first, second) in enumerate(pairwise(self.layers), start=1):
            if first.weight.shape[0] != second.weight.shape[1]:
                widths = f"{first.weight.shape[0]} outputs, {second.weight.shape[1]} inputs"
                raise BadInput(f"dense layers {number} and {number + 1} do not fit: {widths}")

    @property
    def inputs(self) -> int:
        """The length of the input."""
        return int(self.layers[0].weight.shape[1])

    @property
    def outputs(self) -> int:
        """The length of the output."""
        return int(self.layers[-1].weight.shape[0])

    def alternating(self) -> tuple[tuple[NDArray[np.float64], ...], tuple[NDArray[np.float64], ...]]:
        """Return weights and biases of a chain with ReLU between all dense layers and none after the last.

        Raises:
            BadInput: If the chain is not of that kind.
        """
        if any(layer.relu == (layer is self.layers[-1]) for layer in self.layers):
            raise BadInput("the model must have ReLU between all of its dense layers, and none after the last")
        return tuple(layer.weight for layer in self.layers), tuple(layer.bias for layer in self.layers)

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values at a batch of inputs, shape (..., inputs), in float64."""
        for layer in self.layers:
            x = x @ layer.weight.T + layer.bias
            x = np.maximum(x, 0.0) if layer.relu else x
        return x

    def evaluate_exactly(self, x: list[Fraction]) -> list[Fraction]:
        """Return the value at one rational input, without any rounding: all in integers over one denominator."""
        denominator = math.lcm(*(entry.denominator for entry in x))
        values = np.array([int(entry * denominator) for entry in x], dtype=object)
        for layer in self.layers:
            weight, shift = _integers(layer.weight)
            bias, bias_shift = _integers(layer.bias)
            common = max(shift, bias_shift)
            values = (weight.dot(values) << (common - shift)) + denominator * (bias << (common - bias_shift))
            denominator <<= common
            values = np.maximum(values, 0) if layer.relu else values
        return [Fraction(int(value), denominator) for value in values]


def _integers(array: NDArray[np.float64]) -> tuple[NDArray[np.object_], int]:
    """Return integers m and a shift >= 0 with array = m / 2^shift, exactly."""
    mantissas, exponents = np.frexp(array)
    whole = np.ldexp(mantissas, 53).astype(np.int64)
    exponents = np.where(whole == 0, 0, exponents.astype(np.int64) - 53)
    shift = max(0, -int(exponents.min()))
    flat = [int(m) << (int(e) + shift) for m, e in zip(whole.ravel().tolist(), exponents.ravel().tolist(), strict=True)]
    integers = np.empty(len(flat), dtype=object)
    integers[:] = flat
    return integers.reshape(array.shape), shift


def matrix_size(chain: Chain) -> int:
    """Return n for a model that maps flattened n×n matrices to n×n matrices.

    Raises:
        BadInput: If it does not.
    """
    n = round(chain.inputs**0.5)
    if n * n != chain.inputs or chain.outputs != chain.inputs:
        raise BadInput(
            f"the model maps {chain.inputs} numbers to {chain.outputs}; a map of n×n matrices has n² of both"
        )
    return n


def read_chain(path: str | Path) -> Chain:
    """Return the chain stored in an ``.onnx``, ``.safetensors``, ``.pt`` or ``.pth`` file.

    A state dict says where its layers stand (``0.weight``, ``2.weight``) and not what stands between: numbers that
    follow each other directly are dense layers without anything between, a gap is read as ReLU.

    Raises:
        BadInput: If the file is missing, cannot be read, or is no such chain.
    """
    file = Path(path)
    if not file.is_file():
        raise BadInput(f"no model file {file}")
    if _unpacked_size(file) > LARGEST_FILE:
        raise BadInput(f"{file} takes more than {LARGEST_FILE >> 20} MiB, which is more than is read here")
    match file.suffix.lower():
        case ".onnx":
            return _from_onnx(file)
        case ".safetensors" | ".pt" | ".pth":
            return _from_state(_load_state(file), file)
    raise BadInput(f"cannot tell what {file} is: name an .onnx, .safetensors, .pt or .pth file")


def _unpacked_size(file: Path) -> int:
    """Return how large the file is or unpacks to: a ``.pt`` file is a zip archive, a small one can hold anything.

    Raises:
        BadInput: If the archive is damaged.
    """
    size = file.stat().st_size
    if not zipfile.is_zipfile(file):
        return size
    try:
        with zipfile.ZipFile(file) as archive:
            return max(size, sum(entry.file_size for entry in archive.infolist()))
    except (zipfile.BadZipFile, ValueError):
        raise BadInput(f"cannot read {file} as weights: the archive is damaged") from None


def _load_state(file: Path) -> Mapping[str, object]:
    try:
        if file.suffix.lower() == ".safetensors":
            return _load_safetensors(file)
        import torch

        state = torch.load(file, map_location="cpu", weights_only=True)
    except ImportError:
        raise BadInput('reading safetensors needs the package: pip install "safetensors>=0.4"') from None
    except Exception as error:  # a damaged file shows in many ways; whatever the reader says becomes one line
        first = (str(error).strip().splitlines() or [""])[0]
        if "Weights only" in first:
            first = "it holds more than tensors; save model.state_dict(), not the model"
        elif " " not in first:  # pickle's own messages are an offset or a byte
            first = f"it was not written by saving a state dict ({type(error).__name__})"
        raise BadInput(f"cannot read {file} as weights: {first[:200]}") from None
    if not isinstance(state, Mapping):
        raise BadInput(f"{file} holds a {type(state).__name__}, not a state dict: save model.state_dict()")
    return state


def _load_safetensors(file: Path) -> Mapping[str, object]:
    """Read arrays without torch, which takes seconds to import; with it where numpy has no such type (bfloat16)."""
    from safetensors import safe_open

    try:
        with safe_open(str(file), framework="numpy") as stored:
            state = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118 - a reader, not a dict
    except (TypeError, AttributeError, KeyError):
        state = {}
    # An extension type comes as kind V where a package that happens to be installed defines it, else as an error.
    if state and all(array.dtype.kind in "biufc" for array in state.values()):
        return state
    from safetensors.torch import load_file

    return load_file(str(file))


_KEY = re.compile(r"(?:\w+\.)*?(\d+)\.(weight|bias)")


def _from_state(state: Mapping[str, object], file: Path) -> Chain:
    found: dict[int, dict[str, NDArray[np.float64]]] = {}
    for key, tensor in state.items():
        name = _KEY.fullmatch(str(key))
        if name is None:
            raise BadInput(f"{file}: the entry {key!r} does not belong to an nn.Sequential of Linear and ReLU")
        parts = found.setdefault(int(name[1]), {})
        if name[2] in parts:
            raise BadInput(f"{file}: two layers are numbered {name[1]}; save one nn.Sequential")
        parts[name[2]] = _numbers(tensor, f"{file}: the entry {key!r}")
        dimensions = 2 if name[2] == "weight" else 1
        if parts[name[2]].ndim != dimensions:
            shape = parts[name[2]].shape
            raise BadInput(f"{file}: the entry {key!r} has shape {shape}, so layer {name[1]} is no Linear")
    layers = []
    positions = sorted(found)
    for position, following in zip(positions, [*positions, None][1:], strict=True):
        weight = found[position].get("weight")
        if weight is None:
            raise BadInput(f"{file}: layer {position} has a bias and no weight")
        bias = found[position].get("bias", np.zeros(weight.shape[:1]))
        if bias.shape != weight.shape[:1]:
            raise BadInput(f"{file}: layer {position} has a weight of shape {weight.shape} and {len(bias)} biases")
        layers.append(Dense(weight, bias, relu=following is not None and following > position + 1))
    return Chain(tuple(layers))


def _numbers(tensor: object, entry: str) -> NDArray[np.float64]:
    """Return a stored tensor as float64.

    Raises:
        BadInput: If it is anything but plain floating-point numbers.
    """
    if isinstance(tensor, np.ndarray):
        if tensor.dtype.kind != "f":
            raise BadInput(f"{entry} must be stored as plain floating-point numbers")
        return tensor.astype(np.float64)
    import torch

    if not isinstance(tensor, torch.Tensor):
        raise BadInput(f"{entry} is no tensor but a {type(tensor).__name__}")
    if not tensor.is_floating_point() or tensor.layout != torch.strided or tensor.is_meta:
        raise BadInput(f"{entry} must be stored as plain floating-point numbers")
    return tensor.detach().double().numpy()


def _from_onnx(file: Path) -> Chain:
    try:
        import onnx
    except ImportError:
        raise BadInput('reading ONNX needs the package: pip install "funmnet[onnx]"') from None
    from empirical.onnx_chain import chain_of_graph

    try:
        model = onnx.load(str(file), load_external_data=False)
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf, checker and file errors alike become one line
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BadInput(f"cannot read {file} as ONNX: {first[:200]}") from None
    return chain_of_graph(model.graph, file)
