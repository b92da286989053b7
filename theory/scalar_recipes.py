"""A scalar network's shape read back from a file's recipe, and its error proved afresh: no claim is taken on trust."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from theory.errors import BadInput
from theory.interpolant import certify
from theory.problem import Box, Problem
from theory.scalar import interval, is_square, scalar_function, square_error
from theory.scalar_plan import SCALAR_ROUTES, ScalarPlan, plan_of_shape
from theory.scalar_product import ProductShape
from theory.schedule import Schedule
from theory.shapes import Core, Hinges, Shape, Tower

__all__ = ["replan_scalar"]

_RATIONAL = re.compile(r"-?\d{1,400}(/\d{1,400})?")
#: Larger shapes are never planned; their functions would fill the memory.
_MOST_KINKS, _MOST_PIECES, _MOST_RADIX = 5_001, 200_000, 1000


def replan_scalar(problem: Problem, recipe: Mapping[str, Any], hidden_layers: int) -> ScalarPlan:
    """Return the plan that a recipe of ``ScalarPlan.recipe`` describes.

    Args:
        problem: What the network is for.
        recipe: Route and shape.
        hidden_layers: Hidden layers the file really has.

    Raises:
        BadInput: If the recipe makes no sense, is of other depth, or its error exceeds the problem's eps.
    """
    try:
        route, record = str(recipe["route"]), recipe["shape"]
        shape = _product(problem, record) if route == "squarers" else _shape(problem, route, record)
        if problem.n != 1 or shape.architecture.hidden_layers != hidden_layers:
            raise BadInput("the recipe does not fit the file's layers")
        plan = _proved(problem, route, shape)
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        raise BadInput(f"the recipe cannot be read: {error}") from None
    if plan.error > problem.eps:
        raise BadInput(f"the recipe's network is only proved to be within {float(plan.error):.6g}")
    return plan


def _proved(problem: Problem, route: str, shape: Shape | ProductShape) -> ScalarPlan:
    if isinstance(shape, ProductShape):
        return plan_of_shape(problem, route, shape, shape.error, shape.attained)
    f = scalar_function(problem)
    if route == "squarer":
        if not is_square(f) or not shape.is_bare or not isinstance(shape.core, Tower):
            raise ValueError("a squarer is for x**2 alone")
        error = square_error(shape.core, shape.hi)
    else:
        error = certify(f, shape).error
    return plan_of_shape(problem, route, shape, error.bound, error.attained)


def _product(problem: Problem, record: Mapping[str, Any]) -> ProductShape:
    radius, weight, scale = (_rational(record[key]) for key in ("radius", "weight", "scale"))
    shape = ProductShape(radius, weight, scale, _schedule(record["radices"]))
    if problem.function != "product" or problem.domain != Box(shape.radius) or shape.scale <= 0:
        raise ValueError("the shape is of another problem")
    return shape


def _shape(problem: Problem, route: str, record: Mapping[str, Any]) -> Shape:
    if route not in SCALAR_ROUTES or record["parity"] not in ("none", "even", "odd"):
        raise ValueError("no such route or parity")
    lo, hi = interval(problem)
    core = _hinges(record["core"]) if route == "hinges" else _tower(record["core"], bounded=route == "tower")
    return Shape(core, record["parity"], lo, hi, _rational(record["gate"]))


def _hinges(record: Mapping[str, Any]) -> Core:
    kinks, jumps = _rationals(record["kinks"]), _rationals(record["jumps"])
    return Hinges(kinks, jumps, tuple(int(side) for side in record["sides"]), _rational(record["offset"]))


def _tower(record: Mapping[str, Any], *, bounded: bool) -> Core:
    kinks, zigzag, direct = (_rationals(record[key]) for key in ("kinks", "zigzag", "direct"))
    constant, scale, offset = (_rational(record[key]) for key in ("constant", "scale", "offset"))
    core = Tower(kinks, zigzag, direct, constant, scale, offset, _schedule(record["radices"]))
    if bounded and core.schedule.pieces * len(core.kinks) > _MOST_PIECES:
        raise ValueError(f"more than {_MOST_PIECES} pieces")
    return core


def _schedule(items: Iterable[Any]) -> Schedule:
    radices = tuple(int(item) for item in items)
    if len(radices) > 400 or max(radices, default=0) > _MOST_RADIX:
        raise ValueError("more radices, or larger ones, than are ever planned")
    return Schedule(radices)


def _rationals(texts: list[Any]) -> tuple[Fraction, ...]:
    if len(texts) > _MOST_KINKS:
        raise ValueError(f"more than {_MOST_KINKS} numbers")
    return tuple(_rational(text) for text in texts)


def _rational(text: Any) -> Fraction:
    if not isinstance(text, str) or not _RATIONAL.fullmatch(text):
        raise ValueError("a rational is written such as -3/4")
    return Fraction(text)
