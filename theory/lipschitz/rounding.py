"""Rationals rounded upwards: roots that have no exact value, and numerators that would otherwise grow without end.

Standard library alone, so that a certificate can be computed where no ball arithmetic is installed.
"""

from __future__ import annotations

from fractions import Fraction

__all__ = ["power_up", "round_up", "sqrt_up"]

#: Significant bits kept: a certificate of a hundred layers then loses less than 1 part in 10^15.
BITS = 64


def round_up(value: Fraction, bits: int = BITS) -> Fraction:
    """Return a dyadic rational with at most ``bits`` significant bits that is >= ``value`` >= 0.

    A value that already is one, with a numerator and a denominator that short, comes back unchanged.

    Raises:
        ValueError: If the value is negative.
    """
    if value < 0:
        raise ValueError(f"only non-negative numbers are rounded up here, not {value}")
    if value == 0 or (value.numerator.bit_length() <= bits and value.denominator.bit_length() <= bits):
        return value
    shift = bits - 1 - (value.numerator.bit_length() - value.denominator.bit_length())
    scaled = value * Fraction(2) ** shift  # in (2^(bits-2), 2^bits)
    return Fraction(-(-scaled.numerator // scaled.denominator)) * Fraction(2) ** -shift


def sqrt_up(value: Fraction | int) -> Fraction:
    """Return a rational that is >= the square root of ``value`` >= 0, exact for squares of short rationals."""
    return power_up(Fraction(value), Fraction(1, 2))


def power_up(base: Fraction | int, exponent: Fraction | int) -> Fraction:
    """Return a rational that is >= ``base ** exponent``, for ``base`` >= 0 and a rational ``exponent`` >= 0.

    It is exact where the power is a rational with short numerator and denominator, and else within a relative 2^-62.

    Raises:
        ValueError: If base or exponent is negative.
    """
    base, exponent = Fraction(base), Fraction(exponent)
    if base < 0 or exponent < 0:
        raise ValueError(f"base and exponent must be non-negative, not {base} and {exponent}")
    power = base**exponent.numerator
    degree = exponent.denominator
    if degree == 1 or power in (0, 1):
        return round_up(power)
    numerator, denominator = _root_floor(power.numerator, degree), _root_floor(power.denominator, degree)
    if numerator**degree == power.numerator and denominator**degree == power.denominator:
        return round_up(Fraction(numerator, denominator))
    # Scale by 2^(degree * shift) so that the integer root has about BITS bits; its floor plus one lies above.
    magnitude = power.numerator.bit_length() - power.denominator.bit_length()
    shift = BITS + 1 - magnitude // degree
    scaled = power * Fraction(2) ** (degree * shift)
    root = _root_floor(scaled.numerator // scaled.denominator, degree) + 1
    return round_up(Fraction(root) * Fraction(2) ** -shift)


def _root_floor(value: int, degree: int) -> int:
    """Return the largest integer whose ``degree``-th power is at most ``value`` >= 0 (bisection on integers)."""
    low, high = 0, 1 << (value.bit_length() // degree + 1)
    while high - low > 1:
        middle = (low + high) // 2
        if middle**degree <= value:
            low = middle
        else:
            high = middle
    return low
