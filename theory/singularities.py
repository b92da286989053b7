"""What stands where a formula could not be shown analytic: a zero is sought, recognised, and judged.

A denominator's zero is a pole, or removable where the numerator vanishes to the same order; a branch's argument may
reach its branch point, or only its cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import sympy as sp
from flint import acb, arb, ctx

from theory.evaluate import as_ball
from theory.formula import FINE, Formula
from theory.parse import formula_text
from theory.places import Local, identify, locate, show
from theory.series import GUARDS, Obstruction, Zero, as_complex, series_settings
from theory.tape import shortened
from theory.vanishing import constant_ball, exact_series, guard_vanishes, order_of_vanishing

__all__ = ["Singularity", "given_up", "investigate", "widened"]

#: Points closer than this are taken to be the same zero.
_SAME = arb(2) ** -60


@dataclass(frozen=True)
class Singularity:
    """A point where a formula is not analytic, or cannot be shown to be.

    Attributes:
        kind: What it is; ``undecided`` where the proof failed without finding out.
        what: The denominator that vanishes, or the branch.
        place: The point as text.
        ball: A ball around the point, or around the box where the proof gave up.
    """

    kind: Literal["pole", "branch point", "branch cut", "undecided"]
    what: str
    place: str
    ball: acb

    def __str__(self) -> str:
        match self.kind:
            case "pole":
                return f"pole at x = {self.place}, where {self.what} vanishes"
            case "branch point":
                return f"branch point of {self.what} at x = {self.place}"
            case "branch cut":
                return f"branch cut of {self.what} reached near x = {self.place}"
        return f"no proof that {self.what} is analytic near x = {self.place}"


def investigate(formula: Formula, node: int, box: acb, radius: Fraction) -> Singularity | bool:
    """Look for a zero behind an obstruction: report it, or note it as removable (True), or find nothing (False)."""
    item = formula.tape.nodes[node]
    point = locate(_local(formula, item.args[-1], item.op), box, as_ball(2 * radius))
    # A zero at the very edge of the closed disc is in it.
    if point is None or (point - as_complex(formula.centre)).abs_lower() > as_ball(radius) * (1 + _SAME):
        return False
    if point.imag < 0:
        point = point.conjugate()
    if any((zero.ball - point).abs_lower() < _SAME for zero in formula.zeros.get(node, ())):
        return False
    for place in identify(point, formula.centre):
        found = _classify(formula, node, place)
        if found is not None:
            return found
    return _unnamed(formula, node, point) or False


def _local(formula: Formula, target: int, op: str) -> Local:
    """Return what must not vanish for an operation, as Taylor coefficients at a point: a denominator, or a guard."""
    guard = GUARDS.get(op, lambda series: series)

    def coefficients(point: acb) -> tuple[acb, acb, acb]:
        try:
            series = formula.over(point, 3, [target], FINE)[target]
        except Obstruction:
            raise ArithmeticError from None
        with series_settings(FINE, 3):
            series = guard(series)
        return series[0], series[1], series[2]

    return coefficients


def _classify(formula: Formula, node: int, place: sp.Expr) -> Singularity | bool | None:
    """Say what an exact point is to an operation: a singularity, removable (True), or nothing provable (None)."""
    item = formula.tape.nodes[node]
    with ctx.workprec(FINE):
        ball = constant_ball(place)
    if ball is None:
        return None
    if item.op != "div":
        value = exact_series(formula.tape, item.args[0], place, 1)
        if value is None or not guard_vanishes(item.op, value[0]):
            return None
        return Singularity("branch point", _branch_text(formula, node), formula_text(place), ball)
    top, bottom = item.args
    order = order_of_vanishing(formula.tape, bottom, place)
    common = order_of_vanishing(formula.tape, top, place, most=order) if order else None
    if not order or common is None:
        return None
    if common < order:
        return Singularity("pole", _factor_text(formula, bottom, place), formula_text(place), ball)
    formula.add_zero(node, Zero(place, ball, order))
    return True


def _unnamed(formula: Formula, node: int, point: acb) -> Singularity | None:
    """Report a zero no constant was recognised in, if Newton's method proves it and the numerator has none there."""
    item = formula.tape.nodes[node]
    with ctx.workprec(FINE):
        ball = acb(widened(point.real, _SAME), widened(point.imag, _SAME))
        if item.op != "div":
            proved = _vanishes(_local(formula, item.args[0], item.op), point, ball)
            return Singularity("branch point", _branch_text(formula, node), show(point), ball) if proved else None
        if _may_vanish(formula, item.args[0], ball):
            return None
        for factor in _factors(formula, item.args[1]):
            # Factor by factor: a power's zeros are multiple, and Newton's method proves simple ones.
            if _vanishes(_local(formula, factor, item.op), point, ball):
                return Singularity("pole", formula.tape.text(factor), show(point), ball)
    return None


def _vanishes(local: Local, point: acb, ball: acb) -> bool:
    """Whether Newton's method on a ball about a point proves that there is a zero in it."""
    try:
        image = point - local(point)[0] / local(ball)[1]
    except ArithmeticError:
        return False
    return bool(image.is_finite() and ball.contains(image))


def _may_vanish(formula: Formula, top: int, ball: acb) -> bool:
    """Whether it cannot be shown that a numerator has no zero on a ball."""
    try:
        return bool(formula.over(ball, 1, [top], FINE)[top][0].contains(0))
    except Obstruction:
        return True


def given_up(formula: Formula, node: int, box: acb) -> Singularity:
    """Return what to report when boxes have become too small, or a branch provably meets its cut."""
    place = show(box, 3)
    if formula.tape.nodes[node].op == "div":
        return Singularity("undecided", formula.tape.text(node), place, box)
    return Singularity("branch cut", _branch_text(formula, node), place, box)


def _branch_text(formula: Formula, node: int) -> str:
    """Return a branch as the user wrote it: ``x**(1/3)`` is computed through a logarithm."""
    argument = formula.tape.expression(formula.tape.nodes[node].args[0])
    for power in formula.expression.atoms(sp.Pow):
        if power.base == argument and not power.exp.is_Integer:
            return shortened(power)
    return formula.tape.text(node)


def _factor_text(formula: Formula, bottom: int, place: sp.Expr) -> str:
    """Return the factor of a denominator that vanishes at a place, the shortest of several."""
    factors = list(_factors(formula, bottom))
    found = [factor for factor in factors if order_of_vanishing(formula.tape, factor, place, most=1) == 1]
    return min(map(formula.tape.text, found or [bottom]), key=len)


def _factors(formula: Formula, bottom: int) -> Iterator[int]:
    """Yield the factors of a product of powers."""
    todo = [bottom]
    while todo:
        node = todo.pop()
        if formula.tape.nodes[node].op in ("mul", "ipow"):
            todo += formula.tape.nodes[node].args
        else:
            yield node


def widened(middle: arb, by: arb) -> arb:
    """Return the interval of half-width ``by`` around a number."""
    return (middle - by).union(middle + by)
