"""Volumes of balls from below and above, as rationals, and decimal logarithms rounded down."""

from __future__ import annotations

import math
from fractions import Fraction

__all__ = ["log10_below", "unit_ball_above", "unit_ball_below"]

#: π between two rationals, 40 decimals: 3.1415926535 8979323846 2643383279 5028841971 69...
_PI_DIGITS = 31415926535897932384626433832795028841971
_PI_BELOW = Fraction(_PI_DIGITS, 10**40)
_PI_ABOVE = Fraction(_PI_DIGITS + 1, 10**40)


def unit_ball_below(dimension: int) -> Fraction:
    """Return a rational at most the volume ω_d of the unit ball in d dimensions, within a relative d·1e-40; ω_0 = 1."""
    return _unit_ball(dimension, _PI_BELOW)


def unit_ball_above(dimension: int) -> Fraction:
    """Return a rational at least the volume ω_d of the unit ball in d dimensions, within a relative d·1e-40."""
    return _unit_ball(dimension, _PI_ABOVE)


def _unit_ball(dimension: int, pi: Fraction) -> Fraction:
    """Return ω_d = 2π/d·ω_{d-2}, ω_0 = 1, ω_1 = 2, which increases with π.

    Raises:
        ValueError: If the dimension is negative.
    """
    if dimension < 0:
        raise ValueError(f"a dimension cannot be negative: {dimension}")
    volume = Fraction(1 + dimension % 2)
    for d in range(2 + dimension % 2, dimension + 1, 2):
        volume *= 2 * pi / d
    return volume


def log10_below(value: Fraction) -> float:
    """Return a float at most log10 of a positive rational, within 1e-9 of it (relatively, for large ones).

    Raises:
        ValueError: If the value is not positive.
    """
    if value <= 0:
        raise ValueError(f"no logarithm of {value}")
    # math.log10 of an integer of any length is right to a few units in the last place; 1e-10 exceeds that amply.
    logarithm = math.log10(value.numerator) - math.log10(value.denominator)
    size = math.log10(value.numerator) + math.log10(value.denominator)
    return logarithm - 1e-10 * (1 + abs(size))
