"""The routes of a function other than the exponential, with counts and proved errors, for the table of bounds."""

from __future__ import annotations

from functools import partial

from flint import ctx

from theory.counts import count_plan
from theory.expm.routes import RouteReport
from theory.functions.planner import plan_function, routes_of
from theory.network_plan import NetworkPlan
from theory.objectives import Demand, plan_for
from theory.problem import Around, CentredBall, Problem
from theory.sizes import named

__all__ = ["report_routes"]


def report_routes(problem: Problem, only: str | None = None) -> list[RouteReport]:
    """Return one row a route that serves the problem's domain, or the row of one route."""
    reports = []
    with ctx.workprec(128):
        for route in routes_of(problem) if only is None else (only,):
            plan = plan_for(partial(plan_function, problem, route), problem.n, Demand())
            counts = count_plan(plan)
            reports.append(
                RouteReport(
                    route=_label(problem, plan),
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


def _label(problem: Problem, plan: NetworkPlan) -> str:
    """Return what a row calls its route: with the function about a centre, with the order around a matrix."""
    if isinstance(problem.domain, Around):
        return f"{plan.route}, order {dict(plan.parameters)['order']}"
    return f"{problem.function}: {plan.route}" if isinstance(problem.domain, CentredBall) else plan.route
