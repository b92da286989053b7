"""Whole certificates under attack: exact values at the worst matrices that a search of its own finds stay inside.

Network and target are evaluated here by other means than the certifier's: integers over one denominator, and rational
inverses or balls of 300 bits.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from unittest import mock

import flint
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical.certify import search
from empirical.certify.certificate import Certificate
from empirical.certify.chain import ReluChain
from empirical.certify.crew import local_crew
from empirical.certify.expansion import Target
from empirical.certify.expm import ExpmTarget
from empirical.certify.inverse import InverseTarget
from empirical.certify.norms import NORMS
from empirical.certify.region import Region
from empirical.certify.search import Options, certify
from empirical.models_io import Chain, Dense

SIZES = st.sampled_from([(1, ()), (1, (3,)), (1, (4, 3)), (2, ()), (2, (6,)), (2, (5, 4)), (2, (3, 3, 3)), (3, (8,))])


def _exact_network(chain: ReluChain, point: np.ndarray) -> list[Fraction]:
    last = len(chain.weights) - 1
    pairs = zip(chain.weights, chain.biases, strict=True)
    layers = tuple(Dense(weight, bias, relu=index < last) for index, (weight, bias) in enumerate(pairs))
    return Chain(layers).evaluate_exactly([Fraction(float(x)) for x in point])


def _exact_norm(errors: list[Fraction], n: int, norm: str) -> Fraction:
    rows = [[abs(x) for x in errors[i * n : (i + 1) * n]] for i in range(n)]
    if norm == "max":
        return max(max(row) for row in rows)
    return max(map(sum, rows if norm == "inf" else zip(*rows, strict=True)))


def _exact_error(chain: ReluChain, target: Target, point: np.ndarray, norm: str) -> tuple[Fraction, Fraction]:
    """Rationals below and above norm(N(A) - f(A)): equal for the inverse, 10^-60 apart for the exponential."""
    n, values = target.n, _exact_network(chain, point)
    entries = [flint.fmpq(*float(x).as_integer_ratio()) for x in point]
    if isinstance(target, InverseTarget):
        image = [Fraction(int(x.p), int(x.q)) for x in flint.fmpq_mat(n, n, entries).inv().entries()]
        error = _exact_norm([v - y for v, y in zip(values, image, strict=True)], n, norm)
        return error, error
    with flint.ctx.workprec(300):
        balls = flint.arb_mat(n, n, [flint.arb(x) for x in entries]).exp().entries()
    pairs = [(int(m), int(e)) for m, e in (ball.mid().man_exp() for ball in balls)]
    middle = [Fraction(m) * Fraction(2) ** e for m, e in pairs]
    # Relative accuracy of 300 bits, 2^-200 allows for entries that are small beside their neighbours.
    doubt = n * max(abs(x) for x in [*middle, Fraction(1)]) / 2**200
    error = _exact_norm([v - y for v, y in zip(values, middle, strict=True)], n, norm)
    return error - doubt, error + doubt


def _worst_points(chain: ReluChain, target: Target, region: Region, norm: str, seed: int) -> np.ndarray:
    """Climb by random steps from corners and inside, with no gradient and none of the certifier's search."""
    generator = np.random.default_rng(seed)
    low, high = region.inner

    def errors(points: np.ndarray) -> np.ndarray:
        difference = chain.values(points) - target.values(points)
        return NORMS[norm].of(difference.reshape(-1, region.n, region.n))

    points = low + (high - low) * generator.random((300, len(low)))
    points[:150] = np.where(generator.random((150, len(low))) < 0.5, low, high)
    values = errors(points)
    for size in np.geomspace(1, 1e-3, 25):
        step = size * (high - low) * generator.normal(size=points.shape) * (generator.random(points.shape) < 0.6)
        trial = np.clip(points + step, low, high)
        better = errors(trial) > values
        points[better] = trial[better]
        values = np.maximum(values, errors(points))
    return points[np.argsort(-values)[:4]]


def _random_chain(generator: np.random.Generator, sizes: tuple[int, ...]) -> ReluChain:
    scale = 10.0 ** generator.uniform(-2, 2)
    weights = tuple(scale * generator.normal(size=(b, a)) for a, b in pairwise(sizes))
    return ReluChain(weights, tuple(scale * generator.normal(size=b) for b in sizes[1:]))


def _attacked(
    chain: ReluChain, target: Target, region: Region, norm: str, rounds: int, gap: Fraction, seed: int, *, blind=False
) -> Certificate:
    """Certify for a few rounds, attack, and hold both bounds against exact values.

    A certificate is never below what its own search finds, which hides faults of the proved bound; so ``blind`` keeps
    the search from finding anything but the centre's error.
    """
    seen: list[int] = []
    options = Options(
        norm, gap, 60.0, seed, stop=lambda: len(seen) >= rounds, report=lambda boxes, *_: seen.append(boxes)
    )
    found = (lambda self, points: None) if blind else search._Search._attack
    with local_crew(1) as crew, mock.patch.object(search._Search, "_attack", found):
        certificate = certify(chain, target, region, options, crew)
    assert region.contains(certificate.matrix)
    attained = _exact_error(chain, target, certificate.matrix.ravel(), norm)
    assert Fraction(certificate.lower) <= attained[1]
    # The proved value is the exact one rounded down, so nothing is given away.
    assert Fraction(certificate.lower) >= attained[0] * (1 - Fraction(1, 10**14)) - Fraction(1, 10**290)
    if certificate.upper < np.inf:
        for point in _worst_points(chain, target, region, norm, seed + 1):
            assert region.contains(point.reshape(region.n, region.n))
            assert _exact_error(chain, target, point, norm)[0] <= Fraction(certificate.upper)
    return certificate


