"""The attack finds errors near the proved bounds, never above them, inside the domain, with proof."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from constructions import build
from empirical.attack import attack, project, starts
from empirical.experiments.slack import CASES
from theory.problem import Ball, Box, CentredBall, KDelta, SignDomain
from theory.requests import make_problem


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{'-'.join(case[1])}-{case[2]}")
@pytest.mark.parametrize("n", [1, 2])
def test_bounds_hold_and_are_not_loose(case, n: int) -> None:
    function, domain, route = case
    net = build(function, n, "1e-2", route=route, **domain)
    found = attack(net, rounds=40, chains=96)
    assert net.membership(found.matrix).inside
    assert 0 < found.error <= found.bound
    # Ten is the goal for a thorough search; a short one of forty rounds must come within forty.
    assert found.slack < 40


@pytest.mark.parametrize("norm", ["max", "inf", "2"])
def test_other_norms_hold(norm: str) -> None:
    net = build("expm", 2, "1e-2", norm=norm)
    found = attack(net, rounds=30, chains=64)
    assert 0 < found.error <= found.bound


def _widened(domain):
    # Projections round: 1e-9 is far above n ulps of a number near 1, and far below any size of the domains.
    more, less = Fraction(10**9 + 1, 10**9), Fraction(10**9 - 1, 10**9)
    match domain:
        case Box(M):
            return Box(M * more)
        case CentredBall(centre, radius):
            return CentredBall(centre, radius * more)
        case KDelta(delta, radius):
            return KDelta(delta * less, radius * more)
        case Ball(radius):
            return Ball(radius * more)


def test_projection_lands_in_the_domain() -> None:
    generator = torch.Generator().manual_seed(0)
    for function, options, route in CASES:
        domain = make_problem(function, {"n": 2, "eps": "1e-1", **options}, route=route).domain
        points = project(3 * starts(domain, 2, 32, generator), domain)
        assert torch.isfinite(points).all()
        if not isinstance(domain, SignDomain):
            rows = [[[Fraction(entry) for entry in row] for row in point.tolist()] for point in points]
            assert all(_widened(domain).membership(matrix).inside for matrix in rows)


def test_a_search_attains_the_bound_around_a_matrix() -> None:
    # Theorem inverse.box: the inverse of ((1, -1), (-1, 2)) has one sign, so a corner of the box meets the bound.
    net = build("inverse", around=((1, -1), (-1, 2)), half_width="1/20", norm="max")
    found = attack(net, rounds=60, chains=64)
    assert net.membership(found.matrix).inside
    # Corners are floats only up to 2^-53 of an entry; the error changes by at most 100 times that there.
    assert found.bound * (1 - 1e-10) <= found.error <= found.bound
