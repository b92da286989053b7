"""Certificates of the tensor operations that join layers: sums, products, concatenations, rearrangements, slices."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import torch
from torch.nn import functional

from empirical.lipschitz.layers import activation
from empirical.lipschitz.walk import Traced, run_at_zero
from theory.errors import BadInput
from theory.lipschitz import leaves
from theory.lipschitz.certificate import Certificate
from theory.lipschitz.rounding import sqrt_up
from theory.lipschitz.rules import add, compose, concatenate, product, scale

__all__ = ["METHODS", "Uncertified", "operate"]

_SUMS = (operator.add, torch.add, operator.sub, torch.sub)
_ENTRYWISE = {
    torch.relu: "relu", functional.relu: "relu", functional.gelu: "gelu", torch.sigmoid: "sigmoid",
    functional.sigmoid: "sigmoid", torch.tanh: "tanh", functional.tanh: "tanh",
}  # fmt: skip
#: Maps that move entries about, each entry once.
_MOVES = (torch.reshape, torch.flatten, torch.transpose, torch.permute, torch.unsqueeze, torch.squeeze, torch.t)
METHODS: dict[str, Callable[..., Any]] = {
    "relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "softmax": torch.softmax, "add": torch.add,
    "sub": torch.sub, "mul": torch.mul, "div": torch.div, "matmul": torch.matmul, "neg": torch.neg,
    "reshape": torch.reshape, "view": torch.Tensor.view, "flatten": torch.flatten, "transpose": torch.transpose,
    "permute": torch.permute, "unsqueeze": torch.unsqueeze, "squeeze": torch.squeeze, "t": torch.t,
    "contiguous": torch.Tensor.contiguous, "size": torch.Tensor.size, "dim": torch.Tensor.dim,
}  # fmt: skip


@dataclass(frozen=True)
class Uncertified:
    """A value nothing is known of, such as an LSTM's last state: refused when it is used, not when it is unpacked."""

    reason: str


def operate(function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], label: str) -> Any:
    """Return the result of a torch function on traced values and plain numbers.

    Raises:
        BadInput: If the operation has no certificate; it is named.
    """
    name = getattr(function, "__name__", str(function))
    if any(isinstance(part, Traced) and part.first_of for part in arguments) and function is not operator.getitem:
        raise BadInput(f"{name} in {label} is handed a tuple of results; take the first, as in layer(x)[0]")
    if function is operator.getitem:
        return _item(arguments[0], arguments[1], label)
    if not any(_traced(part) for part in arguments) or _asks_for_shape(function, arguments):
        plain = function(*_bare(arguments), **_bare(keywords))  # plain numbers: shapes are fixed
        if torch.is_tensor(plain):
            raise BadInput(f"no certificate for {name!r} in {label}, which makes a tensor from no tensor")
        return plain
    output = run_at_zero(lambda: function(*_bare(arguments), **_bare(keywords)), f"{name} in {label}")
    certificate = _certificate(function, arguments, keywords, output)
    if certificate is None:
        raise BadInput(f"no certificate for the operation {name!r} in {label}")
    return Traced(certificate, output)


def _certificate(
    function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], output: torch.Tensor
) -> Certificate | None:
    first = arguments[0] if arguments else None
    if function in (torch.cat, torch.stack):
        parts = list(arguments[0])
        return concatenate(*(part.certificate for part in parts)) if all(isinstance(p, Traced) for p in parts) else None
    if function in _SUMS and len(arguments) == 2 and not keywords:
        return add(*(_spread(part, output) for part in arguments))
    if function in (operator.mul, torch.mul, operator.truediv, torch.div) and len(arguments) == 2 and not keywords:
        return _multiply(function, arguments[0], arguments[1], output)
    if function in (operator.matmul, torch.matmul) and all(isinstance(part, Traced) for part in arguments):
        return _matmul(arguments[0], arguments[1])
    if not isinstance(first, Traced):
        return None
    shape = tuple(first.example.shape)
    if function in (operator.neg, torch.neg) or function in _MOVES or function in _VIEWS:
        return first.certificate
    if function in _ENTRYWISE:
        certificate = activation(_ENTRYWISE[function], shape)
        return None if certificate is None else compose(certificate, first.certificate)
    if function in (torch.softmax, functional.softmax):
        dim = keywords.get("dim", arguments[1] if len(arguments) > 1 else None)
        if not isinstance(dim, int):
            return None
        return compose(leaves.softmax(shape[dim], math.prod(shape) // shape[dim]), first.certificate)
    return None


_VIEWS = (torch.Tensor.view, torch.Tensor.contiguous)


def _traced(part: Any) -> bool:
    return isinstance(part, Traced) or (isinstance(part, (list, tuple)) and any(_traced(item) for item in part))


def _asks_for_shape(function: Any, arguments: tuple[Any, ...]) -> bool:
    if function is getattr:
        return arguments[1] in ("shape", "ndim", "dtype", "device")
    return function in (torch.Tensor.size, torch.Tensor.dim)


def _bare(part: Any) -> Any:
    """Return the arguments with every traced value replaced by its example."""
    if isinstance(part, Traced):
        return part.example
    if isinstance(part, (list, tuple)):
        return type(part)(_bare(item) for item in part)
    if isinstance(part, dict):
        return {key: _bare(item) for key, item in part.items()}
    return part


def _spread(part: Any, output: torch.Tensor) -> Certificate:
    """Return the certificate of an operand stretched to the output's shape: each entry is repeated the same times."""
    if isinstance(part, Traced):
        return scale(part.certificate, sqrt_up(Fraction(output.numel(), max(1, part.example.numel()))))
    return Certificate.lipschitz(0, abs(Fraction(part)) * sqrt_up(output.numel()))


def _multiply(function: Any, left: Any, right: Any, output: torch.Tensor) -> Certificate | None:
    divides = function in (operator.truediv, torch.div)
    if isinstance(left, Traced) and isinstance(right, (int, float)):
        if divides and right == 0:
            return None
        return scale(left.certificate, 1 / Fraction(right) if divides else Fraction(right))
    if divides:
        return None
    if isinstance(right, Traced) and isinstance(left, (int, float)):
        return scale(right.certificate, Fraction(left))
    if isinstance(left, Traced) and isinstance(right, Traced):
        # ‖u·v‖ <= ‖u‖·‖v‖ entrywise after stretching, and the larger operand is not stretched when shapes agree.
        return product(_spread(left, output), _spread(right, output))
    return None


def _matmul(left: Traced, right: Traced) -> Certificate | None:
    """‖UV‖_F <= ‖U‖_F·‖V‖_F for matrices and vectors, and for batches of equally many."""
    a, b = left.example, right.example
    if not (a.dim() <= 2 and b.dim() <= 2) and a.shape[:-2] != b.shape[:-2]:
        return None
    return product(left.certificate, right.certificate)


def _item(value: Any, index: Any, label: str) -> Any:
    if not isinstance(value, Traced):
        return value[index]
    if value.first_of:
        if index == 0:
            return replace(value, first_of=False)
        return Uncertified(f"only the first result of a layer is certified, not item {index} in {label}")
    parts = index if isinstance(index, tuple) else (index,)
    if not all(isinstance(part, (int, slice)) or part is None or part is Ellipsis for part in parts):
        raise BadInput(f"no certificate for indexing with {index!r} in {label}: use numbers and slices")
    return Traced(value.certificate, run_at_zero(lambda: value.example[index], f"indexing in {label}"))
