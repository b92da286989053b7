"""Plans for every function but the exponential: candidates by function, one search for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import chain
from typing import Any

from flint import ctx

from theory.errors import BadInput
from theory.functions.around import around_routes, linearized, neumann_around, order_of
from theory.functions.candidates import (
    cosine_candidates,
    formula_candidates,
    neumann_candidates,
    series_candidates,
    sign_candidates,
    sine_candidates,
)
from theory.functions.inverse import coupled_candidates
from theory.functions.newton import newton_candidates
from theory.functions.newton_sign import newton_sign_candidates
from theory.functions.polynomials import polynomial_candidates, polynomial_of
from theory.functions.product import product_candidates, product_routes
from theory.linearized_plan import FORMS, linearized_plan
from theory.network_plan import NetworkPlan
from theory.plan import CARRIED, Candidate, Limits, in_chunks, plan_candidates, plan_with, reference_width, with_carries
from theory.problem import Around, KDelta, Problem, SignDomain
from theory.radices import Radices
from theory.rationals import parse_count
from theory.requests import check_domain

__all__ = ["ROUTES", "default_routes", "function_candidates", "plan_function", "replan_function", "routes_of"]

_ONE = Fraction(1)
#: At this rho the iteration has had fewer layers and non-zeros than the sign's series at every n and eps tried.
_SERIES_UP_TO = Fraction(9, 10)
#: (function, route) -> candidates.
_CANDIDATES: dict[tuple[str, str], Callable[[Problem], Iterator[Candidate]]] = {
    ("inverse", "coupled"): coupled_candidates,
    ("inverse", "newton-schulz"): newton_candidates,
    ("inverse", "neumann"): neumann_candidates,
    ("sign", "newton-schulz"): newton_sign_candidates,
    ("sign", "series"): sign_candidates,
    ("sqrt", "series"): lambda problem: series_candidates(problem, "sqrt", _ONE),
    ("log", "series"): lambda problem: series_candidates(problem, "log", _ONE),
    ("cos", "series"): cosine_candidates,
    ("sin", "series"): sine_candidates,
}
#: Function -> its routes, the default first.
ROUTES: dict[str, tuple[str, ...]] = {}
for _function, _route in _CANDIDATES:
    ROUTES[_function] = (*ROUTES.get(_function, ()), _route)


def routes_of(problem: Problem) -> tuple[str, ...]:
    """Return the routes that serve a problem's domain, the default first."""
    if problem.function == "product":
        return product_routes(problem.n)
    if problem.function not in ROUTES:
        return ("series",) if polynomial_of(problem.function) is None else ("polynomial",)
    if isinstance(problem.domain, Around):
        return around_routes(problem)
    if problem.function == "inverse":
        return ("coupled", "newton-schulz") if isinstance(problem.domain, KDelta) else ("neumann",)
    return ROUTES[problem.function]


def default_routes(problem: Problem) -> tuple[str, ...]:
    """Return the routes a plan is chosen from where none is asked for: the first, for the sign the better of two.

    Near rho = 1 the sign's series has hundreds of terms, and only the iteration is tried.
    """
    routes = routes_of(problem)
    if problem.function == "sign" and isinstance(problem.domain, SignDomain) and problem.domain.rho <= _SERIES_UP_TO:
        return routes
    return routes[:1]


def function_candidates(problem: Problem, route: str) -> Iterator[Candidate]:
    """Return the candidates of a function's route.

    Raises:
        BadInput: If there is no such route, or the function is not planned on the problem's domain.
    """
    check_domain(problem)
    if problem.function == "product":
        return product_candidates(problem, route)
    if problem.function not in ROUTES and route == "polynomial":
        coefficients = polynomial_of(problem.function)
        if coefficients is None:
            raise BadInput(f"route polynomial is for polynomials with rational coefficients, not {problem.function}")
        return polynomial_candidates(problem, coefficients)
    if problem.function not in ROUTES and route == "series":
        return formula_candidates(problem)
    if isinstance(problem.domain, Around) and (route == "neumann" or route.startswith("order-")):
        return neumann_around(problem, order_of(route))
    maker = _CANDIDATES.get((problem.function, route))
    if maker is None or route not in routes_of(problem):
        raise BadInput(f"no route {route!r} for {problem.function}; choose from {', '.join(routes_of(problem))}")
    return maker(problem)


def plan_function(problem: Problem, route: str | None = None, limits: Limits | None = None) -> NetworkPlan:
    """Plan a network with the fewest hidden layers within the width limit.

    Raises:
        BadInput: If the route is unknown.
        OutOfReach: If no network of the route meets the accuracy.
    """
    limits = limits or Limits(reference_width(problem.n))
    if isinstance(problem.domain, Around) and (route or routes_of(problem)[0]) in FORMS:
        return linearized(problem, route or routes_of(problem)[0], limits.width)
    routes = default_routes(problem) if route is None else (route,)
    with ctx.workprec(128):
        return plan_candidates(
            problem,
            chain.from_iterable(function_candidates(problem, name) for name in routes),
            limits,
            lambda layers, neurons: (layers, neurons),
        )


def replan_function(problem: Problem, recipe: Mapping[str, Any], most_layers: int) -> NetworkPlan:
    """Return the plan a recipe describes, with its error proved afresh.

    Raises:
        BadInput: If the recipe fits no candidate of the problem.
    """
    try:
        route, parameters = str(recipe["route"]), dict(recipe["parameters"])
        radices = [[Radices.from_text(str(text)) for text in stage] for stage in recipe["radices"]]
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"the recipe cannot be read: {error}") from None
    if isinstance(problem.domain, Around) and route in FORMS:
        return linearized_plan(problem, route)
    if sum(max((r.layers for r in stage), default=1) for stage in radices) != most_layers:
        raise BadInput("the recipe does not fit the file's layers")
    with ctx.workprec(128):
        for whole in _described(problem, parameters):
            chunked = in_chunks(whole, problem.n, parameters.get("chunk"))
            candidate = with_carries(chunked, carry=parameters.get("outputs") == CARRIED)
            shape = [len(stage.products) for stage in candidate.program.stages]
            if (
                candidate.route == route
                and dict(candidate.parameters) == parameters
                and shape == [len(s) for s in radices]
            ):
                return plan_with(problem, candidate, radices)
    raise BadInput("the recipe fits no network of this problem")


def _described(problem: Problem, parameters: Mapping[str, Any]) -> Iterator[Candidate]:
    """Yield the candidates a recipe's parameters may describe: every route's, or the series of one order."""
    if isinstance(problem.domain, Around):
        yield from neumann_around(problem, parse_count(parameters.get("order", 0), "order"))
        return
    for name in routes_of(problem):
        yield from function_candidates(problem, name)
