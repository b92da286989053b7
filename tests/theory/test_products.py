"""Theorems product.difference and product.polarised: error intervals, with equality where they are attained."""

from __future__ import annotations

from fractions import Fraction
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.evaluate import exact
from theory.products import DIFFERENCE, POLARISED, difference, polarised
from theory.symbols import BL, BR, N

RADICES = st.lists(st.integers(1, 6), min_size=1, max_size=3)
SIDE = st.fractions(-1, 1, max_denominator=10**4)
RANGE = st.fractions(Fraction(1, 10), 10, max_denominator=100)


@given(RADICES, SIDE, SIDE, RANGE, RANGE)
def test_product_difference_holds(
    radices: list[int], a: Fraction, b: Fraction, left: Fraction, right: Fraction
) -> None:
    error = left * right * difference(radices, a, b) - (left * a) * (right * b)
    assert abs(error) <= exact(DIFFERENCE.bound.expression, {BL: left, BR: right, N: prod(radices)})


@given(RADICES, SIDE)
def test_product_difference_is_exact_on_the_axes(radices: list[int], a: Fraction) -> None:
    assert difference(radices, a, Fraction(0)) == difference(radices, Fraction(0), a) == 0


@given(RADICES)
def test_product_difference_is_tight(radices: list[int]) -> None:
    pieces = prod(radices)
    largest = exact(DIFFERENCE.bound.expression, {BL: 1, BR: 1, N: pieces})
    step = Fraction(1, pieces)
    # u halfway between knots and v at one, then the other way round.
    above, below = ((step, step), (step, -step)) if pieces % 2 == 0 else ((step, -step), (step, step))
    assert difference(radices, *above) - above[0] * above[1] == largest
    assert difference(radices, *below) - below[0] * below[1] == -largest


@given(RADICES, SIDE, SIDE, RANGE, RANGE)
def test_product_polarised_holds(radices: list[int], a: Fraction, b: Fraction, left: Fraction, right: Fraction) -> None:
    values = {BL: left, BR: right, N: prod(radices)}
    error = left * right * (polarised(radices, a, b) - a * b)
    centred, upper = error - exact(POLARISED.formulas["centre"], values), exact(POLARISED.formulas["one-sided"], values)
    assert -upper / 2 <= error <= upper
    assert abs(centred) <= exact(POLARISED.bound.expression, values)


@given(RADICES.filter(lambda radices: prod(radices) >= 2), st.data())
def test_product_polarised_is_tight(radices: list[int], data: st.DataObject) -> None:
    pieces = prod(radices)
    values = {BL: 1, BR: 1, N: pieces}
    largest, centre = exact(POLARISED.bound.expression, values), exact(POLARISED.formulas["centre"], values)
    i = data.draw(st.integers(0, pieces - 1))
    knots = (-1 + Fraction(2 * i, pieces), -1 + Fraction(2 * i + 2, pieces))
    assert polarised(radices, *knots) - knots[0] * knots[1] - centre == largest
    halves = (-1 + Fraction(1, pieces), -1 + Fraction(3, pieces))
    assert polarised(radices, *halves) - halves[0] * halves[1] - centre == -largest


@pytest.mark.parametrize("theorem", [DIFFERENCE, POLARISED])
def test_products_state_both_ranges(theorem: object) -> None:
    assert {BL, BR} <= theorem.bound.expression.free_symbols  # type: ignore[attr-defined]
