"""Power series with explicit coefficients and explicit tails: what is truncated, and by how much.

For f(c + z) = sum c_k z^k and ||B|| <= R inside the disc of convergence, ||f(cI + B) - T_q(B)|| <= sum_{k>q} |c_k| R^k
in any submultiplicative norm, normal matrix or not (theorem series.tail). Where the ratios |c_{k+1}| R / |c_k| never
exceed a number g < 1 beyond q, the tail is at most |c_{q+1}| R^(q+1) / (1 - g).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import factorial

from flint import arb

from theory.evaluate import as_ball

__all__ = ["SERIES", "Series"]


@dataclass(frozen=True)
class Series:
    """A power series: exact coefficients, and a bound on the ratio of neighbouring terms' coefficients.

    Attributes:
        name: Which function.
        coefficient: k -> c_k, exact.
        ratio: q -> sup over k > q of |c_{k+step} / c_k| (coefficients that are not zero).
        step: 1, or 2 for even and odd functions.
    """

    name: str
    coefficient: Callable[[int], Fraction]
    ratio: Callable[[int], Fraction]
    step: int = 1

    def coefficients(self, degree: int) -> list[Fraction]:
        """Return c_1, ..., c_degree."""
        return [self.coefficient(k) for k in range(1, degree + 1)]

    def tail(self, radius: arb, degree: int) -> arb:
        """Return a bound on ``sum_{k > degree} |c_k| R^k``; infinite where the ratio test does not close."""
        following = degree + 1
        while self.coefficient(following) == 0:
            following += 1
        growth = as_ball(self.ratio(degree)) * radius**self.step
        if not growth < 1:
            return arb.pos_inf()
        return as_ball(abs(self.coefficient(following))) * radius**following / (1 - growth)


def _binomial(power: Fraction, sign: int) -> Callable[[int], Fraction]:
    """Return the coefficients of (1 + sign z)^power; those asked for once are known from then on."""
    known = [Fraction(1)]

    def coefficient(k: int) -> Fraction:
        for i in range(len(known) - 1, k):
            known.append(known[i] * (power - i) / (i + 1) * sign)
        return known[k]

    return coefficient


def _alternating(k: int, offset: int) -> Fraction:
    if k % 2 != offset:
        return Fraction(0)
    return Fraction((-1) ** ((k - offset) // 2), factorial(k))


_ONE = Fraction(1)

#: The series of this library, by name. Ratios: for the binomial series (1 + z)^p, |p - k| / (k + 1) < 1 for
#: -1 <= p <= 1; for the logarithm k / (k + 1) < 1; geometric 1; sin and cos R^2 / ((k + 1)(k + 2)).
SERIES = {
    "sqrt": Series("sqrt", _binomial(Fraction(1, 2), 1), lambda q: _ONE),
    "inverse-sqrt": Series("inverse-sqrt", _binomial(Fraction(-1, 2), -1), lambda q: _ONE),
    "log": Series("log", lambda k: Fraction((-1) ** (k + 1), k) if k else Fraction(0), lambda q: _ONE),
    "geometric": Series("geometric", lambda k: _ONE, lambda q: _ONE),
    "cos": Series("cos", lambda k: _alternating(k, 0), lambda q: Fraction(1, (q + 2) * (q + 3)), 2),
    "sin": Series("sin", lambda k: _alternating(k, 1), lambda q: Fraction(1, (q + 2) * (q + 3)), 2),
}
