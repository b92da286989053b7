"""Truncating the exponential's Taylor series, and what squaring does to the truncation."""

from __future__ import annotations

from flint import arb

from theory import symbols as S
from theory.evaluate import ball
from theory.expm.formulas import SQUARED_TAIL, TAIL

__all__ = ["squared_tail", "taylor_tail"]


def taylor_tail(theta: arb, degree: int) -> arb:
    """Return a bound on ``sum_{k > q} theta^k / k!`` (theorem expm.truncation, UPPER)."""
    return ball(TAIL, {S.theta: theta, S.q: degree})


def squared_tail(theta: arb, degree: int, scalings: int) -> arb:
    """Return a bound on ``||e^A - T_q(A/2^s)^(2^s)||`` for ``||A|| <= theta`` (theorem expm.scaling-squaring, UPPER)."""
    scaled = theta / (arb(2) ** scalings)
    if not scaled < degree + 2:
        return arb.pos_inf()
    return ball(SQUARED_TAIL, {S.theta: scaled, S.E0: taylor_tail(scaled, degree), S.s: scalings})
