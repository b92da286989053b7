"""The linear regions of a one-hidden-layer ReLU network on a box: all of them, and affine maps' maxima over them.

A region is a pattern of signs of the hidden pre-activations; on it the network is affine. Patterns are found unit by
unit: a cell of the first j hyperplanes is cut by the next one or not, which a linear program (HiGHS) decides. Floats
only propose. That a cell is not empty is confirmed at a rational point, in exact arithmetic; that it is empty by
multipliers l_j >= 0, not all zero, for which the maximum of Σ l_j g_j over the box, exact as well, is not positive (g_j
being positive on the cell). Cells too thin for that are decided by the simplex method on fractions. In the same way
every maximum over a cell is enclosed: from below by a point of the cell, from above by weak duality, max f <= max over
the box of f + Σ l_j g_j.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from empirical.exact_lp import maximise
from theory.errors import BadInput

__all__ = ["Affine", "Arrangement", "Cell", "Cells", "Maximum", "find_cells"]

Floats = NDArray[np.float64]
_TOLERANCES = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
#: How far a vertex that a linear program found is drawn towards an inner point until it lies in the cell exactly.
_STEPS_INSIDE = (Fraction(0), *(Fraction(1, 2**k) for k in (48, 40, 32, 24, 16, 8, 1)), Fraction(1))


@dataclass(frozen=True)
class Affine:
    """The function x ↦ slope·x + offset, exact.

    Attributes:
        slope: One coefficient an input.
        offset: The constant.
    """

    slope: tuple[Fraction, ...]
    offset: Fraction

    def __call__(self, x: Sequence[Fraction]) -> Fraction:
        """Return the value at a rational point."""
        return sum((a * b for a, b in zip(self.slope, x, strict=True)), self.offset)

    @property
    def is_zero(self) -> bool:
        """Whether it is 0 everywhere."""
        return self.offset == 0 and not any(self.slope)

    def plus(self, other: Affine, factor: Fraction) -> Affine:
        """Return self + factor · other."""
        slope = tuple(a + factor * b for a, b in zip(self.slope, other.slope, strict=True))
        return Affine(slope, self.offset + factor * other.offset)

    def negated(self) -> Affine:
        """Return -self."""
        return Affine(tuple(-a for a in self.slope), -self.offset)

    @classmethod
    def of(cls, slope: Sequence[float], offset: float) -> Affine:
        """Return the function with these coefficients, taken exactly."""
        return cls(tuple(Fraction(float(a)) for a in slope), Fraction(float(offset)))


@dataclass(frozen=True)
class Arrangement:
    """Hyperplanes w_j·x + b_j = 0 on a box.

    Attributes:
        units: The functions w_j·x + b_j.
        lower, upper: The corners of the box.

    Raises:
        BadInput: If the box is empty or sizes do not fit.
    """

    units: tuple[Affine, ...]
    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        sizes = {len(self.lower), len(self.upper), *(len(unit.slope) for unit in self.units)}
        if len(sizes) != 1 or any(low >= high for low, high in zip(self.lower, self.upper, strict=True)):
            raise BadInput("regions need a box with interior, and hyperplanes of its dimension")

    @classmethod
    def of(cls, weight: Floats, bias: Floats, lower: Floats, upper: Floats) -> Arrangement:
        """Return the arrangement of a hidden layer, weight (units, inputs), bias (units,), on a box."""
        units = tuple(Affine.of(row, offset) for row, offset in zip(weight, bias, strict=True))
        return cls(units, tuple(Fraction(float(x)) for x in lower), tuple(Fraction(float(x)) for x in upper))

    def box_maximum(self, f: Affine) -> Fraction:
        """Return the maximum of f over the box, exactly."""
        ends = zip(f.slope, self.lower, self.upper, strict=True)
        return f.offset + sum((max(a * low, a * high) for a, low, high in ends), Fraction(0))

    def signed(self, signs: Sequence[bool]) -> list[Affine]:
        """Return the functions that are positive on a cell, for the first ``len(signs)`` units that are not zero."""
        pairs = zip(self.units, signs, strict=False)
        return [unit if positive else unit.negated() for unit, positive in pairs if not unit.is_zero]

    def maximum(self, f: Affine, cell: Cell) -> Maximum:
        """Enclose the maximum of f over the closure of a cell."""
        inside = self.signed(cell.signs)
        # Without an answer the cell's own point and the whole box still enclose the maximum.
        vertex, multipliers = _solve(f, inside, self) or (cell.point, [Fraction(0)] * len(inside))
        dual = f
        for g, multiplier in zip(inside, multipliers, strict=True):
            dual = dual.plus(g, multiplier)
        upper = self.box_maximum(dual)
        pairs = list(zip(vertex, cell.point, strict=True))
        points = (tuple(x + share * (c - x) for x, c in pairs) for share in _STEPS_INSIDE)
        point = next(point for point in points if all(g(point) >= 0 for g in inside))
        return Maximum(f(point), upper, point)


@dataclass(frozen=True)
class Cell:
    """A region: an open, non-empty set of the box on which all pre-activations keep their signs.

    Attributes:
        signs: Whether each pre-activation is positive.
        point: A point of it, exact.
    """

    signs: tuple[bool, ...]
    point: tuple[Fraction, ...]

    def active(self, weight: Floats, bias: Floats, hidden: Arrangement) -> list[Affine]:
        """Return the outputs' affine maps on the cell: weight (outputs, units), bias (outputs,)."""
        outputs = []
        for row, offset in zip(weight, bias, strict=True):
            total = Affine((Fraction(0),) * len(self.point), Fraction(float(offset)))
            for unit, factor, positive in zip(hidden.units, row, self.signs, strict=True):
                if positive:
                    total = total.plus(unit, Fraction(float(factor)))
            outputs.append(total)
        return outputs


