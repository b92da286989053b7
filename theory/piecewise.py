"""Continuous piecewise linear functions of one variable with rational knots, and their exact distance from a smooth f.

A ReLU network of one input is such a function. On a piece where f'' has one sign, f minus the line is convex or
concave: its extremes are the ends and the point where f' equals the slope, and the tangent there bounds it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from flint import arb, ctx

from theory.evaluate import as_ball, lower, upper
from theory.smooth import PRECISION, Smooth, hull

__all__ = ["Distance", "Piecewise", "distance"]


@dataclass(frozen=True)
class Piecewise:
    """The function that is ``values[i]`` at ``knots[i]`` and linear between.

    Raises:
        ValueError: If there are fewer than two knots, they do not increase, or the lengths differ.
    """

    knots: tuple[Fraction, ...]
    values: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        if len(self.knots) < 2 or len(self.knots) != len(self.values):
            raise ValueError("a piecewise linear function has at least two knots, and a value at each")
        if any(a >= b for a, b in pairwise(self.knots)):
            raise ValueError("knots increase")

    @property
    def pieces(self) -> int:
        """Number of pieces after merging neighbours on one line."""
        slopes = self.slopes()
        return 1 + sum(a != b for a, b in pairwise(slopes))

    def slopes(self) -> list[Fraction]:
        """Return the slope of every piece."""
        points = list(zip(self.knots, self.values, strict=True))
        return [(v - u) / (b - a) for (a, u), (b, v) in pairwise(points)]

    def __call__(self, at: Fraction) -> Fraction:
        """Return the value at a point; the first and the last piece go on outside."""
        i = min(max(bisect_right(self.knots, at) - 1, 0), len(self.knots) - 2)
        a, b, u, v = self.knots[i], self.knots[i + 1], self.values[i], self.values[i + 1]
        return u + (v - u) * (at - a) / (b - a)

    def range(self) -> tuple[Fraction, Fraction]:
        """Return the smallest and the largest value."""
        return min(self.values), max(self.values)


@dataclass(frozen=True)
class Distance:
    """The largest |f - g|, from both sides.

    Attributes:
        attained: A proved lower bound: the error at ``place``.
        bound: A proved upper bound.
        place: A point where ``attained`` is reached.
    """

    attained: Fraction
    bound: Fraction
    place: Fraction


def distance(f: Smooth, g: Piecewise, *, depth: int = 40) -> Distance:
    """Return bounds on max |f - g| over g's interval, in balls; f must have a second derivative there.

    Raises:
        ValueError: If it is not shown to have one.
    """
    attained, place, bound = arb(0), g.knots[0], arb(0)
    with ctx.workprec(PRECISION):
        for (a, u), (b, v) in pairwise(zip(g.knots, g.values, strict=True)):
            slope = (v - u) / (b - a)
            todo = [(a, b, depth)]
            while todo:
                left, right, remaining = todo.pop()
                low, where, high = _on_piece(f, left, right, slope, u - slope * a)
                if low > attained:
                    attained, place = low, where
                if not high.is_finite() or (not high <= attained and remaining and not _settled(low, high)):
                    if not remaining:
                        raise ValueError(f"f has no finite second derivative near {float(left)}")
                    middle = (left + right) / 2
                    todo += [(left, middle, remaining - 1), (middle, right, remaining - 1)]
                else:
                    bound = bound.max(high)
        return Distance(max(lower(attained), Fraction(0)), upper(bound.max(attained)), place)


def _settled(low: arb, high: arb) -> bool:
    """Whether both sides agree to a billionth: closer than anybody reads."""
    return bool(high - low <= high * arb((1, -30)))


def _on_piece(f: Smooth, a: Fraction, b: Fraction, slope: Fraction, constant: Fraction) -> tuple[arb, Fraction, arb]:
    """Return a lower bound of max |f - line| on [a, b], where it is reached, and an upper bound, as exact balls."""
    ends = {at: f.value(at) - as_ball(slope * at + constant) for at in (a, b)}
    bend = f.jet(hull(a, b))[2]
    one_sign = bool(bend > 0 or bend < 0)
    middle = _touching(f, a, b, slope) if one_sign else (a + b) / 2
    value, derivative, *_ = f.jet(middle)
    gap, tilt = value - as_ball(slope * middle + constant), derivative - as_ball(slope)
    # One sign of f'': the tangent of the gap at the middle bounds it on one side, the chord (its ends) on the other.
    tangent = [gap + tilt * as_ball(at - middle) for at in (a, b)]
    if one_sign:
        sign = 1 if bend > 0 else -1
        beyond = (-sign * tangent[0]).max(-sign * tangent[1])
    else:
        beyond = abs(tangent[0]).max(abs(tangent[1])) + abs(bend) * as_ball((b - a) / 2) ** 2
    errors = {at: abs(error) for at, error in [*ends.items(), (middle, gap)]}
    where = max(errors, key=lambda at: float(errors[at].mid()))
    return errors[where].lower(), where, errors[a].max(errors[b]).max(beyond).upper()


def _touching(f: Smooth, a: Fraction, b: Fraction, slope: Fraction) -> Fraction:
    """Return a point where f' is close to the slope, found by false position in floats: any point gives a bound."""
    low, high, target = float(a), float(b), float(slope)
    below, above = f.floats(low)[1] - target, f.floats(high)[1] - target
    if below * above >= 0:
        return a if abs(below) < abs(above) else b
    for _ in range(60):
        at = low + (high - low) * below / (below - above)
        value, bend = f.floats(at)[1:3]
        value -= target
        step = at - value / bend if bend else at
        if abs(step - at) < 1e-9 * (high - low) or not low < at < high:
            break
        if value * below > 0:
            low, below = at, value
        else:
            high, above = at, value
        if low < step < high:
            at = step
            value = f.floats(at)[1] - target
            if value * below > 0:
                low, below = at, value
            else:
                high, above = at, value
            if not value:
                break
    return min(max(Fraction(at), a), b)
