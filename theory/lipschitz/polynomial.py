"""Polynomials in two variables with non-negative rational coefficients, closed under what certificates need.

Non-negative coefficients make them increasing on [0, ∞)², so a bound can be substituted for a variable. Coefficients
are rounded up once they get long: every polynomial here is meant as an upper bound.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from theory.lipschitz.rounding import round_up

if TYPE_CHECKING:
    import sympy as sp

__all__ = ["Majorant", "short_text"]

#: Factors with more pairs of terms than this are collapsed to three terms each (``Majorant.collapsed``) first.
MOST_PAIRS = 100_000


@dataclass(frozen=True)
class Majorant:
    """A polynomial P(s, t) = Σ a_ij s^i t^j with a_ij > 0.

    Attributes:
        terms: The pairs ((i, j), a_ij), sorted by exponents, without zeros.

    Raises:
        ValueError: If a coefficient is not positive, an exponent is negative, or the terms are unsorted or repeat.
    """

    terms: tuple[tuple[tuple[int, int], Fraction], ...]

    def __post_init__(self) -> None:
        exponents = [exponent for exponent, _ in self.terms]
        if exponents != sorted(set(exponents)) or any(min(pair) < 0 for pair in exponents):
            raise ValueError(f"exponents must be sorted, distinct and non-negative: {exponents}")
        if any(not isinstance(a, Fraction) or a <= 0 for _, a in self.terms):
            raise ValueError("coefficients must be positive Fractions; leave zeros out")

    @classmethod
    def of(cls, coefficients: Mapping[tuple[int, int], Fraction | int]) -> Majorant:
        """Return the polynomial with these coefficients; zeros are dropped and long ones rounded up."""
        return cls(tuple((e, round_up(Fraction(a))) for e, a in sorted(coefficients.items()) if a != 0))

    @classmethod
    def constant(cls, value: Fraction | int) -> Majorant:
        """Return the constant polynomial of a non-negative value."""
        return cls.of({(0, 0): Fraction(value)})

    @classmethod
    def in_s(cls, coefficients: Iterable[Fraction | int]) -> Majorant:
        """Return Σ a_i s^i, coefficients in ascending order."""
        return cls.of({(i, 0): Fraction(a) for i, a in enumerate(coefficients)})

    @property
    def degree(self) -> int:
        """The total degree (0 for the zero polynomial)."""
        return max((i + j for (i, j), _ in self.terms), default=0)

    @property
    def is_constant(self) -> bool:
        """Whether neither variable occurs."""
        return self.degree == 0

    def __add__(self, other: Majorant) -> Majorant:
        total: defaultdict[tuple[int, int], Fraction] = defaultdict(Fraction)
        for exponent, a in (*self.terms, *other.terms):
            total[exponent] += a
        return Majorant.of(total)

    def __mul__(self, other: Majorant | Fraction | int) -> Majorant:
        if not isinstance(other, Majorant):
            return Majorant.of({e: a * other for e, a in self.terms})
        left, right = self, other
        if len(left.terms) * len(right.terms) > MOST_PAIRS:
            left, right = left.collapsed(), right.collapsed()
        total: defaultdict[tuple[int, int], Fraction] = defaultdict(Fraction)
        for (i, j), a in left.terms:
            for (p, q), b in right.terms:
                total[i + p, j + q] += a * b
        return Majorant.of(total)

    __rmul__ = __mul__

    def __call__(self, s: Fraction | int, t: Fraction | int = 0) -> Fraction:
        """Return the exact value at rationals s, t >= 0."""
        return sum((a * Fraction(s) ** i * Fraction(t) ** j for (i, j), a in self.terms), Fraction(0))

    def swapped(self) -> Majorant:
        """Return P(t, s)."""
        return Majorant.of({(j, i): a for (i, j), a in self.terms})

    def at_t_zero(self) -> Majorant:
        """Return P(s, 0)."""
        return Majorant.of({(i, 0): a for (i, j), a in self.terms if j == 0})

    def substitute(self, in_s: Majorant, in_t: Majorant) -> Majorant:
        """Return P(in_s, in_t); both arguments may use both variables."""
        powers_s, powers_t = [Majorant.constant(1)], [Majorant.constant(1)]
        for powers, base, most in ((powers_s, in_s, 0), (powers_t, in_t, 1)):
            for _ in range(max((e[most] for e, _ in self.terms), default=0)):
                powers.append(powers[-1] * base)
        total = Majorant(())
        for (i, j), a in self.terms:
            total = total + powers_s[i] * powers_t[j] * a
        return total

    def collapsed(self) -> Majorant:
        """Return P(1, 1)·(1 + s^d + t^d), d the degree: at least P on [0, ∞)², since s^i t^j <= max(1, s, t)^d."""
        if self.is_constant:
            return self
        top = self(1, 1)
        return Majorant.of({(0, 0): top, (self.degree, 0): top, (0, self.degree): top})

    def expression(self) -> sp.Expr:
        """Return the polynomial as a SymPy expression in ``theory.symbols.xi`` (s) and ``zeta`` (t)."""
        import sympy as sp

        from theory.symbols import xi, zeta

        return sp.Add(*(sp.Rational(a.numerator, a.denominator) * xi**i * zeta**j for (i, j), a in self.terms))

    def __str__(self) -> str:
        return " + ".join(_term(i, j, a) for (i, j), a in self.terms) or "0"


def _term(i: int, j: int, a: Fraction) -> str:
    factors = [f"{name}^{power}" if power > 1 else name for name, power in (("s", i), ("t", j)) if power]
    return "·".join([short_text(a), *factors])


def short_text(a: Fraction) -> str:
    """Return a non-negative rational to six digits; past float's range the power of two above it."""
    if a.denominator == 1 and a < 10**6:
        return str(a)
    return f"{float(a):.6g}" if a < 10**300 else f"2^{a.numerator.bit_length() - a.denominator.bit_length() + 1}"
