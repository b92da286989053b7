"""Limits and objectives: kept, and refused in one line that says what there is instead."""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import pytest

from constructions.catalogue import frontier_of, plan_problem
from theory.counts import count_plan
from theory.errors import BadInput, OutOfReach
from theory.expm.planner import plan_expm
from theory.objectives import Demand, Minimise, frontier, plan_for, undominated
from theory.plan import reference_width
from theory.problem import Box, Problem

EXPM = Problem("expm", 2, Box(Fraction(1)), Fraction(1, 100))
ONCE = partial(plan_expm, EXPM, "scaling-and-squaring")


def sizes(demand: Demand) -> tuple[int, int, int]:
    counts = count_plan(plan_for(ONCE, 2, demand))
    return counts.architecture.hidden_layers, counts.architecture.width, counts.nonzeros


def test_every_objective_is_smallest_by_its_own_measure() -> None:
    objectives: tuple[Minimise, ...] = ("hidden-layers", "width", "nonzeros")
    found = [sizes(Demand(minimise)) for minimise in objectives]
    # Hidden layers are minimised within the reference width, the others without limit.
    assert found[0][0] == min(layers for layers, _, _ in found)
    assert found[1][1] == min(width for _, width, _ in found)
    assert found[2][2] == min(nonzeros for _, _, nonzeros in found)
    assert found[0][1] <= reference_width(2)


@pytest.mark.parametrize("width", [48, 60, 100, 500])
def test_width_limits_are_kept_and_more_width_is_no_deeper(width: int) -> None:
    narrow, wide = sizes(Demand(max_width=width)), sizes(Demand(max_width=2 * width))
    assert narrow[1] <= width
    assert wide[0] <= narrow[0]


@pytest.mark.parametrize("layers", [3, 4, 5, 8])
def test_a_limit_on_layers_is_kept_at_any_width(layers: int) -> None:
    assert sizes(Demand(max_hidden_layers=layers))[0] <= layers
    assert sizes(Demand("nonzeros", max_hidden_layers=layers))[0] <= layers


@pytest.mark.parametrize("cap", [2, 3, 7, 100])
def test_squarers_have_no_more_neurons_a_layer_than_asked(cap: int) -> None:
    plan = plan_for(ONCE, 2, Demand(squarer_width=cap))
    for stage in plan.stages:
        for product in stage.products:
            radices = list(product.radices)
            ends = {0, len(radices) - 1}
            assert all(radix - (place in ends) <= cap for place, radix in enumerate(radices))


@pytest.mark.parametrize(
    ("demand", "message"),
    [
        (Demand(max_width=1), "width at most 1: without limits the narrowest"),
        (Demand(max_width=7), "narrowest found is .* wide"),
        (Demand(max_hidden_layers=1), "hidden layers at most 1: .* shallowest 3 layers deep"),
        (Demand("width", max_width=10), "width at most 10"),
        (Demand("nonzeros", max_width=100, max_hidden_layers=4), "hidden layers at most 4 and width at most 100"),
        (
            Demand(squarer_width=3, max_hidden_layers=5),
            "hidden layers at most 5 and neurons a squarer a layer at most 3",
        ),
    ],
)
def test_where_none_is_found_one_line_says_what_there_is(demand: Demand, message: str) -> None:
    with pytest.raises(OutOfReach, match=message) as refusal:
        plan_for(ONCE, 2, demand)
    assert "\n" not in str(refusal.value)


def test_a_frontier_that_is_empty_is_refused_too() -> None:
    with pytest.raises(OutOfReach, match="width at most 7"):
        frontier(ONCE, 2, Demand(max_width=7))


def test_where_no_relu_network_can_be_the_lower_bound_says_so() -> None:
    """limits.expm asks for 3.55 bits here; one layer of width 3 has 2."""
    demand = Demand(max_width=3, max_hidden_layers=1)
    for ask in (plan_problem, frontier_of):
        with pytest.raises(OutOfReach, match=r"no ReLU network has .* 3\.555 bits are needed"):
            ask(EXPM, None, demand)


def test_a_floor_is_named_whatever_is_minimised() -> None:
    once = partial(plan_expm, Problem("expm", 2, Box(Fraction(1)), Fraction(1, 10**30)), "scaling-and-squaring")
    for demand in (Demand(), Demand("nonzeros"), Demand("width"), Demand(max_width=40)):
        with pytest.raises(OutOfReach, match="float64 floor"):
            plan_for(once, 2, demand)


@pytest.mark.parametrize(
    "demand", [Demand(), Demand(max_width=60), Demand(max_hidden_layers=6), Demand(squarer_width=7)]
)
def test_the_frontier_keeps_the_limits_and_none_beats_another(demand: Demand) -> None:
    points = frontier(ONCE, 2, demand)
    found = [(c.architecture.hidden_layers, c.architecture.width, c.nonzeros) for _, c in points]
    assert found == sorted(found, key=lambda point: (-point[0], point[1]))
    for point in found:
        assert not any(other != point and all(a <= b for a, b in zip(other, point, strict=True)) for other in found)
        assert point[0] <= (demand.max_hidden_layers or 10**9)
        assert point[1] <= (demand.max_width or 10**9)
    assert len(undominated(points)) == len(points)
    assert all(plan.proved <= EXPM.eps for plan, _ in points)


@pytest.mark.parametrize(
    "options", [{"minimise": "depth"}, {"max_width": 0}, {"max_hidden_layers": -1}, {"squarer_width": 1}]
)
def test_odd_demands_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        Demand(**options)  # type: ignore[arg-type]
