"""Taylor models of the inverse hold exactly; the tempting remainder does not."""

from __future__ import annotations

from fractions import Fraction

import flint
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from empirical.certify.inverse import InverseTarget


def _exact_inverse(matrix: np.ndarray) -> list[Fraction]:
    n = len(matrix)
    entries = [flint.fmpq(*float(x).as_integer_ratio()) for x in matrix.ravel()]
    return [Fraction(int(x.p), int(x.q)) for x in flint.fmpq_mat(n, n, entries).inv().entries()]


def _fractions(array: np.ndarray) -> list[Fraction]:
    return [Fraction(float(x)) for x in array.ravel()]


def _check_model(n: int, centre: np.ndarray, radius: np.ndarray, points: np.ndarray) -> bool:
    """Both forms of the model, for every entry and a mixed functional, in rationals; False where nothing was proved."""
    entries = n * n
    functionals = np.concatenate([np.eye(entries), np.where(np.arange(entries) % 3, -1.0, 1.0)[None]])
    count = len(functionals)
    centres, radii = np.repeat(centre[None], count, axis=0), np.repeat(radius[None], count, axis=0)
    expansion = InverseTarget(n).expand(centres, radii, functionals)
    if not np.isfinite(expansion.tail).all():
        assert np.isinf(expansion.wide).any()
        return False
    assert expansion.curvature is not None
    forms = expansion.curvature(np.arange(count))
    for point in points:
        step = [x - c for x, c in zip(_fractions(point), _fractions(centre), strict=True)]
        inverse = _exact_inverse(point.reshape(n, n))
        for k, functional in enumerate(functionals):
            exact = sum(int(w) * x for w, x in zip(functional, inverse, strict=True))
            slope = _fractions(expansion.slope[k])
            rest = exact - Fraction(float(expansion.value[k])) - sum(s * d for s, d in zip(slope, step, strict=True))
            assert abs(rest) <= Fraction(float(expansion.wide[k]))
            form = _fractions(forms[k])
            quadratic = sum(form[i * entries + j] * step[i] * step[j] for i in range(entries) for j in range(entries))
            assert abs(rest - quadratic) <= Fraction(float(expansion.tail[k]))
    return True


def _box_points(generator: np.random.Generator, centre: np.ndarray, radius: np.ndarray, count: int) -> np.ndarray:
    """Corners and inner points, each float inside the exact box."""
    signs = np.where(generator.random((count, len(centre))) < 0.5, -1.0, 1.0)
    shares = np.where(generator.random((count, 1)) < 0.6, 1.0, generator.random((count, len(centre))))
    points = centre + signs * shares * radius
    back = np.where(signs > 0, np.nextafter(points, -np.inf), np.nextafter(points, np.inf))
    return np.where(np.abs(points - centre) >= radius, back, points)


@given(st.integers(0, 10**6), st.sampled_from([1, 2, 3]), st.floats(1e-12, 0.9))
def test_the_model_encloses_the_exact_inverse(seed: int, n: int, share: float) -> None:
    generator = np.random.default_rng(seed)
    centre = generator.normal(size=n * n) * 10.0 ** generator.integers(-3, 4)
    norm = np.abs(np.linalg.inv(centre.reshape(n, n))).sum(axis=1).max()
    radius = np.full(n * n, share / (n * norm))
    # rho(|V| H) <= share < 1: the model must be proved, so a refusal is a failure.
    assert _check_model(n, centre, radius, _box_points(generator, centre, radius, 6))


def test_an_ill_conditioned_centre_is_enclosed_or_refused() -> None:
    generator = np.random.default_rng(2)
    proved = 0
    for gap in (1e-2, 1e-5, 1e-8, 1e-11, 1e-14):
        centre = np.array([1.0, 1.0, 1.0, 1.0 + gap])
        radius = np.full(4, gap / 64)
        proved += _check_model(2, centre, radius, _box_points(generator, centre, radius, 6))
    assert proved >= 3


def test_climbing_the_remainder_does_not_break_it() -> None:
    """Ascend |A^-1 - model| over the box from many starts: the sharpest attack on the tail."""
    generator = np.random.default_rng(4)
    centre = np.array([1.0, 2.0, -1.5, 0.5])
    radius = np.full(4, 0.35)  # rho = 0.5
    centres, radii = np.repeat(centre[None], 4, axis=0), np.repeat(radius[None], 4, axis=0)
    expansion = InverseTarget(2).expand(centres, radii, np.eye(4))
    assert expansion.curvature is not None
    forms = expansion.curvature(np.arange(4))

    def rest(points: np.ndarray) -> np.ndarray:
        step = points - centre
        model = expansion.value + step @ expansion.slope.T + np.einsum("pi,kij,pj->pk", step, forms, step)
        return np.abs(np.linalg.inv(points.reshape(-1, 2, 2)).reshape(-1, 4) - model)

    points = _box_points(generator, centre, radius, 400)
    for size in (1.0, 0.5, 0.25, 0.1, 0.02):
        trial = np.clip(points + size * radius * generator.normal(size=points.shape), centre - radius, centre + radius)
        better = rest(trial).max(axis=1) > rest(points).max(axis=1)
        points = np.where(better[:, None], trial, points)
    worst = rest(points).max(axis=0)
    assert (worst <= expansion.tail).all()
    # It is an attack worth the name: at some entry it reaches a fifth of the bound.
    assert (worst / expansion.tail).max() > 0.2


