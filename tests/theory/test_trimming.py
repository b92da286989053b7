"""Trimmed radices: they meet the target wherever the caps do, exceed no cap, and waste little."""

from __future__ import annotations

import math

from hypothesis import assume, given
from hypothesis import strategies as st

from theory.radices import Radices
from theory.trimming import trimmed

CAPS = st.tuples(st.integers(2, 40), st.integers(2, 40), st.integers(2, 40))
STAGES = st.lists(st.tuples(CAPS, st.integers(1, 9), st.floats(-20, 30)), min_size=1, max_size=6)


def total(radices: list[Radices], contributions: list[float], target: float) -> float:
    return sum(math.exp(c - target) / r.pieces**2 for r, c in zip(radices, contributions, strict=True))


@given(STAGES, st.floats(-20, 10))
def test_the_target_is_met_where_the_caps_meet_it(
    stages: list[tuple[tuple[int, int, int], int, float]], target: float
) -> None:
    caps = [cap for cap, _, _ in stages]
    layers = [m for _, m, _ in stages]
    contributions = [c for _, _, c in stages]
    most = [Radices.lean(cap[0], cap[1], cap[2], m) for cap, m in zip(caps, layers, strict=True)]
    found = trimmed(caps, layers, contributions, target)
    assert [r.layers for r in found] == layers
    assert all(a <= b for r, m in zip(found, most, strict=True) for a, b in zip(r, m, strict=True))
    # Sums of logs and exponentials: a relative 1e-12 pays for a thousand roundings of 2^-53 each.
    if total(most, contributions, target) <= 1 - 1e-12:
        assert total(found, contributions, target) <= 1 + 1e-12
    elif total(most, contributions, target) > 1 + 1e-12:
        assert found == most


@given(st.floats(2, 25), st.integers(1, 4))
def test_one_stage_with_room_is_trimmed_to_what_it_needs(contribution: float, layers: int) -> None:
    cap = 4096
    assume(contribution / 2 < layers * math.log(cap))
    (found,) = trimmed([(cap, cap, cap)], [layers], [contribution], 0.0)
    assert found.pieces >= math.exp(contribution / 2) * (1 - 1e-9)
    # Every radix but the one decremented last is needed: one less of the largest would be too few, or all are 2.
    largest = max(found)
    assert largest == 2 or found.pieces * (largest - 1) / largest < math.exp(contribution / 2) * (1 + 1e-9)


def test_stages_without_products_and_very_deep_ones_stay_as_they_are() -> None:
    deep = trimmed([(2, 2, 2), (5, 4, 5)], [1, 100], [-math.inf, 3.0], 0.0)
    assert deep == [Radices.of([2]), Radices.lean(5, 4, 5, 100)]
