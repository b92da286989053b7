"""Bounds of N - f on nodes: valid for any multipliers, better with better ones; what is cut off was harmless."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from empirical.certify.affine import AffineTarget
from empirical.certify.chain import Budget, ReluChain
from empirical.certify.dual import Row, best_bounds, kept, start_multipliers
from empirical.certify.expansion import Target
from empirical.certify.inverse import InverseTarget
from empirical.certify.norms import NORMS
from empirical.certify.relaxation import relax
from tests.naive.naive_chain import exact_layers


def _row(
    chain: ReluChain, target: Target, centre: np.ndarray, radius: np.ndarray, functionals: np.ndarray, decided=None
) -> Row:
    budget = Budget.of(chain, (centre - radius).min(axis=0), (centre + radius).max(axis=0))
    if decided is None:
        decided = np.zeros((len(centre), sum(chain.hidden)), dtype=np.int8)
    relaxation = relax(chain, budget, centre, radius, decided)
    return Row(chain, budget, relaxation, target.expand(centre, radius, functionals), functionals, decided, radius)


def _exact_error(chain: ReluChain, point: np.ndarray) -> list[Fraction]:
    """N(A) - A^-1 at a 2 x 2 matrix, in rationals: Cramer's rule."""
    a, b, c, d = (Fraction(float(x)) for x in point)
    determinant = a * d - b * c
    inverse = [d / determinant, -b / determinant, -c / determinant, a / determinant]
    return [value - entry for value, entry in zip(exact_layers(chain, point)[-1], inverse, strict=True)]


def _inside(generator: np.random.Generator, centre: np.ndarray, radius: np.ndarray, count: int) -> np.ndarray:
    """Corners pulled one float inwards, so that they are in the exact box, and points between."""
    coins = generator.random((count, len(centre))) < 0.5
    corners = np.where(coins, np.nextafter(centre - radius, np.inf), np.nextafter(centre + radius, -np.inf))
    mixed = centre + (corners - centre) * generator.random((count, 1))
    return np.concatenate([corners, mixed])


@pytest.mark.parametrize("norm", list(NORMS))
@pytest.mark.parametrize("share", [1.0, 0.2, 0.01])
def test_bounds_of_a_trained_network_hold_exactly(trained, quarter, share: float, norm: str) -> None:
    chain, region = trained("second", (8, 8)), quarter("second")
    low, high = region.outer
    functionals = NORMS[norm].functionals(2)
    generator = np.random.default_rng(3)
    half, count = (high - low) / 2, len(functionals)
    centre = (low + high) / 2 + (1 - share) * half * (2 * generator.random((count, 4)) - 1)
    radius = np.broadcast_to(share * half, centre.shape)
    row = _row(chain, InverseTarget(2), centre, radius, functionals)
    found = best_bounds(row, start_multipliers(row), 0.0, 10, curved=True)
    assert np.isfinite(found.bound).all()
    for node in range(count):
        weights = [int(entry) for entry in functionals[node]]
        for point in _inside(generator, centre[node], radius[node], 5):
            error = sum(w * e for w, e in zip(weights, _exact_error(chain, point), strict=True))
            assert error <= Fraction(float(found.bound[node]))
            # The linear form of the bound holds at every point too.
            step = point - centre[node]
            drop = (np.abs(found.slope[node]) * (radius[node] - np.sign(found.slope[node]) * step)).sum()
            # 1e-14: float rounding of this drop, of order one.
            assert float(error) <= found.bound[node] - drop + 1e-14


@given(st.integers(0, 10**6), st.sampled_from([(4, 6, 4), (4, 5, 5, 4)]))
def test_any_multipliers_bound_the_part_with_the_decided_signs(seed: int, sizes: tuple[int, ...]) -> None:
    """Random networks, signs decided as they are at one point, random multipliers: exact values there stay below."""
    generator = np.random.default_rng(seed)
    weights = tuple(generator.normal(size=(b, a)) for a, b in pairwise(sizes))
    chain = ReluChain(weights, tuple(generator.normal(size=b) for b in sizes[1:]))
    target = AffineTarget(generator.normal(size=(4, 4)), generator.normal(size=4))
    centre, radius = generator.normal(size=(1, 4)), np.full((1, 4), 0.7)
    point = _inside(generator, centre[0], radius[0], 1)[generator.integers(2)]
    layers = exact_layers(chain, point)
    signs = np.array([1 if value >= 0 else -1 for layer in layers[:-1] for value in layer], dtype=np.int8)
    decided = np.where(generator.random(len(signs)) < 0.5, signs, 0)[None].astype(np.int8)
    functionals = generator.choice([-1.0, 0.0, 1.0], size=(1, 4))
    row = _row(chain, target, centre, radius, functionals, decided)
    assert not row.relaxation.empty.any()
    weights = 10.0 ** generator.uniform(-3, 2, decided.shape)
    multiplier = np.where(decided != 0, weights, generator.random(decided.shape))
    found = best_bounds(row, multiplier, -100.0, 3, curved=True)
    image = [
        sum((Fraction(float(w)) * Fraction(float(x)) for w, x in zip(line, point, strict=True)), Fraction(float(shift)))
        for line, shift in zip(target.matrix, target.shift, strict=True)
    ]
    error = sum(int(f) * (v - y) for f, v, y in zip(functionals[0], layers[-1], image, strict=True))
    assert error <= Fraction(float(found.bound[0]))


