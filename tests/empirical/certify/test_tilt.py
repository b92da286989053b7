"""Tilting: never looser, never below the truth, exact where the linear part rules."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from empirical.certify.tilt import tilted


def _problem(seed: int, strength: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    half = generator.normal(size=(5, 4, 4)) * strength
    forms = (half + np.swapaxes(half, 1, 2)) / 2
    return forms, generator.normal(size=(5, 4)), np.abs(generator.normal(size=(5, 4)))


def _values(forms: np.ndarray, slopes: np.ndarray, points: np.ndarray) -> np.ndarray:
    return (points * slopes[:, None]).sum(axis=2) + np.einsum("kpi,kij,kpj->kp", points, forms, points)


@given(st.integers(0, 10**6), st.sampled_from([0.01, 0.1, 1.0, 10.0]))
def test_tilting_never_loosens_and_holds_everywhere(seed: int, strength: float) -> None:
    forms, slopes, radius = _problem(seed, strength)
    change, new, bend = tilted(forms, slopes, radius)
    crude = (np.abs(forms) * radius[:, :, None] * radius[:, None, :]).sum(axis=(1, 2))
    # 1e-13: the rounding that the bound pays for and the plain sum does not.
    assert (change <= crude * (1 + 1e-13) + 1e-13 * (1 + (np.abs(slopes) * radius).sum(axis=1))).all()
    assert np.allclose(bend.sum(axis=1), crude, rtol=1e-12)
    # A grid with the corners on it: every term of the form can peak there or at 0.
    grid = np.array(list(product((-1.0, -0.5, 0.0, 0.5, 1.0), repeat=4)))
    points = grid[None] * radius[:, None]
    bound = (np.abs(slopes) * radius).sum(axis=1) + change
    drop = (np.abs(new)[:, None] * (radius[:, None] - np.sign(new)[:, None] * points)).sum(axis=2)
    # The promise is for every d, not for the maximum only. 1e-12: rounding of the sums here, magnitudes below 10^3.
    assert (_values(forms, slopes, points) <= bound[:, None] - drop + 1e-12 * (1 + crude[:, None])).all()


def test_where_the_linear_part_rules_the_bound_is_attained_at_its_corner() -> None:
    forms, slopes, radius = _problem(5, 0.003)
    change, _, _ = tilted(forms, slopes, radius)
    corners = np.array(list(product((-1.0, 1.0), repeat=4)))[None] * radius[:, None]
    worst = _values(forms, slopes, corners).max(axis=1)
    # No share is cut when every |a_i| exceeds all that the form can add to it.
    rules = (np.abs(slopes) >= 2 * (np.abs(forms) @ radius[:, :, None])[..., 0]).all(axis=1)
    assert rules.sum() >= 3
    # A few roundings of numbers of order ten.
    assert np.abs((np.abs(slopes) * radius).sum(axis=1) + change - worst)[rules].max() < 1e-13
