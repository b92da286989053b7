"""Directed rounding: exact comparisons against rationals."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from empirical.certify.rounding import float_above, float_below, product_above

RATIONALS = st.fractions(max_denominator=10**30)
NON_NEGATIVE = st.floats(0, 1e80)


@given(RATIONALS)
def test_neighbouring_floats_enclose_a_rational(value: Fraction) -> None:
    low, high = float_below(value), float_above(value)
    assert Fraction(low) <= value <= Fraction(high)
    assert high in (low, math.nextafter(low, math.inf))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_its_own_neighbour(value: float) -> None:
    assert float_below(Fraction(value)) == value == float_above(Fraction(value))


def test_beyond_float64_the_enclosure_is_infinite() -> None:
    huge = Fraction(10) ** 400
    assert float_above(huge) == math.inf
    assert float_below(huge) == float_above(-huge) * -1 == math.ldexp(1 - 2.0**-53, 1024)


@given(st.lists(NON_NEGATIVE, min_size=3, max_size=3), st.lists(NON_NEGATIVE, min_size=3, max_size=3))
def test_a_product_is_never_below_the_exact_one(left: list[float], right: list[float]) -> None:
    exact = sum(Fraction(x) * Fraction(y) for x, y in zip(left, right, strict=True))
    assert Fraction(float(product_above(np.array([left]), np.array([right]).T)[0, 0])) >= exact


def test_a_product_below_the_smallest_float_is_still_positive() -> None:
    # 1e-300 squared underflows to zero; the exact product is positive.
    assert product_above(np.array([[1e-300]]), np.array([[1e-300]]))[0, 0] > 0
