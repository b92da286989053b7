"""The certificate of a polynomially Lipschitz map: a polynomial, an exponent, and a bound on the map itself.

A map g is certified by (P, c, g0) when for all x, y

    ‖g(x) - g(y)‖ <= P(‖x‖, ‖y‖)·‖x - y‖^c    and    ‖g(0)‖ <= g0.

**Norm.** Every norm here is the Euclidean norm of the flattened vector (for a matrix or a sequence: Frobenius).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from theory.lipschitz.polynomial import Majorant, short_text
from theory.lipschitz.rounding import power_up, round_up

__all__ = ["Certificate"]


@dataclass(frozen=True)
class Certificate:
    """What is certified of a map g (see the module's text for the inequality and the norm).

    Attributes:
        modulus: P, non-negative coefficients, in s = ‖x‖ and t = ‖y‖.
        exponent: c, 0 < c <= 1.
        at_zero: g0, an upper bound of ‖g(0)‖.
        known_growth: A polynomial G in s alone with ‖g(x)‖ <= G(‖x‖), where one is known that does not come from P:
            tanh is bounded by √d, attention grows linearly although its P is quadratic. None otherwise.

    Raises:
        ValueError: If the exponent is outside (0, 1], ``at_zero`` is negative, or ``known_growth`` uses t.
    """

    modulus: Majorant
    exponent: Fraction
    at_zero: Fraction
    known_growth: Majorant | None = None

    def __post_init__(self) -> None:
        if not 0 < self.exponent <= 1:
            raise ValueError(f"the exponent must lie in (0, 1], not {self.exponent}")
        if self.at_zero < 0:
            raise ValueError(f"a bound on a norm cannot be negative: {self.at_zero}")
        if self.known_growth is not None and any(j for (_, j), _ in self.known_growth.terms):
            raise ValueError("the growth is a polynomial in s alone")

    @classmethod
    def lipschitz(
        cls, constant: Fraction | int, at_zero: Fraction | int = 0, bounded_by: Fraction | int | None = None
    ) -> Certificate:
        """Return the certificate of a Lipschitz map: c = 1, P constant, ‖g‖ <= ``bounded_by`` where given."""
        growth = None if bounded_by is None else Majorant.constant(bounded_by)
        return cls(Majorant.constant(constant), Fraction(1), round_up(Fraction(at_zero)), growth)

    @classmethod
    def identity(cls) -> Certificate:
        """Return the certificate of x ↦ x, and of every map that only moves entries about."""
        return cls.lipschitz(1)

    @property
    def growth(self) -> Majorant:
        """G with ‖g(x)‖ <= G(‖x‖): the known one, else the one derived (theorem ``lipschitz.growth``)."""
        return self.derived_growth if self.known_growth is None else self.known_growth

    @property
    def derived_growth(self) -> Majorant:
        """The growth g0 + P(s, 0)·s^c, with s^c <= 1 + s where c < 1, that follows from P and g0 alone."""
        factor = Majorant.in_s([0, 1]) if self.exponent == 1 else Majorant.in_s([1, 1])
        return Majorant.constant(self.at_zero) + self.modulus.at_t_zero() * factor

    def bound_on_ball(self, radius: Fraction | int) -> Fraction:
        """Return a rational that ‖g(x)‖ does not exceed for ‖x‖ <= radius (Lemma 3.4, with its number)."""
        radius = _radius(radius)
        derived = self.at_zero + self.modulus(radius, 0) * power_up(radius, self.exponent)
        return derived if self.known_growth is None else min(derived, self.known_growth(radius))

    def constant_on_ball(self, radius: Fraction | int) -> Fraction:
        """Return L with ‖g(x) - g(y)‖ <= L·‖x - y‖^c for ‖x‖, ‖y‖ <= radius."""
        radius = _radius(radius)
        return self.modulus(radius, radius)

    def difference_bound(self, x_norm: Fraction, y_norm: Fraction, distance: Fraction) -> Fraction:
        """Return the right-hand side P(s, t)·d^c at upper bounds of ‖x‖, ‖y‖ and ‖x - y‖."""
        return self.modulus(x_norm, y_norm) * power_up(distance, self.exponent)

    def __str__(self) -> str:
        power = "" if self.exponent == 1 else f"^({self.exponent})"
        return f"‖g(x) - g(y)‖ <= ({self.modulus})·‖x - y‖{power}, ‖g(0)‖ <= {short_text(self.at_zero)}"


def _radius(radius: Fraction | int) -> Fraction:
    if radius < 0:
        raise ValueError(f"a radius cannot be negative: {radius}")
    return Fraction(radius)
