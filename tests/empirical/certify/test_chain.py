"""Chains and the budget that pays for their rounding."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from empirical.certify.chain import Budget, ReluChain
from theory.errors import BadInput


def _random_chain(seed: int, sizes: tuple[int, ...] = (4, 5, 6, 4), scale: float = 1.0) -> ReluChain:
    generator = np.random.default_rng(seed)
    weights = [generator.normal(0, scale, (b, a)) for a, b in pairwise(sizes)]
    return ReluChain(tuple(weights), tuple(generator.normal(0, scale, b) for b in sizes[1:]))


@pytest.mark.parametrize(
    ("weights", "biases", "word"),
    [
        ((), (), "at least one"),
        ((np.eye(2),), (), "one bias"),
        ((np.eye(2),), (np.zeros(3),), "do not fit"),
        ((np.eye(2), np.eye(3)), (np.zeros(2), np.zeros(3)), "takes 3 inputs but layer 0 gives 2"),
        ((np.full((2, 2), np.inf),), (np.zeros(2),), "not finite"),
        ((np.zeros((0, 2)),), (np.zeros(0),), "do not fit"),
    ],
)
def test_layers_that_do_not_fit_are_refused(weights: tuple, biases: tuple, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        ReluChain(weights, biases)


def test_the_pullback_is_the_gradient() -> None:
    chain = _random_chain(0)
    generator = np.random.default_rng(1)
    points, cotangents = generator.normal(size=(20, 4)), generator.normal(size=(20, 4))
    step, direction = 1e-6, generator.normal(size=(20, 4))
    ahead, behind = chain.values(points + step * direction), chain.values(points - step * direction)
    difference = ((ahead - behind) * cotangents).sum(axis=1) / (2 * step)
    slope = (chain.pullback(points, cotangents) * direction).sum(axis=1)
    # Piecewise linear: the difference quotient is exact up to rounding, 1e-16 * |values| / step, unless a kink is
    # crossed, which a step of 1e-6 does at none of these points.
    assert np.abs(difference - slope).max() < 1e-7


@given(st.integers(0, 10**6))
def test_magnitudes_bound_every_path_sum_exactly(seed: int) -> None:
    chain = _random_chain(seed, scale=1e3)
    high = np.abs(np.random.default_rng(seed + 1).normal(size=4))
    magnitudes = Budget.of(chain, -high, high).magnitudes
    exact = [Fraction(float(x)) for x in high]
    for weight, bias, claimed in zip(chain.weights, chain.biases, magnitudes, strict=True):
        rows = zip(weight, bias, strict=True)
        exact = [
            sum(abs(Fraction(float(w))) * x for w, x in zip(row, exact, strict=True)) + abs(Fraction(float(shift)))
            for row, shift in rows
        ]
        assert all(Fraction(float(c)) >= x for c, x in zip(claimed, exact, strict=True))


def test_weights_that_leave_float64_are_refused() -> None:
    chain = ReluChain((np.full((4, 4), 1e200), np.full((4, 4), 1e200)), (np.zeros(4), np.zeros(4)))
    with pytest.raises(BadInput, match="float64"):
        Budget.of(chain, -np.ones(4), np.ones(4))
