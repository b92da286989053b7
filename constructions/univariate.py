"""An exact check of any network of one variable: its break points in rationals, |network - f| between them in balls.

Nothing is taken from a plan, and nothing is shared with ``theory.piecewise`` but the balls around f: cells are cut
layer by layer where a neuron's value changes sign, and a cell is halved until Taylor's theorem settles it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import sympy as sp
from flint import arb, ctx

from constructions.algebra import affine, compose
from constructions.exact import ExactMatrix
from constructions.network import Network
from theory.errors import BadInput
from theory.evaluate import as_ball, lower, upper
from theory.smooth import PRECISION, Smooth

__all__ = ["Certificate", "along", "break_points", "certify_univariate"]

Values = list[list[Fraction]]


@dataclass(frozen=True)
class Certificate:
    """What an exact check of a network found.

    Attributes:
        bound: Proved upper bound on max |network - f| on the interval.
        attained: Proved lower bound, reached at ``place``.
        place: A rational point.
        pieces: Linear pieces of the network on the interval.
    """

    bound: Fraction
    attained: Fraction
    place: Fraction
    pieces: int


def break_points(network: Network, lo: Fraction, hi: Fraction) -> list[tuple[Fraction, Fraction]]:
    """Return (x, network(x)) at lo, hi and every point between where some neuron starts or stops being active.

    Raises:
        BadInput: If the network has not one input and one output.
    """
    if network.maps[0].inputs != 1 or network.maps[-1].outputs != 1:
        raise BadInput("only a network of one variable with one output has break points on a line; use `along`")
    cuts: list[Fraction] = [Fraction(lo), Fraction(hi)]
    values: Values = [list(cuts)]
    for layer in network.maps[:-1]:
        values = _mapped(layer.augmented, values, len(cuts))
        cuts, values = _cut_at_zeros(cuts, values)
        values = [[max(entry, Fraction(0)) for entry in row] for row in values]
    (outputs,) = _mapped(network.maps[-1].augmented, values, len(cuts))
    return list(zip(cuts, outputs, strict=True))


def _mapped(matrix: ExactMatrix, values: Values, count: int) -> Values:
    """Return the rows of [W | b] applied to the neurons' values at every cut."""
    inputs = matrix.shape[1] - 1
    result: Values = [[Fraction(0)] * count for _ in range(matrix.shape[0])]
    for row, column, code in zip(matrix.rows().tolist(), matrix.indices.tolist(), matrix.codes.tolist(), strict=True):
        weight, out = matrix.table[code], result[row]
        if column == inputs:
            result[row] = [entry + weight for entry in out]
        else:
            result[row] = [entry + weight * value for entry, value in zip(out, values[column], strict=True)]
    return result


def _cut_at_zeros(cuts: list[Fraction], values: Values) -> tuple[list[Fraction], Values]:
    """Return the cuts with a new one wherever a row, linear between neighbours, passes through zero."""
    places: list[dict[Fraction, None]] = [{} for _ in cuts]
    for row in values:
        for i, (u, v) in enumerate(pairwise(row)):
            if (u < 0 < v) or (v < 0 < u):
                places[i][u / (u - v)] = None
    shares = [[Fraction(0), *sorted(inside)] for inside in places[:-1]]
    new_cuts = [a + t * (b - a) for (a, b), inside in zip(pairwise(cuts), shares, strict=True) for t in inside]
    new_values = [
        [u + t * (v - u) for (u, v), inside in zip(pairwise(row), shares, strict=True) for t in inside] + row[-1:]
        for row in values
    ]
    return [*new_cuts, cuts[-1]], new_values


def certify_univariate(
    network: Network, f: Smooth | sp.Expr, lo: Fraction | int = -1, hi: Fraction | int = 1, *, depth: int = 60
) -> Certificate:
    """Return proved bounds on max |network - f| over [lo, hi], from the network's matrices alone.

    Args:
        network: One input, one output.
        f: A function with a second derivative on [lo, hi].
        lo: Left end.
        hi: Right end.
        depth: How often a cell may be halved.

    Raises:
        BadInput: If the network has other dimensions, or f no finite second derivative.
    """
    function = f if isinstance(f, Smooth) else Smooth(f)
    points = break_points(network, Fraction(lo), Fraction(hi))
    attained, place, bound = arb(0), points[0][0], arb(0)
    slopes = [(v - u) / (b - a) for (a, u), (b, v) in pairwise(points)]
    with ctx.workprec(PRECISION):
        for x, value in points:
            error = abs(as_ball(value) - function.value(x)).lower()
            if error > attained:
                attained, place = error, x
        for ((a, u), (b, _)), slope in zip(pairwise(points), slopes, strict=True):
            todo = [(a, b, depth)]
            while todo:
                left, right, remaining = todo.pop()
                middle, low, high = _taylor(function, left, right, u + slope * ((left + right) / 2 - a), slope)
                if low > attained:
                    attained, place = low, middle
                if high <= attained * (1 + arb((1, -30))):
                    bound = bound.max(high)
                elif remaining:
                    todo += [(left, middle, remaining - 1), (middle, right, remaining - 1)]
                elif high.is_finite():
                    bound = bound.max(high)
                else:
                    raise BadInput(f"f has no finite second derivative near {float(middle):.6g}")
        pieces = 1 + sum(s != t for s, t in pairwise(slopes))
        return Certificate(upper(bound.max(attained)), max(lower(attained), Fraction(0)), place, pieces)


def _taylor(f: Smooth, a: Fraction, b: Fraction, value: Fraction, slope: Fraction) -> tuple[Fraction, arb, arb]:
    """Return the middle of a cell, |error| there, and a bound on |error| in the cell by Taylor's theorem."""
    middle, reach = (a + b) / 2, as_ball((b - a) / 2)
    at, over = f.jet(middle), f.jet(as_ball(a).union(as_ball(b)))
    error = abs(at[0] - as_ball(value))
    return middle, error.lower(), (error + abs(at[1] - as_ball(slope)) * reach + abs(over[2]) * reach**2).upper()


def along(network: Network, point: Sequence[Fraction], direction: Sequence[Fraction]) -> Network:
    """Return the univariate network t -> network(point + t direction): a product seen along a line."""
    size = len(point)
    entries = [
        (np.array([i]), np.array([column]), Fraction(value))
        for i in range(size)
        for column, value in ((0, direction[i]), (1, point[i]))
    ]
    names = tuple((name, width) for name, width in network.inputs)
    return compose(network, affine(ExactMatrix.from_batches((size, 2), entries), (("t", 1),), names))
