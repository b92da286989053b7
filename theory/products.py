"""Products of two numbers from squares: by a difference of squares, and polarised.

|x| <= B_L, |y| <= B_R. A squarer returns u^2 + e(u) with 0 <= e(u) <= e = 1/N^2 on [-1, 1] (square.symmetric), e(u) = 0
at the knots -1 + 2i/N, e(u) = e halfway between them, e even.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import sympy as sp

from theory.squaring import interpolate_symmetric
from theory.steps import Identity, Smt, le
from theory.symbols import BL, BR, N, a, b, h, k, s, x, y, z
from theory.theorem import Bound, Kind, Theorem

__all__ = ["DIFFERENCE", "POLARISED", "difference", "polarised"]

_HALF = sp.Rational(1, 2)
_E = 1 / N**2


def difference(radices: Sequence[int], left: Fraction, right: Fraction) -> Fraction:
    """Return g(u) - g(v), u = (left + right)/2, v = (left - right)/2: about ``left * right``, both in [-1, 1]."""
    return interpolate_symmetric(radices, (left + right) / 2) - interpolate_symmetric(radices, (left - right) / 2)


def polarised(radices: Sequence[int], left: Fraction, right: Fraction) -> Fraction:
    """Return 2 g(u) - g(left)/2 - g(right)/2, u = (left + right)/2: about ``left * right``, both in [-1, 1]."""
    squares = [interpolate_symmetric(radices, argument) for argument in ((left + right) / 2, left, right)]
    return 2 * squares[0] - squares[1] / 2 - squares[2] / 2


def _knot(index: sp.Expr) -> sp.Expr:
    """The knot -1 + 2 index/N; halfway between knots at index + 1/2."""
    return -1 + 2 * index / N


DIFFERENCE = Theorem(
    id="product.difference",
    title="a product as a difference of two squares",
    statement=(
        "B_L B_R (g(u) - g(v)) with u = (x/B_L + y/B_R)/2, v = (x/B_L - y/B_R)/2 approximates x y with an error "
        "in +-B_L B_R/N^2, both ends attained, and is exactly 0 where x = 0 or y = 0."
    ),
    hypotheses=("|x| <= B_L, |y| <= B_R",),
    bound=Bound(BL * BR * _E, Kind.TIGHT, "abs", "|x| <= B_L, |y| <= B_R"),
    steps=(
        Identity(
            "identity",
            "x y = B_L B_R (u^2 - v^2)",
            BL * BR * (((x / BL + y / BR) / 2) ** 2 - ((x / BL - y / BR) / 2) ** 2),
            x * y,
        ),
        Smt(
            "domain",
            "|a|, |b| <= 1 keep |(a + b)/2| <= 1, and (a - b)/2 with b -> -b",
            (le(a**2, 1), le(b**2, 1)),
            le(((a + b) / 2) ** 2, 1),
        ),
        Smt(
            "range",
            "errors x, y of the squares in [0, 1]/N^2: |x - y| <= 1",
            (le(0, x), le(x, 1), le(0, y), le(y, 1)),
            le((x - y) ** 2, 1),
        ),
        Identity("knot-even", "N = 2k: v = 0 is the knot k", _knot(k).subs(N, 2 * k), sp.Integer(0)),
        Identity(
            "half-even",
            "and u = 1/N lies halfway after it: the end is attained at x/B_L = y/B_R = 1/N",
            _knot(k + _HALF).subs(N, 2 * k),
            1 / (2 * k),
        ),
        Identity("half-odd", "N = 2h + 1: u = 0 lies halfway", _knot(h + _HALF).subs(N, 2 * h + 1), sp.Integer(0)),
        Identity(
            "knot-odd",
            "and v = 1/N is the next knot: attained at x/B_L = 1/N, y/B_R = -1/N; the other end with u and v swapped",
            _knot(h + 1).subs(N, 2 * h + 1),
            1 / (2 * h + 1),
        ),
        Identity(
            "zero", "x = 0 gives u = -v, y = 0 gives u = v, and g is even", ((0 + b) / 2) ** 2, ((0 - b) / 2) ** 2
        ),
    ),
    source="derived here",
    uses=("square.symmetric",),
)

POLARISED = Theorem(
    id="product.polarised",
    title="a product from three squares, two of which are the factors' own",
    statement=(
        "B_L B_R (2 g(u) - g(x/B_L)/2 - g(y/B_R)/2) with u = (x/B_L + y/B_R)/2 approximates x y with an error in "
        "B_L B_R/N^2 [-1, 2], both ends attained (N >= 2); less half of it, within +-(3/2) B_L B_R/N^2."
    ),
    hypotheses=("|x| <= B_L, |y| <= B_R", "N >= 2 for the ends to be attained"),
    bound=Bound(sp.Rational(3, 2) * BL * BR * _E, Kind.TIGHT, "abs", "|x| <= B_L, |y| <= B_R, centred"),
    steps=(
        Identity(
            "identity",
            "x y = B_L B_R (2 u^2 - (x/B_L)^2/2 - (y/B_R)^2/2)",
            BL * BR * (2 * ((x / BL + y / BR) / 2) ** 2 - (x / BL) ** 2 / 2 - (y / BR) ** 2 / 2),
            x * y,
        ),
        Smt(
            "range",
            "errors x, y, z of the squares in [0, 1]/N^2: -1 <= 2x - y/2 - z/2 <= 2",
            (le(0, x), le(x, 1), le(0, y), le(y, 1), le(0, z), le(z, 1)),
            le(0, (2 * x - y / 2 - z / 2 + 1) * (2 - (2 * x - y / 2 - z / 2))),
        ),
        Identity(
            "upper-end",
            "the knots 2s and 2h + 1 of the factors have u halfway between knots: s + h + 1/2",
            (_knot(2 * s) + _knot(2 * h + 1)) / 2,
            _knot(s + h + _HALF),
        ),
        Identity(
            "lower-end",
            "factors halfway, at 2s + 1/2 and 2h + 3/2, have u at the knot s + h + 1",
            (_knot(2 * s + _HALF) + _knot(2 * h + 1 + _HALF)) / 2,
            _knot(s + h + 1),
        ),
        Identity("centred", "[-1, 2] less 1/2 is +-3/2", 2 - _HALF, -(-1 - _HALF)),
    ),
    source="derived here",
    uses=("square.symmetric",),
    formulas={"one-sided": 2 * BL * BR * _E, "centre": BL * BR * _E / 2},
)
