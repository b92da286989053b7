"""Short dyadic numbers ``mantissa * 2^exponent``: the scales and offsets of a network, exact in float64 and in balls.

Exponents may be huge (e^(10^6) is a range some route asks for), so a Dyadic turns into a Fraction only on request.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from flint import arb

from theory.evaluate import Number, as_ball

__all__ = ["Dyadic", "dyadic_above", "dyadic_below", "fits_float64"]


@dataclass(frozen=True)
class Dyadic:
    """The number ``mantissa * 2^exponent``; normalised so that equal numbers compare equal.

    Raises:
        ValueError: If the mantissa is even and not zero, or zero with an exponent.
    """

    mantissa: int
    exponent: int

    def __post_init__(self) -> None:
        if self.mantissa % 2 == 0 and (self.mantissa, self.exponent) != (0, 0):
            raise ValueError("a Dyadic has an odd mantissa, or is zero")

    @classmethod
    def of(cls, mantissa: int, exponent: int) -> Dyadic:
        """Return the normalised number."""
        if mantissa == 0:
            return cls(0, 0)
        shift = (mantissa & -mantissa).bit_length() - 1
        return cls(mantissa >> shift, exponent + shift)

    @cached_property
    def ball(self) -> arb:
        """The number as an exact ball."""
        return arb((self.mantissa, self.exponent))

    @property
    def fraction(self) -> Fraction:
        """The number as a Fraction."""
        return Fraction(self.mantissa) * Fraction(2) ** self.exponent

    def __str__(self) -> str:
        return str(self.fraction)


def dyadic_above(value: Number, bits: int) -> Dyadic:
    """Return the smallest Dyadic of at most ``bits`` bits (up to one unit) that is >= the value."""
    mantissa, exponent = as_ball(value).upper().man_exp()
    return _shorten(int(mantissa), int(exponent), bits, up=True)


def dyadic_below(value: Number, bits: int) -> Dyadic:
    """Return the largest Dyadic of at most ``bits`` bits (up to one unit) that is <= the value."""
    mantissa, exponent = as_ball(value).lower().man_exp()
    return _shorten(int(mantissa), int(exponent), bits, up=False)


def _shorten(mantissa: int, exponent: int, bits: int, *, up: bool) -> Dyadic:
    excess = abs(mantissa).bit_length() - bits
    if excess > 0:
        mantissa = -((-mantissa) >> excess) if up else mantissa >> excess
        exponent += excess
    return Dyadic.of(mantissa, exponent)


def fits_float64(value: Fraction) -> bool:
    """Return whether the rational is a float64 exactly."""
    try:
        return Fraction(float(value)) == value
    except OverflowError:
        return False
