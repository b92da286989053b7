"""Sizes in documents: exact where they can be named, an interval for log10 where not, never NaN or infinite."""

from __future__ import annotations

import json
import math
from fractions import Fraction

from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from theory.evaluate import as_ball
from theory.sizes import Huge, named, size_json, size_text


@given(st.integers(0, 10**18))
def test_counts_to_ten_to_the_eighteen_are_numbers(count: int) -> None:
    assert size_json(count) == count


@given(st.integers(10**18 + 1, 10**300 - 1))
def test_larger_counts_are_their_digits(count: int) -> None:
    assert size_json(count) == str(count)


@given(st.integers(300, 20_000), st.integers(1, 9))
def test_beyond_ten_to_the_three_hundred_log10_is_enclosed(exponent: int, digit: int) -> None:
    count = digit * 10**exponent
    low, high = size_json(count)["log10"]
    # digit * 10^exponent has log10 = exponent + log10(digit), the latter correctly rounded to well below 1e-12.
    assert low <= exponent + math.log10(digit) + 1e-12
    assert high >= exponent + math.log10(digit) - 1e-12
    assert high - low <= 1e-10 * exponent  # 50 bits outward, and one float each way
    assert Fraction(10) ** math.floor(low) <= count


@given(st.integers(301, 5000))
def test_below_ten_to_the_minus_three_hundred_too(exponent: int) -> None:
    low, high = size_json(Fraction(1, 10**exponent))["log10"]
    assert low <= -exponent <= high
    assert size_text(Fraction(1, 10**exponent)).startswith(f"10^-{exponent}")


@given(st.fractions(Fraction(1, 10**200), Fraction(10**200)) | st.integers(0, 10**400))
def test_documents_are_strict_json(value: Fraction | int) -> None:
    json.dumps(size_json(value), allow_nan=False)
    assert size_text(value)


@given(st.fractions(Fraction(1, 1000), 1000))
def test_named_balls_are_rounded_up(value: Fraction) -> None:
    with ctx.workprec(128):
        size = named(as_ball(value))
    assert isinstance(size, Fraction)
    # Up to 53 bits: above by at most 2^-52 of the value, and the ball's own width.
    assert value <= size <= value * (1 + Fraction(1, 2**51))


def test_named_balls_beyond_float64_are_huge() -> None:
    with ctx.workprec(128):
        size = named(arb(10) ** 5000)
    assert isinstance(size, Huge)
    assert size.lo <= 5000 <= size.hi


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_huge_encloses_both_ends(low: int, more: int) -> None:
    with ctx.workprec(128):
        size = Huge.from_ln(arb(low), arb(low + more))
    below, above = Fraction("0.43429448190325182765"), Fraction("0.43429448190325182766")  # around log10 e
    assert size.lo <= low * above
    assert size.hi >= (low + more) * below


def test_text_of_sizes_people_meet() -> None:
    assert [size_text(v) for v in (0, 1234567, 10**12, Fraction(1, 2), Fraction(1, 5000))] == [
        "0",
        "1,234,567",
        "1.000e+12",
        "0.5",
        "2.000e-04",
    ]
