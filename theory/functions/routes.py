"""The routes of a function other than the exponential, with counts and proved errors, for the table of bounds."""

from __future__ import annotations

from flint import ctx

from theory.counts import count_plan
from theory.expm.routes import RouteReport
from theory.functions.planner import plan_function, routes_of
from theory.problem import CentredBall, Problem
from theory.sizes import named

__all__ = ["report_routes"]


def report_routes(problem: Problem) -> list[RouteReport]:
    """Return one row a route that serves the problem's domain."""
    reports = []
    with ctx.workprec(128):
        for route in routes_of(problem):
            plan = plan_function(problem, route)
            counts = count_plan(plan)
            reports.append(
                RouteReport(
                    route=f"{problem.function}: {plan.route}"
                    if isinstance(problem.domain, CentredBall)
                    else plan.route,
                    theorem=plan.theorem,
                    source="derived here",
                    parameters=plan.parameters,
                    hidden_layers=counts.architecture.hidden_layers,
                    width=counts.architecture.width,
                    nonzeros=counts.nonzeros,
                    bits=counts.architecture.bits,
                    largest_weight=named(counts.largest_weight),
                    error=plan.error,
                    freezing=plan.freezing,
                    counting="program",
                )
            )
    return reports
