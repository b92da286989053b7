"""Which functions can be built, and who plans them; planners load when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from theory.counts import Counts, count_plan
from theory.errors import OutOfReach
from theory.network_plan import NetworkPlan
from theory.objectives import Demand, PlanOnce, frontier, plan_for, size_of, undominated
from theory.problem import Problem

__all__ = ["frontier_of", "plan_once", "plan_problem", "replan_problem", "routes_of"]

_ANY_WIDTH = 10**12


def routes_of(problem: Problem) -> tuple[str, ...]:
    """Return the routes that build a problem, the default first."""
    if problem.function == "expm":
        from theory.expm.planner import BUILT_ROUTES

        return BUILT_ROUTES
    from theory.functions import planner

    return planner.routes_of(problem)


def plan_once(problem: Problem, route: str | None = None) -> PlanOnce:
    """Return the planner of a problem's route (default: the first), a function of width limits."""
    chosen = route or routes_of(problem)[0]
    if problem.function == "expm":
        from theory.expm.planner import plan_expm

        return lambda limits: plan_expm(problem, chosen, limits)
    from theory.functions.planner import plan_function

    return lambda limits: plan_function(problem, chosen, limits)


def plan_problem(problem: Problem, route: str | None = None, demand: Demand | None = None) -> NetworkPlan:
    """Plan a problem by a route under a demand.

    By default a network has the fewest hidden layers within the reference width; at n = 1, where scalar networks are
    offered beside the matrix networks, the fewest non-zeros.
    """
    demand = _widened(route, demand or Demand())
    _refuse_impossible(problem, demand)
    if problem.n > 1 or route == "monomial":
        return _planned(problem, route, demand)
    from theory.scalar_choice import choose

    return choose(problem, route, demand, lambda wanted: _planned(problem, route, wanted))


def _planned(problem: Problem, route: str | None, demand: Demand) -> NetworkPlan:
    """Return the plan of a matrix route, or the best of the default ones by what is minimised.

    Raises:
        OutOfReach: If no route has a network; the message is the first route's.
    """
    routes = (route,) if route is not None else _default_routes(problem)
    if len(routes) == 1:
        return plan_for(plan_once(problem, routes[0]), problem.n, demand)
    plans: list[NetworkPlan] = []
    refused: list[OutOfReach] = []
    for name in routes:
        try:
            plans.append(plan_for(plan_once(problem, name), problem.n, demand))
        except OutOfReach as error:
            refused.append(error)
    if not plans:
        raise refused[0]
    return min(plans, key=lambda plan: size_of(count_plan(plan), demand))


def _default_routes(problem: Problem) -> tuple[str, ...]:
    """Return the matrix routes that are tried where none is asked for."""
    if problem.function == "expm":
        return routes_of(problem)[:1]
    from theory.functions.planner import default_routes

    return default_routes(problem)


def _refuse_impossible(problem: Problem, demand: Demand) -> None:
    """Refuse limits that no ReLU network whatever can keep, by the problem's lower bound.

    Raises:
        OutOfReach: If hidden layers times log2(width + 1) stay below the bits that are needed.
    """
    if demand.max_width is None or demand.max_hidden_layers is None:
        return
    from theory.bounds import lower_bound

    least, theorem = lower_bound(problem)
    # Beyond so many layers every positive demand of bits is met; powers stay small.
    if least is None or demand.max_hidden_layers > 10**4:
        return
    whole = least.numerator // least.denominator
    if (demand.max_width + 1) ** demand.max_hidden_layers < 2**whole:
        raise OutOfReach(
            f"no ReLU network has hidden layers at most {demand.max_hidden_layers} and width at most "
            f"{demand.max_width} here: at least {float(least):.4g} bits are needed, sum of log2(width + 1) "
            f"[{theorem}]"
        )


def _widened(route: str | None, demand: Demand) -> Demand:
    """Return the demand; the monomial network is as wide as it is where no width is asked for."""
    return replace(demand, max_width=_ANY_WIDTH) if route == "monomial" and demand.max_width is None else demand


def frontier_of(problem: Problem, route: str | None, demand: Demand) -> list[tuple[NetworkPlan, Counts]]:
    """Return plans none of which is beaten in hidden layers, width and non-zeros at once, deep and narrow first.

    ``OutOfReach`` goes through if no network keeps the limits.
    """
    _refuse_impossible(problem, demand)
    points: list[tuple[NetworkPlan, Counts]] = []
    if problem.n == 1 and route != "monomial":
        from theory.scalar_choice import scalar_points
        from theory.scalar_plan import SCALAR_ROUTES

        points = scalar_points(problem, route, demand)
        if route in SCALAR_ROUTES:
            return undominated(points)
    for name in (route,) if route is not None else _default_routes(problem):
        points = frontier(plan_once(problem, name), problem.n, demand, points)
    return points


def replan_problem(problem: Problem, recipe: Mapping[str, Any], hidden_layers: int) -> NetworkPlan:
    """Return the plan a file's recipe describes, its bounds proved afresh."""
    if problem.n == 1 and "shape" in recipe:
        from theory.scalar_recipes import replan_scalar

        return replan_scalar(problem, recipe, hidden_layers)
    if problem.function == "expm":
        from theory.expm.planner import replan_expm

        return replan_expm(problem, recipe, hidden_layers)
    from theory.functions.planner import replan_function

    return replan_function(problem, recipe, hidden_layers)
