"""Theorems freeze.affine and freeze.squarer, attacked neuron by neuron in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.evaluate import exact
from theory.freezing import AFFINE, FIRST_LAYER, LAYER, SECOND_LAYER, SQUARER, UNIT_ROUNDOFF, perturbed
from theory.squaring import interpolate_symmetric
from theory.symbols import P, a, b, r, r1, r2, tau, tau1, tau2, x

RADICES = st.lists(st.integers(1, 6), min_size=2, max_size=4)
POINT = st.fractions(-1, 1, max_denominator=200)
SIZE = st.fractions(0, 3, max_denominator=50)
NORMAL = st.floats(2.0**-1022, 1e300) | st.fractions(Fraction(1, 10**9), 10**9)


def change(radices: list[int], u: Fraction, shifts: list[list[Fraction]]) -> Fraction:
    """How much the shifts move the squarer's output."""
    return perturbed(radices, u, shifts) - interpolate_symmetric(radices, u)


def limit(radices: list[int], first: Fraction, second: Fraction) -> Fraction:
    return exact(SQUARER.bound.expression, {r1: radices[0], r2: radices[1], tau1: first, tau2: second})


def shifts_of(radix: int, size: Fraction) -> st.SearchStrategy[list[Fraction]]:
    """Shifts within +-size, mostly at its ends, where the worst case is."""
    share = st.sampled_from([-1, 1, 0]) | st.fractions(-1, 1, max_denominator=20)
    return st.lists(share.map(lambda s: s * size), min_size=radix, max_size=radix)


@given(st.fractions(-(10**9), 10**9).filter(lambda w: abs(w) > Fraction(1, 10**9)))
def test_freeze_affine_one_weight(weight: Fraction) -> None:
    assert abs(weight - Fraction(float(weight))) <= UNIT_ROUNDOFF * abs(weight)


@given(st.lists(st.tuples(st.fractions(-9, 9), st.fractions(-9, 9)), min_size=1, max_size=6), st.fractions(-9, 9))
def test_freeze_affine_a_row(terms: list[tuple[Fraction, Fraction]], bias: Fraction) -> None:
    ideal = sum((w * h for w, h in terms), bias)
    frozen = sum((Fraction(float(w)) * h for w, h in terms), Fraction(float(bias)))
    mass = [exact(AFFINE.bound.expression, {a: abs(w), x: abs(h), b: 0}) for w, h in terms]
    assert abs(ideal - frozen) <= sum(mass, exact(AFFINE.bound.expression, {a: 0, x: 0, b: abs(bias)}))


def test_freeze_affine_is_nearly_reached() -> None:
    # 1 + 2^-53 lies halfway between two floats and goes to 1: a relative error of 2^-53/(1 + 2^-53).
    weight = 1 + UNIT_ROUNDOFF
    assert Fraction(float(weight)) == 1
    assert abs(weight - 1) / weight > UNIT_ROUNDOFF * (1 - 2 * UNIT_ROUNDOFF)


def test_freeze_affine_needs_the_normal_range() -> None:
    subnormal = Fraction(3, 2) * Fraction(1, 2**1074)
    assert abs(subnormal - Fraction(float(subnormal))) > UNIT_ROUNDOFF * subnormal


@given(RADICES, POINT)
def test_without_shifts_the_network_is_the_squarer(radices: list[int], u: Fraction) -> None:
    assert change(radices, u, []) == 0


@settings(max_examples=200)
@given(RADICES, POINT, SIZE, SIZE, st.data())
def test_freeze_squarer_holds(
    radices: list[int], u: Fraction, first: Fraction, second: Fraction, data: st.DataObject
) -> None:
    shifts = [data.draw(shifts_of(radices[0], first)), data.draw(shifts_of(radices[1], second))]
    assert abs(change(radices, u, shifts)) <= limit(radices, first, second)


@settings(max_examples=100)
@given(RADICES, POINT, SIZE, st.data())
def test_freeze_squarer_first_layer_with_exact_linear_part(
    radices: list[int], u: Fraction, size: Fraction, data: st.DataObject
) -> None:
    shifts = [Fraction(0), *data.draw(shifts_of(radices[0], size))[1:]]
    sharper = Fraction(16 * (radices[0] // 2), radices[0] ** 2) * size
    assert abs(change(radices, u, [shifts])) <= sharper <= limit(radices, size, Fraction(0))


@settings(max_examples=100)
@given(RADICES, POINT, st.data())
def test_freeze_squarer_layers_add(radices: list[int], u: Fraction, data: st.DataObject) -> None:
    sizes = [data.draw(SIZE) for _ in radices]
    shifts = [data.draw(shifts_of(radix, size)) for radix, size in zip(radices, sizes, strict=True)]
    total = sum(
        exact(LAYER, {r: radix, P: prod(radices[:j]), tau: size})
        for j, (radix, size) in enumerate(zip(radices, sizes, strict=True))
    )
    assert abs(change(radices, u, shifts)) <= total


@pytest.mark.parametrize("radices", [[2, 2, 2], [3, 2, 2], [2, 3, 2], [3, 3], [4, 2]])
def test_freeze_squarer_all_corners(radices: list[int]) -> None:
    # Every sign pattern of both layers at every half cell: the whole finite family, not a sample.
    pieces, first, second = prod(radices), Fraction(1, 3), Fraction(1, 5)
    ends = [(-first, first)] * radices[0] + [(-second, second)] * radices[1]
    worst = max(
        abs(change(radices, -1 + Fraction(i, pieces), [list(corner[: radices[0]]), list(corner[radices[0] :])]))
        for corner in product(*ends)
        for i in range(2 * pieces + 1)
    )
    assert worst <= limit(radices, first, second)
    assert worst >= limit(radices, first, second) / 2  # and the bound is no empty promise


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), SIZE)
def test_freeze_squarer_eight_is_needed_in_layer_one(half: int, second: int, last: int, size: Fraction) -> None:
    # At u = 1 an even r_1 has T_1 = 0: raising the odd kinks pushes T_1 below 0, where the carried relu(X_2) is silent.
    shifts = [size if kink % 2 else Fraction(0) for kink in range(2 * half)]
    moved = change([2 * half, second, last], Fraction(1), [shifts])
    assert moved == exact(FIRST_LAYER * tau1 / r1, {tau1: size, r1: 2 * half})


@given(st.integers(0, 3), st.integers(1, 5), SIZE)
def test_freeze_squarer_eight_is_needed_for_odd_radices(half: int, second: int, size: Fraction) -> None:
    # At u = 1 an odd r_1 has T_1 = 1: even kinks and the linear part push it above 1, where the slope is 2 (r_2 even).
    radix = 2 * half + 1
    shifts = [Fraction(0) if kink % 2 else size for kink in range(radix)]
    moved = change([radix, 2 * second, 2, 2], Fraction(1), [shifts])
    assert moved == exact(FIRST_LAYER * tau1 / r1, {tau1: size, r1: radix})


@given(st.integers(0, 3), st.integers(1, 4), st.integers(1, 4), SIZE)
def test_freeze_squarer_eight_is_needed_in_layer_two(before: int, half: int, third: int, size: Fraction) -> None:
    # r_1 odd puts T_1 = 1 at u = 1; then as in layer one.
    radices = [2 * before + 1, 2 * half, third, 2]
    shifts = [size if kink % 2 else Fraction(0) for kink in range(2 * half)]
    moved = change(radices, Fraction(1), [[Fraction(0)] * radices[0], shifts])
    assert moved == exact(SECOND_LAYER * tau2 / (r2 * r1**2), {tau2: size, r1: radices[0], r2: radices[1]})