def test_the_tail_is_of_third_order_and_the_wide_bound_of_second() -> None:
    centre = np.array([[1.0, 2.0, -1.5, 0.5]])
    expansions = [InverseTarget(2).expand(centre, np.full((1, 4), r), np.eye(4)[:1]) for r in (1e-3, 5e-4)]
    # Ratios 8 and 4 up to relative corrections of the order of rho = 1e-2.
    assert expansions[0].tail / expansions[1].tail == pytest.approx(8, rel=0.02)
    assert expansions[0].wide / expansions[1].wide == pytest.approx(4, rel=0.02)


def _rational_matrix(rows: list[list[Fraction]]) -> flint.fmpq_mat:
    return flint.fmpq_mat(len(rows), len(rows), [flint.fmpq(x.numerator, x.denominator) for row in rows for x in row])


def test_the_tempting_remainder_is_no_bound() -> None:
    """|C^-1| H |C^-1| H |C^-1| / (1 - rho) is exceeded; Q^2 (I - Q)^-1 |V| is not. All in rationals."""
    # C = I, A = I - H with H nearly nilpotent: rho(H) is small while H H H has entries H H has not.
    zero, eight, small = Fraction(0), Fraction(8), Fraction(1, 10**6)
    spread = _rational_matrix([[zero, eight, zero], [zero, zero, eight], [small, zero, zero]])
    identity = _rational_matrix([[Fraction(int(i == j)) for j in range(3)] for i in range(3)])
    rho = flint.fmpq(1, 20)
    # H's one cycle has the product rho^3 = 64 / 10^6.
    assert eight * eight * small < Fraction(1, 20) ** 3
    remainder = (identity - spread).inv() - identity - spread
    tempting = spread * spread * (1 / (1 - rho))
    honest = spread * spread * (identity - spread).inv()
    assert any(abs(r) > t for r, t in zip(remainder.entries(), tempting.entries(), strict=True))
    assert all(abs(r) <= h for r, h in zip(remainder.entries(), honest.entries(), strict=True))


SINGULAR = [[1.0, 2.0, 2.0, 4.0], [0.0, 0.0, 0.0, 0.0], [1e-320, 0.0, 0.0, 1.0], [1e100, 1.0, 1.0, 1e-100]]


@pytest.mark.parametrize("centre", SINGULAR)
def test_at_singular_centres_nothing_is_proved(centre: list[float]) -> None:
    expansion = InverseTarget(2).expand(np.array([centre]), np.full((1, 4), 1e-6), np.eye(4)[:1])
    assert (expansion.wide == np.inf).all()
    assert (expansion.tail == np.inf).all()


def test_one_singular_box_does_not_spoil_its_neighbours() -> None:
    centres = np.array([[1.0, 2.0, 2.0, 4.0], [2.0, 0.0, 0.0, 2.0]])
    expansion = InverseTarget(2).expand(centres, np.full((2, 4), 1e-3), np.eye(4)[:2])
    assert np.isinf(expansion.tail[0])
    assert np.isfinite(expansion.tail[1])


def test_a_box_that_holds_a_singular_matrix_is_never_proved() -> None:
    generator = np.random.default_rng(8)
    for _ in range(200):
        left, right = generator.normal(size=(3, 1)), generator.normal(size=(1, 3))
        singular = (left @ right + generator.normal(size=(3, 1)) @ generator.normal(size=(1, 3))).ravel()
        radius = np.full(9, 10.0 ** generator.uniform(-3, 0))
        centre = singular + radius * (2 * generator.random(9) - 1) * 0.999
        # Rank two up to rounding of 1e-15, far below 0.001 of any radius used.
        assert np.isinf(InverseTarget(3).expand(centre[None], radius[None], np.eye(9)[:1]).tail).all()


def test_the_pullback_is_the_gradient() -> None:
    generator = np.random.default_rng(1)
    target = InverseTarget(3)
    points = np.eye(3).ravel() * 3 + generator.normal(size=(10, 9)) * 0.3
    cotangents, direction, step = generator.normal(size=(10, 9)), generator.normal(size=(10, 9)), 1e-6
    ahead, behind = target.values(points + step * direction), target.values(points - step * direction)
    difference = ((ahead - behind) * cotangents).sum(axis=1) / (2 * step)
    # Central differences: h^2 f''' ~ 1e-12 and rounding 1e-16 / h ~ 1e-10, both times order 10.
    assert np.abs(difference - (target.pullback(points, cotangents) * direction).sum(axis=1)).max() < 1e-7