@settings(max_examples=40)
@given(st.integers(0, 10**6), SIZES, st.sampled_from(list(NORMS)), st.sampled_from([0, 1, 4, 9]), st.booleans())
def test_random_networks_against_the_inverse(seed: int, size: tuple, norm: str, rounds: int, blind: bool) -> None:
    n, hidden = size
    generator = np.random.default_rng(seed)
    centre = 10.0 ** generator.uniform(-2, 2) * (generator.normal(size=(n, n)) + 2 * np.eye(n))
    size_of_inverse = np.abs(np.linalg.inv(centre)).sum(axis=1).max()
    share = 10.0 ** generator.uniform(-6, -0.05)
    region = Region(centre, Fraction(share / (n * size_of_inverse)))
    chain = _random_chain(generator, (n * n, *hidden, n * n))
    certificate = _attacked(chain, InverseTarget(n), region, norm, rounds, Fraction(1, 1000), seed, blind=blind)
    # ||A0^-1|| n d <= 0.9 keeps singular matrices out; two rounds of splitting prove it at the latest.
    assert certificate.upper < np.inf or rounds < 4


@settings(max_examples=25)
@given(st.integers(0, 10**6), SIZES, st.sampled_from(list(NORMS)), st.sampled_from([0, 2, 6]), st.booleans())
def test_random_networks_against_the_exponential(seed: int, size: tuple, norm: str, rounds: int, blind: bool) -> None:
    n, hidden = size
    generator = np.random.default_rng(seed)
    centre = generator.normal(size=(n, n)) * 10.0 ** generator.uniform(-1, 0.5)
    region = Region(centre, Fraction(10.0 ** generator.uniform(-6, 0)))
    chain = _random_chain(generator, (n * n, *hidden, n * n))
    certificate = _attacked(chain, ExpmTarget.over(region), region, norm, rounds, Fraction(1, 1000), seed, blind=blind)
    assert certificate.upper < np.inf


@pytest.mark.parametrize(("name", "widths"), [("first", (8,)), ("second", (8, 8))])
def test_trained_networks_whose_error_is_much_smaller_than_the_inverse(trained, quarter, name: str, widths) -> None:
    """Closed to 1e-4: the climb comes within that of the proved bound, so a bound too low by more would be caught."""
    chain, region = trained(name, widths), quarter(name)
    certificate = _attacked(chain, InverseTarget(2), region, "max", 10**6, Fraction(1, 10**4), 0)
    assert certificate.closed


@pytest.mark.parametrize(("name", "widths"), [("first", (8,)), ("second", (8,)), ("second", (8, 8))])
@pytest.mark.parametrize("gap", [Fraction(1, 2), Fraction(2), Fraction(8)])
def test_a_blind_search_goes_deep_and_loses_no_part_of_the_box(trained, quarter, name: str, widths, gap) -> None:
    """With thresholds between the centre's error and the worst one, boxes are cut, split, settled by the thousand."""
    chain, region = trained(name, widths), quarter(name)
    certificate = _attacked(chain, InverseTarget(2), region, "max", 14, gap, 0, blind=True)
    # From 44 boxes, with the threshold far above the worst error, to 43,382 just below it: fewer would not be deep.
    assert certificate.boxes > 30
    assert certificate.closed or certificate.boxes > 500


@pytest.mark.parametrize("name", ["first", "second"])
def test_a_blind_search_that_closes_still_bounds_the_worst_error(trained, quarter, name: str) -> None:
    """Its threshold is 1 % above the worst error: all of the box is settled, much of it by cutting boxes smaller."""
    chain, region = trained(name, (8,)), quarter(name)
    seeing = _attacked(chain, InverseTarget(2), region, "max", 10**6, Fraction(1, 100), 0)
    centre = _exact_error(chain, InverseTarget(2), region.centre.ravel(), "max")[0]
    gap = Fraction(seeing.lower) * Fraction(101, 100) / centre - 1
    blind = _attacked(chain, InverseTarget(2), region, "max", 10**6, gap, 0, blind=True)
    assert blind.closed
    assert blind.upper >= seeing.lower


def test_a_network_that_equals_the_linear_part_leaves_the_remainder_alone() -> None:
    """N = V - V(A - A0)V: the error is of second order, so a remainder forgotten anywhere shows at once."""
    centre = np.array([[1.0, 2.0], [3.0, -1.0]])
    inverse = np.linalg.inv(centre)
    slope = -np.einsum("ij,kl->iljk", inverse, inverse).reshape(4, 4)
    chain = ReluChain((slope,), (2 * inverse.ravel(),))
    for share in (Fraction(1, 4), Fraction(1, 100), Fraction(1, 10**4)):
        certificate = _attacked(chain, InverseTarget(2), Region(centre, share), "inf", 200, Fraction(1, 1000), 3)
        assert certificate.closed


def test_weights_that_cancel_cost_width_and_no_truth() -> None:
    """Two copies of a layer, 2^26 apart in size, that cancel to order one: rounding is far above the last place."""
    generator = np.random.default_rng(5)
    for _ in range(10):
        first = generator.integers(-(2**26), 2**26, (4, 4)) + generator.random((4, 4))
        second = np.concatenate([first, -first], axis=1) * generator.random((4, 1))
        chain = ReluChain((np.concatenate([first, first + 2.0**-20]), second), (np.zeros(8), generator.random(4)))
        centre = generator.normal(size=(2, 2)) + 3 * np.eye(2)
        certificate = _attacked(
            chain, InverseTarget(2), Region(centre, Fraction(1, 10**6)), "max", 3, Fraction(1, 100), 1
        )
        assert certificate.upper < np.inf
