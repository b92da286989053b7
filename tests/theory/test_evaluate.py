"""Exact values and balls of expressions: enclosures hold, roundings go the right way, nothing is guessed."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from theory.evaluate import as_ball, ball, decide, exact, fraction, lower, upper
from theory.symbols import N, m, w, x, y

RATIONAL = st.fractions(-100, 100, max_denominator=1000)
POSITIVE = st.fractions(Fraction(1, 1000), 100, max_denominator=1000)
EXPRESSIONS = st.recursive(
    st.sampled_from([x, y, sp.Rational(1, 3), sp.Integer(-2)]),
    lambda inner: st.builds(lambda p, q: p + q, inner, inner)
    | st.builds(lambda p, q: p * q, inner, inner)
    | st.builds(sp.Max, inner, inner)
    | st.builds(sp.Min, inner, inner)
    | st.builds(lambda p: p**2, inner),
    max_leaves=8,
)


def rational(value: Fraction) -> sp.Rational:
    return sp.Rational(value.numerator, value.denominator)


@given(EXPRESSIONS, RATIONAL, RATIONAL)
def test_exact_is_sympys_own_value(expression: sp.Expr, p: Fraction, q: Fraction) -> None:
    value = exact(expression, {x: p, y: q})
    assert rational(value) == expression.subs({x: rational(p), y: rational(q)}, simultaneous=True)


@given(EXPRESSIONS, RATIONAL, RATIONAL)
def test_balls_enclose_the_exact_value(expression: sp.Expr, p: Fraction, q: Fraction) -> None:
    values = {x: p, y: q}
    assert ball(expression, values).overlaps(as_ball(exact(expression, values)))


@given(POSITIVE)
def test_balls_of_functions_enclose_high_precision_values(p: Fraction) -> None:
    functions = (sp.exp, sp.log, sp.sinh, sp.cosh, sp.sin, sp.cos, sp.sqrt, sp.gamma, sp.Abs)
    others = (x ** sp.Rational(-1, 4), sp.pi * x, sp.E + x, 1 / sp.sqrt(x), x**x)
    for expression in (*(function(x) for function in functions), *others):
        low = ball(expression, {x: p})
        with ctx.workprec(400):
            high = ball(expression, {x: p})
        assert low.overlaps(high)
        assert abs(high - sp.N(expression.subs(x, rational(p)), 40)._to_mpmath(120)).upper() < low.abs_upper() + 1


def test_powers_with_symbolic_exponents_are_exact_where_they_are_integers() -> None:
    assert exact((w + 1) ** 2 * w ** (m - 2), {w: 4, m: 5}) == 25 * 64
    assert exact(N**-m, {N: 3, m: 2}) == Fraction(1, 9)
    with pytest.raises(ValueError, match="no exact rational value"):
        exact(sp.Integer(2) ** (m / 2), {m: 1})


@pytest.mark.parametrize("expression", [sp.exp(x), sp.sqrt(x), sp.pi + x, sp.Float(0.5) * x])
def test_exact_refuses_what_is_not_rational(expression: sp.Expr) -> None:
    with pytest.raises(ValueError, match="no exact rational value"):
        exact(expression, {x: Fraction(2)})


def test_a_ball_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="no ball for"):
        ball(sp.Function("f")(x), {x: 1})
    with pytest.raises(ValueError, match="no ball for"):
        ball(sp.Float(0.1), {})


def test_a_missing_value_is_named() -> None:
    for function in (exact, ball):
        with pytest.raises(KeyError):
            function(x + y, {x: 1})


@given(RATIONAL, st.integers(2, 80))
def test_rationals_round_outwards_to_so_many_bits(value: Fraction, bits: int) -> None:
    down, up = lower(value, bits), upper(value, bits)
    assert down <= value <= up
    assert up - down <= abs(value) * Fraction(4, 2**bits)
    for rounded in (down, up):
        assert rounded.denominator & (rounded.denominator - 1) == 0
        odd = abs(rounded.numerator)
        assert (odd // (odd & -odd)).bit_length() <= bits if odd else True


@given(RATIONAL, st.integers(2, 80))
def test_balls_round_outwards(value: Fraction, bits: int) -> None:
    root = as_ball(value).exp()
    down, up = lower(root, bits), upper(root, bits)
    assert as_ball(down) <= root
    assert root <= as_ball(up)


def test_zero_rounds_to_zero() -> None:
    assert lower(Fraction(0)) == upper(Fraction(0)) == lower(arb(0)) == 0


@given(RATIONAL)
def test_a_dyadic_ball_gives_its_value_back(value: Fraction) -> None:
    point = arb(7) / 8
    assert fraction(point) == Fraction(7, 8)
    if as_ball(value).is_exact():
        assert fraction(as_ball(value)) == value


def test_a_third_is_enclosed_not_rounded() -> None:
    third = as_ball(Fraction(1, 3))
    assert third.contains(arb(1) / 3) or third.overlaps(arb(1) / 3)
    assert not third.is_exact()


@given(POSITIVE, POSITIVE)
def test_decide_agrees_with_exact_comparison(p: Fraction, q: Fraction) -> None:
    values = {x: p, y: q}
    assert decide(x < y, values) in ((p < q), None if p == q else (p < q))
    if p != q:
        assert decide(sp.Ge(x, y), values) is (p >= q)


def test_decide_says_none_where_no_precision_helps() -> None:
    assert decide(sp.exp(x) * sp.exp(-x) <= y, {x: 1, y: 1}) is True  # SymPy cancels the factors
    assert decide(sp.Ge(sp.sqrt(x) ** 2 * sp.sqrt(y), sp.sqrt(2), evaluate=False), {x: 1, y: 2}) is None
    assert decide(sp.Gt(sp.exp(x), y), {x: Fraction(1, 10**30), y: 1}) is True  # needs more than 64 bits


def test_decide_strict_and_weak_at_equality() -> None:
    assert decide(sp.Ge(x, y), {x: 1, y: 1}) is True
    assert decide(sp.Gt(x, y), {x: 1, y: 1}) is False
