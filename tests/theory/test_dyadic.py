"""Short dyadic numbers: normalised, exact, rounded the right way by at most one unit."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from theory.dyadic import Dyadic, dyadic_above, dyadic_below, fits_float64
from theory.evaluate import as_ball, fraction

INTEGERS = st.integers(-(10**9), 10**9)
POSITIVE = st.fractions(Fraction(1, 10**9), 10**9)


@given(INTEGERS, st.integers(-60, 60))
def test_equal_numbers_compare_equal(mantissa: int, exponent: int) -> None:
    number = Dyadic.of(mantissa, exponent)
    assert number == Dyadic.of(4 * mantissa, exponent - 2)
    assert number.fraction == Fraction(mantissa) * Fraction(2) ** exponent
    assert fraction(number.ball) == number.fraction
    assert Fraction(str(number)) == number.fraction


@given(POSITIVE, st.integers(2, 40))
def test_rounding_goes_the_right_way_by_less_than_one_unit(value: Fraction, bits: int) -> None:
    with ctx.workprec(128):
        low, high = dyadic_below(value, bits), dyadic_above(value, bits)
    assert low.fraction <= value <= high.fraction
    assert max(low.mantissa, high.mantissa).bit_length() <= bits
    # One unit in the last place is at most 2^(1 - bits) of the value (the ball adds 2^-120 of it).
    assert high.fraction - low.fraction <= value * (Fraction(2) ** (1 - bits) * 2 + Fraction(1, 2**100))


@given(POSITIVE, st.integers(2, 30))
def test_a_ball_is_rounded_outward_as_a_whole(value: Fraction, bits: int) -> None:
    with ctx.workprec(128):
        ball = as_ball(value) + arb(0, arb((1, -40)))
        assert dyadic_below(ball, bits).fraction <= value - Fraction(1, 2**41)
        assert dyadic_above(ball, bits).fraction >= value + Fraction(1, 2**41)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_a_float64(value: float) -> None:
    assert fits_float64(Fraction(value))


def test_what_is_no_float64() -> None:
    assert not fits_float64(Fraction(1, 3))
    assert not fits_float64(Fraction(2**53 + 1))
    assert not fits_float64(Fraction(1, 2**1075))
    assert not fits_float64(Fraction(10) ** 400)


@pytest.mark.parametrize(("mantissa", "exponent"), [(2, 0), (0, 3), (-4, 1)])
def test_a_dyadic_is_normalised(mantissa: int, exponent: int) -> None:
    with pytest.raises(ValueError, match="odd mantissa"):
        Dyadic(mantissa, exponent)
