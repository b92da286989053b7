"""Where a formula is analytic: a closed disc covered by boxes on which every operation is; and its maximum there.

A disc about a real centre is symmetric and so is the formula, f(conj z) = conj f(z): the upper half is enough.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from fractions import Fraction
from math import inf
from typing import NamedTuple

from flint import acb, arb, ctx

from theory.evaluate import as_ball, lower, upper
from theory.formula import PRECISION, Formula
from theory.series import GUARDS, Obstruction, as_complex, series_settings
from theory.singularities import Singularity, given_up, investigate, widened

__all__ = ["first_singularity", "maximum"]

#: Boxes have integer corners in this unit of the radius.
_UNIT = 2**40
_MOST_BOXES = 20_000
#: After so many boxes behind which no zero was found, only the smallest are looked into.
_MOST_FRUITLESS = 40
_MOST_ARCS = 500
#: An arc's bound is a Taylor polynomial at its middle plus this coefficient over the arc.
_ORDER = 6
#: Bounds within this factor of a value attained are good enough.
_CLOSE = Fraction(33, 32)
#: Bounds beyond 2^+-this are not worked with: exact fractions of them would fill the memory.
_MOST_BITS = 20_000
#: A corner and a size, keyed by the square of the distance to the centre: (key, -left, bottom, size).
_Box = tuple[int, int, int, int]


def first_singularity(formula: Formula, radius: Fraction, floor: Fraction | None = None) -> Singularity | None:
    """Return None if the formula is proved analytic on |z - centre| <= radius, else what stands against it.

    Boxes nearest the centre come first, so what is reported is about the nearest singularity.

    Args:
        formula: The formula; removable zeros found on the way are added to it.
        radius: The disc's radius.
        floor: Boxes smaller than this are not split (2^-24 of the radius by default).
    """
    if formula.is_entire():
        return None
    smallest = _UNIT * (floor / radius if floor else Fraction(1, 2**24))
    # Ties go to the right: a pole at pi/2 is named before the one at -pi/2.
    queue = [(0, 0, 0, _UNIT), (0, _UNIT, 0, _UNIT)]
    node, box, fruitless = formula.guards[0], as_complex(formula.centre), 0
    for _ in range(_MOST_BOXES):
        if not queue:
            return None
        piece = heapq.heappop(queue)
        box = _ball(formula.centre, radius, piece)
        try:
            formula.over(box, 1, formula.guards)
            continue
        except Obstruction as obstruction:
            node = obstruction.node
        looked_into = fruitless < _MOST_FRUITLESS or piece[3] < 4 * smallest
        found = looked_into and investigate(formula, node, box, radius)
        fruitless += 1
        if isinstance(found, Singularity):
            return found
        if found:
            heapq.heappush(queue, piece)
            fruitless = 0
        elif piece[3] < smallest or (piece[3] <= _UNIT >> 10 and _crosses_cut(formula, node, radius, piece)):
            break
        else:
            for quarter in _quarters(piece):
                heapq.heappush(queue, quarter)
    return given_up(formula, node, box)


def _ball(centre: Fraction, radius: Fraction, box: _Box) -> acb:
    """Return a box as a ball of complex numbers that covers it."""
    _, minus_left, bottom, size = box
    unit, half = Fraction(radius) / _UNIT, Fraction(size, 2)
    middle = as_complex(centre + (half - minus_left) * unit, (bottom + half) * unit)
    width = as_ball(half * unit)
    return acb(widened(middle.real, width), widened(middle.imag, width))


def _quarters(box: _Box) -> Iterator[_Box]:
    """Yield the quarters of a box that meet the closed disc; integers, so nothing is lost at its edge."""
    _, minus_left, bottom, size = box
    half = size // 2
    for left in (-minus_left, half - minus_left):
        for y in (bottom, bottom + half):
            across = left if left > 0 else max(0, -(left + half))
            distance = across**2 + y**2
            if distance <= _UNIT**2:
                yield distance, -left, y, half


def _crosses_cut(formula: Formula, node: int, radius: Fraction, box: _Box) -> bool:
    """Whether a branch's argument provably meets its cut in the part of a box that is in the disc.

    It does where the real part is negative all over the box and the imaginary part vanishes at a corner in the disc or
    changes sign between two.
    """
    op = formula.tape.nodes[node].op
    if op == "div":
        return False
    argument = formula.tape.nodes[node].args[0]

    def guard(box: _Box) -> acb:
        series = formula.over(_ball(formula.centre, radius, box), 1, [argument])[argument]
        with series_settings(PRECISION, 1):
            return GUARDS[op](series)[0]

    _, minus_left, bottom, size = box
    sides = [(x, y) for x in (-minus_left, size - minus_left) for y in (bottom, bottom + size)]
    try:
        if not guard(box).real < 0:
            return False
        heights = [guard((0, -x, y, 0)).imag for x, y in sides if x**2 + y**2 <= _UNIT**2]
    except Obstruction:
        return False
    return any(h.is_zero() for h in heights) or (any(h > 0 for h in heights) and any(h < 0 for h in heights))


def maximum(formula: Formula, radius: Fraction) -> Fraction | None:
    """Return a bound on max |f| over |z - centre| <= radius, for a formula analytic there; None if it is out of range.

    By the maximum principle the circle is enough. It is cut into arcs, the worst ones again, until the bound is within
    1/32 of a value attained or 500 arcs are used.
    """
    arcs = [_arc(formula, radius, Fraction(k, 4), Fraction(1, 4)) for k in range(4)]
    heapq.heapify(arcs)
    attained = max(arc.attained for arc in arcs)
    while len(arcs) < _MOST_ARCS and -arcs[0].minus_bound > attained * _CLOSE:
        worst = heapq.heappop(arcs)
        for start in (worst.start, worst.start + worst.length / 2):
            arc = _arc(formula, radius, start, worst.length / 2)
            attained = max(attained, arc.attained)
            heapq.heappush(arcs, arc)
    bound = -arcs[0].minus_bound
    return Fraction(bound) if bound < inf else None


class _Arc(NamedTuple):
    """An arc from start to start + length, in half turns; the worst comes first."""

    minus_bound: Fraction | float
    start: Fraction
    length: Fraction
    attained: Fraction


def _arc(formula: Formula, radius: Fraction, start: Fraction, length: Fraction) -> _Arc:
    """Bound |f| on an arc by Taylor's formula about its middle, the remainder's coefficient over the whole arc."""
    nothing = _Arc(-inf, start, length, Fraction(0))
    root = formula.tape.root
    with ctx.workprec(PRECISION):
        turn = as_ball(start + length / 2)
        middle, arc = (
            as_complex(formula.centre) + as_ball(Fraction(radius)) * acb(angle).exp_pi_i()
            for angle in (turn, widened(turn, as_ball(length / 2)))
        )
        try:
            at_middle = formula.over(middle, _ORDER)[root]
            over_arc = formula.over(arc, _ORDER + 1)[root]
        except Obstruction:
            return nothing
        reach = (arc - middle).abs_upper()
        bound = sum((at_middle[k].abs_upper() * reach**k for k in range(_ORDER)), arb(0))
        bound += over_arc[_ORDER].abs_upper() * reach**_ORDER
        attained = at_middle[0].abs_lower()
        if not bound < arb(2) ** _MOST_BITS:
            return nothing
        # Nor with tiny ones: a larger bound is one too, and nothing is attained by zero.
        bound = bound.max(arb(2) ** -_MOST_BITS) if bound > 0 else bound
        least = lower(attained, 30) if attained > arb(2) ** -_MOST_BITS else Fraction(0)
        return _Arc(-upper(bound, 30), start, length, least)
