"""Series over boxes: their balls contain the truth, from mpmath, at every point tried; removable zeros divide out."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
import sympy as sp
from flint import acb, acb_series, arb, ctx
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.naive.naive_formulas import formulas, rational, value
from theory.errors import BadInput
from theory.parse import parse_formula
from theory.series import Obstruction, Zero, as_complex, series_over, series_settings
from theory.symbols import X
from theory.tape import compile_tape


def to_mpc(ball: acb) -> mpmath.mpc:
    return mpmath.mpc(str(ball.real.mid().str(40, radius=False)), str(ball.imag.mid().str(40, radius=False)))


def distance(ball: acb, truth: mpmath.mpc) -> arb:
    """How far a value is outside a ball."""
    exact = acb(arb(mpmath.nstr(truth.real, 45)), arb(mpmath.nstr(truth.imag, 45)))
    return (ball - exact).abs_lower()


coordinates = st.fractions(min_value=-3, max_value=3, max_denominator=64)


@given(formulas(most=6), coordinates, coordinates)
def test_values_and_derivatives_agree_with_mpmath(text: str, real: Fraction, imaginary: Fraction) -> None:
    try:
        expression = parse_formula(text)
        tape = compile_tape(expression)
        found = series_over(tape, as_complex(real, imaginary), 3, zeros={}, precision=128)[tape.root]
    except (BadInput, Obstruction):
        assume(False)
    with mpmath.workdps(60):
        point = mpmath.mpc(rational(real), rational(imaginary))
        step = mpmath.mpf(10) ** -15
        try:
            values = [value(expression, point + k * step) for k in (-1, 0, 1)]
        except (ZeroDivisionError, OverflowError):
            assume(False)
        assume(all(abs(v) < 1e30 for v in values))
        scale = 1 + max(abs(v) for v in values)
        # At 128 bits a ball and mpmath's 60 digits, printed with 45, agree to 1e-30 of the size they go through.
        assert distance(found[0], values[1]) < arb(float(scale)) * arb(10) ** -20
        # A central difference is off by f''' h^2/6, h = 1e-15: allow 1e-12 of f's size near; a pole closer than 1e-3
        # would spoil that, and shows as a large second coefficient.
        slope = (values[2] - values[0]) / (2 * step)
        size = max(float(abs(to_mpc(found[k]))) for k in range(3))
        assume(size < 1e6)
        assert distance(found[1], slope) < arb(10) ** -12 * (1 + size) ** 3


@given(formulas(most=6), coordinates, coordinates, st.integers(0, 4), st.integers(0, 4))
def test_a_box_encloses_the_values_of_its_points(
    text: str, real: Fraction, imaginary: Fraction, across: int, up: int
) -> None:
    try:
        tape = compile_tape(parse_formula(text))
        corner = as_complex(real, imaginary)
        box = corner.union(as_complex(real + Fraction(1, 8), imaginary + Fraction(1, 8)))
        over_box = series_over(tape, box, 3, zeros={})[tape.root]
    except (BadInput, Obstruction):
        assume(False)
    point = as_complex(real + Fraction(across, 32), imaginary + Fraction(up, 32))
    at_point = series_over(tape, point, 3, zeros={}, precision=128)[tape.root]
    for k in range(3):
        # Both are rigorous, so they cannot be disjoint.
        assert over_box[k].overlaps(at_point[k]) or not over_box[k].is_finite()


@pytest.mark.parametrize(
    ("text", "place", "order", "expected"),
    [
        ("sin(x)/x", 0, 1, sp.sin(X) / X),
        ("(1 - cos(x))/x**2", 0, 2, (1 - sp.cos(X)) / X**2),
        ("(exp(x) - 1 - x)/x**2", 0, 2, (sp.exp(X) - 1 - X) / X**2),
        ("log(x)/(x - 1)", 1, 1, sp.log(X) / (X - 1)),
    ],
)
def test_analytic_removable(text: str, place: int, order: int, expected: sp.Expr) -> None:
    # The theorem: dropped coefficients over a box with the zero inside enclose the quotient's at other points of it.
    tape = compile_tape(parse_formula(text))
    zeros = {tape.root: (Zero(sp.Integer(place), acb(place), order),)}
    box = as_complex(place - Fraction(1, 4), -Fraction(1, 4)).union(as_complex(place + Fraction(1, 4), Fraction(1, 4)))
    over_box = series_over(tape, box, 4, zeros=zeros)[tape.root]
    with mpmath.workdps(40):
        for shift in (0.25, -0.2 + 0.1j, 0.25j, 0.01 - 0.24j):
            coefficients = mpmath.taylor(lambda z: value(expected, z), place + shift, 3, radius=1)
            for k, coefficient in enumerate(coefficients):
                # Numerical derivatives at 40 digits are good to 1e-12; the box's balls are far wider.
                assert distance(over_box[k], mpmath.mpc(coefficient)) < arb(10) ** -12
    # At the removable point itself the value is the limit.
    at_zero = series_over(tape, as_complex(place), 1, zeros=zeros, precision=128)[tape.root][0]
    limit = sp.limit(expected, X, place)
    assert at_zero.contains(acb(arb(str(limit.p)) / arb(str(limit.q))))
    assert at_zero.rad() < arb(2) ** -100


def test_a_removable_zero_that_is_not_known_obstructs() -> None:
    tape = compile_tape(parse_formula("sin(x)/x"))
    with pytest.raises(Obstruction) as caught:
        series_over(tape, acb(0), 2, zeros={})
    assert caught.value.node == tape.root


def test_two_zeros_in_one_box_obstruct() -> None:
    tape = compile_tape(parse_formula("sin(pi*x)/(x*(x - 1))"))
    zeros = {tape.root: (Zero(sp.Integer(0), acb(0), 1), Zero(sp.Integer(1), acb(1), 1))}
    with pytest.raises(Obstruction):
        series_over(tape, as_complex(-1, -1).union(as_complex(2, 1)), 1, zeros=zeros)


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        ("log(x)", (1, 0), (-1, 0)),
        ("sqrt(x)", (0, 1), (0, 0)),
        ("x**(1/3)", (-1, 1), (-1, 0)),
        ("1/sqrt(x)", (2, 0), (-2, 0)),
        ("asin(x)", (0, 5), (1, 0)),
        ("acos(x)", (0, -5), (-2, 0)),
        ("atanh(x)", (0, 2), (3, 0)),
        ("atan(x)", (3, 0), (0, 2)),
        ("asinh(x)", (-3, 0), (0, -1)),
        ("acosh(x)", (2, 0), (0, 0)),
    ],
)
def test_branches_are_refused_on_their_cuts_only(text: str, good: tuple[int, int], bad: tuple[int, int]) -> None:
    tape = compile_tape(parse_formula(text))
    assert series_over(tape, as_complex(*good), 3, zeros={})[tape.root][2].is_finite()
    with pytest.raises(Obstruction):
        series_over(tape, as_complex(*bad), 1, zeros={})
    # A box across the cut is refused, however little of the cut it meets.
    edge = as_complex(*bad)
    with pytest.raises(Obstruction):
        series_over(tape, edge.union(edge + acb("0.001", "0.001")), 1, zeros={})


def test_settings_are_put_back() -> None:
    before = (ctx.prec, ctx.cap)
    with series_settings(200, 33):
        assert (ctx.prec, ctx.cap) == (200, 33)
    assert (ctx.prec, ctx.cap) == before
    tape = compile_tape(parse_formula("1/x"))
    with pytest.raises(Obstruction):
        series_over(tape, acb(0), 7, zeros={}, precision=99)
    assert (ctx.prec, ctx.cap) == before


def test_integer_powers_are_products() -> None:
    tape = compile_tape(parse_formula("(1 + x)**13"))
    found = series_over(tape, acb(0), 14, zeros={})[tape.root]
    assert found.coeffs() == [acb(int(sp.binomial(13, k))) for k in range(14)]
    assert isinstance(found, acb_series)
