from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical.regions import Affine, Arrangement, find_cells
from theory.errors import BadInput


def random_layer(seed: int, units: int, inputs: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(units, inputs)), 0.4 * generator.normal(size=units)


def arrangement_of(weight, bias) -> Arrangement:
    inputs = np.asarray(weight).shape[1]
    return Arrangement.of(np.asarray(weight, float), np.asarray(bias, float), -np.ones(inputs), np.ones(inputs))


whole = st.integers(-3, 3)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(whole, whole), min_size=1, max_size=5))
def test_on_a_line_the_cells_are_the_intervals_between_the_kinks(units):
    # Small whole numbers on purpose: kinks coincide, fall on the ends of the box, or are missing (slope 0).
    weight, bias = np.array([[w] for w, _ in units], float), np.array([b for _, b in units], float)
    arrangement = arrangement_of(weight, bias)
    kinks = sorted({Fraction(-b, w) for w, b in units if w and -1 < Fraction(-b, w) < 1})
    ends = [Fraction(-1), *kinks, Fraction(1)]
    middles = [(low + high) / 2 for low, high in pairwise(ends)]
    # Between kinks a unit is zero at a point only where it is zero everywhere; then it counts as not positive.
    expected = {tuple(w * x + b > 0 for w, b in units) for x in middles}
    found = find_cells(arrangement)
    assert {cell.signs for cell in found.cells} == expected
    for cell in found.cells:
        assert all(g(cell.point) > 0 for g in arrangement.signed(cell.signs))


@pytest.mark.parametrize(("units", "inputs"), [(1, 2), (4, 2), (6, 2), (5, 3)])
def test_in_a_large_box_all_generic_regions_are_found(units, inputs):
    # Hyperplanes in general position cut space into Σ_{i <= inputs} C(units, i) regions; a box wide enough meets all.
    weight, bias = random_layer(7, units, inputs)
    wide = 1e4 * np.ones(inputs)
    found = find_cells(Arrangement.of(weight, bias, -wide, wide))
    assert len(found.cells) == sum(math.comb(units, i) for i in range(inputs + 1))


@pytest.mark.parametrize("seed", range(3))
def test_no_sampled_pattern_is_missing_and_every_cell_has_a_point(seed):
    weight, bias = random_layer(seed, 7, 4)
    arrangement = arrangement_of(weight, bias)
    found = find_cells(arrangement)
    patterns = {cell.signs for cell in found.cells}
    assert len(patterns) == len(found.cells)
    points = np.random.default_rng(seed).uniform(-1, 1, (20_000, 4))
    assert {tuple(row) for row in (points @ weight.T + bias > 0).tolist()} <= patterns
    for cell in found.cells:
        assert all(-1 <= x <= 1 for x in cell.point)
        assert tuple(unit(cell.point) > 0 for unit in arrangement.units) == cell.signs


def test_maxima_are_enclosed_and_no_point_beats_them():
    weight, bias = random_layer(11, 6, 3)
    arrangement = arrangement_of(weight, bias)
    f = Affine.of([0.3, -1.7, 0.9], 0.1)
    points = np.random.default_rng(0).uniform(-1, 1, (20_000, 3))
    patterns = points @ weight.T + bias > 0
    values = points @ np.array([0.3, -1.7, 0.9]) + 0.1
    for cell in find_cells(arrangement).cells:
        found = arrangement.maximum(f, cell)
        assert f(found.point) == found.lower <= found.upper
        assert all(g(found.point) >= 0 for g in arrangement.signed(cell.signs))
        # The linear program's own tolerances are 1e-10; its multipliers are below 100 here.
        assert found.upper - found.lower < Fraction(1, 10**7)
        inside = (patterns == np.array(cell.signs)).all(1)
        if inside.any():
            assert values[inside].max() <= float(found.upper) + 1e-12  # rounding of the float values


def test_maximum_over_a_triangle_is_exact_to_rounding():
    # Over {x > 0, y > 0, x + y < 1} the maximum of x + 2y is 2, at (0, 1).
    arrangement = arrangement_of([[1, 0], [0, 1], [-1, -1]], [0, 0, 1])
    cell = next(cell for cell in find_cells(arrangement).cells if cell.signs == (True, True, True))
    found = arrangement.maximum(Affine.of([1, 2], 0), cell)
    assert found.lower <= 2 <= found.upper
    assert float(found.upper - found.lower) < 1e-9


def test_the_outputs_on_a_cell_are_the_networks():
    weight, bias = random_layer(3, 5, 4)
    second, shift = random_layer(4, 2, 5)
    arrangement = arrangement_of(weight, bias)
    for cell in find_cells(arrangement).cells:
        x = np.array([float(entry) for entry in cell.point])
        expected = second @ np.maximum(weight @ x + bias, 0) + shift
        maps = cell.active(second, shift, arrangement)
        # Five products of numbers below 5, in float64.
        np.testing.assert_allclose([float(f(cell.point)) for f in maps], expected, rtol=0, atol=1e-12)


def test_a_touching_hyperplane_makes_no_cell():
    # x + y <= 2 on the box [-1, 1]², with equality at a corner: the far side is empty although the LP reaches 0.
    found = find_cells(arrangement_of([[1, 1]], [-2]))
    assert [cell.signs for cell in found.cells] == [(False,)]


@pytest.mark.parametrize("size", [0.0, 1e-300, 1e-17, 1e17])
def test_units_far_from_1_in_size_change_nothing(size):
    # Weight decay takes units that never turn on down to 1e-17 and below, which a solver would take for 0.
    weight, bias = random_layer(2, 4, 3)
    plain = find_cells(arrangement_of(weight, bias))
    off, on = -size * np.array([3.0, 0.5, -0.2, 0.1]), size * np.array([3.0, 0.1, 0.2, 0.3])
    more = np.stack([off[1:], on[1:]])
    found = find_cells(arrangement_of(np.vstack([more, weight]), np.concatenate([[off[0], on[0]], bias])))
    assert {cell.signs for cell in found.cells} == {(False, size > 0, *cell.signs) for cell in plain.cells}


@pytest.mark.parametrize("seed", range(3))
def test_cells_too_thin_for_floats_are_decided_exactly(seed):
    # Planes through one point up to 1e-13: between them lie cells far thinner than the solver's tolerance of 1e-10.
    weight, _ = random_layer(seed, 5, 3)
    point = np.array([0.1, -0.2, 0.3])
    bias = -weight @ point + 1e-13 * np.arange(5)
    found = find_cells(arrangement_of(weight, bias))
    assert found.exact_programs > 0
    # In general position, 5 planes in space make 1 + 5 + 10 + 10 regions; here they all meet near a point of the box.
    assert len(found.cells) == 26
    for cell in found.cells:
        assert all(g(cell.point) > 0 for g in arrangement_of(weight, bias).signed(cell.signs))


def test_impossible_requests_are_refused():
    with pytest.raises(BadInput):
        find_cells(arrangement_of(*random_layer(0, 6, 2)), most=5)
    with pytest.raises(BadInput):
        Arrangement.of(np.ones((1, 2)), np.ones(1), np.zeros(2), np.zeros(2))
    with pytest.raises(BadInput):
        Arrangement.of(np.ones((1, 3)), np.ones(1), np.zeros(2), np.ones(2))
