"""The frontier and the cost of inversion: claims that hold of small instances, and fail when the numbers are moved."""

from __future__ import annotations

import copy
from fractions import Fraction
from typing import Any

import pytest

from figures import blowup, inverse_cost, pareto, peers
from figures.claim import ClaimFailed
from theory.errors import BadInput


@pytest.fixture(scope="module")
def small_frontier() -> dict[str, Any]:
    return pareto.data(n=2, eps="1e-2")


@pytest.fixture(scope="module")
def both_sides() -> dict[str, Any]:
    return inverse_cost.data(n=2, eps="1e-2", radius="2", decades=3)


def test_the_frontier_is_a_frontier(small_frontier: dict[str, Any]) -> None:
    pareto.check(small_frontier)
    points = small_frontier["points"]
    assert len(points) >= 3
    assert all(point["bits"] >= small_frontier["lower_bound"]["bits"] for point in points)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("proved", 0.02, "exceeds eps"),
        ("bits", 1.0, "fewer bits"),
        ("nonzeros", 10**9, "is beaten"),
        ("hidden_layers", 1, "not ordered by depth|is beaten"),
    ],
)
def test_a_frontier_that_breaks_the_claim_is_refused(
    small_frontier: dict[str, Any], key: str, value: float, message: str
) -> None:
    broken = copy.deepcopy(small_frontier)
    # A second network of the deepest one's sizes, so that either can be beaten.
    broken["points"].insert(0, copy.deepcopy(broken["points"][0]))
    broken["points"][0][key] = value
    with pytest.raises(ClaimFailed, match=message):
        pareto.check(broken)


@pytest.mark.parametrize("options", [{"n": "0"}, {"M": "1", "radius": "1"}, {"function": "inverse"}, {"delta": "1/2"}])
def test_pareto_refuses_nonsense(options: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        pareto.data(**options)


def test_inversion_costs_more_near_singular_matrices_from_both_sides(both_sides: dict[str, Any]) -> None:
    inverse_cost.check(both_sides)
    rows = both_sides["rows"]
    assert [row["delta"] for row in rows] == ["1/10", "1/20", "1/50", "1/100", "1/200", "1/500", "1/1000"]
    assert all(row["lower_bits"] <= row["bits"] for row in rows)
    assert rows[0]["lipschitz"] == float(Fraction(100) - Fraction(1, 10))
    assert rows[0]["blow_up"] == 10


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("error", 0.02, "exceeds eps"),
        ("bits", 1.0, "fewer bits than any"),
        ("bits", 1e9, "bits falls"),
        ("lipschitz", 5.0, "not 1/delta"),
    ],
)
def test_a_cost_that_breaks_the_claim_is_refused(
    both_sides: dict[str, Any], key: str, value: float, message: str
) -> None:
    broken = copy.deepcopy(both_sides)
    broken["rows"][0][key] = value
    with pytest.raises(ClaimFailed, match=message):
        inverse_cost.check(broken)


def test_a_steeper_growth_is_refused(both_sides: dict[str, Any]) -> None:
    with pytest.raises(ClaimFailed, match=r"exceeds 2\.2"):
        inverse_cost.check(both_sides | {"exponent": 2.5})


@pytest.mark.parametrize("options", [{"decades": "1"}, {"radius": "1/10"}, {"n": "1000"}, {"eps": "0"}])
def test_inverse_cost_refuses_nonsense(options: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        inverse_cost.data(**options)


def test_the_forced_error_is_exactly_what_the_theorem_forces() -> None:
    good = blowup.data(lipschitz=["100", "1/3"])
    blowup.check(good)
    constant, errors = good["floors"][1]["lipschitz"], good["floors"][1]["errors"]
    assert constant == "100"
    assert errors[-1] == "0"  # delta = 1
    tenth = good["deltas"].index("1/100")
    assert Fraction(errors[tenth]) == 100 - 1
    for index, value, message in ((tenth, "98", "forces"), (tenth, "0", "not zero"), (-1, "1", "forces")):
        broken = copy.deepcopy(good)
        broken["floors"][1]["errors"][index] = value
        with pytest.raises(ClaimFailed, match=message):
            blowup.check(broken)


@pytest.mark.parametrize("constants", [[], ["0"], ["x"], list("1234567")])
def test_blowup_refuses_nonsense(constants: list[str]) -> None:
    with pytest.raises(BadInput):
        blowup.data(lipschitz=constants)


def test_ours_are_smaller_than_the_peers_and_within_eps() -> None:
    document = peers.data()
    peers.check(document)
    assert len(document["rows"]) == len(peers.CASES) >= 3
    for key, value, message in (("nonzeros", 10**6, "not fewer"), ("proved", 0.5, "exceeds")):
        broken = copy.deepcopy(document)
        broken["rows"][0][key] = value
        with pytest.raises(ClaimFailed, match=message):
            peers.check(broken)
    with pytest.raises(ClaimFailed, match="nothing to compare"):
        peers.check(document | {"rows": []})
