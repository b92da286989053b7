"""The inverse on a box around A0: the linearised inverse in one hidden layer, or a truncated Neumann series of order k.

With V near A0^-1 and C = I - VA the series is ``(I + C + ... + C^k) V``: V enters with the input and leaves with the
output, both affine, and between them is a polynomial in C (theorem inverse.box). Order 1 needs no product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from theory.errors import BadInput, OutOfReach
from theory.evaluate import as_ball
from theory.functions.candidates import neumann_product
from theory.linearized_plan import FORMS, LinearizedPlan, linearized_plan
from theory.neighbourhood import Neighbourhood, neighbourhood
from theory.plan import Candidate, TooNarrow
from theory.polynomials import PolynomialProgram, best_programs, on_base
from theory.problem import Around, Norm, Problem
from theory.program import Combination, Program, Source
from theory.rationals import parse_count
from theory.sizes import size_text

__all__ = [
    "around_problem",
    "around_routes",
    "linearized",
    "neumann_around",
    "order_of",
    "order_route",
]

#: Highest order considered, and how many orders beyond the least are worth a look.
_HIGHEST, _BEYOND = 400, 3
_PREFIX = "order-"
#: Relative to the inverse's entries: far below half a unit in the last place of float64, no search is begun.
_FLOOR = Fraction(1, 2**64)
#: What they hold with ease, relative to the sum of n of the inverse's entries.
_HELD = Fraction(1, 2**40)


def order_route(order: int | str) -> str:
    """Return the route that takes the series to a given order: one hidden layer for order 1.

    Raises:
        BadInput: If the order is not a count.
    """
    value = parse_count(order, "--order", most=_HIGHEST)
    return "linearized" if value == 1 else f"{_PREFIX}{value}"


def order_of(route: str) -> int | None:
    """Return the order a route names; None where the planner chooses it."""
    if route in FORMS:
        return 1
    return parse_count(route.removeprefix(_PREFIX), "order", most=_HIGHEST) if route.startswith(_PREFIX) else None


def around_problem(
    centre: tuple[tuple[Fraction, ...], ...], half_width: Fraction, norm: Norm, eps: Fraction | None, route: str | None
) -> Problem:
    """Return the problem; without ``eps`` the accuracy is a result: what the order asked for reaches.

    That is the proved bound for order 1, and twice the truncation bound for higher orders (products get the other
    half), though no less than weights in float64 hold with ease; each rounded up to three digits.

    Raises:
        BadInput: If the box holds a singular matrix, or may, or no order is given and no accuracy either.
    """
    problem = Problem("inverse", len(centre), Around(centre, half_width), eps or Fraction(1), norm)
    around = neighbourhood(Around(centre, half_width))
    if eps is not None:
        return problem
    order = 1 if route is None else order_of(route)
    if order is None:
        raise BadInput("give --order k, or --eps for an order to be chosen")
    if order == 1:
        plans = [linearized_plan(problem, name) for name in FORMS]
        return replace(problem, eps=_three_digits(max(plan.proved for plan in plans)))
    held = _HELD * len(centre) * max(max(row) for row in around.size)
    return replace(problem, eps=_three_digits(max(2 * _tail(around, order, norm), held)))


def _three_digits(value: Fraction) -> Fraction:
    """Return a decimal of three digits that is at least the value, which is positive (0 becomes 1e-300)."""
    step = Fraction(1, 10**300)
    if value > step:
        exponent = len(str(value.numerator)) - len(str(value.denominator)) - 3
        step = Fraction(10) ** exponent
        while value / step >= 1000:
            step *= 10
    return -(-value // step) * step if value > step else step


def _tail(around: Neighbourhood, order: int, norm: Norm) -> Fraction:
    error = around.error(order, norm)
    assert error is not None  # neighbourhood() has checked the box
    return error


def around_routes(problem: Problem) -> tuple[str, ...]:
    """Return the routes around a centre, the default first: one hidden layer, if that is accurate enough."""
    every = (*FORMS, "neumann")
    fits = linearized_plan(problem, "linearized").proved <= problem.eps
    return every if fits else ("neumann",)


def linearized(problem: Problem, route: str, width: int) -> LinearizedPlan:
    """Return the plan with one hidden layer.

    Raises:
        OutOfReach: If its error is above eps.
        TooNarrow: If its hidden layer is wider than ``width``.
    """
    plan = linearized_plan(problem, route)
    if plan.proved > problem.eps:
        raise OutOfReach(
            f"order 1 errs by up to {float(plan.proved):.5g} ({problem.norm} norm) on this box, more than eps = "
            f"{size_text(problem.eps)}: leave out --order to have it chosen, or give a smaller half-width"
        )
    if plan.units > width:
        raise TooNarrow(f"route {route} has {plan.units} hidden units; allow that width")
    return plan


def neumann_around(problem: Problem, order: int | None = None) -> Iterator[Candidate]:
    """Yield series of the order given, or of the least order that fits and a few more.

    Raises:
        OutOfReach: If no order fits, or the one given does not.
    """
    assert isinstance(problem.domain, Around)
    around = _chosen(problem, order)
    if problem.eps < _FLOOR * max(max(row) for row in around.size):
        raise OutOfReach(f"eps = {size_text(problem.eps)} is below what float64 weights hold; ask for a larger eps")
    if order is None:
        least = _least_order(around, problem)
        if least == _HIGHEST:
            raise OutOfReach(f"no series of order below {_HIGHEST} is accurate enough; give a smaller half-width")
        orders = range(max(2, least), max(2, least) + 1 + _BEYOND)
    else:
        orders = range(order, order + 1)
        if _tail(around, order, problem.norm) >= problem.eps:
            raise OutOfReach(
                f"the series of order {order} is only within {float(_tail(around, order, problem.norm)):.5g} on this "
                f"box, not eps = {size_text(problem.eps)}: leave out --order to have it chosen"
            )
    for k in orders:
        yield from _candidates(problem, around, k)


def _least_order(around: Neighbourhood, problem: Problem) -> int:
    """Return the least order whose truncation is below eps, or the highest considered."""
    return next((k for k in range(1, _HIGHEST) if _tail(around, k, problem.norm) < problem.eps), _HIGHEST)


def _chosen(problem: Problem, order: int | None) -> Neighbourhood:
    """Return the box with V of few bits, or, where that costs accuracy the series needs, with V in full."""
    assert isinstance(problem.domain, Around)
    full, short = neighbourhood(problem.domain), neighbourhood(problem.domain, short=True)
    if order is None:
        enough = _least_order(short, problem) <= _least_order(full, problem)
    else:
        allowed = max(_tail(full, order, problem.norm) * Fraction(17, 16), problem.eps / 4)
        enough = _tail(short, order, problem.norm) <= allowed
    return short if enough else full


def _candidates(problem: Problem, around: Neighbourhood, order: int) -> Iterator[Candidate]:
    source = Source("C", factor=Fraction(-1), identity=Fraction(1), range=problem.n * around.largest, left=around.V)
    # Errors are measured by n times the largest entry; in_norm takes the n off again for the max norm.
    tail = as_ball(_tail(around, order, problem.norm)) * (problem.n if problem.norm == "max" else 1)
    for place, polynomial in enumerate(_polynomials(order)):
        yield Candidate(
            "neumann",
            "inverse.box",
            (("order", order), ("variant", place)),
            Program(polynomial.stages, Combination(polynomial.result.terms, Fraction(1)), (source,), around.V),
            tail,
        )


def _polynomials(order: int) -> Iterator[PolynomialProgram]:
    """Yield programs for ``C + ... + C^k``: Paterson-Stockmeyer, and for k = 2^J - 1 the product of I + C^(2^j)."""
    for polynomial in best_programs([Fraction(1)] * order):
        yield on_base(polynomial, "C")
    factors = (order + 1).bit_length() - 1
    if order + 1 == 1 << factors:
        yield on_base(PolynomialProgram(*neumann_product(factors)), "C")
