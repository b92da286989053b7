"""Scalar networks (n = 1): x^2, x y, x^5, e^x and any smooth f, with few non-zeros and a proved error.

A plan is one of: hinges (theorem scalar.interpolant), a tower (scalar.tower), for x^2 a squarer (scalar.square), each
as it is or folded (scalar.odd), and for x y two squarers (scalar.product). Errors are exact where f is x^2 or x y and
certified in balls, piece by piece, everywhere else. For tiny errors the matrix routes at n = 1 are smaller; the choice
between both is ``theory.scalar_choice``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import sympy as sp

from theory.errors import BadInput, OutOfReach
from theory.evaluate import lower
from theory.interpolant import Certified, Rank, hinge_plan
from theory.objectives import Demand
from theory.paths import pieces_near
from theory.piecewise import Distance
from theory.plan import reference_width
from theory.problem import Ball, Box, CentredBall, Problem
from theory.scalar_plan import ScalarPlan, plan_of_shape
from theory.scalar_product import product_shape, root_above
from theory.schedule import Wires, cheapest
from theory.shapes import Shape, Tower
from theory.smooth import Parity, Smooth, as_fraction
from theory.symbols import X
from theory.towers import tower_plan

__all__ = ["interval", "is_square", "rank_of", "scalar_function", "scalar_plans", "square_error"]

_FUNCTIONS = {
    "expm": sp.exp(X),
    "sin": sp.sin(X),
    "cos": sp.cos(X),
    "sqrt": sp.sqrt(X),
    "log": sp.log(X),
    "inverse": 1 / X,
}
_SMALLEST = Fraction(1, 10**12)
#: Beyond these a matrix network at n = 1 is smaller.
_MOST_HINGES = 600


def scalar_function(problem: Problem) -> Smooth:
    """Return the function of one variable that a problem asks for at n = 1.

    Raises:
        BadInput: If it is none, or one without derivatives in balls.
    """
    if problem.function in ("product", "sign"):
        raise BadInput(f"{problem.function} is no smooth function of one variable")
    if problem.function in _FUNCTIONS:
        return Smooth(_FUNCTIONS[problem.function])
    from theory.parse import parse_formula

    return Smooth(parse_formula(problem.function))


def interval(problem: Problem) -> tuple[Fraction, Fraction]:
    """Return the ends of the interval that a problem's domain is at n = 1.

    Raises:
        BadInput: If it is no interval.
    """
    domain = problem.domain
    match domain:
        case Box(M=radius) | Ball(radius=radius):
            return -radius, radius
        case CentredBall(centre=centre, radius=radius):
            return centre - radius, centre + radius
    raise BadInput(f"{domain.describe()} is no interval at n = 1")


def rank_of(demand: Demand) -> Rank:
    """Return the order in which shapes are preferred: by what is minimised (default non-zeros), within the limits."""
    minimise = demand.minimise or "nonzeros"
    width = demand.max_width
    if width is None and minimise == "hidden-layers":
        width = reference_width(1)

    def rank(shape: Shape) -> tuple[int, ...] | None:
        architecture = shape.architecture
        layers = architecture.hidden_layers
        if (width is not None and architecture.width > width) or layers > (demand.max_hidden_layers or layers):
            return None
        sizes = {"nonzeros": shape.nonzeros, "hidden-layers": layers, "width": architecture.width}
        return sizes[minimise], shape.nonzeros, layers

    return rank


def scalar_plans(problem: Problem, route: str | None = None, demand: Demand | None = None) -> list[ScalarPlan]:
    """Return the plans found for a problem with n = 1, the best first.

    Args:
        problem: A function of one number on an interval, or the product of two on a box.
        route: One of ``theory.scalar_plan.SCALAR_ROUTES`` instead of all.
        demand: What to minimise (default: non-zeros), under which limits.

    Raises:
        BadInput: If the problem is none of scalar networks, or f has no second derivative somewhere on the interval.
        OutOfReach: If eps is below 1e-12.
    """
    if problem.n != 1:
        raise BadInput(f"scalar networks have n = 1, not {problem.n}")
    if problem.eps < _SMALLEST:
        raise OutOfReach("scalar networks are planned for eps of at least 1e-12")
    rank = rank_of(demand or Demand())
    if problem.function == "product":
        return _products(problem) if route in (None, "squarers") else []
    lo, hi = interval(problem)
    function = scalar_function(problem)
    function.check(lo, hi)
    found = [
        plan_of_shape(problem, name, plan.shape, plan.error.bound, plan.error.attained)
        for name, plan in _certified(function, problem.eps, (lo, hi), route, demand or Demand())
        if rank(plan.shape) is not None
    ]
    return sorted(found, key=lambda plan: rank(plan.built) or ())  # type: ignore[arg-type]


def _products(problem: Problem) -> list[ScalarPlan]:
    if not isinstance(problem.domain, Box):
        raise BadInput(f"the product is planned on boxes, not on {problem.domain.describe()}")
    shape = product_shape(problem.domain.M, problem.eps)
    return [plan_of_shape(problem, "squarers", shape, shape.error, shape.attained)]


def is_square(f: Smooth) -> bool:
    """Whether the formula is x^2 as it stands."""
    return bool(f.expression.is_Pow and f.expression.base.is_Symbol and f.expression.exp == 2)


def _certified(
    f: Smooth, eps: Fraction, ends: tuple[Fraction, Fraction], route: str | None, demand: Demand
) -> Iterator[tuple[str, Certified]]:
    (lo, hi), rank = ends, rank_of(demand)
    parity: Parity = f.parity(float(hi)) if lo == -hi else "none"
    folds: list[Parity] = [parity] if parity == "none" else [parity, "none"]
    squares = is_square(f) and lo == -hi
    if squares and route in (None, "squarer"):
        yield "squarer", _squarer(eps, hi)
    fewest = math.inf
    for fold in folds if route == "tower" or (route is None and not squares) else ():
        tower = tower_plan(f, lo, hi, eps, rank, fold)
        if tower is not None:
            fewest = min(fewest, tower.shape.nonzeros)
            yield "tower", tower
    # A hinge takes three non-zeros. Where that is no good they are planned on demand only.
    pieces = pieces_near(f, (Fraction(0) if parity != "none" else lo, hi), float(eps))
    worth = pieces < _MOST_HINGES and (demand.minimise not in (None, "nonzeros") or 0.9 * 3 * pieces < fewest)
    for fold in folds if route == "hinges" or (route is None and worth) else ():
        hinges = hinge_plan(f, lo, hi, eps, rank, fold)
        if hinges is not None:
            yield "hinges", hinges


def _squarer(eps: Fraction, hi: Fraction) -> Certified:
    """Return the squarer for x^2 on [-hi, hi]: N pieces on [0, hi], error hi^2 / (8 N^2) (theorem scalar.square)."""
    least = max(2, root_above(hi**2 / (8 * eps)))
    while True:
        schedule = cheapest(Wires(2), least)
        weight = lower(schedule.pieces / hi)
        scale = as_fraction(float(1 / weight**2))
        zero = (Fraction(0),)
        core = Tower(zero, (weight,), zero, Fraction(0), scale, as_fraction(float(-scale / 8)), schedule)
        plan = Certified(Shape(core, "even", -hi, hi), square_error(core, hi))
        if plan.error.bound <= eps:
            return plan
        least = schedule.pieces + 1


def square_error(core: Tower, radius: Fraction) -> Distance:
    """Return the error of scale G(w |x|) + offset for x^2 on [-radius, radius], in exact rationals.

    With u = w |x| it is (scale - 1/w^2) u^2 + scale e(u) + offset, 0 <= e <= 1/4 (theorem scalar.square); at x = 0
    and at u = 1/2 both ends of e are reached.

    Raises:
        ValueError: If the core is no such function, or u leaves [0, N].
    """
    weight = core.zigzag[0]
    other = len(core.kinks) > 1 or core.kinks[0] or core.direct[0] or core.constant
    if other or not 0 < weight * radius <= core.schedule.pieces:
        raise ValueError("a squarer reads w |x| in [0, N] and nothing else")
    slant = core.scale - 1 / weight**2
    ends = (abs(core.offset), abs(slant / 4 + core.scale / 4 + core.offset))
    bound = max(abs(core.offset), abs(core.offset + core.scale / 4)) + abs(slant) * (weight * radius) ** 2
    place = Fraction(0) if ends[0] >= ends[1] else 1 / (2 * weight)
    return Distance(max(ends), bound, place)
