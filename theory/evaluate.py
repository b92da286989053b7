"""SymPy expression -> exact rational, or ball that encloses its value. Never ``lambdify``: it prints 1/3 as a float."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import reduce
from typing import TypeAlias

import sympy as sp
from flint import arb, ctx, fmpq

__all__ = ["as_ball", "ball", "decide", "exact", "fraction", "lower", "upper"]

Number: TypeAlias = int | Fraction | arb

_BALL_FUNCTIONS = {
    sp.exp: arb.exp,
    sp.log: arb.log,
    sp.sinh: arb.sinh,
    sp.cosh: arb.cosh,
    sp.sin: arb.sin,
    sp.cos: arb.cos,
    sp.Abs: arb.__abs__,
    sp.gamma: arb.gamma,
    sp.erf: arb.erf,
    sp.floor: arb.floor,
    sp.ceiling: arb.ceil,
}


def exact(expression: sp.Expr, values: Mapping[sp.Symbol, int | Fraction]) -> Fraction:
    """Return the exact value of a rational expression.

    Args:
        expression: Built from rationals, symbols, ``+ * / **`` with exponents of integer value, ``Max``, ``Min``.
        values: A rational for every free symbol.

    Raises:
        ValueError: If the expression has a node with no exact rational value (a symbol without one is a KeyError).
    """
    match expression:
        case sp.Rational():
            return Fraction(int(expression.p), int(expression.q))
        case sp.Symbol():
            return Fraction(values[expression])
        case sp.Add():
            return sum((exact(term, values) for term in expression.args), Fraction(0))
        case sp.Mul():
            return reduce(lambda acc, term: acc * exact(term, values), expression.args, Fraction(1))
        case sp.Pow(args=(base, power)) if (exponent := exact(power, values)).denominator == 1:
            return exact(base, values) ** int(exponent)
        case sp.Max():
            return max(exact(term, values) for term in expression.args)
        case sp.Min():
            return min(exact(term, values) for term in expression.args)
    raise ValueError(f"no exact rational value: {expression}")


def ball(expression: sp.Expr, values: Mapping[sp.Symbol, Number]) -> arb:
    """Return a ball that encloses the expression's value, at flint's current working precision.

    Raises:
        ValueError: If the expression has a node this evaluator does not know (a symbol without a value is a KeyError).
    """
    match expression:
        case sp.Rational():
            return arb(fmpq(int(expression.p), int(expression.q)))
        case sp.Symbol():
            return as_ball(values[expression])
        case sp.Add():
            return reduce(arb.__add__, (ball(term, values) for term in expression.args))
        case sp.Mul():
            return reduce(arb.__mul__, (ball(term, values) for term in expression.args))
        case sp.Pow(args=(base, sp.Integer() as power)):
            return ball(base, values) ** int(power)
        case sp.Pow(args=(base, power)) if power == sp.Rational(1, 2):
            return ball(base, values).sqrt()
        case sp.Pow(args=(base, power)) if power == sp.Rational(-1, 2):
            return ball(base, values).rsqrt()
        case sp.Pow(args=(base, power)):
            return ball(base, values) ** ball(power, values)
        case sp.Max():
            return reduce(arb.max, (ball(term, values) for term in expression.args))
        case sp.Min():
            return reduce(arb.min, (ball(term, values) for term in expression.args))
        case _ if expression is sp.pi:
            return arb.pi()
        case _ if expression is sp.E:
            return arb(1).exp()
        case sp.Function() if expression.func in _BALL_FUNCTIONS:
            return _BALL_FUNCTIONS[expression.func](ball(expression.args[0], values))
    raise ValueError(f"no ball for: {expression}")


def as_ball(value: Number) -> arb:
    """Return the value as a ball; a rational is enclosed, never rounded to a point."""
    if isinstance(value, arb):
        return value
    if isinstance(value, Fraction):
        return arb(fmpq(value.numerator, value.denominator))
    return arb(int(value))


def fraction(point: arb) -> Fraction:
    """Return an exact ball (radius zero) as a Fraction."""
    rational = point.fmpq()
    return Fraction(int(rational.p), int(rational.q))


def upper(value: Number, bits: int = 53) -> Fraction:
    """Return a dyadic rational of at most ``bits`` significant bits that is >= the value."""
    return _round(value, bits, up=True)


def lower(value: Number, bits: int = 53) -> Fraction:
    """Return a dyadic rational of at most ``bits`` significant bits that is <= the value."""
    return _round(value, bits, up=False)


def _round(value: Number, bits: int, *, up: bool) -> Fraction:
    if isinstance(value, arb):
        mantissa, exponent = (value.upper() if up else value.lower()).man_exp()
        mantissa, exponent = int(mantissa), int(exponent)
    else:
        number = Fraction(value)
        # Scale so that the quotient has `bits` bits or one more; the integer division below rounds the right way.
        shift = bits - (number.numerator.bit_length() - number.denominator.bit_length())
        scaled = number * Fraction(2) ** shift
        mantissa = -((-scaled.numerator) // scaled.denominator) if up else scaled.numerator // scaled.denominator
        exponent = -shift
    excess = abs(mantissa).bit_length() - bits
    if excess > 0:
        mantissa = -((-mantissa) >> excess) if up else mantissa >> excess
        exponent += excess
    return Fraction(mantissa) * Fraction(2) ** exponent


def decide(
    expression: sp.Rel, values: Mapping[sp.Symbol, Number], precisions: tuple[int, ...] = (64, 256, 1024)
) -> bool | None:
    """Decide an inequality at a point with balls: True, False, or None when no precision separates the two sides."""
    for precision in precisions:
        with ctx.workprec(precision):
            gap = ball(expression.gts - expression.lts, values)
            strict = isinstance(expression, (sp.StrictGreaterThan, sp.StrictLessThan))
            if gap > 0 or (not strict and gap >= 0):
                return True
            if gap < 0 or (strict and gap <= 0):
                return False
    return None
