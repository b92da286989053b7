"""Coefficients and their stand-ins: short, and as close as claimed."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st

from theory.disc import first_singularity
from theory.errors import BadInput
from theory.evaluate import as_ball, fraction
from theory.formula import Formula
from theory.parse import parse_formula
from theory.taylor import STAND_IN_BITS, coefficients, stand_in

F = Fraction


@given(
    st.fractions(min_value=-100, max_value=100, max_denominator=2**80),
    st.integers(0, 200),
    st.integers(-40, 40),
    st.sampled_from((8, 40, STAND_IN_BITS)),
)
def test_a_stand_in_is_as_close_as_it_says(middle: Fraction, blur: int, scale: int, bits: int) -> None:
    with ctx.workprec(256):
        ball = as_ball(middle * F(2) ** scale) + arb(0, arb(2) ** -blur)
        ends = [fraction(end) for end in (ball.lower(), ball.upper())]
    value, deviation = stand_in(ball, bits)
    assert all(abs(value - end) <= deviation * (1 + F(1, 2**20)) for end in ends)
    # Short: a fraction of small denominator, or that many bits and the rounding's carry.
    assert value.denominator <= 2**bits or value.numerator.bit_length() <= bits + 2


def test_a_rational_in_the_ball_is_taken() -> None:
    with ctx.workprec(256):
        assert stand_in(arb(fmpq(-7, 6)))[0] == F(-7, 6)
        assert stand_in(arb(0, arb(2) ** -200))[0] == 0
        assert stand_in(arb.pi())[0].denominator.bit_length() <= STAND_IN_BITS


def test_coefficients_of_a_removable_singularity() -> None:
    formula = Formula(parse_formula("sin(x)/x"), F(0))
    with pytest.raises(BadInput, match="not analytic at x = 0"):
        coefficients(formula, 4, 128)
    assert first_singularity(formula, F(1)) is None
    for precision in (64, 300, 1000):
        found = coefficients(formula, 12, precision)
        for k, ball in enumerate(found):
            exact = 0 if k % 2 else F((-1) ** (k // 2), int(sp.factorial(k + 1)))
            with ctx.workprec(2000):
                assert abs(ball - as_ball(F(exact))) < arb(2) ** (8 - precision)


def test_coefficients_at_a_removable_singularity_of_no_finite_binary() -> None:
    # At x = 1/3 the centre is a ball, wider than the zero's own ball at low precision and narrower at high.
    formula = Formula(parse_formula("sin(x - 1/3)/(3*x - 1)"), F(1, 3))
    assert first_singularity(formula, F(1)) is None
    for precision in (64, 256, 700):
        found = coefficients(formula, 4, precision)
        with ctx.workprec(2000):
            assert abs(found[0] - arb(1) / 3) < arb(2) ** (16 - precision)


@pytest.mark.parametrize("text", ["exp(exp(50))*x", "exp(exp(exp(exp(50))))"])
def test_what_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="not finite, or beyond"):
        coefficients(Formula(parse_formula(text), F(0)), 3, 128)


def test_what_is_tiny_is_a_ball_about_zero() -> None:
    found = coefficients(Formula(parse_formula("exp(-exp(50))*exp(x)"), F(0)), 3, 128)
    assert all(ball.contains(0) and ball.rad() < arb(2) ** -10000 for ball in found)
