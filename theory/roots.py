"""cos(sqrt(u)) and sin(sqrt(u))/sqrt(u) are entire in u: a square root inside an even function is no branch point.

C(u) = cos(sqrt(u)) solves 4u C'' + 2C' + C = 0, and sin(sqrt(u))/sqrt(u) = -2C'(u). Formulas are rewritten in these two
where a sine, cosine or tangent, circular or hyperbolic, has a half-integer power as a factor of its argument.
"""

from __future__ import annotations

import sympy as sp
from flint import acb, acb_series, arb

from theory.symbols import X

__all__ = ["CosRoot", "SincRoot", "cos_root", "cos_root_coefficients", "sinc_root", "without_roots"]


class CosRoot(sp.Function):
    """cos(sqrt(u)), entire in u."""


class SincRoot(sp.Function):
    """sin(sqrt(u))/sqrt(u), entire in u."""


def without_roots(expression: sp.Expr) -> sp.Expr:
    """Return the formula with square roots inside even functions removed; equal wherever the original has a value."""
    return expression.replace(_has_root, _rewritten)


def _has_root(node: sp.Basic) -> bool:
    if not isinstance(node, (sp.sin, sp.cos, sp.tan, sp.sinh, sp.cosh, sp.tanh)):
        return False
    powers = [factor for factor in sp.Mul.make_args(node.args[0]) if isinstance(factor, sp.Pow) and factor.base.has(X)]
    return any(factor.exp.is_Rational and factor.exp.q == 2 for factor in powers)


def _rewritten(node: sp.Expr) -> sp.Expr:
    inner = node.args[0]
    # Hyperbolic functions are circular ones of i times the argument.
    square = inner**2 if isinstance(node, (sp.sin, sp.cos, sp.tan)) else -(inner**2)
    if isinstance(node, (sp.cos, sp.cosh)):
        return CosRoot(square)
    sine = inner * SincRoot(square)
    return sine if isinstance(node, (sp.sin, sp.sinh)) else sine / CosRoot(square)


def cos_root(inner: acb_series, length: int) -> acb_series:
    """Return the series of cos(sqrt(u)) for a series u, from its coefficients over the ball u_0."""
    return _composed(_coefficients(inner[0], length), inner)


def sinc_root(inner: acb_series, length: int) -> acb_series:
    """Return the series of sin(sqrt(u))/sqrt(u)."""
    outer = _coefficients(inner[0], length + 1)
    return _composed([-2 * (k + 1) * outer[k + 1] for k in range(length)], inner)


def _composed(outer: list[acb], inner: acb_series) -> acb_series:
    """Return the sum of outer_k (u - u_0)^k; u - u_0 is written down, as a ball minus itself is not zero."""
    step = acb_series([0, *inner.coeffs()[1:]], inner.prec)
    # flint does not compose with the zero series.
    return acb_series(outer)(step) if step.length() else acb_series(outer[:1], inner.prec)


def _coefficients(at: acb, length: int) -> list[acb]:
    """C^(k)/k! = (-1/4)^k/(k! (1/2)_k) 0F1(; k + 1/2; -u/4)."""
    found, weight = [], arb(1)
    for k in range(length):
        half = arb(2 * k + 1) / 2
        found.append((-at / 4).hypgeom_0f1(half) * weight)
        weight = -weight / (4 * (k + 1) * half)
    return found


def cos_root_coefficients(at: sp.Expr, length: int) -> list[sp.Expr]:
    """Return the Taylor coefficients of C at an exact point, by its differential equation."""
    if at == 0:
        return [sp.Integer(-1) ** k / sp.factorial(2 * k) for k in range(length)]
    root = sp.sqrt(at)
    found = [sp.cos(root), -sp.sin(root) / (2 * root)]
    for k in range(length - 2):
        found.append(-((4 * k + 2) * (k + 1) * found[k + 1] + found[k]) / (4 * at * (k + 2) * (k + 1)))
    return found[:length]
