"""Beside an exact mixed-integer solution and CROWN as published: the truth is inside, and no bound is looser."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from empirical.certify import search
from empirical.certify.affine import AffineTarget
from empirical.certify.certificate import Certificate
from empirical.certify.chain import Budget, ReluChain
from empirical.certify.crew import local_crew
from empirical.certify.crown import crown_bounds, crown_search
from empirical.certify.dual import Row, best_bounds, start_multipliers
from empirical.certify.milp import exact_worst
from empirical.certify.norms import NORMS
from empirical.certify.piece import Problem
from empirical.certify.region import Region
from empirical.certify.relaxation import relax
from empirical.certify.search import Options, certify

NETWORKS = [("first", (8,)), ("second", (8,)), ("second", (5, 5)), ("first", (16, 16))]


def linearised(region: Region) -> AffineTarget:
    """2V - VAV, V the inverse of the centre."""
    inverse = np.linalg.inv(region.centre)
    slope = -np.einsum("ij,kl->iljk", inverse, inverse).reshape(len(inverse) ** 2, -1)
    return AffineTarget(slope, 2 * inverse.ravel())


def certificate_of(chain: ReluChain, target: AffineTarget, region: Region, norm: str = "max", **more) -> Certificate:
    with local_crew(1) as crew:
        return certify(chain, target, region, Options(**{"norm": norm, "seconds": 60.0, **more}), crew)


SOLVED = [("first", (8,), "max"), ("second", (8,), "max"), ("second", (5, 5), "inf"), ("second", (5, 5), "one")]


@pytest.mark.parametrize(("name", "widths", "norm"), SOLVED)
def test_the_exact_optimum_lies_between_the_bounds(trained, quarter, name: str, widths: tuple, norm: str) -> None:
    chain, region = trained(name, widths), quarter(name)
    target = linearised(region)
    certificate = certificate_of(chain, target, region, norm, gap=Fraction(1, 10**4))
    exact = exact_worst(chain, target, region, norm)
    assert certificate.closed
    # The solver's feasibility tolerance is 1e-6 a constraint; weights are of order one, a norm sums two entries.
    doubt = 5e-5
    assert certificate.lower - doubt <= exact <= certificate.upper + doubt
    assert certificate.upper <= exact * (1 + 1e-4) + doubt


def test_the_program_is_exact_where_the_answer_is_known() -> None:
    """N(x) = |x_1| in the first entry, f = 0 on [-1, 3] x ...: the maximum is 3; and x_1 - 5 alone gives 6."""
    first = np.array([[1.0, 0, 0, 0], [-1.0, 0, 0, 0]])
    last = np.zeros((4, 2))
    last[0] = 1.0
    chain = ReluChain((first, last), (np.zeros(2), np.zeros(4)))
    region = Region(np.array([[1.0, 0.0], [0.0, 0.0]]), Fraction(2))
    zero = AffineTarget(np.zeros((4, 4)), np.zeros(4))
    assert exact_worst(chain, zero, region) == pytest.approx(3, abs=1e-6)
    affine = ReluChain((np.diag([1.0, 0, 0, 0]),), (np.array([-5.0, 0, 0, 0]),))
    assert exact_worst(affine, zero, region) == pytest.approx(6, abs=1e-6)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1])
@pytest.mark.parametrize(("name", "widths"), NETWORKS)
def test_no_looser_than_crown_on_the_same_boxes(trained, quarter, name: str, widths: tuple, share: float) -> None:
    chain, region = trained(name, widths), quarter(name)
    target, functionals = linearised(region), NORMS["max"].functionals(2)
    low, high = region.outer
    budget, generator, half = Budget.of(chain, low, high), np.random.default_rng(11), (high - low) / 2
    strictly = 0
    for _ in range(6):
        centre = (low + high) / 2 + (1 - share) * half * (2 * generator.random(4) - 1)
        theirs, _ = crown_bounds(chain, target, functionals, centre - share * half, centre + share * half)
        centres, radii = np.repeat(centre[None], 8, axis=0), np.repeat(share * half[None], 8, axis=0)
        decided = np.zeros((8, sum(chain.hidden)), dtype=np.int8)
        relaxation = relax(chain, budget, centres, radii, decided)
        model = target.expand(centres, radii, functionals)
        row = Row(chain, budget, relaxation, model, functionals, decided, radii)
        ours = best_bounds(row, start_multipliers(row), -np.inf, 8, curved=True).bound
        # 8: the slack that makes ours a proof is paid in every layer and at the end; the target pays as much.
        slack = 8 * budget.functional_slack(functionals, [])
        assert (ours <= theirs + slack).all()
        strictly += int((ours < theirs - slack).sum())
    # Moved multipliers gain wherever a neuron is undecided.
    assert strictly > 0 or share < 0.5


@pytest.mark.parametrize(("name", "widths"), NETWORKS)
def test_no_looser_than_crown_at_equal_splits(trained, quarter, monkeypatch, name: str, widths: tuple) -> None:
    """Worst boxes first on both sides, and the same number of boxes bounded; the truth is below both."""
    # Rounds of the two worst nodes, where a search otherwise takes thousands at once.
    monkeypatch.setattr(Problem, "batch", 2)
    monkeypatch.setattr(search, "_PIECES", 1)
    chain, region = trained(name, widths), quarter(name)
    target = linearised(region)
    for boxes in (8, 20, 80):
        seen = [8]
        options = {"stop": lambda seen=seen, boxes=boxes: seen[-1] >= boxes, "gap": Fraction(1, 10**4)}
        ours = certificate_of(chain, target, region, **options, report=lambda done, *_, seen=seen: seen.append(done))
        theirs = crown_search(chain, target, region, ours.boxes)
        assert ours.lower <= theirs
        assert ours.upper < theirs


@given(st.integers(0, 10**6))
def test_crown_holds_on_random_networks(seed: int) -> None:
    """The rival is a rival: its bounds hold at random points (in floats, up to their rounding)."""
    generator = np.random.default_rng(seed)
    weights = tuple(generator.normal(size=shape) for shape in ((6, 4), (5, 6), (4, 5)))
    chain = ReluChain(weights, tuple(generator.normal(size=k) for k in (6, 5, 4)))
    target = AffineTarget(generator.normal(size=(4, 4)), generator.normal(size=4))
    functionals = NORMS["inf"].functionals(2)
    low = generator.normal(size=4)
    high = low + generator.random(4)
    bounds, _ = crown_bounds(chain, target, functionals, low, high)
    points = low + (high - low) * generator.random((200, 4))
    values = (chain.values(points) - target.values(points)) @ functionals.T
    # Values of order 10^3, two hundred roundings.
    assert (values <= bounds + 1e-9).all()
