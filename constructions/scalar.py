"""Scalar networks: the hinges, towers and squarers of ``theory.scalar`` as layers, every weight exact in float64.

A plan of ``theory.scalar`` says which kinks and weights; here they become matrices. ``constructions.univariate`` knows
nothing of plans and checks what was built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from constructions.exact import Batch, ExactMatrix
from constructions.network import Affine, Block, Network, Ports
from theory.scalar_plan import ScalarPlan
from theory.scalar_product import ProductShape
from theory.schedule import GATHER, Schedule
from theory.shapes import Hinges, Shape

__all__ = ["scalar_network"]

#: A value as a combination of the neurons of a layer: neuron -> weight, and a constant.
Form = tuple[Mapping[int, Fraction], Fraction]
_ONE, _ZERO = Fraction(1), Fraction(0)


@dataclass(frozen=True)
class _Part:
    """Neurons of one layer that belong together: their rows, what they are, and an upper bound on their values."""

    kind: str
    name: str
    rows: tuple[Form, ...]
    high: Fraction


def scalar_network(plan: ScalarPlan) -> Network:
    """Return the network of a plan, every weight a float64."""
    inputs = tuple((name, 1) for name in plan.problem.inputs)
    shape = plan.built
    layers, output = _product(shape) if isinstance(shape, ProductShape) else _univariate(shape)
    return _assembled(inputs, layers, output)


def _assembled(inputs: Ports, layers: Sequence[Sequence[_Part]], output: Form) -> Network:
    width, maps, blocks = sum(size for _, size in inputs), [], []
    for depth, parts in enumerate(layers):
        rows = [row for part in parts for row in part.rows]
        maps.append(_affine(rows, width))
        start = 0
        for part in parts:
            blocks.append(Block(part.kind, part.name, depth, start, start + len(part.rows), _ZERO, part.high))
            start += len(part.rows)
        width = len(rows)
    maps.append(_affine([output], width))
    return Network(tuple(maps), inputs, (("Y", 1),), tuple(blocks))


def _affine(rows: Sequence[Form], inputs: int) -> Affine:
    batches: list[Batch] = []
    for row, (weights, constant) in enumerate(rows):
        for column, weight in [*weights.items(), (inputs, constant)]:
            batches.append((np.array([row]), np.array([column]), weight))
    return Affine(ExactMatrix.from_batches((len(rows), inputs + 1), batches))


def _univariate(shape: Shape) -> tuple[list[list[_Part]], Form]:
    """Return the layers of a scalar shape and the output's form."""
    layers: list[list[_Part]] = []
    x: dict[int, Fraction] = {0: _ONE}
    carry = _Carry(shape.hi if shape.parity == "odd" else None)
    if shape.parity != "none":
        layers.append([_Part("hinge", "relu(x), relu(-x)", (({0: _ONE}, _ZERO), ({0: -_ONE}, _ZERO)), shape.hi)])
        x = {0: _ONE, 1: _ONE}
    if shape.gathers_input:
        layers.append(carry.beside([_Part("carry", "|x|", ((x, _ZERO),), shape.hi)]))
        x = {0: _ONE}
    core, bias = shape.core, shape.core.offset
    if isinstance(core, Hinges):
        layers.append(carry.beside([_hinges(core.kinks, core.sides, x, shape)]))
        value = dict(enumerate(core.jumps))
    else:
        if shape.is_bare:
            zigzag = dict.fromkeys(x, core.zigzag[0])
            total = {wire: core.direct[0] for wire in x if core.direct[0]}
        else:
            layers.append(carry.beside([_hinges(core.kinks, (1,) * len(core.kinks), x, shape)]))
            zigzag = dict(enumerate(core.zigzag))
            total = {i: weight for i, weight in enumerate(core.direct) if weight}
        lo = shape.lo if shape.parity == "none" else _ZERO
        parts, value = _squarer(core.schedule, zigzag, (total, core.constant), core.highest_sum(lo, shape.hi))
        layers += [carry.beside(layer) for layer in parts]
        value = {wire: core.scale * weight for wire, weight in value.items()}
    if shape.parity != "odd":
        return layers, (value, bias)
    return _gated(shape, layers, (value, bias), carry)


def _hinges(kinks: Sequence[Fraction], sides: Sequence[int], x: Mapping[int, Fraction], shape: Shape) -> _Part:
    lo = shape.lo if shape.parity == "none" else _ZERO
    rows = tuple(
        ({wire: side * w for wire, w in x.items()}, -side * kink) for kink, side in zip(kinks, sides, strict=True)
    )
    high = max(max(side * (end - kink) for end in (lo, shape.hi)) for kink, side in zip(kinks, sides, strict=True))
    return _Part("hinge", "hinges", rows, high)