@dataclass(frozen=True)
class Cells:
    """All regions of an arrangement.

    Attributes:
        cells: Those that are not empty, each with a point of it.
        programs: How many linear programs it took.
        exact_programs: How many of them had to be solved again on fractions.
    """

    cells: tuple[Cell, ...]
    programs: int
    exact_programs: int


@dataclass(frozen=True)
class Maximum:
    """A maximum, enclosed.

    Attributes:
        lower: Attained at ``point``.
        upper: Proved by weak duality.
        point: A point of the cell's closure.
    """

    lower: Fraction
    upper: Fraction
    point: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        if self.lower > self.upper:
            raise ArithmeticError("a maximum's lower bound exceeds its upper bound")


def find_cells(arrangement: Arrangement, most: int = 100_000) -> Cells:
    """Return every region of the box.

    Args:
        arrangement: Hyperplanes and box.
        most: How many regions to allow.

    Raises:
        BadInput: If there are more.
    """
    middle = tuple((low + high) / 2 for low, high in zip(arrangement.lower, arrangement.upper, strict=True))
    cells, programs, exact_programs = [Cell((), middle)], 0, 0
    for unit in arrangement.units:
        following = []
        for cell in cells:
            if unit.is_zero:  # It never turns on, and no strict inequality says so.
                following.append(Cell((*cell.signs, False), cell.point))
                continue
            value = unit(cell.point)
            for positive in (True, False):
                signs = (*cell.signs, positive)
                if value != 0 and (value > 0) == positive:
                    following.append(Cell(signs, cell.point))
                    continue
                programs += 1
                verdict = _inner_point(arrangement, signs)
                if verdict is None:
                    exact_programs += 1
                    verdict = _exact_inner_point(arrangement, signs)
                if isinstance(verdict, tuple):
                    following.append(Cell(signs, verdict))
        cells = following
        if len(cells) > most:
            raise BadInput(f"the network has more than {most} regions on this box; take a smaller network or box")
    return Cells(tuple(cells), programs, exact_programs)


