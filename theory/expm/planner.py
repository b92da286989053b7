"""Candidates and plans for the matrix exponential."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from flint import arb, ctx

from theory.errors import BadInput, OutOfReach
from theory.evaluate import as_ball, upper
from theory.expm.programs import FIXED_DEGREES, horner_program, scaling_and_squaring_program
from theory.expm.truncation import squared_tail
from theory.network_plan import NetworkPlan
from theory.norm_model import NormModel
from theory.plan import CARRIED, Candidate, Limits, TooNarrow, plan_candidates, plan_with, reference_width
from theory.problem import Domain, Problem
from theory.radices import Radices
from theory.requests import check_domain
from theory.sizes import size_text

__all__ = ["BUILT_ROUTES", "plan_expm", "replan_expm"]

#: Routes that keep to one scheme: its name, and whether it may square.
_SCHEME_ROUTES = {
    "paterson-stockmeyer": ("paterson-stockmeyer", False),
    "taylor-8": ("degree-8", True),
    "taylor-12": ("degree-12", True),
    "taylor-18": ("degree-18", True),
}
BUILT_ROUTES = ("scaling-and-squaring", "horner", *_SCHEME_ROUTES, "monomial")


def plan_expm(
    problem: Problem, route: str = "scaling-and-squaring", limits: Limits | None = None, *, freeze: bool = True
) -> NetworkPlan:
    """Plan a network for e^A by one route, with the fewest hidden layers within the width limit.

    Args:
        problem: What is asked.
        route: One of ``BUILT_ROUTES``.
        limits: Width limits; by default the reference width.
        freeze: Whether the proof must cover weights rounded to float64.

    Raises:
        BadInput: If the route is unknown, or the domain is neither a box nor a ball about 0.
        OutOfReach: If no network of the route meets the accuracy.
    """
    check_domain(problem)
    if route not in BUILT_ROUTES:
        raise BadInput(f"no route {route!r} for expm; choose from {', '.join(BUILT_ROUTES)}")
    _require_float64(problem, freeze)
    if route == "monomial":
        return _monomial(problem, limits)
    limits = limits or Limits(reference_width(problem.n))
    with ctx.workprec(128):
        return plan_candidates(problem, _candidates(problem, route), limits, _fewest_layers, freeze=freeze)


def _monomial(problem: Problem, limits: Limits | None) -> NetworkPlan:
    """Return the one network of the monomial route.

    Raises:
        TooNarrow: If it is wider than allowed.
    """
    from theory.expm.monomial_plan import plan_monomial

    plan = plan_monomial(problem)
    if limits is not None and plan.architecture.width > limits.width:
        raise TooNarrow(
            f"the monomial network is {size_text(plan.architecture.width)} neurons wide, and at most "
            f"{size_text(limits.width)} are allowed; allow more width or take another route"
        )
    return plan


def _candidates(problem: Problem, route: str) -> Iterator[Candidate]:
    return _horner(problem) if route == "horner" else _scaled(problem, route)


def replan_expm(problem: Problem, recipe: Mapping[str, Any], most_layers: int) -> NetworkPlan:
    """Return the plan a recipe describes, with its error proved afresh: nothing a file claims is taken on trust.

    Args:
        problem: What the network is for.
        recipe: As written by ``NetworkPlan.recipe``.
        most_layers: Hidden layers the file really has; a recipe for more is refused before any work.

    Raises:
        BadInput: If the recipe makes no sense.
    """
    check_domain(problem)
    try:
        route, parameters = str(recipe["route"]), dict(recipe["parameters"])
        if route == "monomial":
            from theory.expm.monomial_plan import replan_monomial

            return replan_monomial(problem, recipe)
        expected = {"degree"} if route == "horner" else {"degree", "scheme", "scalings"}
        if route not in BUILT_ROUTES or set(parameters) - {"chunk", "outputs"} != expected:
            # A parameter that the program ignores must not enter the bound either.
            raise BadInput("the recipe is of no route that is built")
        degree, scalings = int(parameters["degree"]), int(parameters.get("scalings", 0))
        radices = [[Radices.from_text(str(text)) for text in stage] for stage in recipe["radices"]]
        # No scheme reaches a higher degree with that many products: large powers and factorials are not tried out.
        highest = max([(len(radices) + 2) ** 2 // 4, *(q for q, k in FIXED_DEGREES.values() if k <= len(radices))])
        if not 1 <= degree <= highest or not 0 <= scalings <= most_layers or len(radices) > most_layers:
            raise BadInput("the recipe does not fit the file's layers")
        if route == "horner":
            program, theorem = horner_program(degree), "expm.horner"
        else:
            scheme, squares = _SCHEME_ROUTES.get(route, (str(parameters["scheme"]), True))
            if scheme != parameters["scheme"] or (scalings and not squares):
                raise BadInput("the recipe does not fit its route")
            theta = upper(NormModel(problem.n, problem.domain).theta, 64)
            program = scaling_and_squaring_program(scheme, degree, scalings, theta)
            theorem = "expm.scaling-squaring"
        if "chunk" in parameters:
            program = program.chunked(problem.n, max(1, int(parameters["chunk"])))
        if parameters.get("outputs", CARRIED) != CARRIED:
            raise BadInput("outputs are carried or merged")
        if "outputs" in parameters:
            program = program.carried()
        if [len(stage) for stage in radices] != [len(stage.products) for stage in program.stages]:
            raise BadInput("the recipe does not fit its route")
        if sum(max((r.layers for r in stage), default=1) for stage in radices) != most_layers:
            raise BadInput("the recipe does not fit the file's layers")
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BadInput(f"the recipe cannot be read: {error}") from None
    with ctx.workprec(128):
        model = NormModel(problem.n, problem.domain)
        tail = squared_tail(model.theta, degree, scalings, str(parameters.get("scheme", "horner")))
        candidate = Candidate(route, theorem, tuple(parameters.items()), program, tail * model.truncation_factor)
        return plan_with(problem, candidate, radices)


def _require_float64(problem: Problem, freeze: bool) -> None:
    """Refuse at once what no plan can change: a value of e^A beyond float64's range, e^theta/n > 2^1024.

    Raises:
        OutOfReach: If weights are to be frozen and the largest entries of e^A are outside float64's range.
    """
    theta = NormModel(problem.n, problem.domain).theta
    if freeze and theta - arb(problem.n).log() > 1024 * arb.const_log2():
        raise OutOfReach(
            f"entries of e^A for {problem.domain.describe()} reach 10^{float((theta / arb(10).log()).mid()):.4g}, "
            "outside float64's range: ask for a smaller domain"
        )


def _fewest_layers(layers: int, neurons: float) -> tuple[float, ...]:
    return (layers, neurons)


def _scaled(problem: Problem, route: str) -> Iterator[Candidate]:
    """Yield scaling-and-squaring programs: for every number of scalings the cheapest degrees whose truncation fits."""
    options = sorted(_options(problem, route), key=lambda option: option[:4])
    fewest = options[0][0] if options else 0
    # Products differ in depth, so the fewest need not be the shallowest; far from the optimum they never win.
    allowed = fewest + (2 if fewest < 20 else 0)
    theta = upper(NormModel(problem.n, problem.domain).theta, 64)
    for products, scalings, degree, scheme, tail in options:
        if products <= allowed:
            yield Candidate(
                route,
                "expm.scaling-squaring",
                (("scheme", scheme), ("degree", degree), ("scalings", scalings)),
                scaling_and_squaring_program(scheme, degree, scalings, theta),
                tail,
            )


def _options(problem: Problem, route: str) -> Iterator[tuple[int, int, int, str, arb]]:
    """Yield (products, scalings, degree, scheme, truncation), up to three degrees for every number of scalings."""
    model = NormModel(problem.n, problem.domain)
    log_theta = float(model.theta.log().mid()) / math.log(2)
    log_eps = math.log(problem.eps.denominator) - math.log(problem.eps.numerator) + math.log(problem.n)
    demand = float(model.theta) + max(log_eps, 0.0)
    eps = as_ball(problem.eps) / model.in_norm(arb(1), problem.norm)
    scheme, squares = _SCHEME_ROUTES.get(route, ("", True))
    # Without squarings the degree is that of Horner's rule, with them of the order of demand^(2/3).
    highest = 8 + int(4 * demand ** (2 / 3)) if squares else 8 + int(4 * demand)
    schemes = list(_of_one_degree(scheme) if scheme in FIXED_DEGREES else _efficient(highest, only=scheme))

    def tail(place: int, scalings: int) -> arb:
        _, degree, scheme = schemes[place]
        return _truncation(problem.n, problem.domain, degree, scalings, scheme)

    lowest, top = max(0, math.ceil(log_theta) - 4), max(0, math.ceil(log_theta)) + 7 + int(demand ** (1 / 3))
    for scalings in range(lowest, top) if squares else (0,):
        least = bisect_left(
            range(len(schemes)), True, key=lambda i: bool((t := tail(i, scalings)).is_finite() and t < eps)
        )
        for place in range(least, min(least + 3, len(schemes))):
            products, degree, scheme = schemes[place]
            yield products + scalings, scalings, degree, scheme, tail(place, scalings)


@lru_cache(maxsize=1024)
def _truncation(n: int, domain: Domain, degree: int, scalings: int, scheme: str) -> arb:
    """Return what is truncated, in the norm errors are measured in: routes ask for the same schemes again."""
    model = NormModel(n, domain)
    with ctx.workprec(128):
        return squared_tail(model.theta, degree, scalings, scheme) * model.truncation_factor


def _of_one_degree(scheme: str) -> Iterator[tuple[int, int, str]]:
    degree, products = FIXED_DEGREES[scheme]
    yield products, degree, scheme


def _efficient(highest: int, *, only: str = "") -> Iterator[tuple[int, int, str]]:
    """Yield (products, degree, scheme), degrees increasing: the largest that some scheme reaches with each number."""
    products, reached = 0, 0
    fixed = {} if only else {count: (degree, name) for name, (degree, count) in FIXED_DEGREES.items()}
    while True:
        # b - 1 powers and q/b - 1 Horner steps: q = b (products + 2 - b) is largest near b = (products + 2) / 2.
        block = (products + 2) // 2
        degree = block * (products + 2 - block)
        if degree > highest:
            return
        if degree > reached:
            reached = degree
            yield products, degree, "paterson-stockmeyer"
        if products in fixed:
            reached, name = fixed[products]
            yield products, reached, name
        products += 1


def _horner(problem: Problem) -> Iterator[Candidate]:
    model = NormModel(problem.n, problem.domain)
    eps = math.log(problem.eps.denominator) - math.log(problem.eps.numerator)
    highest = int(math.e * float(model.theta) + max(eps, 0.0) + math.log(problem.n) + 3)
    found = 0
    for degree in range(1, highest + 20):
        tail = squared_tail(model.theta, degree, 0) * model.truncation_factor
        if tail.is_finite() and model.in_norm(tail, problem.norm) < as_ball(problem.eps):
            yield Candidate("horner", "expm.horner", (("degree", degree),), horner_program(degree), tail)
            found += 1
            if found == 4:
                return
