"""Taylor models of the exponential enclose what balls compute."""

from __future__ import annotations

from fractions import Fraction

import flint
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from empirical.certify.expm import ExpmTarget
from empirical.certify.region import Region
from theory.errors import BadInput


def _ball_exponential(matrix: np.ndarray) -> list[flint.arb]:
    n = len(matrix)
    return flint.arb_mat(n, n, [flint.arb(float(x)) for x in matrix.ravel()]).exp().entries()


def _check_model(target: ExpmTarget, centre: np.ndarray, radius: np.ndarray, points: np.ndarray) -> None:
    n, entries = target.n, target.n**2
    functionals = np.concatenate([np.eye(entries), np.where(np.arange(entries) % 3, -1.0, 1.0)[None]])
    count = len(functionals)
    centres, radii = np.repeat(centre[None], count, axis=0), np.repeat(radius[None], count, axis=0)
    expansion = target.expand(centres, radii, functionals)
    forms = None if expansion.curvature is None else expansion.curvature(np.arange(count))
    with flint.ctx.workprec(200):
        for point in points:
            step = [flint.arb(float(x)) - flint.arb(float(c)) for x, c in zip(point, centre, strict=True)]
            image = _ball_exponential(point.reshape(n, n))
            for k, functional in enumerate(functionals):
                exact = sum((int(w) * x for w, x in zip(functional, image, strict=True)), flint.arb(0))
                slope = [flint.arb(float(s)) for s in expansion.slope[k]]
                rest = exact - float(expansion.value[k]) - sum(s * d for s, d in zip(slope, step, strict=True))
                assert abs(rest) <= float(expansion.wide[k])
                if forms is not None:
                    form = [[flint.arb(float(x)) for x in row] for row in forms[k]]
                    quadratic = sum(form[i][j] * step[i] * step[j] for i in range(entries) for j in range(entries))
                    assert abs(rest - quadratic) <= float(expansion.tail[k])


def _box_points(generator: np.random.Generator, centre: np.ndarray, radius: np.ndarray, count: int) -> np.ndarray:
    signs = np.where(generator.random((count, len(centre))) < 0.5, -1.0, 1.0)
    shares = np.where(generator.random((count, 1)) < 0.6, 1.0, generator.random((count, len(centre))))
    points = centre + signs * shares * radius
    back = np.where(signs > 0, np.nextafter(points, -np.inf), np.nextafter(points, np.inf))
    return np.where(np.abs(points - centre) >= radius, back, points)


WIDTHS, SCALES = st.sampled_from([1e-9, 1e-3, 0.1, 1.0]), st.sampled_from([0.1, 1.0, 8.0])


@given(st.integers(0, 10**6), st.sampled_from([1, 2, 3]), WIDTHS, SCALES)
def test_the_model_encloses_the_exponential(seed: int, n: int, width: float, scale: float) -> None:
    generator = np.random.default_rng(seed)
    centre, radius = scale * generator.normal(size=n * n), np.full(n * n, width)
    target = ExpmTarget.over(Region(centre.reshape(n, n), Fraction(width)))
    _check_model(target, centre, radius, _box_points(generator, centre, radius, 3))


@pytest.mark.parametrize("diagonal", [-30.0, 30.0])
def test_large_diagonals_of_either_sign(diagonal: float) -> None:
    generator = np.random.default_rng(1)
    centre = (diagonal * np.eye(2) + generator.normal(size=(2, 2))).ravel()
    radius = np.full(4, 0.1)
    target = ExpmTarget.over(Region(centre.reshape(2, 2), Fraction(1, 10)))
    _check_model(target, centre, radius, _box_points(generator, centre, radius, 8))


def test_beyond_four_rows_the_model_is_linear_and_holds() -> None:
    generator = np.random.default_rng(2)
    centre, radius = generator.normal(size=25) / 3, np.full(25, 0.01)
    target = ExpmTarget.over(Region(centre.reshape(5, 5), Fraction(1, 100)))
    assert target.expand(centre[None], radius[None], np.eye(25)[:1]).curvature is None
    _check_model(target, centre, radius, _box_points(generator, centre, radius, 6))


def test_orders_of_the_remainders() -> None:
    centre = np.array([[0.3, -1.0, 0.5, -0.2]])
    target = ExpmTarget(2, 2.0)
    expansions = [target.expand(centre, np.full((1, 4), r), np.eye(4)[:1]) for r in (4e-3, 2e-3)]
    # Third and second order, up to relative corrections of the order of 4 r.
    assert expansions[0].tail / expansions[1].tail == pytest.approx(8, rel=0.03)
    assert expansions[0].wide / expansions[1].wide == pytest.approx(4, rel=0.03)


def test_a_negative_diagonal_does_not_inflate_the_remainder() -> None:
    """The Metzler majorant: at C = -5 I the second-order bound is of the size of e^-5, not of e^5."""
    radius = np.full((1, 4), 0.01)
    wide = ExpmTarget(2, 6.0).expand((-5 * np.eye(2)).reshape(1, 4), radius, np.eye(4)[:1]).wide[0]
    # |J_2| = e^-5 (D D) / 2 entrywise at most e^-5 2 r^2 / 2.
    assert wide < 1.1 * np.exp(-5) * 1e-4


def test_values_and_gradients_agree_with_balls_and_differences() -> None:
    generator = np.random.default_rng(3)
    target = ExpmTarget(3, 8.0)
    points = generator.normal(size=(6, 9))
    for point, value in zip(points, target.values(points), strict=True):
        exact = [float(ball.mid()) for ball in _ball_exponential(point.reshape(3, 3))]
        # The program's own rounding bound, gamma_d e^8, is below 1e-9.
        assert np.abs(value - exact).max() < 1e-9
    cotangents, direction, step = generator.normal(size=(6, 9)), generator.normal(size=(6, 9)), 1e-5
    ahead, behind = target.values(points + step * direction), target.values(points - step * direction)
    difference = ((ahead - behind) * cotangents).sum(axis=1) / (2 * step)
    slope = (target.pullback(points, cotangents) * direction).sum(axis=1)
    # Central differences of a function of size e^8: h^2 and 1e-16 / h, times 10^4.
    assert np.abs(difference - slope).max() < 1e-5


def test_where_the_exponential_leaves_float64_it_is_refused() -> None:
    with pytest.raises(BadInput, match="300"):
        ExpmTarget.over(Region(np.full((2, 2), 200.0), Fraction(1)))
