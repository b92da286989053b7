"""Functions in balls: derivatives, parity, and where a second derivative is missing."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from flint import arb, ctx

from theory.errors import BadInput
from theory.parse import parse_formula
from theory.smooth import PRECISION, Smooth, as_fraction, hull
from theory.symbols import X, y

FORMULAS = (
    "exp(x)", "x**5 - 3*x", "1/(2 + x)", "sqrt(1 + x)", "(2+x)**(3/2)", "log(3 + x)", "sin(x)*cos(2*x)", "tan(x/2)",
    "sinh(x)", "cosh(x)", "tanh(x)", "asin(x/2)", "acos(x/2)", "atan(x)", "asinh(x)", "acosh(2 + x/2)", "atanh(x/2)",
    "2**x", "pi*x + E", "1/sqrt(2 + x)",
)  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_jets_contain_sympys_derivatives(text: str) -> None:
    expression = parse_formula(text)
    for at in (Fraction(-1, 3), Fraction(0), Fraction(5, 7)):
        with ctx.workprec(PRECISION):
            jet = Smooth(expression).jet(at)
            for order, coefficient in enumerate(jet):
                derivative = sp.diff(expression, X, order) if order else expression
                point = sp.Rational(at.numerator, at.denominator)
                expected = sp.N(derivative.subs(X, point) / sp.factorial(order), 40)
                # mpmath's 40 digits and the balls' 38 leave 1e-30 of values of order 1.
                assert abs(coefficient - arb(str(expected))) < 1e-30, (text, at, order)
            assert all(c.rad() < 1e-30 for c in jet)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_jet_over_an_interval_contains_those_of_its_points(text: str) -> None:
    f, ends = Smooth(parse_formula(text)), (Fraction(1, 10), Fraction(1, 5))
    with ctx.workprec(PRECISION):
        wide = f.jet(hull(*ends))
        for at in (*ends, Fraction(3, 20)):
            # A point's balls are 1e-30 wide: containing their middles is containing them.
            assert all(w.contains(c.mid()) for w, c in zip(wide, f.jet(at), strict=True))


def test_a_constant_is_a_function_too() -> None:
    jet = Smooth(parse_formula("sin(1)")).jet(Fraction(1, 2))
    assert [float(c.mid()) for c in jet] == pytest.approx([0.8414709848078965, 0, 0, 0])


@pytest.mark.parametrize(
    ("text", "parity"),
    [("x**2", "even"), ("cos(x) + x**4", "even"), ("sin(x)*x**2", "odd"), ("x**3 - x", "odd"), ("exp(x)", "none")],
)
def test_parity_is_seen(text: str, parity: str) -> None:
    assert Smooth(parse_formula(text)).parity(1.5) == parity


@pytest.mark.parametrize("text", ["1/x", "log(x)", "sqrt(x)", "tan(2*x)", "x**(3/2)"])
def test_an_interval_with_a_singularity_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(BadInput, match="twice differentiable near"):
        Smooth(parse_formula(text)).check(Fraction(-1), Fraction(1))


def test_a_smooth_interval_passes_the_check() -> None:
    Smooth(parse_formula("1/x")).check(Fraction(1, 1000), Fraction(1))


def test_what_is_no_function_of_one_variable_is_refused() -> None:
    with pytest.raises(BadInput, match="one variable"):
        Smooth(X * y)
    with pytest.raises(BadInput, match="no derivatives in balls for"):
        Smooth(sp.gamma(X))
    with pytest.raises(BadInput, match="positive base"):
        Smooth(sp.Pow(X, X))


def test_short_dyadics_are_within_half_a_unit() -> None:
    for value in (1 / 3, -2 / 7, 1e-9 / 3, 3e8 / 7):
        short = as_fraction(value, 20)
        assert abs(short - Fraction(value)) <= abs(Fraction(value)) / 2**20  # half a unit in the 20th bit, or less
        assert short.denominator & (short.denominator - 1) == 0
    assert as_fraction(0.0) == 0
