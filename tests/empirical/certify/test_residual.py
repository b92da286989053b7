"""Bounds of N - f over boxes: valid where it hurts, tilting only helps, and what is cut off was harmless."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from empirical.certify.affine import AffineTarget
from empirical.certify.chain import Budget, ReluChain
from empirical.certify.expansion import Expansion
from empirical.certify.inverse import InverseTarget
from empirical.certify.relaxation import relax
from empirical.certify.residual import Residual, residual_bounds, tilt


class _Quadratic:
    """x -> slope . x + x' H_k x on one box around 0, as an expansion with exact pieces."""

    def __init__(self, slope: np.ndarray, forms: np.ndarray, radius: np.ndarray) -> None:
        self.slope, self.forms, self.radius = slope, forms, radius

    def expansion(self) -> Expansion:
        wide = (np.abs(self.forms) * self.radius[0][:, None] * self.radius[0]).sum(axis=(1, 2))[None] * (1 + 1e-12)
        zero = np.zeros((1, len(self.forms)))
        return Expansion(zero, self.slope[None], -wide, wide, zero, lambda box, entry: self.forms[entry])


def _quadratic_residual(seed: int, strength: float) -> tuple[_Quadratic, Residual, Residual]:
    generator = np.random.default_rng(seed)
    half = generator.normal(size=(4, 4, 4)) * strength
    forms, slope = (half + np.swapaxes(half, 1, 2)) / 2, generator.normal(size=(4, 4))
    radius = np.abs(generator.normal(size=(1, 4)))
    model = _Quadratic(slope, forms, radius)
    chain = ReluChain((np.zeros((4, 4)),), (np.zeros(4),))
    budget = Budget.of(chain, -radius[0], radius[0])
    centre = np.zeros((1, 4))
    plain = residual_bounds(chain, budget, relax(chain, budget, centre, radius), model.expansion(), centre, radius)
    return model, plain, tilt(plain, model.expansion(), radius, np.ones_like(plain.bound, dtype=bool))


@given(st.integers(0, 10**6), st.sampled_from([0.01, 0.1, 1.0, 10.0]))
def test_tilting_never_loosens_and_never_cuts_the_truth(seed: int, strength: float) -> None:
    model, plain, tilted = _quadratic_residual(seed, strength)
    assert (tilted.bound <= plain.bound).all()
    # A grid with the corners on it: every term of the form can peak there or at 0.
    grid = np.array(list(product((-1.0, -0.5, 0.0, 0.5, 1.0), repeat=4))) * model.radius
    values = grid @ model.slope.T + np.einsum("pi,kij,pj->pk", grid, model.forms, grid)
    worst = np.concatenate([(-values).max(axis=0), values.max(axis=0)])
    # 1e-12: rounding of the four-term sums above, relative to magnitudes below 10^3.
    assert (worst <= tilted.bound[0] + 1e-12 * (1 + np.abs(tilted.bound[0]))).all()


def test_where_the_linear_part_rules_tilting_is_exact_at_the_corner() -> None:
    """Largest slope-to-curvature ratio: the maximum is at the corner the slope points to, and the bound attains it."""
    model, _, tilted = _quadratic_residual(5, 0.01)
    corners = np.array(list(product((-1.0, 1.0), repeat=4))) * model.radius
    values = corners @ model.slope.T + np.einsum("pi,kij,pj->pk", corners, model.forms, corners)
    worst = np.concatenate([(-values).max(axis=0), values.max(axis=0)])
    curvature = 2 * np.abs(model.forms).sum(axis=2) * model.radius
    rules = (np.abs(model.slope) > curvature.max()).all(axis=1)
    assert rules.any()
    # The budget's slack and a few roundings of numbers of order one.
    assert np.abs(tilted.bound[0] - worst)[np.concatenate([rules, rules])].max() < 1e-11


