"""Relaxed chains hold what exact arithmetic computes, and are no looser than CROWN as published."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from empirical.certify.chain import Budget, ReluChain
from empirical.certify.relaxation import Relaxation, backward, lines_of, relax
from tests.naive.naive_chain import exact_layers


def _chain(seed: int, sizes: tuple[int, ...], scale: float) -> ReluChain:
    generator = np.random.default_rng(seed)
    weights = [generator.normal(0, scale, (b, a)) for a, b in pairwise(sizes)]
    return ReluChain(tuple(weights), tuple(generator.normal(0, scale, b) for b in sizes[1:]))


def _output_bounds(chain: ReluChain, low: np.ndarray, high: np.ndarray, *, slack: bool = True) -> np.ndarray:
    """Upper bounds of all outputs over the boxes, (batch, outputs)."""
    budget = Budget.of(chain, low.min(axis=0), high.max(axis=0))
    if not slack:
        budget = Budget(0.0, tuple(np.full_like(part, np.inf) for part in budget.magnitudes))
    centre = low + (high - low) / 2
    radius = np.nextafter(np.maximum(high - centre, centre - low), np.inf)
    relaxation = _relax(chain, budget, centre, radius) if slack else _plain_relax(chain, budget, centre, radius)
    constant, slope = backward(
        chain, relaxation.lines, relaxation.offset, chain.weights[-1][None], chain.biases[-1][None]
    )
    bound = constant + (np.abs(slope) @ radius[..., None])[..., 0]
    return bound + (budget.slack(len(chain.weights) - 1) if slack else 0.0)


def _relax(chain: ReluChain, budget: Budget, centre: np.ndarray, radius: np.ndarray) -> Relaxation:
    return relax(chain, budget, centre, radius, np.zeros((len(centre), sum(chain.hidden)), dtype=np.int8))


def _plain_relax(chain: ReluChain, budget: Budget, centre: np.ndarray, radius: np.ndarray) -> Relaxation:
    with np.errstate(invalid="ignore"):
        nothing = Budget(0.0, tuple(np.full_like(part, 1e300) for part in budget.magnitudes))
    return _relax(chain, nothing, centre, radius)


@given(st.floats(-1e9, 0, exclude_max=True), st.floats(0, 1e9, exclude_min=True))
def test_lines_hold_exactly(low: float, high: float) -> None:
    lines = lines_of(np.array([[low]]), np.array([[high]]))
    upper, lower, shift = (Fraction(float(part[0, 0])) for part in (lines.upper, lines.lower, lines.shift))
    for y in (Fraction(low), Fraction(0), Fraction(high)):
        assert lower * y <= max(y, Fraction(0)) <= upper * y + shift
    # Both sides are convex or concave between those three points, so they hold throughout [low, high].
    assert 0 <= lower <= 1


STABLE = [(0.0, 2.0, 1.0), (-2.0, 0.0, 0.0), (-3.0, -1.0, 0.0), (1.0, 3.0, 1.0)]


@pytest.mark.parametrize(("low", "high", "slope"), STABLE)
def test_stable_neurons_are_exact(low: float, high: float, slope: float) -> None:
    lines = lines_of(np.array([[low]]), np.array([[high]]))
    assert (lines.upper, lines.lower, lines.shift) == (slope, slope, 0.0)


@given(st.integers(0, 10**6), st.sampled_from([(4, 6, 4), (4, 5, 6, 4), (4, 4, 4, 4, 4)]), st.floats(1e-9, 1.0))
def test_bounds_hold_at_corners_and_inside_exactly(seed: int, sizes: tuple[int, ...], width: float) -> None:
    chain = _chain(seed, sizes, 1.0)
    generator = np.random.default_rng(seed + 1)
    centre = generator.normal(size=(1, 4))
    low, high = centre - width, centre + width
    bounds = _output_bounds(chain, low, high)[0]
    corners = np.where(generator.random((6, 4)) < 0.5, low, high)
    inside = np.clip(low + (high - low) * generator.random((3, 4)), low, high)
    for point in np.concatenate([corners, inside]):
        outputs = exact_layers(chain, point)[-1]
        assert all(value <= Fraction(float(bound)) for value, bound in zip(outputs, bounds, strict=True))


def _cancelling(seed: int) -> tuple[ReluChain, np.ndarray]:
    """Weights near 2^30 whose products cancel to order one: the rounding is far above the value's last place."""
    generator = np.random.default_rng(seed)
    first = generator.integers(-(2**30), 2**30, (4, 4)) + generator.random((4, 4))
    second = np.concatenate([first, -first], axis=1) * generator.random((4, 1))
    chain = ReluChain((np.concatenate([first, first + 2.0**-20]), second), (np.zeros(8), generator.random(4)))
    return chain, generator.normal(size=(1, 4))