def test_impossible_signs_are_proved_empty() -> None:
    chain = ReluChain((np.eye(4), np.eye(4)), (np.full(4, 5.0), np.zeros(4)))
    decided = np.array([[-1, 0, 0, 0], [1, 0, 0, 0]], dtype=np.int8)
    centre, radius = np.zeros((2, 4)), np.ones((2, 4))
    row = _row(chain, AffineTarget(np.eye(4), np.zeros(4)), centre, radius, np.eye(4)[:2], decided)
    assert row.relaxation.empty.tolist() == [True, False]


def test_better_multipliers_help_and_never_hurt(trained, quarter) -> None:
    """Against the published choice of slopes, at the same boxes: never looser, and much tighter where neurons bend."""
    chain, region = trained("second", (32,)), quarter("second")
    low, high = region.outer
    functionals = NORMS["max"].functionals(2)
    centre, radius = (np.repeat(part[None], 8, axis=0) for part in ((low + high) / 2, (high - low) / 2))
    row = _row(chain, InverseTarget(2), centre, radius, functionals)
    published = best_bounds(row, start_multipliers(row), 0.0, 0, curved=False)
    curved = best_bounds(row, start_multipliers(row), 0.0, 0, curved=True)
    moved = best_bounds(row, start_multipliers(row), 0.0, 12, curved=True)
    assert (curved.bound <= published.bound).all()
    assert (moved.bound <= curved.bound).all()
    # Linear programming finds 0.74 of the published bound for the first entry.
    assert (moved.bound < 0.95 * published.bound).all()


def test_one_subgradient_step_is_a_derivative(trained, quarter) -> None:
    """Finite differences of the bound in single multipliers, with a constraint among them."""
    from empirical.certify import dual

    chain, region = trained("second", (8, 8)), quarter("second")
    low, high = region.outer
    centre, radius = ((low + high) / 2)[None], ((high - low) / 2)[None]
    functionals = np.array([[1.0, 0.0, 0.0, 0.0]])
    plain = _row(chain, InverseTarget(2), centre, radius, functionals)
    opened = np.flatnonzero(np.concatenate([line.open[0] for line in plain.relaxation.lines]))
    decided = np.zeros((1, 16), dtype=np.int8)
    decided[0, opened[0]] = 1
    row = _row(chain, InverseTarget(2), centre, radius, functionals, decided)
    multiplier = np.clip(start_multipliers(row), 0.3, 0.7)
    walk, bound, slope, _ = dual._proved(row, multiplier, curved=False)
    gradient = dual._subgradient(row, walk, multiplier, radius * np.sign(slope))
    step, checked = 1e-7, 0
    for neuron in opened:
        moved = multiplier.copy()
        moved[0, neuron] += step
        difference = (dual._proved(row, moved, curved=False)[1] - bound)[0] / step
        # Piecewise polynomial of low degree, values of order one: 1e-16 / step of rounding, step times curvature.
        assert difference == pytest.approx(gradient[0, neuron], abs=1e-5)
        checked += gradient[0, neuron] != 0
    assert checked >= 3


@given(st.integers(0, 10**6), st.floats(0.1, 0.99))
def test_outside_of_kept_the_linear_bound_is_below_the_threshold(seed: int, level: float) -> None:
    generator = np.random.default_rng(seed)
    slope, radius = generator.normal(size=(1, 4)), np.abs(generator.normal(size=(1, 4)))
    bound = np.array([(np.abs(slope) * radius).sum()])
    threshold = float((2 * level - 1) * bound[0])
    low, high = kept(bound, slope, radius, threshold)
    points = radius * np.array(list(product((-1.0, -0.6, -0.2, 0.2, 0.6, 1.0), repeat=4)))
    outside = ((points < low) | (points > high)).any(axis=1)
    # Rounding of the sum here.
    assert ((points @ slope[0])[outside] <= threshold + 1e-14 * bound[0]).all()


def test_kept_cuts_what_it_can() -> None:
    low, high = kept(np.array([3.0]), np.array([[2.0, -1.0]]), np.ones((1, 2)), 2.0)
    # 2 d_1 - d_2 > 2 on the unit square needs d_1 > 1/2 and d_2 < 0.
    assert low[0] == pytest.approx([0.5, -1.0], abs=1e-14)
    assert high[0] == pytest.approx([1.0, 0.0], abs=1e-14)


def test_a_network_without_hidden_layers_against_itself_is_exact() -> None:
    generator = np.random.default_rng(0)
    matrix, shift = generator.normal(size=(4, 4)), generator.normal(size=4)
    chain, target = ReluChain((matrix,), (shift,)), AffineTarget(matrix, shift)
    centre, radius = generator.normal(size=(8, 4)), np.full((8, 4), 0.5)
    row = _row(chain, target, centre, radius, NORMS["max"].functionals(2))
    bound = best_bounds(row, start_multipliers(row), 0.0, 4, curved=True).bound
    # Zero up to the slack, 32 (1 + 2)^2 (4 + 8) u times magnitudes below 100, and the target's own rounding.
    assert (bound >= 0).all()
    assert bound.max() < 1e-9
