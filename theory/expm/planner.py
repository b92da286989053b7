"""Candidates and plans for the matrix exponential."""

from __future__ import annotations

import math
from collections.abc import Iterator

from flint import ctx

from theory.errors import BadInput
from theory.expm.programs import horner_program, scaling_and_squaring_program
from theory.expm.truncation import squared_tail
from theory.network_plan import NetworkPlan
from theory.norm_model import NormModel
from theory.plan import Candidate, Limits, plan_candidates, reference_width
from theory.problem import Problem

__all__ = ["BUILT_ROUTES", "plan_expm"]

BUILT_ROUTES = ("scaling-and-squaring", "horner")


def plan_expm(problem: Problem, route: str = "scaling-and-squaring", limits: Limits | None = None) -> NetworkPlan:
    """Plan a network for e^A by one route, with the fewest hidden layers within the width limit.

    Raises:
        BadInput: If the route is unknown.
        OutOfReach: If no network of the route meets the accuracy.
    """
    makers = {"scaling-and-squaring": _scaled, "horner": _horner}
    if route not in makers:
        raise BadInput(f"no route {route!r} for expm; choose from {', '.join(BUILT_ROUTES)}")
    limits = limits or Limits(reference_width(problem.n))
    with ctx.workprec(128):
        return plan_candidates(problem, makers[route](problem), limits, lambda layers, neurons: (layers, neurons))


def _scaled(problem: Problem) -> Iterator[Candidate]:
    model = NormModel(problem.n, problem.domain)
    theta = float(model.theta.log().mid()) / math.log(2)
    centre = max(0, math.ceil(theta))
    for scalings in range(max(0, centre - 4), centre + 7):
        for degree in range(1, 15):
            tail = squared_tail(model.theta, degree, scalings) * model.truncation_factor
            if tail.is_finite():
                yield Candidate(
                    "scaling-and-squaring",
                    "expm.scaling-squaring",
                    (("degree", degree), ("scalings", scalings)),
                    scaling_and_squaring_program(degree, scalings),
                    tail,
                )


def _horner(problem: Problem) -> Iterator[Candidate]:
    model = NormModel(problem.n, problem.domain)
    eps = math.log(problem.eps.denominator) - math.log(problem.eps.numerator)
    highest = int(math.e * float(model.theta) + max(eps, 0.0) + math.log(problem.n) + 3)
    found = 0
    for degree in range(1, highest + 20):
        tail = squared_tail(model.theta, degree, 0) * model.truncation_factor
        if tail.is_finite() and model.in_norm(tail, problem.norm) < problem.eps.numerator / problem.eps.denominator:
            yield Candidate("horner", "expm.horner", (("degree", degree),), horner_program(degree), tail)
            found += 1
            if found == 4:
                return