def test_without_the_slack_rounding_breaks_the_bound_and_with_it_never() -> None:
    broken = 0
    for seed in range(40):
        chain, point = _cancelling(seed)
        exact = exact_layers(chain, point[0])[-1]
        # A box of one point: the true bound is the value itself.
        plain = _output_bounds(chain, point, point, slack=False)[0]
        safe = _output_bounds(chain, point, point)[0]
        broken += any(value > Fraction(float(bound)) for value, bound in zip(exact, plain, strict=True))
        assert all(value <= Fraction(float(bound)) for value, bound in zip(exact, safe, strict=True))
    assert broken > 10


def test_hidden_bounds_hold_exactly() -> None:
    chain = _chain(3, (4, 6, 6, 6, 4), 0.7)
    generator = np.random.default_rng(4)
    centre = generator.normal(size=(1, 4))
    low, high = centre - 0.3, centre + 0.3
    budget = Budget.of(chain, low[0], high[0])
    relaxation = _relax(chain, budget, centre, np.full((1, 4), 0.3000000001))
    for point in np.where(generator.random((40, 4)) < 0.5, low, high):
        layers = exact_layers(chain, point)
        for values, lines in zip(layers, relaxation.lines, strict=False):
            for neuron, value in enumerate(values):
                line = [Fraction(float(part[0, neuron])) for part in (lines.upper, lines.lower, lines.shift)]
                assert line[1] * value <= max(value, Fraction(0)) <= line[0] * value + line[2]


def _crown_as_published(chain: ReluChain, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Upper output bounds on one box, by CROWN's Algorithm (NeurIPS 2018), one layer and one neuron at a time.

    Every layer's pre-activation bounds come from backward substitution through all layers before it; upper lines are
    chords, lower lines have slope 1 where u > |l| and 0 else; no intersection with intervals, no outward rounding.
    """
    known: list[tuple[np.ndarray, np.ndarray]] = []

    def bound(row: np.ndarray, shift: float, depth: int) -> float:
        """Largest value of row . z_depth + shift, z_depth the post-activations of layer ``depth`` (0: the inputs)."""
        for layer in reversed(range(depth)):
            lower, upper = known[layer]
            new = np.zeros_like(row)
            for j, (c, a, b) in enumerate(zip(row, lower, upper, strict=True)):
                if a >= 0:
                    new[j] = c
                elif b > 0:
                    chord = b / (b - a)
                    new[j] = c * chord if c > 0 else c * float(b > -a)
                    shift += c * -a * chord if c > 0 else 0.0
            shift += new @ chain.biases[layer]
            row = new @ chain.weights[layer]
        return float(shift + np.maximum(row * low, row * high).sum())

    for layer, (weight, bias) in enumerate(zip(chain.weights, chain.biases, strict=True)):
        uppers = np.array([bound(row, shift, layer) for row, shift in zip(weight, bias, strict=True)])
        lowers = np.array([-bound(-row, -shift, layer) for row, shift in zip(weight, bias, strict=True)])
        known.append((lowers, uppers))
    return known[-1][1]


@pytest.mark.parametrize("share", [1.0, 0.5, 0.125])
def test_no_looser_than_crown_as_published(trained, quarter, share: float) -> None:
    """On the same boxes of trained networks: at most CROWN's bound, up to the slack that makes it a proof."""
    for name, widths in (("first", (8,)), ("second", (32, 32)), ("second", (16, 16, 16))):
        chain, region = trained(name, widths), quarter(name)
        root_low, root_high = region.outer
        generator = np.random.default_rng(7)
        half = (root_high - root_low) / 2
        centres = (root_low + root_high) / 2 + (1 - share) * half * (2 * generator.random((10, 4)) - 1)
        low, high = centres - share * half, centres + share * half
        ours = _output_bounds(chain, low, high)
        theirs = np.array([_crown_as_published(chain, a, b) for a, b in zip(low, high, strict=True)])
        slack = Budget.of(chain, root_low, root_high).slack(len(chain.weights) - 1)
        # 4: the slack is paid in every layer's bounds and once at the output, magnified at most by the budget itself.
        assert (ours <= theirs + 4 * slack).all()
