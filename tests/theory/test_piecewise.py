"""Piecewise linear functions and their certified distance from a smooth one."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import ctx
from hypothesis import given
from hypothesis import strategies as st

from theory.evaluate import as_ball
from theory.parse import parse_formula
from theory.piecewise import Piecewise, distance
from theory.smooth import Smooth

SMALL = st.fractions(-3, 3, max_denominator=16)
FORMULAS = ("exp(x)", "sin(3*x)", "x**3 - x", "x**2", "exp(-x**2)*sin(x)")


@st.composite
def functions(draw: st.DrawFn) -> Piecewise:
    knots = sorted(draw(st.sets(SMALL, min_size=2, max_size=6)))
    return Piecewise(tuple(knots), tuple(draw(SMALL) for _ in knots))


@given(st.sampled_from(FORMULAS), functions(), st.fractions(0, 1, max_denominator=97))
def test_no_point_is_further_away_than_the_bound(text: str, g: Piecewise, share: Fraction) -> None:
    f = Smooth(parse_formula(text))
    found = distance(f, g)
    at = g.knots[0] + share * (g.knots[-1] - g.knots[0])
    with ctx.workprec(128):
        error = abs(f.value(at) - as_ball(g(at)))
        assert not error > as_ball(found.bound)
        assert abs(f.value(found.place) - as_ball(g(found.place))) >= as_ball(found.attained)
    # Both sides are refined until they agree to 2^-30 of their size.
    assert found.attained <= found.bound <= found.attained * (1 + Fraction(1, 2**29))


def test_the_distance_of_a_chord_of_a_parabola_is_a_quarter_of_the_square_of_its_length() -> None:
    for length in (Fraction(1), Fraction(3, 7)):
        found = distance(Smooth(parse_formula("x**2")), Piecewise((-length / 2, length / 2), (length**2 / 4,) * 2))
        assert abs(found.bound - length**2 / 4) < Fraction(1, 10**9)
        assert found.attained <= length**2 / 4 <= found.bound


def test_a_function_without_a_second_derivative_has_no_distance() -> None:
    with pytest.raises(ValueError, match="no finite second derivative near 0"):
        distance(Smooth(parse_formula("sqrt(x)")), Piecewise((Fraction(0), Fraction(1)), (Fraction(0), Fraction(1))))


def test_values_slopes_and_pieces() -> None:
    g = Piecewise(tuple(map(Fraction, (0, 1, 2, 4))), tuple(map(Fraction, (0, 1, 2, 0))))
    assert [g(Fraction(at)) for at in (-1, 0, 1, 3, 5)] == [-1, 0, 1, 1, -1]  # the ends go on
    assert g.pieces == 2
    assert g.range() == (0, 2)


@pytest.mark.parametrize("knots", [(0,), (0, 0), (1, 0)], ids=str)
def test_knots_increase(knots: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="knots"):
        Piecewise(tuple(map(Fraction, knots)), tuple(map(Fraction, knots)))