class _Carry:
    """relu(x), carried by one neuron beside every layer after the first, where the network is odd."""

    def __init__(self, high: Fraction | None) -> None:
        self.high = high
        self.place = 0

    def beside(self, parts: list[_Part]) -> list[_Part]:
        """Return the parts with the carried neuron after them."""
        if self.high is None:
            return parts
        row: Form = ({self.place: _ONE}, _ZERO)
        self.place = sum(len(part.rows) for part in parts)
        return [*parts, _Part("carry", "relu(x)", (row,), self.high)]


def _gated(shape: Shape, layers: list[list[_Part]], value: Form, carry: _Carry) -> tuple[list[list[_Part]], Form]:
    """Return the layers with the gate behind them: core - 2 relu(core - M relu(x))."""
    high = shape.half.range()[1]
    if shape.gathers_output:
        layers.append(carry.beside([_Part("carry", "core", (value,), high)]))
        value = ({0: _ONE}, _ZERO)
    weights, bias = value
    rows = (value, ({**weights, carry.place: -shape.gate}, bias))
    return [*layers, [_Part("hinge", "gate", rows, high)]], ({0: _ONE, 1: Fraction(-2)}, _ZERO)


def _squarer(
    schedule: Schedule, zigzag: Mapping[int, Fraction], total: Form, most: Fraction
) -> tuple[list[list[_Part]], dict[int, Fraction]]:
    """Return the layers that turn t (``zigzag``) and S (``total``, at most ``most``) into S + G(t), and that form.

    Every layer's rows read the neurons of the layer before by their index among the squarer's own neurons.

    Raises:
        ValueError: If the schedule has no last radix.
    """
    layers: list[list[_Part]] = []
    length = Fraction(schedule.pieces)
    high = most + length**2
    weights, constant = total
    for position, item in enumerate(schedule.items):
        has_sum = bool(weights) or constant != 0
        sums = [_Part("product", "sum", ((weights, constant),), high)] if has_sum else []
        if item == GATHER:
            layers.append([_Part("squarer", "zigzag", ((zigzag, _ZERO),), length), *sums])
            zigzag, weights, constant = {0: _ONE}, ({1: _ONE} if has_sum else {}), _ZERO
            continue
        step = length / item
        kinks = tuple((zigzag, -k * step) for k in range(1, item))
        if position == len(schedule.items) - 1:
            merged = {wire: weights.get(wire, _ZERO) + zigzag.get(wire, _ZERO) for wire in {**weights, **zigzag}}
            layers.append(
                [_Part("squarer", "kinks", kinks, length), _Part("product", "sum", ((merged, constant),), high)]
            )
            return layers, {**{k: Fraction(2) for k in range(item - 1)}, item - 1: _ONE}
        layers.append([_Part("squarer", "zigzag", ((zigzag, _ZERO), *kinks), length), *sums])
        zigzag = {k: _ONE if k == 0 else Fraction(2 * (-1) ** k) for k in range(item)}
        weights = dict.fromkeys(range(1, item, 2), 4 * step) | ({item: _ONE} if has_sum else {})
        length, constant = step, _ZERO
    raise ValueError("a schedule ends with a radix")


def _product(shape: ProductShape) -> tuple[list[list[_Part]], Form]:
    """Return the layers of x y: |x + y| and |x - y|, then two squarers side by side."""
    w, high = shape.weight, 2 * shape.radius
    corners = [({0: a * _ONE, 1: b * _ONE}, _ZERO) for a, b in ((1, 1), (-1, -1), (1, -1), (-1, 1))]
    first = [
        _Part("hinge", "parts of x + y", tuple(corners[:2]), high),
        _Part("hinge", "parts of x - y", tuple(corners[2:]), high),
    ]
    halves = [_squarer(shape.schedule, {i: w, i + 1: w}, ({}, _ZERO), _ZERO) for i in (0, 2)]
    layers, before = [first], 0
    for left, right in zip(halves[0][0], halves[1][0], strict=True):
        layers.append([*left, *(_shifted(part, before) for part in right)])
        before = sum(len(part.rows) for part in left)
    plus, minus = halves[0][1], halves[1][1]
    return layers, (
        {wire: shape.scale * c for wire, c in plus.items()}
        | {wire + before: -shape.scale * c for wire, c in minus.items()},
        _ZERO,
    )


def _shifted(part: _Part, by: int) -> _Part:
    rows = tuple(({wire + by: weight for wire, weight in weights.items()}, constant) for weights, constant in part.rows)
    return _Part(part.kind, part.name, rows, part.high)
