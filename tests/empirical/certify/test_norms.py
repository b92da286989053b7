"""Norms: floats, balls, gradients and upward rounding agree."""

from __future__ import annotations

import flint
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from empirical.certify.norms import NORMS

REFERENCE = {
    "max": lambda a: np.abs(a).max(),
    "fro": lambda a: np.linalg.norm(a, "fro"),
    "inf": lambda a: np.linalg.norm(a, np.inf),
    "one": lambda a: np.linalg.norm(a, 1),
}


@pytest.mark.parametrize("name", list(NORMS))
def test_values_and_balls(name: str) -> None:
    stack = np.random.default_rng(0).normal(size=(20, 3, 3))
    norm = NORMS[name]
    for matrix, value in zip(stack, norm.of(stack), strict=True):
        # At most 9 terms: a few roundings.
        assert value == pytest.approx(REFERENCE[name](matrix), rel=1e-14)
        ball = norm.ball(flint.arb_mat(3, 3, [flint.arb(float(x)) for x in matrix.ravel()]))
        assert value == pytest.approx(float(ball), rel=1e-14)


@given(st.integers(0, 10**6), st.sampled_from(list(NORMS)))
def test_upper_bounds_hold_for_every_smaller_matrix(seed: int, name: str) -> None:
    generator = np.random.default_rng(seed)
    bound = np.abs(generator.normal(size=(1, 3, 3))) * 10.0 ** generator.integers(-5, 5)
    share = np.where(generator.random((3, 3)) < 0.5, -1.0, 1.0) * np.minimum(generator.random((3, 3)) * 3, 1)
    inside = bound[0] * share
    with flint.ctx.workprec(200):
        exact = NORMS[name].ball(flint.arb_mat(3, 3, [flint.arb(float(x)) for x in inside.ravel()]))
        assert exact <= flint.arb(float(NORMS[name].above(bound)[0]))


@pytest.mark.parametrize("name", list(NORMS))
def test_the_dual_pairs_to_the_norm_and_is_its_slope(name: str) -> None:
    generator = np.random.default_rng(4)
    stack, direction = generator.normal(size=(30, 3, 3)), generator.normal(size=(30, 3, 3))
    norm = NORMS[name]
    dual = norm.dual(stack)
    assert (dual * stack).sum(axis=(1, 2)) == pytest.approx(norm.of(stack), rel=1e-13)
    step = 1e-7
    slope = (norm.of(stack + step * direction) - norm.of(stack)) / step
    # One-sided differences, off by step times a second derivative of order one, plus rounding 1e-16 / step.
    assert slope == pytest.approx((dual * direction).sum(axis=(1, 2)), abs=1e-5)
