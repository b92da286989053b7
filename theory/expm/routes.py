"""The routes to e^A, each with its counts and its proved error: what ``python -m theory.bounds`` tabulates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from flint import arb, ctx

from theory.counts import Counts, count_plan
from theory.errors import OutOfReach
from theory.evaluate import as_ball, upper
from theory.expm.monomial import monomial_route
from theory.expm.planner import plan_expm
from theory.expm.uniform import UniformRoute, uniform_horner
from theory.expm.uniform_squaring import uniform_squaring
from theory.network_plan import NetworkPlan
from theory.norm_model import NormModel
from theory.problem import Problem
from theory.sizes import Size, named

__all__ = ["ROUTES", "RouteReport", "report_route", "report_routes"]

ROUTES = (
    "monomial",
    "horner",
    "paterson-stockmeyer",
    "taylor-8",
    "taylor-12",
    "taylor-18",
    "scaling-and-squaring",
)
#: Beyond these demands, theta + ln(1/eps), programs are no longer listed stage by stage but counted in closed form.
_LISTED = {"horner": 40.0, "scaling-and-squaring": 1500.0}
#: Beyond these, routes that have no closed form and never lead there are left out.
_COUNTED = {"paterson-stockmeyer": 60.0, "taylor-8": 1000.0, "taylor-12": 1000.0, "taylor-18": 1000.0}
#: Beyond this nM, or R, closed forms would need more than the working precision.
_LARGEST = 10**24
#: Beyond these the monomial network is counted in closed form.
_BUILT_DEGREE, _BUILT_TREES = 24, 10**6
_BADER = "derived here, shape from Bader, Blanes, Casas, Mathematics 7 (2019) 1174"
_SOURCES = {
    "monomial": "derived here, after Padmanabhan and Brugiapaglia, arXiv 2602.07800",
    "paterson-stockmeyer": "Paterson, Stockmeyer, SIAM J. Comput. 2 (1973) 60",
    "taylor-8": "Bader, Blanes, Casas, Mathematics 7 (2019) 1174",
    "taylor-12": _BADER,
    "taylor-18": _BADER,
}
_THEOREMS = {"monomial": "expm.monomial", "horner": "expm.horner"}


@dataclass(frozen=True)
class RouteReport:
    """One row of the table.

    Attributes:
        route: Name.
        theorem: Id of the theorem that proves the error.
        source: Where the route comes from.
        parameters: The route's own parameters.
        hidden_layers: Exact.
        width: Largest hidden layer, exact.
        nonzeros: Upper bound (equal to the matrices' for routes that are built).
        bits: ``sum log2(w + 1)``, rounded up.
        largest_weight: Upper bound.
        error: Proved in real arithmetic, in the problem's norm; None where no network was found.
        freezing: What rounding the weights to float64 can add; None where the network is beyond float64.
        counting: ``program`` (stage by stage) or ``closed form``.
    """

    route: str
    theorem: str
    source: str
    parameters: tuple[tuple[str, int | str], ...]
    hidden_layers: int
    width: Size
    nonzeros: Size
    bits: Size
    largest_weight: Size
    error: Fraction
    freezing: Fraction | None
    counting: str

    @classmethod
    def of_plan(
        cls, route: str, plan: NetworkPlan, counts: Counts, source: str = "derived here", *, beyond: bool = False
    ) -> RouteReport:
        """Return the row of a planned network; ``beyond`` float64 nothing is said of freezing."""
        return cls(
            route=route,
            theorem=plan.theorem,
            source=source,
            parameters=plan.parameters,
            hidden_layers=counts.architecture.hidden_layers,
            width=counts.architecture.width,
            nonzeros=counts.nonzeros,
            bits=counts.architecture.bits,
            largest_weight=named(counts.largest_weight),
            error=plan.error,
            freezing=None if beyond else plan.freezing,
            counting="program",
        )


def report_route(problem: Problem, route: str, known: dict[str, Counts] | None = None) -> RouteReport:
    """Return the row of one route; ``known`` keeps counts of programs that several routes arrive at.

    Raises:
        OutOfReach: If no network of the route meets the accuracy even in real arithmetic, or the domain is too large
            to count for.
    """
    with ctx.workprec(128):
        model = NormModel(problem.n, problem.domain)
        if model.theta > _LARGEST:
            raise OutOfReach(f"{problem.domain.describe()} is too large to count for: n M (or R) may be at most 10^24")
        if route == "monomial":
            return _monomial(problem)
        if _demand(problem, model) > _LISTED.get(route, math.inf):
            return _uniform(problem, route)
        return _program(problem, route, known)


def report_routes(problem: Problem) -> list[RouteReport]:
    """Return the rows of all routes that are counted for such a problem and meet its accuracy.

    A scheme with rounded coefficients (sqrt(177) to 80 bits) has a floor of its own, where others go on.

    Raises:
        OutOfReach: If no route does.
    """
    with ctx.workprec(128):
        demand = _demand(problem, NormModel(problem.n, problem.domain))
    known: dict[str, Counts] = {}
    rows, reasons = [], []
    for route in ROUTES:
        if demand > _COUNTED.get(route, math.inf):
            continue
        try:
            rows.append(report_route(problem, route, known))
        except OutOfReach as reason:
            reasons.append(reason)
    if not rows:
        raise reasons[-1]
    return rows


def _demand(problem: Problem, model: NormModel) -> float:
    """Return theta + ln(1/eps), which programs grow with."""
    accuracy = math.log(problem.eps.denominator) - math.log(problem.eps.numerator)
    return min(float(model.theta), 1e300) + max(accuracy, 0.0)


def _program(problem: Problem, route: str, known: dict[str, Counts] | None = None) -> RouteReport:
    beyond = False
    try:
        plan = plan_expm(problem, route)  # without limits, the monomial network has any width
    except OutOfReach:
        plan, beyond = plan_expm(problem, route, freeze=False), True
    program = repr((plan.recipe()["parameters"], plan.recipe()["radices"]))
    counts = (known or {}).get(program) or count_plan(plan)
    if known is not None:
        known[program] = counts
    return RouteReport.of_plan(route, plan, counts, _SOURCES.get(route, "derived here"), beyond=beyond)


def _short_error(error: arb, problem: Problem) -> Fraction:
    return min(upper(error, 53), problem.eps)


def _uniform(problem: Problem, route: str) -> RouteReport:
    report: UniformRoute = uniform_horner(problem) if route == "horner" else uniform_squaring(problem)
    scalings = (("scalings", report.scalings),) if report.scalings else ()
    return RouteReport(
        route=route,
        theorem=_THEOREMS.get(route, "expm.scaling-squaring"),
        source=_SOURCES.get(route, "derived here"),
        parameters=(("degree", report.degree), *scalings, ("radices", report.radices.text())),
        hidden_layers=report.hidden_layers,
        width=report.width,
        nonzeros=report.nonzeros,
        bits=upper(report.bits, 53),
        largest_weight=named(report.largest_weight),
        error=_short_error(report.error, problem),
        freezing=None,
        counting="closed form",
    )


def _monomial(problem: Problem) -> RouteReport:
    """Return the network that is built, where it is; else closed forms."""
    report = monomial_route(problem)
    if report.degree <= _BUILT_DEGREE and problem.n ** (report.degree + 1) <= _BUILT_TREES:
        return _program(problem, "monomial")
    return RouteReport(
        route="monomial",
        theorem="expm.monomial",
        source=_SOURCES["monomial"],
        parameters=(("degree", report.degree), ("levels", report.levels), ("radices", report.radices.text())),
        hidden_layers=report.hidden_layers,
        width=report.width,
        nonzeros=report.nonzeros,
        bits=upper(report.bits, 53),
        largest_weight=report.largest_weight,
        error=_short_error(report.error, problem),
        freezing=upper(report.freezing, 24) if report.freezing < as_ball(problem.eps) else None,
        counting="closed form",
    )
