"""Exact power series at one point, to decide to which order a numerator and a denominator vanish there.

Coefficients are SymPy constants. That one is zero is proved by SymPy reducing it to zero, that it is not by a ball.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import sympy as sp
from flint import acb, arb, ctx, fmpq

from theory.roots import cos_root_coefficients
from theory.tape import Node, Tape

__all__ = ["MAX_ORDER", "constant_ball", "exact_series", "guard_vanishes", "order_of_vanishing"]

_Series = list[sp.Expr]
_Function = Callable[[sp.Expr], sp.Expr]
#: Orders beyond this are not looked for: no coefficient up to it is non-zero.
MAX_ORDER = 24


class _Undecided(Exception):
    """A coefficient that could be shown neither to vanish nor not to."""


def order_of_vanishing(tape: Tape, node: int, place: sp.Expr, *, most: int = MAX_ORDER) -> int | None:
    """Return the order to which a node vanishes at an exact point (``most`` or more counts as ``most``).

    Returns None where that cannot be decided, because the node is singular there or a coefficient resists.
    """
    length = min(4, most)
    while (series := exact_series(tape, node, place, length)) is not None:
        try:
            order = _leading(series)
        except _Undecided:
            return None
        if order is not None or length == most:
            return most if order is None else order
        length = min(2 * length, most)
    return None


def exact_series(tape: Tape, node: int, place: sp.Expr, length: int) -> list[sp.Expr] | None:
    """Return the first Taylor coefficients of a node at a point, exactly; None at a singularity or where undecided.

    Removable singularities are divided out. The point is any SymPy constant, complex ones included.
    """
    needed, extra = tape.needed([node]), 0
    while extra <= 2 * MAX_ORDER:
        values: dict[int, _Series] = {}
        try:
            for index in needed:
                item = tape.nodes[index]
                values[index] = _operate(item, [values[arg] for arg in item.args], place, length + extra)
        except _Undecided:
            return None
        if len(values[node]) >= length:
            return values[node][:length]
        # A division by a zero of order k uses up k coefficients.
        extra += max(length - len(values[node]), 1)
    return None


def _operate(node: Node, args: list[_Series], place: sp.Expr, length: int) -> _Series:
    match node.op:
        case "const":
            return [node.value] + [sp.Integer(0)] * (length - 1)
        case "var":
            return [place, sp.Integer(1), *[sp.Integer(0)] * (length - 2)][:length]
        case "add":
            return [sp.Add(*terms) for terms in zip(*args, strict=False)]
        case "mul":
            return _times(args[0], args[1])
        case "div":
            return _divide(args[0], args[1])
        case "ipow":
            result = args[0]
            for bit in bin(int(node.value or 0))[3:]:
                result = _times(result, result)
                result = _times(result, args[0]) if bit == "1" else result
            return result
        case "sqrt" | "rsqrt":
            return _power(args[0], sp.Rational(1 if node.op == "sqrt" else -1, 2))
    return _FUNCTIONS[node.op](args[0])


def _times(left: _Series, right: _Series) -> _Series:
    length = min(len(left), len(right))
    return [
        _tidy(sp.Add(*[left[j] * right[k - j] for j in range(k + 1) if left[j] != 0 and right[k - j] != 0]))
        for k in range(length)
    ]


def _divide(top: _Series, bottom: _Series) -> _Series:
    order = _leading(bottom)
    if order is None or any(_is_zero(c) is not True for c in top[:order]):
        raise _Undecided
    top, bottom = top[order:], bottom[order:]
    result: _Series = []
    for k in range(min(len(top), len(bottom))):
        known = sp.Add(*[result[j] * bottom[k - j] for j in range(k) if bottom[k - j] != 0])
        result.append(_tidy((top[k] - known) / bottom[0]))
    return result


def _power(base: _Series, power: sp.Rational) -> _Series:
    """Return u^p through u (u^p)' = p u' u^p (Miller's recursion).

    Raises:
        _Undecided: If u vanishes at the point, or may do so.
    """
    if _is_zero(base[0]) is not False:
        raise _Undecided
    result = [base[0] ** power]
    for k in range(1, len(base)):
        terms = [(power * j - (k - j)) * base[j] * result[k - j] for j in range(1, k + 1) if base[j] != 0]
        result.append(_tidy(sp.Add(*terms) / (k * base[0])))
    return result


def _exp(inner: _Series) -> _Series:
    result = [sp.exp(inner[0])]
    for k in range(1, len(inner)):
        result.append(_tidy(sp.Add(*[j * inner[j] * result[k - j] for j in range(1, k + 1) if inner[j] != 0]) / k))
    return result


def _pair(inner: _Series, even: _Function, odd: _Function, sign: int) -> tuple[_Series, _Series]:
    """The even and odd function E, O with E' = sign O u' and O' = E u', such as cosine and sine."""
    evens, odds = [even(inner[0])], [odd(inner[0])]
    for k in range(1, len(inner)):
        steps = [(j, inner[j]) for j in range(1, k + 1) if inner[j] != 0]
        new_even = sign * sp.Add(*[j * c * odds[k - j] for j, c in steps]) / k
        odds.append(_tidy(sp.Add(*[j * c * evens[k - j] for j, c in steps]) / k))
        evens.append(_tidy(new_even))
    return evens, odds


def _integral(value: sp.Expr, inner: _Series, slope: _Series) -> _Series:
    """Start at a value and integrate u' times a slope."""
    derivative = [k * c for k, c in enumerate(inner)][1:]
    return [value, *[_tidy(c / (k + 1)) for k, c in enumerate(_times(derivative, slope))]]


def _one_with(inner: _Series, sign: int) -> _Series:
    """1 + sign u^2."""
    square = [sign * c for c in _times(inner, inner)]
    return [1 + square[0], *square[1:]]


def _shifted(inner: _Series, by: int) -> _Series:
    return [inner[0] + by, *inner[1:]]


def _compose(outer: _Series, inner: _Series) -> _Series:
    """The series sum outer_k (u - u_0)^k."""
    step = [sp.Integer(0), *inner[1:]]
    result = [outer[-1]] + [sp.Integer(0)] * (len(inner) - 1)
    for value in reversed(outer[:-1]):
        result = _times(result, step)
        result[0] += value
    return result


def _sinc_root(inner: _Series) -> _Series:
    outer = cos_root_coefficients(inner[0], len(inner) + 1)
    return _compose([-2 * (k + 1) * outer[k + 1] for k in range(len(inner))], inner)


_HALF = sp.Rational(-1, 2)
_FUNCTIONS: dict[str, Callable[[_Series], _Series]] = {
    "exp": _exp,
    "log": lambda u: _integral(sp.log(u[0]), u, _power(u, sp.Integer(-1))),
    "sin": lambda u: _pair(u, sp.cos, sp.sin, -1)[1],
    "cos": lambda u: _pair(u, sp.cos, sp.sin, -1)[0],
    "sinh": lambda u: _pair(u, sp.cosh, sp.sinh, 1)[1],
    "cosh": lambda u: _pair(u, sp.cosh, sp.sinh, 1)[0],
    "cosroot": lambda u: _compose(cos_root_coefficients(u[0], len(u)), u),
    "sincroot": _sinc_root,
    "asin": lambda u: _integral(sp.asin(u[0]), u, _power(_one_with(u, -1), _HALF)),
    "acos": lambda u: _integral(sp.acos(u[0]), u, [-c for c in _power(_one_with(u, -1), _HALF)]),
    "atan": lambda u: _integral(sp.atan(u[0]), u, _power(_one_with(u, 1), sp.Integer(-1))),
    "asinh": lambda u: _integral(sp.asinh(u[0]), u, _power(_one_with(u, 1), _HALF)),
    "atanh": lambda u: _integral(sp.atanh(u[0]), u, _power(_one_with(u, -1), sp.Integer(-1))),
    "acosh": lambda u: _integral(
        sp.acosh(u[0]), u, _times(_power(_shifted(u, -1), _HALF), _power(_shifted(u, 1), _HALF))
    ),
}


def _leading(series: _Series) -> int | None:
    """Return the index of the first coefficient that is not zero; None if all are.

    Raises:
        _Undecided: If a coefficient before it resists.
    """
    for k, value in enumerate(series):
        match _is_zero(value):
            case False:
                return k
            case None:
                raise _Undecided
    return None


def _tidy(value: sp.Expr) -> sp.Expr:
    return value if value.is_Rational else sp.expand(value)


def _is_zero(value: sp.Expr) -> bool | None:
    """Whether a constant is zero: proved so by SymPy, proved not so by a ball, or None."""
    if value.is_Rational:
        return bool(value == 0)
    with ctx.workprec(256):
        ball = constant_ball(value)
    if ball is None:
        return None
    if not ball.contains(0):
        return False
    for reduce in (sp.expand, sp.radsimp, sp.simplify):
        if reduce(value) == 0:
            return True
    return None


def constant_ball(value: sp.Expr) -> acb | None:
    """Return a ball around a constant, complex ones included, at the working precision; None if it has no value."""
    match value:
        case sp.Rational():
            return acb(arb(fmpq(int(value.p), int(value.q))))
        case _ if value in _NUMBERS:
            return _NUMBERS[value]()
        case sp.Add() | sp.Mul() | sp.Pow() | sp.Function():
            args = [constant_ball(arg) for arg in value.args]
            known = [arg for arg in args if arg is not None and arg.is_finite()]
            if len(known) < len(args):
                return None
            if isinstance(value, sp.Add):
                return sum(known[1:], known[0])
            if isinstance(value, sp.Mul):
                return prod(known[1:], start=known[0])
            if isinstance(value, sp.Pow):
                return known[0] ** known[1]
            method = getattr(acb, value.func.__name__, None)
            return None if method is None or len(known) != 1 else method(known[0])
    return None


_NUMBERS: dict[sp.Expr, Callable[[], acb]] = {sp.pi: acb.pi, sp.E: lambda: acb(1).exp(), sp.I: lambda: acb(0, 1)}


def guard_vanishes(op: str, argument: sp.Expr) -> bool:
    """Return whether a branch's argument is exactly at its branch point: 0, or +-1, or +-i."""
    match op:
        case "log" | "sqrt" | "rsqrt":
            return _is_zero(argument) is True
        case "atan" | "asinh":
            return _is_zero(sp.expand(1 + argument**2)) is True
        case "acosh":
            return _is_zero(argument - 1) is True
    return _is_zero(sp.expand(1 - argument**2)) is True
