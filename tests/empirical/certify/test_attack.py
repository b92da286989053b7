"""The search for bad matrices: deterministic, inside the box, and never worse than where it began."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.certify.affine import AffineTarget
from empirical.certify.attack import SAMPLES, climb, sample, starts
from empirical.certify.chain import Budget, ReluChain
from empirical.certify.inverse import InverseTarget
from empirical.certify.norms import NORMS
from empirical.certify.piece import Problem


@pytest.fixture
def problem(trained, quarter):
    chain, region = trained("second", (8,)), quarter("second")
    return Problem(chain, InverseTarget(2), "max", Budget.of(chain, *region.outer)), region


def test_samples_are_the_boxs_own_and_sorted(problem) -> None:
    task, region = problem
    best, points = sample(task, region, 3)
    assert points.shape == (SAMPLES, 4)
    assert (points >= region.inner[0]).all()
    assert (points <= region.inner[1]).all()
    errors = NORMS["max"].of(task.errors(points))
    assert best == errors[0] == errors.max()
    assert (np.diff(errors) <= 0).all()
    again = sample(task, region, 3)
    assert again[0] == best
    assert (again[1] == points).all()
    assert sample(task, region, 4)[0] != best


def test_climbing_helps_and_stays_inside(problem) -> None:
    task, region = problem
    best, points = sample(task, region, 0)
    found, point = climb(task, region, starts(task, region, points, 0))
    assert found > best
    assert region.contains(point.reshape(2, 2))
    # The same value up to the order of summation, which BLAS chooses by batch size.
    assert found == pytest.approx(NORMS["max"].of(task.errors(point[None]))[0], rel=1e-13)


def test_climbing_stops_when_told(problem) -> None:
    task, region = problem
    _, points = sample(task, region, 0)
    found, _ = climb(task, region, points[:1], stop=lambda: True)
    assert found == pytest.approx(NORMS["max"].of(task.errors(points[:1]))[0], rel=1e-13)


def test_of_an_affine_difference_the_corner_is_found(quarter) -> None:
    """The largest entry of an affine map over a box is known: |constant| + sum |slope| half-width."""
    generator = np.random.default_rng(5)
    matrix = generator.normal(size=(4, 4))
    chain = ReluChain((np.zeros((4, 4)),), (np.zeros(4),))
    region = quarter("first")
    task = Problem(chain, AffineTarget(matrix, np.zeros(4)), "max", Budget.of(chain, *region.outer))
    low, high = region.inner
    exact = np.abs(matrix @ (low + high) / 2) + np.abs(matrix) @ (high - low) / 2
    _, points = sample(task, region, 0)
    # A few roundings of numbers of order ten.
    assert climb(task, region, starts(task, region, points, 0))[0] == pytest.approx(exact.max(), rel=1e-13)
