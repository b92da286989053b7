"""Exact series: they agree with SymPy's own and with balls, and count zeros to their order."""

from __future__ import annotations

import pytest
import sympy as sp
from flint import acb, ctx
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.naive.naive_formulas import formulas
from theory.errors import BadInput
from theory.parse import parse_formula
from theory.series import Obstruction, as_complex, series_over
from theory.symbols import X
from theory.tape import compile_tape
from theory.vanishing import MAX_ORDER, constant_ball, exact_series, guard_vanishes, order_of_vanishing


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("sin(x)/x", 0),
        ("(1 - cos(x))/x**2", 0),
        ("1/(exp(x) - 1) - 1/x", 0),
        ("log(1 + x)*sqrt(1 + x)", 0),
        ("tan(x)", 0),
        ("asin(x) + acos(x)/2", 0),
        ("atan(x)*asinh(x)", 0),
        ("atanh(x)/x", 0),
        ("exp(sin(x))", 0),
        ("(1 + x)**(-5/2)", 0),
        ("cosh(x)*sinh(x)", 0),
        ("cos(sqrt(x))", 0),
        ("sin(sqrt(x))/sqrt(x)", 0),
        ("2**x", 1),
        ("x**x", 1),
        ("acosh(x)", 2),
    ],
)
def test_exact_series_are_sympys(text: str, place: int) -> None:
    expression = parse_formula(text)
    tape = compile_tape(expression)
    found = exact_series(tape, tape.root, sp.Integer(place), 5)
    assert found is not None
    expected = sp.series(expression.subs(X, X + place), X, 0, 5).removeO()
    for k, coefficient in enumerate(found):
        assert sp.simplify(coefficient - expected.coeff(X, k)) == 0


@given(formulas(), st.sampled_from(("1/2", "1/3", "-1/4", "2", "pi/5")))
def test_exact_series_lie_in_the_balls(text: str, place: str) -> None:
    try:
        tape = compile_tape(parse_formula(text))
        point = parse_formula(place)
        with ctx.workprec(128):
            box = constant_ball(point)
        balls = series_over(tape, box, 4, zeros={}, precision=128)[tape.root]
    except (BadInput, Obstruction):
        assume(False)
    found = exact_series(tape, tape.root, point, 4)
    assume(found is not None)
    for k, coefficient in enumerate(found):
        with ctx.workprec(256):
            ball = constant_ball(coefficient)
        assert ball is None or not ball.is_finite() or ball.overlaps(balls[k])


@pytest.mark.parametrize(
    ("text", "place", "order"),
    [
        ("x - sin(x)", "0", 3),
        ("1 - cos(x)", "2*pi", 2),
        ("exp(x) - E", "1", 1),
        ("x**2 - x - 1", "1/2 + sqrt(5)/2", 1),
        ("sin(x)**7", "pi", 7),
        ("exp(x)", "0", 0),
        ("asin(x) - x - x**3/6", "0", 5),
        ("2**x - 8", "3", 1),
        ("x/10**9 + x**2", "0", 1),
        ("x*sqrt(2)*sqrt(3) - x*sqrt(6) + x**2*(1 - 10**-30*pi)", "0", 2),
        ("x**100", "0", MAX_ORDER),
        ("sin(x)**2 + cos(x)**2 - 1", "1/3", MAX_ORDER),
        ("1/x", "0", None),
        ("log(x)", "0", None),
    ],
)
def test_orders_of_vanishing(text: str, place: str, order: int | None) -> None:
    tape = compile_tape(parse_formula(text))
    assert order_of_vanishing(tape, tape.root, parse_formula(place)) == order


def test_a_complex_zero() -> None:
    tape = compile_tape(parse_formula("exp(x) + 1"))
    assert order_of_vanishing(tape, tape.root, sp.I * sp.pi) == 1
    tape = compile_tape(parse_formula("(x**2 + 4)**2"))
    assert order_of_vanishing(tape, tape.root, 2 * sp.I) == 2


def test_no_order_is_claimed_at_a_point_close_to_a_zero() -> None:
    tape = compile_tape(parse_formula("sin(x)"))
    assert order_of_vanishing(tape, tape.root, sp.Rational(355, 113)) == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (sp.Rational(1, 3), as_complex(sp.Rational(1, 3).p) / 3),
        (sp.pi, acb.pi()),
        (sp.sqrt(-2), acb(-2).sqrt()),
        (sp.exp(sp.I), acb(0, 1).exp()),
        (sp.acos(sp.Rational(1, 3)) ** 2, (acb(1) / 3).acos() ** 2),
    ],
)
def test_constants_have_balls(value: sp.Expr, expected: acb) -> None:
    found = constant_ball(value)
    assert found is not None
    assert found.overlaps(expected)
    assert found.rad() < 1e-10


def test_what_has_no_value_has_no_ball() -> None:
    assert constant_ball(sp.zoo) is None
    assert constant_ball(X) is None
    assert constant_ball(sp.Max(sp.pi, 3, evaluate=False)) is None


def test_branch_points() -> None:
    assert guard_vanishes("log", sp.Integer(0))
    assert guard_vanishes("asin", sp.Integer(-1))
    assert guard_vanishes("atan", sp.I)
    assert guard_vanishes("acosh", sp.Integer(1))
    assert guard_vanishes("sqrt", sp.sqrt(2) * sp.sqrt(3) - sp.sqrt(6))
    assert not any(guard_vanishes(op, sp.Rational(1, 2)) for op in ("log", "asin", "atan", "acosh", "sqrt", "atanh"))