@given(st.integers(0, 10**6), st.floats(0.1, 0.99))
def test_outside_of_keep_every_row_is_below_the_threshold(seed: int, level: float) -> None:
    model, _, tilted = _quadratic_residual(seed, 0.1)
    threshold = level * float(tilted.bound.max())
    low, high = tilted.keep(model.radius, threshold)
    generator = np.random.default_rng(seed)
    points = model.radius * (2 * generator.random((300, 4)) - 1)
    points = np.concatenate([points, np.array(list(product((-1.0, 1.0), repeat=4))) * model.radius])
    outside = ((points < low[0]) | (points > high[0])).any(axis=1)
    values = points @ model.slope.T + np.einsum("pi,kij,pj->pk", points, model.forms, points)
    # 1e-12 as above.
    assert (np.abs(values[outside]) <= threshold + 1e-12 * (1 + threshold)).all()


def test_keep_cuts_something() -> None:
    model, _, tilted = _quadratic_residual(1, 0.01)
    # One active row: +f and -f of one entry peak at opposite corners, and what both leave is the whole box.
    alone = np.where(tilted.bound == tilted.bound.max(), tilted.bound, 0.0)
    low, high = Residual(tilted.linear, alone, tilted.slope, tilted.bend).keep(model.radius, 0.95 * float(alone.max()))
    assert (high - low < 2 * model.radius).any()


def _exact_error(chain: ReluChain, point: np.ndarray) -> list[Fraction]:
    """N(A) - A^-1 at a 2 x 2 matrix, in rationals: Cramer's rule."""
    a, b, c, d = (Fraction(float(x)) for x in point)
    determinant = a * d - b * c
    values = [Fraction(float(x)) for x in point]
    for index, (weight, bias) in enumerate(zip(chain.weights, chain.biases, strict=True)):
        values = [max(value, Fraction(0)) for value in values] if index else values
        values = [
            sum((Fraction(float(w)) * x for w, x in zip(row, values, strict=True)), Fraction(float(shift)))
            for row, shift in zip(weight, bias, strict=True)
        ]
    inverse = [d / determinant, -b / determinant, -c / determinant, a / determinant]
    return [value - entry for value, entry in zip(values, inverse, strict=True)]


@pytest.mark.parametrize("share", [1.0, 0.2, 0.01])
def test_bounds_of_a_trained_network_hold_exactly(trained, quarter, share: float) -> None:
    chain, region = trained("second", (8, 8)), quarter("second")
    root_low, root_high = region.outer
    budget = Budget.of(chain, root_low, root_high)
    generator = np.random.default_rng(3)
    half = (root_high - root_low) / 2
    centre = (root_low + root_high) / 2 + (1 - share) * half * (2 * generator.random((8, 4)) - 1)
    radius = np.broadcast_to(share * half, centre.shape)
    expansion = InverseTarget(2).expand(centre, radius)
    residual = residual_bounds(chain, budget, relax(chain, budget, centre, radius), expansion, centre, radius)
    residual = tilt(residual, expansion, radius, np.ones_like(residual.bound, dtype=bool))
    assert np.isfinite(residual.bound).all()
    for box in range(len(centre)):
        coins = generator.random((12, 4)) < 0.5
        corners = np.where(coins, centre[box] - radius[box], centre[box] + radius[box])
        # Rounding a corner may leave the box by one ulp; pull it back in.
        corners = np.where(coins, np.nextafter(corners, np.inf), np.nextafter(corners, -np.inf))
        for point in corners:
            errors = _exact_error(chain, point)
            rows = [*errors, *(-error for error in errors)]
            assert all(Fraction(float(b)) >= error for b, error in zip(residual.bound[box], rows, strict=True))


def test_a_network_without_hidden_layers_against_itself_is_exact() -> None:
    generator = np.random.default_rng(0)
    matrix, shift = generator.normal(size=(4, 4)), generator.normal(size=4)
    chain, target = ReluChain((matrix,), (shift,)), AffineTarget(matrix, shift)
    centre, radius = generator.normal(size=(3, 4)), np.full((3, 4), 0.5)
    budget = Budget.of(chain, -np.full(4, 4.0), np.full(4, 4.0))
    expansion = target.expand(centre, radius)
    residual = residual_bounds(chain, budget, relax(chain, budget, centre, radius), expansion, centre, radius)
    # Zero up to the slack, 32 (1 + 2)^2 (4 + 8) u times magnitudes below 100, and the target's own rounding.
    assert (residual.bound >= 0).all()
    assert residual.bound.max() < 1e-9
