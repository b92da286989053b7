"""Recipes of scalar networks: read back to the same plan, proved afresh; what is broken or a lie is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from theory.errors import BadInput
from theory.problem import Box, CentredBall, Problem
from theory.scalar import scalar_plans
from theory.scalar_plan import ScalarPlan
from theory.scalar_recipes import replan_scalar

EPS = Fraction(1, 100)
CASES = (
    ("exp(x)", "tower"), ("exp(x)", "hinges"), ("x**5", "hinges"), ("cos(x)", "tower"), ("x**2", "squarer"),
    ("product", "squarers"),
)  # fmt: skip


def plan_of(function: str, route: str) -> ScalarPlan:
    domain = Box(Fraction(1)) if function == "product" else CentredBall(Fraction(0), Fraction(1))
    return scalar_plans(Problem(function, 1, domain, EPS), route)[0]


@pytest.mark.parametrize(("function", "route"), CASES)
def test_a_recipe_gives_the_plan_back(function: str, route: str) -> None:
    plan = plan_of(function, route)
    recipe = json.loads(json.dumps(plan.recipe()))
    again = replan_scalar(plan.problem, recipe, plan.hidden_layers)
    assert again == plan
    assert again.parameters == plan.parameters


def test_a_shape_that_is_not_within_eps_is_refused() -> None:
    plan = plan_of("exp(x)", "hinges")
    recipe: Any = json.loads(json.dumps(plan.recipe()))
    recipe["shape"]["core"]["offset"] = "1/8"
    with pytest.raises(BadInput, match="only proved to be within"):
        replan_scalar(plan.problem, recipe, plan.hidden_layers)


def _set(*path: str, value: object) -> Callable[[Any], None]:
    def change(recipe: Any) -> None:
        for key in path[:-1]:
            recipe = recipe[key]
        recipe[path[-1]] = value

    return change


BROKEN = (
    _set("shape", value=None),
    _set("shape", "parity", value="both"),
    _set("shape", "gate", value="1e999999999"),
    _set("shape", "core", "kinks", value=["0"] * 6000),
    _set("shape", "core", "kinks", value="0123"),
    _set("shape", "core", "offset", value=0.5),
    _set("shape", "core", "offset", value="1/0"),
    _set("shape", "core", "offset", value="1/3"),
    _set("shape", "core", "scale", value="0"),
    _set("shape", "core", "radices", value=[2] * 500),
    _set("shape", "core", "radices", value=[10**9]),
    _set("shape", "core", "radices", value=[1000, 1000]),
    _set("shape", "core", "radices", value=[]),
    _set("route", value="squarer"),
    _set("route", value="spline"),
    _set("route", value="squarers"),
    _set("route", value="hinges"),
)


@pytest.mark.parametrize("change", BROKEN)
def test_broken_recipes_are_answered_in_one_line(change: Callable[[Any], None]) -> None:
    plan = plan_of("exp(x)", "tower")
    recipe = copy.deepcopy(plan.recipe())
    change(recipe)
    with pytest.raises(BadInput) as caught:
        replan_scalar(plan.problem, recipe, plan.hidden_layers)
    assert "\n" not in str(caught.value)


def test_a_recipe_of_other_depth_or_size_is_refused() -> None:
    plan = plan_of("exp(x)", "hinges")
    with pytest.raises(BadInput, match="does not fit the file's layers"):
        replan_scalar(plan.problem, plan.recipe(), plan.hidden_layers + 1)
    wide = Problem("exp(x)", 2, plan.problem.domain, EPS)
    with pytest.raises(BadInput, match="does not fit the file's layers"):
        replan_scalar(wide, plan.recipe(), plan.hidden_layers)


def test_the_shape_of_one_product_is_not_that_of_another() -> None:
    plan = plan_of("product", "squarers")
    other = Problem("product", 1, Box(Fraction(2)), EPS)
    with pytest.raises(BadInput, match="another problem"):
        replan_scalar(other, plan.recipe(), plan.hidden_layers)


def test_a_squarer_is_no_proof_of_another_function() -> None:
    plan = plan_of("x**2", "squarer")
    other = Problem("x**4", 1, plan.problem.domain, EPS)
    with pytest.raises(BadInput, match=r"x\*\*2 alone"):
        replan_scalar(other, plan.recipe(), plan.hidden_layers)
