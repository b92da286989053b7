"""Any analytic function of a matrix as a polynomial: Taylor's about a centre, with every part of its error bounded.

``analytic_plan`` finds the least degree that meets a target on ||A - cI|| <= R; ``series`` bounds a given one. The disc
is proved free of singularities first (``theory.disc``), so the bounds hold for every matrix there, normal or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import sympy as sp

from theory.analytic_theorems import CAUCHY, EXPLICIT, REMOVABLE
from theory.errors import BadInput, OutOfReach
from theory.expansion import MOST_DEGREE, AnalyticSeries, Expansion
from theory.known_series import explicit_tail
from theory.larger_disc import log_of
from theory.rationals import parse_positive
from theory.tape import compile_tape, polynomial_degree
from theory.vanishing import exact_series

__all__ = ["CAUCHY", "EXPLICIT", "REMOVABLE", "AnalyticSeries", "analytic_plan", "explicit_tail", "series"]

#: Polynomials up to this degree are expanded exactly.
_MOST_EXACT = 200


def analytic_plan(expr: sp.Expr, centre: Fraction, radius: Fraction, target: Fraction) -> AnalyticSeries:
    """Return the series of least degree found whose tail is at most a target.

    Args:
        expr: A formula in X, such as ``theory.parse.parse_formula`` returns.
        centre: c, where it is expanded.
        radius: R, of the ball ||A - cI|| <= R.
        target: The error allowed.

    Raises:
        BadInput: If the formula is singular on |z - c| <= R, by name and place, or is not a real function.
        OutOfReach: If the degree needed is beyond 1000.
    """
    centre, radius, target = Fraction(centre), _moderate(radius, "radius"), _moderate(target, "target")
    exact = _polynomial(expr, centre)
    if exact is not None:
        degree = next(k for k in range(len(exact)) if _cut_off(exact, radius, k) <= target)
        return _exact_series(expr, exact, centre, radius, degree)
    return Expansion(expr, centre, radius).reach(target)


def series(expr: sp.Expr, centre: Fraction, radius: Fraction, degree: int) -> AnalyticSeries:
    """Return the series of a given degree with its tail; arguments and errors as for ``analytic_plan``.

    Raises:
        BadInput: If the formula is singular on the disc or not real, or the degree is negative.
        OutOfReach: If the degree is beyond 1000.
    """
    if degree < 0:
        raise BadInput(f"the degree must be at least 0, not {degree}")
    if degree > MOST_DEGREE:
        raise OutOfReach(f"degree {degree} is beyond {MOST_DEGREE}")
    centre, radius = Fraction(centre), _moderate(radius, "radius")
    exact = _polynomial(expr, centre)
    if exact is not None:
        return _exact_series(expr, exact, centre, radius, degree)
    return Expansion(expr, centre, radius).cut(degree)


def _moderate(value: Fraction, name: str) -> Fraction:
    """Return a positive rational between 2^-1000 and 2^1000.

    Raises:
        BadInput: If it is not.
    """
    value = parse_positive(value, name)
    if abs(log_of(value)) > 1000:
        raise BadInput(f"{name} must be between 1e-300 and 1e300")
    return value


def _polynomial(expr: sp.Expr, centre: Fraction) -> list[Fraction] | None:
    """Return exact coefficients about the centre, if the formula is a rational polynomial of low degree."""
    tape = compile_tape(expr)
    degree = polynomial_degree(tape)
    if degree is None or degree > _MOST_EXACT:
        return None
    point = sp.Rational(centre.numerator, centre.denominator)
    values = exact_series(tape, tape.root, point, degree + 1)
    if values is None or not all(value.is_Rational for value in values):
        return None
    return [Fraction(int(value.p), int(value.q)) for value in values]


def _cut_off(coefficients_: Sequence[Fraction], radius: Fraction, degree: int) -> Fraction:
    return sum((abs(c) * radius**k for k, c in enumerate(coefficients_) if k > degree), Fraction(0))


def _exact_series(
    expr: sp.Expr, values: list[Fraction], centre: Fraction, radius: Fraction, degree: int
) -> AnalyticSeries:
    """Return a polynomial cut after a degree: what is cut off is known exactly."""
    kept = [*values[: degree + 1], *[Fraction(0)] * (degree + 1 - len(values))]
    return AnalyticSeries(
        expression=expr,
        centre=centre,
        radius=radius,
        degree=degree,
        coefficients=tuple(kept),
        tail=_cut_off(values, radius, degree),
        radius_used=2 * radius,
        maximum=_cut_off(values, 2 * radius, -1),
        summed=max(degree, len(values) - 1),
    )
