"""Tails of series with coefficients in closed form: g(a x + b) for exp, sin, cos, sinh, cosh, log and powers.

Each is a sum of |c_k| R^k, term by term as far as it matters, then a geometric series (``analytic.explicit-tail``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp
from flint import arb, ctx

from theory.evaluate import as_ball, upper
from theory.symbols import X

__all__ = ["KnownTerms", "explicit_tail", "known_terms"]

_PRECISION = 128
_MOST_TERMS = 5000
_EXPONENTIALS: dict[type[sp.Function], tuple[Callable[[arb], arb], Callable[[arb], arb]]] = {
    sp.exp: (arb.exp, arb.exp),
    sp.sin: (arb.sin, arb.cos),
    sp.cos: (arb.cos, arb.sin),
    sp.sinh: (arb.sinh, arb.cosh),
    sp.cosh: (arb.cosh, arb.sinh),
}


@dataclass(frozen=True)
class KnownTerms:
    """The terms |c_k| R^k of a series from k = 0 on, and how fast they fall.

    Attributes:
        first: The term k = 0 without its weight.
        step: (k) -> a bound on the factor from term k to term k + 1, weights apart.
        slowest: (k) -> a bound on ``step`` at k and everywhere after, or None where none holds yet.
        weight: (k) -> what multiplies term k (sin and cos: the derivative's size at the centre).
        heaviest: A bound on every weight.
    """

    first: arb
    step: Callable[[int], arb]
    slowest: Callable[[int], arb | None]
    weight: Callable[[int], arb] = lambda k: arb(1)
    heaviest: arb = arb(1)  # noqa: RUF009 - a constant ball


def explicit_tail(expression: sp.Expr, centre: Fraction, radius: Fraction, degree: int) -> Fraction | None:
    """Return a bound on sum_{k > degree} |c_k| R^k from closed-form coefficients; None for other functions.

    Args:
        expression: A formula in X.
        centre: Where it is expanded.
        radius: R.
        degree: The last term kept.
    """
    with ctx.workprec(_PRECISION):
        terms = known_terms(expression, centre, radius)
        if terms is None:
            return None
        term, total = terms.first, arb(0)
        for k in range(_MOST_TERMS):
            if k > degree:
                ratio = terms.slowest(k)
                if ratio is not None and ratio < 1:
                    rest = terms.heaviest * term / (1 - ratio)
                    if rest < total * arb(2) ** -40 or k == _MOST_TERMS - 1:
                        return upper(total + rest)
                total += terms.weight(k) * term
            term *= terms.step(k)
    return None


def known_terms(expression: sp.Expr, centre: Fraction, radius: Fraction) -> KnownTerms | None:
    """Return the series of ``factor * g(a x + b)`` about the centre, or None if the formula is not of that kind."""
    factor, rest = expression.as_coeff_Mul()
    inner, power = (rest.args[0], None) if isinstance(rest, sp.Function) else rest.as_base_exp()
    line = _line(inner)
    if line is None or not factor.is_Rational:
        return None
    scale = abs(as_ball(Fraction(int(factor.p), int(factor.q))))
    base, reach = line[0] * centre + line[1], abs(line[0]) * radius
    if isinstance(rest, sp.Function) and rest.func in _EXPONENTIALS:
        return _exponential(rest.func, scale, as_ball(base), as_ball(reach))
    if base <= 0 or reach >= base:
        return None
    ratio = as_ball(reach / base)
    if rest.func is sp.log:
        return _logarithm(scale, as_ball(base), ratio)
    if power is not None and power.is_Rational and not (power.is_Integer and power >= 0):
        return _binomial(scale, as_ball(base), Fraction(int(power.p), int(power.q)), ratio)
    return None


def _line(inner: sp.Expr) -> tuple[Fraction, Fraction] | None:
    """Return the rationals a, b of a x + b, a != 0."""
    if not inner.has(X) or not inner.is_polynomial(X):
        return None
    coefficients = sp.Poly(inner, X).all_coeffs()
    if len(coefficients) != 2 or not all(c.is_Rational for c in coefficients):
        return None
    slope, offset = (Fraction(int(c.p), int(c.q)) for c in coefficients)
    return slope, offset


def _exponential(function: type[sp.Function], scale: arb, base: arb, reach: arb) -> KnownTerms:
    sizes = [abs(derivative(base)) for derivative in _EXPONENTIALS[function]]
    return KnownTerms(
        first=scale,
        step=lambda k: reach / (k + 1),
        slowest=lambda k: reach / (k + 1),
        weight=lambda k: sizes[k % 2],
        heaviest=sizes[0].max(sizes[1]),
    )


def _logarithm(scale: arb, base: arb, ratio: arb) -> KnownTerms:
    # c_0 = log(base) stands apart from ratio^k/k; as a first term of 1 with weight |log base| it is one series.
    return KnownTerms(
        first=scale,
        step=lambda k: ratio * k / (k + 1) if k else ratio,
        slowest=lambda k: ratio,
        weight=lambda k: arb(1) if k else abs(base.log()),
    )


def _binomial(scale: arb, base: arb, power: Fraction, ratio: arb) -> KnownTerms:
    def step(k: int) -> arb:
        return ratio * as_ball(abs(power - k) / (k + 1))

    def slowest(k: int) -> arb | None:
        # (k - p)/(k + 1) rises to 1 for p > -1 and falls to 1 for p < -1.
        return ratio * as_ball(max(Fraction(1), (k - power) / (k + 1))) if k >= power else None

    return KnownTerms(first=scale * base ** as_ball(power), step=step, slowest=slowest)
