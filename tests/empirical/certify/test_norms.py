"""Norms: floats, balls, gradients and upward rounding agree."""

from __future__ import annotations

import flint
import numpy as np
import pytest

from empirical.certify.norms import NORMS
from theory.errors import BadInput

REFERENCE = {
    "max": lambda a: np.abs(a).max(),
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


@pytest.mark.parametrize("name", list(NORMS))
def test_the_norm_is_the_largest_of_its_functionals(name: str) -> None:
    stack = np.random.default_rng(1).normal(size=(20, 3, 3))
    norm = NORMS[name]
    functionals = norm.functionals(3)
    assert set(np.unique(functionals)) <= {-1.0, 0.0, 1.0}
    assert (stack.reshape(20, 9) @ functionals.T).max(axis=1) == pytest.approx(norm.of(stack), rel=1e-14)
    assert len(functionals) == (18 if name == "max" else 3 * 8)


def test_sums_of_large_matrices_are_refused() -> None:
    with pytest.raises(BadInput, match="8 x 8"):
        NORMS["inf"].functionals(9)
    assert len(NORMS["max"].functionals(16)) == 512


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
