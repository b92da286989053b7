"""At n = 1 the smaller of scalar and matrix networks is taken, whatever is minimised, and both are reported."""

from __future__ import annotations

from fractions import Fraction

import pytest

from constructions.catalogue import frontier_of, plan_problem
from theory.bounds import bounds_document, lower_bound
from theory.counts import count_plan
from theory.errors import BadInput, OutOfReach
from theory.objectives import Demand
from theory.problem import Box, CentredBall, Problem
from theory.scalar_choice import choose, report_scalar, scalar_points
from theory.scalar_plan import SCALAR_ROUTES, ScalarPlan

MILLI = Fraction(1, 1000)
EXPM = Problem("expm", 1, Box(Fraction(1)), MILLI)


def never(demand: Demand) -> ScalarPlan:
    raise AssertionError("no matrix network should be planned here")


def test_small_scalar_networks_are_taken_without_a_look_at_matrices() -> None:
    plan = choose(EXPM, None, Demand(), never)
    assert (plan.route, count_plan(plan).nonzeros) == ("tower", 38)


def test_by_default_non_zeros_are_few_at_one_and_layers_beyond() -> None:
    assert count_plan(plan_problem(EXPM)).nonzeros == 38
    assert plan_problem(EXPM, None, Demand("hidden-layers")).hidden_layers == 1
    two = Problem("expm", 2, Box(Fraction(1)), MILLI)
    assert plan_problem(two).hidden_layers == plan_problem(two, None, Demand("hidden-layers")).hidden_layers


def test_a_line_and_a_tiny_error_are_left_to_matrix_networks() -> None:
    line = Problem("2*x + 1", 1, CentredBall(Fraction(0), Fraction(1)), MILLI)
    matrix = plan_problem(line)
    assert count_plan(matrix).nonzeros == 2
    tiny = Problem("expm", 1, Box(Fraction(1)), Fraction(1, 10**9))
    assert choose(tiny, None, Demand(), lambda demand: matrix) is matrix


def test_a_formula_that_is_smooth_but_not_analytic_on_the_disc_has_scalar_networks() -> None:
    bell = Problem("1/(1 + x**2)", 1, CentredBall(Fraction(0), Fraction(2)), Fraction(1, 100))
    assert isinstance(plan_problem(bell), ScalarPlan)
    assert {route["route"] for route in bounds_document(bell, MILLI)["routes"]} <= set(SCALAR_ROUTES)


def test_a_formula_that_is_neither_is_refused_by_name_and_place() -> None:
    with pytest.raises(BadInput, match="pole at x = 0"):
        plan_problem(Problem("1/x", 1, CentredBall(Fraction(0), Fraction(1)), MILLI))


def test_a_removable_singularity_is_left_to_matrix_networks() -> None:
    sinc = Problem("sin(x)/x", 1, CentredBall(Fraction(0), Fraction(1)), MILLI)
    matrix = plan_problem(EXPM, "horner")
    assert choose(sinc, None, Demand(), lambda demand: matrix) is matrix


def test_routes_by_name() -> None:
    assert plan_problem(EXPM, "hinges").route == "hinges"
    assert plan_problem(EXPM, "horner").route == "horner"
    assert not isinstance(plan_problem(EXPM, None, Demand(squarer_width=2)), ScalarPlan)
    with pytest.raises(OutOfReach, match="route squarer has no network"):
        plan_problem(EXPM, "squarer")


def test_the_frontier_has_both_kinds_and_none_is_beaten() -> None:
    points = frontier_of(EXPM, None, Demand())
    sizes = [(c.architecture.hidden_layers, c.architecture.width, c.nonzeros) for _, c in points]
    for one in sizes:
        assert not any(all(a <= b for a, b in zip(other, one, strict=True)) for other in sizes if other != one)
    assert sizes[-1][0] == 1
    assert min(sizes, key=lambda size: size[2])[2] == 38
    only = frontier_of(EXPM, "hinges", Demand())
    assert {plan.route for plan, _ in only} == {"hinges"}
    assert scalar_points(EXPM, "horner", Demand()) == []


def test_bounds_list_scalar_routes_and_what_any_network_needs() -> None:
    document = bounds_document(EXPM, MILLI)
    rows = {row["route"]: row for row in document["routes"]}
    assert rows["tower"]["nonzeros"] == 38
    assert rows["hinges"]["hidden_layers"] == 1
    assert "horner" in rows
    assert document["lower_bound"]["nonzeros"] == 13
    assert lower_bound(EXPM)[1] == "scalar.pieces"
    assert [row["route"] for row in bounds_document(EXPM, MILLI, "tower")["routes"]] == ["tower"]
    assert (
        "nonzeros" not in bounds_document(Problem("expm", 2, Box(Fraction(1)), MILLI), MILLI, "horner")["lower_bound"]
    )


def test_a_product_has_one_row() -> None:
    (row,) = report_scalar(Problem("product", 1, Box(Fraction(1)), MILLI))
    assert (row.route, row.nonzeros, row.theorem) == ("squarers", 60, "scalar.product")