def _inner_point(arrangement: Arrangement, signs: Sequence[bool]) -> tuple[Fraction, ...] | bool | None:
    """Return a point of the open cell, False if it is empty, None if neither is proved.

    Maximises the least g_j(x), each over its size on the box.
    """
    inside = arrangement.signed(signs)
    found = _solve(None, inside, arrangement)
    if found is None:
        return None
    point, multipliers = found
    if all(g(point) > 0 for g in inside):
        return point
    total = Affine((Fraction(0),) * len(point), Fraction(0))
    for g, multiplier in zip(inside, multipliers, strict=True):
        total = total.plus(g, multiplier)
    return False if any(multipliers) and arrangement.box_maximum(total) <= 0 else None


def _exact_inner_point(arrangement: Arrangement, signs: Sequence[bool]) -> tuple[Fraction, ...] | bool:
    """Return a point of the open cell, or False: it is empty exactly when the greatest least g_j is not positive."""
    inside, lower = arrangement.signed(signs), arrangement.lower
    widths = [high - low for low, high in zip(lower, arrangement.upper, strict=True)]
    # Variables x - lower and t + depth, both from 0: at the lower corner with t = -depth every g_j - t >= 0 holds.
    values = [g(lower) for g in inside]
    depth = max(Fraction(0), -min(values)) + 1
    rows = [[*(-a for a in g.slope), Fraction(1)] for g in inside]
    limits = [value + depth for value in values]
    for place, width in enumerate([*widths, depth + 1]):
        rows.append([Fraction(int(other == place)) for other in range(len(widths) + 1)])
        limits.append(width)
    best, vertex = maximise([Fraction(0)] * len(widths) + [Fraction(1)], rows, limits)
    return tuple(low + x for low, x in zip(lower, vertex[:-1], strict=True)) if best > depth else False


def _solve(
    f: Affine | None, inside: Sequence[Affine], arrangement: Arrangement
) -> tuple[tuple[Fraction, ...], list[Fraction]] | None:
    """Maximise f over the box where every function is >= 0, or without f their least value: a point, the multipliers.

    The program sees the box as [-1, 1]^k and every function over a bound of its size there: a solver drops what is far
    below 1, and the weights of a unit that training has switched off are 1e-17.
    """
    middle = [(low + high) / 2 for low, high in zip(arrangement.lower, arrangement.upper, strict=True)]
    half = [(high - low) / 2 for low, high in zip(arrangement.lower, arrangement.upper, strict=True)]
    scaled = [_over_size(g, middle, half) for g in inside]
    slopes = np.array([slope for slope, _, _ in scaled]).reshape(len(inside), len(half))
    offsets = np.array([offset for _, offset, _ in scaled])
    bounds = [(-1.0, 1.0)] * len(half)
    if f is None:
        # One more variable, the least value t: g_j - t >= 0.
        slopes = np.hstack([slopes, -np.ones((len(inside), 1))])
        cost, bounds = [0.0] * len(half) + [-1.0], [*bounds, (-1.0, 1.0)]
    else:
        cost = [-a for a in _over_size(f, middle, half)[0]]
    limits = {"A_ub": -slopes, "b_ub": offsets} if inside else {}
    answer = linprog(np.array(cost), bounds=bounds, method="highs", options=_TOLERANCES, **limits)
    if answer.status != 0:
        return None
    places = zip(answer.x, middle, half, strict=False)
    vertex = tuple(m + h * min(max(Fraction(float(u)), Fraction(-1)), Fraction(1)) for u, m, h in places)
    size = Fraction(1) if f is None else _over_size(f, middle, half)[2]
    marginals = answer.ineqlin.marginals if inside else []
    pairs = zip(marginals, scaled, strict=True)
    return vertex, [max(Fraction(0), -Fraction(float(m))) * size / own for m, (_, _, own) in pairs]


def _over_size(g: Affine, middle: Sequence[Fraction], half: Sequence[Fraction]) -> tuple[list[float], float, Fraction]:
    """Return slope and offset of g on the box seen as [-1, 1]^k, both over |g(middle)| + Σ|slope|, and that sum."""
    value = g(middle)
    slope = [a * h for a, h in zip(g.slope, half, strict=True)]
    size = abs(value) + sum(map(abs, slope), Fraction(0)) or Fraction(1)
    return [float(a / size) for a in slope], float(value / size), size
