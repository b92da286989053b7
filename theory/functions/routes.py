"""The routes of a function other than the exponential, with counts and proved errors, for the table of bounds."""

from __future__ import annotations

from functools import partial

from flint import ctx

from theory.counts import count_plan
from theory.errors import OutOfReach
from theory.expm.routes import RouteReport
from theory.functions.planner import plan_function, routes_of
from theory.network_plan import NetworkPlan
from theory.objectives import Demand, plan_for
from theory.problem import Around, CentredBall, Problem

__all__ = ["report_routes"]


def report_routes(problem: Problem, only: str | None = None) -> list[RouteReport]:
    """Return one row a route that meets the problem on its domain, or the row of one route.

    Raises:
        OutOfReach: If no route has a network; the message is the first route's.
    """
    reports: list[RouteReport] = []
    refused: list[OutOfReach] = []
    with ctx.workprec(128):
        for route in routes_of(problem) if only is None else (only,):
            try:
                plan = plan_for(partial(plan_function, problem, route), problem.n, Demand())
            except OutOfReach as error:
                refused.append(error)
                continue
            reports.append(RouteReport.of_plan(_label(problem, plan), plan, count_plan(plan)))
    if not reports:
        raise refused[0]
    return reports


def _label(problem: Problem, plan: NetworkPlan) -> str:
    """Return what a row calls its route: with the function about a centre, with the order around a matrix."""
    if isinstance(problem.domain, Around):
        return f"{plan.route}, order {dict(plan.parameters)['order']}"
    return f"{problem.function}: {plan.route}" if isinstance(problem.domain, CentredBall) else plan.route
