"""Singular matrices in a box are found where they are, and never claimed where they are not."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from empirical.certify.region import Region
from empirical.certify.singular import holds_singular


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_a_sign_change_is_found(n: int) -> None:
    generator = np.random.default_rng(n)
    for _ in range(5):
        matrix = generator.normal(size=(n, n))
        # The smallest change that makes it singular, in max-entry norm, is below sigma_min; 1.05 of it reaches past.
        smallest = float(np.linalg.svd(matrix, compute_uv=False)[-1])
        assert holds_singular(Region(matrix, Fraction(1.05 * smallest)))


def test_an_exactly_singular_centre_is_found() -> None:
    assert holds_singular(Region(np.array([[1.0, 2.0], [2.0, 4.0]]), Fraction(1, 10**9)))
    assert holds_singular(Region(np.zeros((3, 3)), Fraction(1, 10**9)))


@pytest.mark.parametrize("n", [1, 2, 4, 9])
def test_strictly_dominant_boxes_are_left_alone(n: int) -> None:
    # Row sums of the off-diagonal parts stay below the diagonal: regular throughout, by Gershgorin.
    assert not holds_singular(Region(np.eye(n) * (n + 1), Fraction(9, 10)))
