"""At n = 1: scalar networks beside matrix networks; the smaller one is taken, rows of both are reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from theory.counts import Counts, count_plan
from theory.errors import BadInput, OutOfReach
from theory.expm.routes import RouteReport
from theory.network_plan import NetworkPlan
from theory.objectives import MINIMISE, Demand
from theory.problem import Problem
from theory.scalar import scalar_plans
from theory.scalar_plan import SCALAR_ROUTES, ScalarPlan

__all__ = ["choose", "report_scalar", "scalar_points"]

#: Between these counts of non-zeros no matrix network is looked at: below, a line without hidden layers may do; above,
#: two squarings can be as small (x^4 at 1e-3: 86 against 43, at 1e-5: 130 against 122).
_LINE, _SMALL = 10, 60


def choose(problem: Problem, route: str | None, demand: Demand, matrix: Callable[[Demand], NetworkPlan]) -> NetworkPlan:
    """Return the plan of a problem with n = 1: the better of its scalar and matrix networks by what is minimised.

    Args:
        problem: What is asked.
        route: A scalar route, a matrix route, or None for the best of all.
        demand: What to minimise, here non-zeros by default, under which limits. A squarer width asks for matrix routes.
        matrix: The planner of the matrix routes.

    Raises:
        BadInput: If the problem has no network of the kind asked for.
    """
    demand = replace(demand, minimise=demand.minimise or "nonzeros")
    if route in SCALAR_ROUTES:
        return _best(scalar_plans(problem, route, demand), problem, route)
    if route is not None or demand.squarer_width is not None:
        return matrix(demand)
    try:
        plans = scalar_plans(problem, None, demand)
    except BadInput:
        # No function of a number with two derivatives on the interval: the matrix routes serve, or say why not.
        return matrix(demand)
    if plans and demand.minimise == "nonzeros" and _LINE < plans[0].nonzeros <= _SMALL:
        return plans[0]
    try:
        other = matrix(demand)
    except BadInput:
        if plans:
            return plans[0]
        raise
    if not plans or _size(count_plan(other), demand) < _size(count_plan(plans[0]), demand):
        return other
    return plans[0]


def _best(plans: list[ScalarPlan], problem: Problem, route: str) -> ScalarPlan:
    if not plans:
        raise OutOfReach(f"route {route} has no network for this function, accuracy and limits; leave out --route")
    return plans[0]


def _size(counts: Counts, demand: Demand) -> tuple[int, int]:
    architecture = counts.architecture
    sizes = {"hidden-layers": architecture.hidden_layers, "width": architecture.width}
    return sizes.get(demand.minimise or "", counts.nonzeros), counts.nonzeros


def scalar_points(problem: Problem, route: str | None, demand: Demand) -> list[tuple[NetworkPlan, Counts]]:
    """Return scalar plans for the frontier: the best by every objective."""
    found: list[tuple[NetworkPlan, Counts]] = []
    for minimise in MINIMISE if route is None or route in SCALAR_ROUTES else ():
        try:
            plans = scalar_plans(problem, route, replace(demand, minimise=minimise))
        except BadInput:
            continue
        found += [(plan, count_plan(plan)) for plan in plans if plan not in [known for known, _ in found]]
    return found


def report_scalar(problem: Problem, routes: Iterable[str] = tuple(SCALAR_ROUTES)) -> list[RouteReport]:
    """Return one row a scalar route that serves the problem: its network with the fewest non-zeros."""
    reports = []
    for route in routes:
        try:
            plans = scalar_plans(problem, route)
        except BadInput:
            continue
        for plan in plans[:1]:
            reports.append(RouteReport.of_plan(route, plan, count_plan(plan)))
    return reports
