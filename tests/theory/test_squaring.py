"""Theorems square.interpolant, square.symmetric, square.count and square.sensitivity, in exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.evaluate import exact
from theory.squaring import COUNT, INTERPOLANT, SENSITIVITY, SYMMETRIC, interpolate, interpolate_symmetric, zigzag
from theory.symbols import N, P, m, tau, w

RADICES = st.lists(st.integers(1, 7), min_size=1, max_size=4)
UNIT = st.fractions(0, 1, max_denominator=10**6)


def folded(radix: int, x: Fraction) -> Fraction:
    """The zigzag by its definition: fold the line with period 2/r."""
    position = (radix * x) % 2
    return min(position, 2 - position)


def piecewise_interpolant(pieces: int, x: Fraction) -> Fraction:
    """The interpolant of x^2 at the multiples of 1/pieces, straight from the two knots around x."""
    cell = min(x * pieces // 1, pieces - 1)
    left, right = Fraction(cell, pieces), Fraction(cell + 1, pieces)
    return left**2 + (left + right) * (x - left)


def clamped_rest(radices: list[int], value: Fraction) -> Fraction:
    """The squarer's remaining layers as they stand in a network: middle layers carry relu(X), the last one X."""
    total, pieces = Fraction(0), 1
    for index, radix in enumerate(radices):
        scaled, pieces = radix * value, pieces * radix
        kinks = [max(scaled - kink, Fraction(0)) for kink in range(1, radix)]
        total += Fraction(4, pieces**2) * sum(kinks[::2])
        linear = scaled if index == len(radices) - 1 else max(scaled, Fraction(0))
        value = linear + 2 * sum((-1) ** (kink + 1) * height for kink, height in enumerate(kinks))
    return total + value / pieces**2


@given(st.integers(1, 30), UNIT)
def test_the_zigzag_of_relus_is_the_folded_line(radix: int, x: Fraction) -> None:
    assert zigzag(radix, x) == folded(radix, x)


@given(RADICES, UNIT)
def test_the_network_interpolates_whatever_the_radices(radices: list[int], x: Fraction) -> None:
    assert interpolate(radices, x) == piecewise_interpolant(prod(radices), x)


@given(RADICES, UNIT)
def test_square_interpolant_is_one_sided(radices: list[int], x: Fraction) -> None:
    error = interpolate(radices, x) - x**2
    assert 0 <= error <= exact(INTERPOLANT.bound.expression, {N: prod(radices)})


@given(RADICES, st.data())
def test_square_interpolant_is_tight_at_every_midpoint(radices: list[int], data: st.DataObject) -> None:
    pieces = prod(radices)
    cell = data.draw(st.integers(0, pieces - 1))
    middle = Fraction(2 * cell + 1, 2 * pieces)
    assert interpolate(radices, middle) - middle**2 == exact(INTERPOLANT.bound.expression, {N: pieces})
    assert interpolate(radices, Fraction(cell, pieces)) == Fraction(cell, pieces) ** 2


@given(RADICES, st.fractions(-1, 1, max_denominator=10**6))
def test_square_symmetric_is_even_and_within_its_bound(radices: list[int], u: Fraction) -> None:
    value = interpolate_symmetric(radices, u)
    largest = exact(SYMMETRIC.bound.expression, {N: prod(radices)})
    assert value == interpolate_symmetric(radices, -u)
    assert 0 <= value - u**2 <= largest
    assert abs(interpolate_symmetric(radices, u, centred=True) - u**2) <= largest / 2


@given(RADICES)
def test_square_symmetric_is_tight(radices: list[int]) -> None:
    pieces = prod(radices)
    largest = exact(SYMMETRIC.bound.expression, {N: pieces})
    middle, knot = -1 + Fraction(1, pieces), -1 + Fraction(2, pieces)
    assert interpolate_symmetric(radices, middle) - middle**2 == largest
    assert interpolate_symmetric(radices, knot, centred=True) - knot**2 == -largest / 2
    assert interpolate_symmetric(radices, middle, centred=True) - middle**2 == largest / 2


@pytest.mark.parametrize(("cap", "layers"), [(cap, layers) for cap in (1, 2, 3) for layers in (2, 3, 4)])
def test_square_count_is_the_best_over_all_radices(cap: int, layers: int) -> None:
    best = 0
    for radices in product(range(1, cap + 3), repeat=layers):
        neurons = [radices[0] - 1, *radices[1:-1], radices[-1] - 1]
        if max(neurons) <= cap:
            best = max(best, prod(radices))
    assert best == exact(COUNT.bound.expression, {w: cap, m: layers})


@given(RADICES.filter(lambda radices: len(radices) > 1), UNIT)
def test_square_count_the_last_layer_needs_its_kinks_only(radices: list[int], x: Fraction) -> None:
    # f = S_{m-1} + X_m/N^2 + (2/N^2) sum_k relu(X_m - k): every kink of the last zigzag has the same weight.
    *first, last = radices
    pieces, value = prod(radices), x
    for radix in first:
        value = zigzag(radix, value)
    accumulated = interpolate(first, x) - value / Fraction(prod(first)) ** 2
    kinks = sum(max(last * value - kink, Fraction(0)) for kink in range(1, last))
    assert interpolate(radices, x) == accumulated + (last * value + 2 * kinks) / Fraction(pieces) ** 2


@given(RADICES, st.integers(1, 6), st.fractions(-2, 3, max_denominator=999), st.fractions(-1, 1, max_denominator=999))
def test_square_sensitivity_holds_on_the_line(rest: list[int], before: int, value: Fraction, shift: Fraction) -> None:
    moved = (clamped_rest(rest, value + shift) - clamped_rest(rest, value)) / before**2
    assert 0 <= moved * (1 if shift >= 0 else -1) <= exact(SENSITIVITY.bound.expression, {tau: abs(shift), P: before})


@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6), st.fractions(0, 1, max_denominator=99))
def test_square_sensitivity_is_attained_past_one(half: int, second: int, last: int, shift: Fraction) -> None:
    rest = [2 * half, second, last]
    moved = clamped_rest(rest, 1 + shift) - clamped_rest(rest, Fraction(1))
    assert moved == exact(SENSITIVITY.bound.expression, {tau: shift, P: 1})


@given(RADICES)
def test_square_sensitivity_last_slope_inside(radices: list[int]) -> None:
    pieces = prod(radices)
    rise = interpolate(radices, Fraction(1)) - interpolate(radices, 1 - Fraction(1, pieces))
    assert rise * pieces == exact(SENSITIVITY.formulas["last slope"], {P: 1, N: pieces})
