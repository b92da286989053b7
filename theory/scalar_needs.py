"""The numbers lower bounds come to at n = 1: pieces, bits and non-zeros that any network for a scalar problem needs.

They stand apart from the theorems that prove them (scalar.pieces, scalar.nonzeros) so that a table of bounds need not
build every proof first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from flint import arb, ctx

from theory.errors import BadInput
from theory.evaluate import as_ball, lower
from theory.fewest_nonzeros import fewest_nonzeros
from theory.paths import Floats, directed, reach, signs, touching
from theory.problem import Box, CentredBall, Problem
from theory.scalar import interval, scalar_function
from theory.smooth import PRECISION, Smooth, as_fraction, hull

__all__ = ["Needs", "needed_pieces", "needs_of", "violates"]

#: With more pieces than these, cells are counted by their least curvature instead of one interval after the other.
_MOST_SEARCHED, _CELLS = 1500, 2000
#: Below this accuracy, relative to f, the search in floats sees nothing but their rounding: cells again.
_FLOATS = 1e-11


@dataclass(frozen=True)
class Needs:
    """What any network for a scalar problem needs, proved.

    Attributes:
        pieces: Linear pieces along the interval (theorem scalar.pieces).
        bits: log2 of the pieces, rounded down: a lower bound on ``sum log2(width + 1)``.
        nonzeros: Non-zero weights and biases (theorem scalar.nonzeros).
    """

    pieces: int
    bits: Fraction
    nonzeros: int


def needs_of(problem: Problem) -> Needs | None:
    """Return what a problem with n = 1 needs; None where f is no smooth function on an interval.

    For the product it is what x^2 on the diagonal x = y needs.
    """
    if problem.function == "product" and isinstance(problem.domain, Box):
        problem = Problem("x**2", 1, CentredBall(Fraction(0), problem.domain.M), problem.eps, problem.norm)
    try:
        f, (lo, hi) = scalar_function(problem), interval(problem)
        f.check(lo, hi)
    except BadInput:
        return None
    pieces = needed_pieces(f, lo, hi, problem.eps)
    with ctx.workprec(96):
        bits = lower(arb(pieces).log() / arb.const_log2()) if pieces > 1 else Fraction(0)
    return Needs(pieces, bits, fewest_nonzeros(pieces))


def violates(f: Smooth, triple: tuple[Fraction, Fraction, Fraction], eps: Fraction) -> bool:
    """Return whether balls prove |f(c) - chord(c)| > 2 eps for a < c < b: no line is within eps of f at all three."""
    left, middle, right = triple
    share = (middle - left) / (right - left)
    with ctx.workprec(PRECISION):
        ends = [f.value(at) for at in (left, right)]
        gap = f.value(middle) - (as_ball(1 - share) * ends[0] + as_ball(share) * ends[1])
        return bool(abs(gap) > as_ball(2 * eps))


def needed_pieces(f: Smooth, lo: Fraction, hi: Fraction, eps: Fraction) -> int:
    """Return a proved lower bound on the pieces of any continuous piecewise linear function within eps of f (LOWER).

    The intervals are found greedily in floats, one by one as short as can be; each is proved by three points in balls.
    """
    largest = max(abs(f.floats(float(end))[0]) for end in (lo, hi))
    if float(eps) < _FLOATS * max(largest, 1.0):
        return _by_curvature(f, lo, hi, eps)
    intervals = 0
    for start, end, sign in signs(f, float(lo), float(hi)):
        g = directed(f, 0.0, 1, sign or 1)
        at, stop = max(as_fraction(start), lo), min(as_fraction(end), hi)
        while at < stop:
            if intervals == _MOST_SEARCHED:
                return _by_curvature(f, lo, hi, eps)
            right = next((end for end in _ends(f, g, at, stop, eps)), None)
            if right is None:
                break
            intervals, at = intervals + 1, right
    return intervals + 1


def _ends(f: Smooth, g: Floats, at: Fraction, stop: Fraction, eps: Fraction) -> Iterator[Fraction]:
    """Yield ends of intervals from ``at`` that balls prove no line to fit, the shortest first: floats are not exact."""
    x, error = float(at), float(eps) * (1 + 1e-7)
    shortest = reach(g, x, g(x)[0] - error, error, float(stop)) - x
    for stretch in (1.0, 1.0001, 1.01, 1.1):
        right = x + stretch * shortest
        if right >= float(stop):
            return
        middle = touching(g, x, right, (g(right)[0] - g(x)[0]) / (right - x))
        triple = (at, as_fraction(middle), as_fraction(right))
        if triple[0] < triple[1] < triple[2] <= stop and violates(f, triple, eps):
            yield triple[2]


def _by_curvature(f: Smooth, lo: Fraction, hi: Fraction, eps: Fraction) -> int:
    """Return a lower bound on the pieces from |f''| >= c on cells: no line fits an interval longer than 4 sqrt(eps/c).

    Halfway such an interval f leaves its chord by more than 2 eps; a cell of length h has room for all but the last of
    h sqrt(c/eps)/4 of them.
    """
    cells = 0
    width = (hi - lo) / _CELLS
    with ctx.workprec(PRECISION):
        for i in range(_CELLS):
            bend = 2 * f.jet(hull(lo + i * width, lo + (i + 1) * width))[2]
            least = abs(bend).lower()
            if least > 0:
                room = as_ball(width) * (least / as_ball(eps)).sqrt() / 4
                cells += max(math.ceil(lower(room)) - 1, 0)
    return cells + 1
