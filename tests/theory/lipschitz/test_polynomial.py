"""Rounding up never rounds down; majorants compute as polynomials and majorise where they collapse."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.lipschitz.polynomial import Majorant
from theory.lipschitz.rounding import power_up, round_up, sqrt_up

rationals = st.fractions(min_value=0, max_value=10**6, max_denominator=10**12)
small = st.fractions(min_value=0, max_value=5, max_denominator=20)
polynomials = st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 3)), small, max_size=5).map(Majorant.of)


@given(rationals, st.integers(4, 80))
def test_round_up_lies_above_and_close(value: Fraction, bits: int) -> None:
    rounded = round_up(value, bits)
    assert rounded >= value
    # The quotient keeps at least bits - 1 significant bits, and the ceiling moves it by less than one unit.
    assert rounded <= value * (1 + Fraction(2) ** (2 - bits))


@given(rationals, st.integers(0, 5), st.integers(1, 6))
def test_power_up_encloses_the_power(base: Fraction, numerator: int, denominator: int) -> None:
    value = power_up(base, Fraction(numerator, denominator))
    q = Fraction(numerator, denominator)
    assert value**q.denominator >= base**q.numerator
    slack = 1 - Fraction(1, 2**61)
    assert (value * slack) ** q.denominator <= base**q.numerator


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_sqrt_up_is_exact_on_squares(p: int, q: int) -> None:
    assert sqrt_up(Fraction(p, q) ** 2) == Fraction(p, q)


def test_negative_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="non-negative"):
        round_up(Fraction(-1))
    with pytest.raises(ValueError, match="non-negative"):
        power_up(-1, Fraction(1, 2))
    with pytest.raises(ValueError, match="positive"):
        Majorant((((0, 0), Fraction(-1)),))
    with pytest.raises(ValueError, match="sorted"):
        Majorant((((1, 0), Fraction(1)), ((0, 0), Fraction(1))))


@given(polynomials, polynomials, small, small)
def test_sums_products_and_swaps_evaluate_as_they_should(p: Majorant, q: Majorant, s: Fraction, t: Fraction) -> None:
    assert (p + q)(s, t) == p(s, t) + q(s, t)
    assert (p * q)(s, t) == p(s, t) * q(s, t)
    assert p.swapped()(s, t) == p(t, s)
    assert p.at_t_zero()(s, 17) == p(s, 0)


@given(polynomials, polynomials, small, small)
def test_substitution_evaluates_or_lies_just_above(p: Majorant, q: Majorant, s: Fraction, t: Fraction) -> None:
    value, exact = p.substitute(q, q.swapped())(s, t), p(q(s, t), q(t, s))
    # Coefficients past 64 bits are rounded up, each by a relative 2^-62; at most 40 such roundings meet in one term.
    assert exact <= value <= exact * (1 + Fraction(40, 2**62))


@given(polynomials, rationals, rationals)
def test_the_collapsed_polynomial_majorises(p: Majorant, s: Fraction, t: Fraction) -> None:
    assert p.collapsed()(s, t) >= p(s, t)
    assert len(p.collapsed().terms) <= 3


def test_deep_products_collapse_instead_of_growing() -> None:
    p = Majorant.of({(i, j): 1 for i in range(40) for j in range(40)})
    square = p * p
    assert len(square.terms) <= 9
    assert square(Fraction(3, 2), 2) >= p(Fraction(3, 2), 2) ** 2


def test_the_expression_is_the_polynomial() -> None:
    from theory.evaluate import exact
    from theory.symbols import xi, zeta

    p = Majorant.of({(0, 0): Fraction(1, 3), (2, 1): 5})
    assert exact(p.expression(), {xi: Fraction(2), zeta: Fraction(7)}) == p(2, 7) == Fraction(1, 3) + 140
    assert str(p) == "0.333333 + 5·s^2·t"
    assert str(Majorant.of({(1, 0): Fraction(10) ** 400})) == "2^1329·s"
