"""Formulas a second time: a plain walk of the SymPy tree in mpmath, random formulas as text, a search that climbs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import mpmath
import sympy as sp
from hypothesis import strategies as st

from theory.parse import FUNCTIONS


def value(expression: sp.Expr, point: mpmath.mpc) -> mpmath.mpc:
    """The expression at a point, principal branches, at mpmath's working precision."""
    match expression:
        case sp.Rational():
            return mpmath.mpf(int(expression.p)) / int(expression.q)
        case sp.Symbol():
            return point
        case _ if expression is sp.pi:
            return +mpmath.pi
        case _ if expression is sp.E:
            return +mpmath.e
    args = [value(arg, point) for arg in expression.args]
    match expression:
        case sp.Add():
            return mpmath.fsum(args)
        case sp.Mul():
            return mpmath.fprod(args)
        case sp.Pow():
            return args[0] ** args[1]
    if any(abs(arg) > 1e4 for arg in args):
        raise OverflowError("out of mpmath's comfortable range")
    return getattr(mpmath, str(expression.func))(*args)


def rational(number: Fraction) -> mpmath.mpf:
    """A rational at mpmath's working precision."""
    return mpmath.mpf(number.numerator) / number.denominator


def climb(height: Callable[[mpmath.mpf], mpmath.mpf], points: int, rounds: int = 40) -> mpmath.mpf:
    """Return the largest height found on [0, 1], from the best of some points uphill with halving steps."""
    step = mpmath.mpf(1) / points
    # A hair beside the ends, which stand for real points: there a removable singularity has no value.
    hair = mpmath.mpf(10) ** -9
    best = max((height(k * step + hair), k * step + hair) for k in range(points + 1))
    for _ in range(rounds):
        better = max((height(best[1] + move), best[1] + move) for move in (-step, step))
        best, step = (better, step) if better > best else (best, step / 2)
    return best[0]


def formulas(leaves: Sequence[str] = ("x", "x", "x", "1", "2", "1/3", "pi"), most: int = 5) -> st.SearchStrategy[str]:
    """Random formulas of the grammar, as text, rich in quotients and branches."""

    def extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from("+-*//"), inner),
            st.builds("{}({})".format, st.sampled_from(sorted(FUNCTIONS)), inner),
            st.builds("({})**{}".format, inner, st.sampled_from(("2", "3", "-1", "(1/2)", "(-3/2)", "(1/3)"))),
        )

    return st.recursive(st.sampled_from(leaves), extend, max_leaves=most)
