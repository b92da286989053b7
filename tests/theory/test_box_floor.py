"""Theorem inverse.box.floor: every step, and the bound attacked by the best broken lines and by linear programming."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from theory.box_floor import FLOOR
from theory.evaluate import ball
from theory.steps import Verdict
from theory.symbols import P, gap, mu, rho

SIGNS = st.lists(st.sampled_from([Fraction(-1), Fraction(-1, 2), Fraction(0), Fraction(1)]), min_size=3, max_size=3)
ENTRIES = st.lists(st.integers(-4, 4), min_size=9, max_size=9)


@pytest.mark.parametrize("step", FLOOR.steps, ids=lambda step: step.name)
def test_every_step_is_discharged(step) -> None:
    assert step.run().verdict is Verdict.PROVED


def line(entries: list[int], u: list[Fraction], v: list[Fraction], share: float):
    """Return A0, u v^T, q, m and a half-width d with q d = share; None where the theorem does not apply."""
    n = 2 if entries[4] % 2 else 3
    centre = np.array(entries[: n * n], dtype=float).reshape(n, n)
    if abs(np.linalg.det(centre)) < 0.5:  # whole numbers: singular or at least 1
        return None
    left, right = (np.array([float(x) for x in w[:n]]) for w in (u, v))
    inverse = np.linalg.inv(centre)
    q = float(right @ inverse @ left)
    if q < 1e-3:
        return None
    m = float(np.abs(inverse @ left).max() * np.abs(right @ inverse).max())
    return centre, np.outer(left, right), q, m, share / q


def stated(m: float, q: float, d: float, pieces: int) -> float:
    values = {mu: Fraction(m), rho: Fraction(q), gap: Fraction(d), P: pieces}
    return float(ball(FLOOR.bound.expression, values).mid())


@settings(max_examples=40, deadline=None)
@given(ENTRIES, SIGNS, SIGNS, st.sampled_from([0.1, 0.5, 0.9]), st.integers(1, 5))
def test_the_best_broken_line_attains_the_bound_and_none_is_below(entries, u, v, share, pieces) -> None:
    found = line(entries, u, v, share)
    assume(found is not None)
    centre, direction, q, m, d = found
    floor = stated(m, q, d, pieces)
    # Knots at equal steps of (t + 1/q)^(-1/2), each piece half an arc's height below its chord.
    knots = np.linspace((1 / q - d) ** -0.5, (1 / q + d) ** -0.5, pieces + 1) ** -2 - 1 / q
    worst = 0.0
    for low, high in pairwise(knots):
        t = np.linspace(low, high, 401)
        values = np.linalg.inv(centre + t[:, None, None] * direction).reshape(len(t), -1)
        chord = values[0] + ((t - low) / (high - low))[:, None] * (values[-1] - values[0])
        worst = max(worst, float(np.abs(chord - values).max()) / 2)
    # 401 points miss the top of an arc by at most 1/400 of its width: below 1e-3 of it for q d <= 0.9.
    assert worst == pytest.approx(floor, rel=1e-3, abs=1e-12 * m)


@settings(max_examples=25, deadline=None)
@given(ENTRIES, SIGNS, SIGNS, st.sampled_from([0.1, 0.5, 0.9]))
def test_no_affine_map_is_below_the_bound(entries, u, v, share) -> None:
    # The least largest error of all affine maps of t, entry by entry, by linear programming on a grid.
    found = line(entries, u, v, share)
    assume(found is not None)
    centre, direction, q, m, d = found
    t = np.linspace(-d, d, 201)
    values = np.linalg.inv(centre + t[:, None, None] * direction).reshape(len(t), -1)
    size = np.abs(values).max()
    best = 0.0
    for column in values.T / size:
        rows = np.stack([np.ones_like(t), t / d, -np.ones_like(t)], 1)
        flipped = rows * np.array([-1.0, -1.0, 1.0])
        answer = linprog(
            [0, 0, 1], np.vstack([rows, flipped]), np.concatenate([column, -column]), bounds=[(None, None)] * 3
        )
        best = max(best, float(answer.fun) * size)
    # The grid of 201 points sees at least 0.99 of the best error at q d <= 0.9; the solver's tolerance is 1e-7.
    assert best >= 0.99 * stated(m, q, d, 1) - 1e-6 * size


def test_a_case_by_hand() -> None:
    # A0 = [[2, 1], [1, 2]], u = v = (1, -1): Vu = u, q = 2, m = 1, d = 1/8.
    assert stated(1.0, 2.0, 0.125, 1) == pytest.approx(((3 / 8) ** -0.5 - (5 / 8) ** -0.5) ** 2 / 8, rel=1e-12)
