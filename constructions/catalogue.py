"""Which functions can be built, and who plans them; planners load when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from theory.errors import BadInput
from theory.network_plan import NetworkPlan
from theory.problem import Problem

__all__ = ["FUNCTIONS", "plan_problem", "replan_problem", "routes_of"]

#: Function -> (planner, re-planner from a recipe, routes, default first).
FUNCTIONS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "expm": (
        "theory.expm.planner:plan_expm",
        "theory.expm.planner:replan_expm",
        ("scaling-and-squaring", "horner"),
    ),
}


def _load(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(module), name)


def _entry(function: str) -> tuple[str, str, tuple[str, ...]]:
    if function not in FUNCTIONS:
        raise BadInput(f"no function {function!r} can be built; choose from {', '.join(FUNCTIONS)}")
    return FUNCTIONS[function]


def routes_of(function: str) -> tuple[str, ...]:
    """Return the routes of a function, the default first."""
    return _entry(function)[2]


def plan_problem(problem: Problem, route: str | None = None) -> NetworkPlan:
    """Plan a problem by a route (default: the function's first).

    Raises:
        BadInput: If function or route are unknown.
    """
    planner, _, routes = _entry(problem.function)
    if route is not None and route not in routes:
        raise BadInput(f"no route {route!r} builds {problem.function}; choose from {', '.join(routes)}")
    plan: NetworkPlan = _load(planner)(problem, route or routes[0])
    return plan


def replan_problem(problem: Problem, recipe: Mapping[str, Any], hidden_layers: int) -> NetworkPlan:
    """Return the plan a file's recipe describes, its bounds proved afresh."""
    _, replanner, _ = _entry(problem.function)
    plan: NetworkPlan = _load(replanner)(problem, recipe, hidden_layers)
    return plan
