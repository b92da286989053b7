"""Truncating the exponential's Taylor series, and what squaring does to the truncation."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import factorial

from flint import arb

from theory import symbols as S
from theory.evaluate import as_ball, ball
from theory.expm.formulas import SQUARED_TAIL, TAIL
from theory.expm.programs import FIXED_DEGREES, taylor_scheme
from theory.norm_model import NormModel
from theory.polynomials import coefficients_of

__all__ = ["least_degree", "squared_tail", "taylor_tail"]


def taylor_tail(theta: arb, degree: int) -> arb:
    """Return a bound on ``sum_{k > q} theta^k / k!`` (theorem expm.truncation, UPPER)."""
    return ball(TAIL, {S.theta: theta, S.q: degree})


def squared_tail(theta: arb, degree: int, scalings: int, scheme: str = "horner") -> arb:
    """Return a bound on ``||e^A - T(A/2^s)^(2^s)||`` for ``||A|| <= theta`` (theorem expm.scaling-squaring, UPPER).

    T is the polynomial the scheme really computes: where its coefficients are rational stand-ins for irrational ones,
    their distance from 1/k! is part of the bound.
    """
    scaled = theta / (arb(2) ** scalings)
    if not scaled < degree + 2:
        return arb.pos_inf()
    error = taylor_tail(scaled, degree)
    for k, deviation in enumerate(_deviations(scheme), start=1):
        error += as_ball(deviation) * scaled**k
    # |T| <= e^theta + deviation: the larger base enters the power below as a factor (1 + error)^(2^s).
    return (
        ball(SQUARED_TAIL, {S.theta: scaled, S.E0: error, S.s: scalings}) * (error.log1p() * arb(2) ** scalings).exp()
    )


@cache
def _deviations(scheme: str) -> tuple[Fraction, ...]:
    if scheme in ("horner", "paterson-stockmeyer"):
        return ()
    degree, _ = FIXED_DEGREES[scheme]
    coefficients = coefficients_of(taylor_scheme(scheme, degree, 0))
    return tuple(abs(c - Fraction(1, factorial(k))) for k, c in enumerate(coefficients) if k)


def least_degree(model: NormModel, target: arb) -> int:
    """Return the least degree with tail below the target, by doubling and bisection (integers, never a float log)."""

    def enough(degree: int) -> bool:
        theta = model.theta
        return bool(theta < degree + 2) and bool(model.truncation_factor * taylor_tail(theta, degree) < target)

    high = 1
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
