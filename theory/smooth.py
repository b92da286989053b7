"""A smooth function of one real variable with its first derivatives, enclosed in balls over a point or an interval.

Planning reads floats off narrow balls; every bound is a ball. A user's expression is walked once into operations on
truncated power series, so value and derivatives come from the same evaluation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal

import sympy as sp
from flint import arb, arb_series, ctx, fmpq

from theory.errors import BadInput
from theory.evaluate import Number, as_ball

__all__ = ["PRECISION", "Parity", "Smooth", "as_fraction", "hull"]

#: Bits of every certified evaluation: errors of 1e-12 relative to values near 1 keep 24 digits.
PRECISION = 128
_ORDER = 4
#: How a function behaves under x -> -x.
Parity = Literal["none", "even", "odd"]
_Series = Callable[[arb_series], arb_series]

_UNARY: dict[type[sp.Function], _Series] = {
    sp.exp: arb_series.exp,
    sp.log: arb_series.log,
    sp.sin: arb_series.sin,
    sp.cos: arb_series.cos,
    sp.tan: arb_series.tan,
    sp.asin: arb_series.asin,
    sp.acos: arb_series.acos,
    sp.atan: arb_series.atan,
    sp.sinh: lambda v: (v.exp() - (-v).exp()) / 2,
    sp.cosh: lambda v: (v.exp() + (-v).exp()) / 2,
    sp.tanh: lambda v: 1 - 2 / ((2 * v).exp() + 1),
    sp.asinh: lambda v: (v + (v * v + 1).sqrt()).log(),
    sp.acosh: lambda v: (v + (v * v - 1).sqrt()).log(),
    sp.atanh: lambda v: ((1 + v) / (1 - v)).log() / 2,
}


@dataclass(frozen=True)
class Smooth:
    """A formula in one variable, as a function with three derivatives.

    Attributes:
        expression: A SymPy expression with one free symbol (or none).

    Raises:
        BadInput: If the expression has several variables, or an operation without derivatives in balls.
    """

    expression: sp.Expr

    def __post_init__(self) -> None:
        if not isinstance(self.expression, sp.Expr) or len(self.expression.free_symbols) > 1:
            raise BadInput(f"a scalar function is an expression in one variable, not {self.expression}")
        _ = self._series

    @cached_property
    def _series(self) -> _Series:
        return _compiled(self.expression)

    def jet(self, at: Number) -> tuple[arb, ...]:
        """Return balls around f, f', f''/2 and f'''/6 at every point of ``at``, at flint's working precision.

        They are not finite where a division by zero is not ruled out.
        """
        before, ctx.cap = ctx.cap, _ORDER
        try:
            value = self._series(arb_series([as_ball(at), 1], _ORDER))
        except (ValueError, ZeroDivisionError):
            return (arb("nan"),) * _ORDER
        finally:
            ctx.cap = before
        return tuple(value[i] for i in range(_ORDER))

    def value(self, at: Number) -> arb:
        """Return a ball around f at every point of ``at``."""
        return self.jet(at)[0]

    def floats(self, at: float) -> tuple[float, float, float, float]:
        """Return f, f', f'' and f''' at a point, rounded: for planning, never for a bound."""
        with ctx.workprec(64):
            f, f1, f2, f3 = (float(c.mid()) for c in self.jet(arb(at)))
        return f, f1, 2 * f2, 6 * f3

    def parity(self, hi: float) -> Parity:
        """Return what samples on [-hi, hi] show: ``even``, ``odd`` or ``none``. Who folds certifies both halves."""
        pairs = [(self.floats(t)[0], self.floats(-t)[0]) for t in (hi * (i + 1) / 16 for i in range(16))]
        size = max(abs(value) for pair in pairs for value in pair)
        if all(abs(right - left) <= 1e-12 * size for right, left in pairs):
            return "even"
        return "odd" if all(abs(right + left) <= 1e-12 * size for right, left in pairs) else "none"

    def check(self, lo: Fraction, hi: Fraction, depth: int = 26) -> None:
        """Check that f and its first two derivatives are finite on [lo, hi].

        Raises:
            BadInput: If balls do not show it; the message says where.
        """
        todo = [(lo, hi, depth)]
        with ctx.workprec(PRECISION):
            while todo:
                a, b, left = todo.pop()
                if all(c.is_finite() for c in self.jet(hull(a, b))[:3]):
                    continue
                middle = (a + b) / 2
                if not left:
                    raise BadInput(
                        f"{self.expression} is not shown to be twice differentiable near {float(middle):.6g}: "
                        "choose an interval away from there"
                    )
                todo += [(a, middle, left - 1), (middle, b, left - 1)]


def hull(a: Fraction, b: Fraction) -> arb:
    """Return a ball that contains the interval [a, b]."""
    return as_ball(a).union(as_ball(b))


def as_fraction(value: float, bits: int = 53) -> Fraction:
    """Return a float rounded to ``bits`` significant bits, exactly as a rational: a short dyadic."""
    exact = Fraction(value)
    if not exact:
        return exact
    unit = Fraction(2) ** (abs(exact.numerator).bit_length() - exact.denominator.bit_length() - bits)
    return round(exact / unit) * unit


def _compiled(expression: sp.Expr) -> _Series:
    match expression:
        case sp.Rational():
            p, q = int(expression.p), int(expression.q)
            return lambda x: arb_series([arb(fmpq(p, q))], _ORDER)
        case sp.Symbol():
            return lambda x: x
        case sp.Add() | sp.Mul():
            parts = [_compiled(term) for term in expression.args]
            return _sum(parts) if isinstance(expression, sp.Add) else _product(parts)
        case sp.Pow(args=(base, power)):
            return _power(_compiled(base), power, expression)
        case _ if expression is sp.pi:
            return lambda x: arb_series([arb.pi()], _ORDER)
        case _ if expression is sp.E:
            return lambda x: arb_series([arb(1).exp()], _ORDER)
        case sp.Function() if expression.func in _UNARY:
            outer, inner = _UNARY[expression.func], _compiled(expression.args[0])
            return lambda x: outer(inner(x))
    raise BadInput(f"no derivatives in balls for {expression}: use powers, exp, log and trigonometric functions")


def _sum(parts: list[_Series]) -> _Series:
    def evaluate(x: arb_series) -> arb_series:
        total = parts[0](x)
        for part in parts[1:]:
            total = total + part(x)
        return total

    return evaluate


def _product(parts: list[_Series]) -> _Series:
    def evaluate(x: arb_series) -> arb_series:
        total = parts[0](x)
        for part in parts[1:]:
            total = total * part(x)
        return total

    return evaluate


def _whole_power(value: arb_series, exponent: int) -> arb_series:
    """Return an integer power by repeated squaring: the general power of a series takes a logarithm's time."""
    if exponent < 0:
        return 1 / _whole_power(value, -exponent)
    result = arb_series([1], _ORDER)
    while exponent:
        if exponent & 1:
            result = result * value
        value, exponent = value * value, exponent >> 1
    return result


def _power(base: _Series, power: sp.Expr, whole: sp.Expr) -> _Series:
    if isinstance(power, sp.Integer):
        exponent = int(power)
        return lambda x: _whole_power(base(x), exponent)
    if power == sp.Rational(1, 2):
        return lambda x: base(x).sqrt()
    if power == sp.Rational(-1, 2):
        return lambda x: base(x).rsqrt()
    if whole.args[0].is_positive or power.is_Rational:
        raised = _compiled(power)
        return lambda x: (base(x).log() * raised(x)).exp()
    raise BadInput(f"no derivatives in balls for {whole}: a real power needs a positive base")
