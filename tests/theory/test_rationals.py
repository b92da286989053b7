"""Rationals and counts read from text: exact, printable, and refused with one clear line."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.errors import BadInput
from theory.rationals import parse_count, parse_positive, rational_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", Fraction(1, 1000)),
        ("1/3", Fraction(1, 3)),
        ("0.1", Fraction(1, 10)),
        (" 2.5E+1 ", Fraction(25)),
        (".5", Fraction(1, 2)),
        ("7.", Fraction(7)),
        ("+4/6", Fraction(2, 3)),
        (0.1, Fraction(1, 10)),
        (1e-3, Fraction(1, 1000)),
        (3, Fraction(3)),
        (Fraction(2, 7), Fraction(2, 7)),
    ],
)
def test_positive_rationals_are_read_exactly(text: str | int | float | Fraction, value: Fraction) -> None:
    assert parse_positive(text, "eps") == value


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "abc", "nan", "inf", "-inf", "1e", "e3", "1/", "/3", "1/0", "0", "0/5", "-1e-3", "-1/3",
        "1 / 3", "0x10", "1_000", "1,5", "1e999999", "1//2", "1/2/3", "1e5000", "--1", "9" * 5000, float("nan"),
        float("inf"), 0.0, -2, True,
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_one_line(text: str | float | bool) -> None:
    with pytest.raises(BadInput) as caught:
        parse_positive(text, "eps")
    message = str(caught.value)
    assert message.startswith("eps ")
    assert "\n" not in message
    assert len(message) < 200


@given(st.fractions(min_value=Fraction(1, 10**12), max_value=10**12))
def test_text_is_read_back_exactly(value: Fraction) -> None:
    assert parse_positive(rational_text(value), "eps") == value


@pytest.mark.parametrize("text", ["1e-3999", "9e3999", "1e-300"])
def test_whatever_is_read_can_be_printed(text: str) -> None:
    value = parse_positive(text, "eps")
    assert Fraction(rational_text(value)) == value


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_floats_are_read_from_their_shortest_text(value: float) -> None:
    assert parse_positive(value, "eps") == Fraction(repr(value))


@given(st.integers(1, 10**18))
def test_counts_are_read(value: int) -> None:
    assert parse_count(value, "n") == parse_count(f" {value} ", "n") == parse_count(f"+{value}", "n") == value


@pytest.mark.parametrize(
    "text", ["", "0", "-3", "1.0", "1e3", "two", "1/1", str(10**18 + 1), "9" * 399, "9" * 9999, 0, -1, True]
)
def test_other_counts_are_refused_in_one_line(text: str | int) -> None:
    with pytest.raises(BadInput) as caught:
        parse_count(text, "n")
    assert str(caught.value).startswith("n must be")
    assert len(str(caught.value)) < 200


def test_integers_too_long_to_print_are_refused_all_the_same() -> None:
    for value in (10**5000, -(10**5000)):
        with pytest.raises(BadInput, match="more than 4000 digits"):
            parse_count(value, "n")
        with pytest.raises(BadInput, match="at most 4000 digits"):
            parse_positive(value, "eps")


def test_a_count_can_have_a_lower_ceiling() -> None:
    assert parse_count("5", "levels", most=5) == 5
    with pytest.raises(BadInput, match="at most 5"):
        parse_count("6", "levels", most=5)
