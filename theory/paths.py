"""Piecewise linear paths inside the tube f +- E: the fewest pieces greedily, in floats; whoever uses one certifies it.

Where f'' has one sign s the best affine map on a piece is the chord moved by half its largest gap, so knots lie on
f - s E from both sides and the path is continuous by itself. Elsewhere the path is found on samples of the tube.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from theory.smooth import Smooth

__all__ = [
    "Floats",
    "Path",
    "Tube",
    "convex_path",
    "directed",
    "flat_path",
    "pieces_near",
    "reach",
    "signs",
    "touching",
]

#: A function and its first derivatives at a point, in floats.
Floats = Callable[[float], tuple[float, ...]]
_SAMPLES = 48


@dataclass(frozen=True)
class Path:
    """Points joined by lines.

    Attributes:
        points: (x, y), x increasing.
        flat: The piece that is meant to be exactly horizontal, if any.
    """

    points: tuple[tuple[float, float], ...]
    flat: int | None = None

    @property
    def pieces(self) -> int:
        """Number of lines."""
        return len(self.points) - 1


def signs(f: Smooth, lo: float, hi: float, samples: int = 200) -> list[tuple[float, float, int]]:
    """Return (start, end, sign of f'') segments of [lo, hi], found on samples; zeros of f'' belong to a neighbour."""
    grid = [lo + (hi - lo) * i / samples for i in range(samples + 1)]
    found: list[tuple[float, float, int]] = []
    for a, b in pairwise(grid):
        bend = f.floats((a + b) / 2)[2]
        sign = (bend > 0) - (bend < 0)
        if found and (not sign or found[-1][2] in (sign, 0)):
            found[-1] = (found[-1][0], b, found[-1][2] or sign)
        else:
            found.append((a, b, sign))
    return [(_root(f, a) if i else a, _root(f, b) if i < len(found) - 1 else b, s) for i, (a, b, s) in enumerate(found)]


def pieces_near(f: Smooth, interval: tuple[Fraction, Fraction], eps: float, samples: int = 200) -> float:
    """Return about how many pieces a piecewise linear function needs: integral of sqrt|f''| over 4 sqrt(eps)."""
    lo, width = float(interval[0]), float(interval[1] - interval[0]) / samples
    bends = (abs(f.floats(lo + width * (i + 0.5))[2]) for i in range(samples))
    return sum(math.sqrt(bend) for bend in bends) * width / (4 * math.sqrt(eps))


def _root(f: Smooth, near: float) -> float:
    """Return a zero of f'' by a few Newton steps."""
    at = near
    for _ in range(8):
        _, _, bend, third = f.floats(at)
        if not third or not math.isfinite(bend / third) or abs(bend / third) > 1 + abs(at):
            return near
        at -= bend / third
    return at


def directed(f: Smooth, origin: float, direction: int, sign: int) -> Floats:
    """Return t -> sign f(origin + direction t) with derivatives in t."""

    def floats(t: float) -> tuple[float, ...]:
        value, first, second, third = f.floats(origin + direction * t)
        return sign * value, sign * direction * first, sign * second, sign * direction * third

    return floats


def touching(g: Floats, a: float, b: float, slope: float) -> float:
    """Return where g' equals a slope on [a, b], g convex, by Newton steps kept inside by bisection."""
    low, high, at = a, b, (a + b) / 2
    for _ in range(60):
        _, first, bend, _ = g(at)
        low, high = (at, high) if first < slope else (low, at)
        step = at - (first - slope) / bend if bend > 0 else low
        if not low < step < high:
            step = (low + high) / 2
        if abs(step - at) < 1e-11 * (b - a):
            return step
        at = step
    return at


def reach(g: Floats, a: float, start: float, error: float, end: float) -> float:
    """Return the largest b <= end such that the line from (a, start) to (b, g(b) - error) is below g + error."""

    def excess(b: float) -> tuple[float, float]:
        """Return how far the line rises above g + error, and the derivative of that in b."""
        value, first, _, _ = g(b)
        slope = (value - error - start) / (b - a)
        at = touching(g, a, b, slope)
        return start + slope * (at - a) - g(at)[0] - error, (at - a) / (b - a) * (first - slope)

    if excess(end)[0] <= 0:
        return end
    bend = g(a)[2]
    b = a + min((end - a) * 0.999, 4 * math.sqrt(error / bend) if bend > 0 else math.inf)
    low, high = a, end
    for _ in range(60):
        over, rate = excess(b)
        low, high = (low, b) if over > 0 else (b, high)
        step = b - over / rate if rate > 0 else low
        if not low < step < high:
            step = (low + high) / 2
        if abs(step - b) < 1e-12 * abs(end - a) or abs(over) < 1e-9 * error:
            break
        b = step
    return b


def convex_path(g: Floats, length: float, error: float, start: float | None = None) -> list[tuple[float, float]]:
    """Return the greedy path on [0, length] for a convex g, from (0, start), by default (0, g(0) - error).

    Raises:
        ValueError: If a piece is too short for floats.
    """
    points = [(0.0, g(0.0)[0] - error if start is None else start)]
    while points[-1][0] < length:
        a, value = points[-1]
        b = reach(g, a, value, error, length)
        if b - a < 1e-13 * length:
            raise ValueError("the pieces become too short")
        if length - b < 1e-9 * length:  # no piece is spent on what floats leave over; the certificate sees it
            b = length
        points.append((b, g(b)[0] - error))
    return points


def flat_path(f: Smooth, lo: float, hi: float, error: float, sign: int) -> Path | None:
    """Return the path of a convex (sign +1) or concave f with a horizontal piece around its extreme point inside."""
    g = directed(f, 0.0, 1, sign)
    if not g(lo)[1] < 0 < g(hi)[1]:
        return None
    centre = touching(g, lo, hi, 0.0)
    level = g(centre)[0] + error
    sides = []
    for direction, end in ((-1, lo), (1, hi)):
        h = directed(f, centre, direction, sign)
        length = abs(end - centre)
        if h(length)[0] <= level + error:
            sides.append([(length, level)])
            continue
        at = _rise(h, length, level + error)
        half = directed(f, centre + direction * at, direction, sign)
        sides.append([(at + t, value) for t, value in convex_path(half, length - at, error, level)])
    left = [(centre - t, sign * value) for t, value in reversed(sides[0])]
    right = [(centre + t, sign * value) for t, value in sides[1]]
    return Path((*left, *right), flat=len(left) - 1)


def _rise(h: Floats, length: float, level: float) -> float:
    """Return where h, increasing on [0, length], reaches a level."""
    low, high = 0.0, length
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if h(middle)[0] < level else (low, middle)
    return high


class Tube:
    """Samples of f +- error on [lo, hi], about 48 to a piece of the path: where f'' is large, pieces are short.

    Args:
        f: The function; its second derivative may change sign.
        lo: Left end.
        hi: Right end.
        error: The error that sets how fine the samples are.
    """

    def __init__(self, f: Smooth, lo: float, hi: float, error: float) -> None:
        self.f = f
        coarse = [lo + (hi - lo) * i / 1000 for i in range(1001)]
        bends = [f.floats(at)[2] for at in coarse]
        self.grid, done = [lo], 0.0
        for (a, b), bend in zip(pairwise(coarse), bends, strict=False):
            share = (math.sqrt(abs(bend) / error) / 4 + 2 / (hi - lo)) * (b - a) * _SAMPLES
            count = int(done + share)
            self.grid += [a + (b - a) * (i + 1) / (count + 1) for i in range(count)]
            done += share - count
        self.grid.append(hi)
        self.values = [f.floats(at)[0] for at in self.grid]

    def path(self, error: float, start: float | None = None) -> Path:
        """Return the greedy path: every line as far as the tube lets it.

        Raises:
            ValueError: If a line gets nowhere.
        """
        bend = self.f.floats(self.grid[1])[2]
        points = [(self.grid[0], self.values[0] - math.copysign(error, bend) if start is None else start)]
        while points[-1][0] < self.grid[-1]:
            points.append(self._furthest(points[-1], error))
            if points[-1][0] <= points[-2][0]:
                raise ValueError("the pieces become too short")
        return Path(tuple(points))

    def _furthest(self, point: tuple[float, float], error: float) -> tuple[float, float]:
        (x, y), grid = point, self.grid
        low, high = -math.inf, math.inf
        for i in range(bisect_right(grid, x), len(grid)):
            run, rise = grid[i] - x, self.values[i] - y
            below, above = (rise - error) / run, (rise + error) / run
            if below > high:  # f leaves upwards: the steepest line ends on the tube's lower edge
                return self._leaves(point, high, (max(x, grid[i - 1]), grid[i]), -error)
            if above < low:
                return self._leaves(point, low, (max(x, grid[i - 1]), grid[i]), error)
            low, high = max(low, below), min(high, above)
        run = grid[-1] - x
        return grid[-1], y + min(max((self.values[-1] - y) / run, low), high) * run

    def _leaves(
        self, point: tuple[float, float], slope: float, between: tuple[float, float], edge: float
    ) -> tuple[float, float]:
        """Return where the line crosses f + edge (at the far end if it does not, within rounding)."""
        (x, y), (low, high) = point, between
        for _ in range(50):
            at = (low + high) / 2
            gap = y + slope * (at - x) - self.f.floats(at)[0] - edge
            low, high = (at, high) if gap * edge < 0 else (low, at)
        return high, y + slope * (high - x)
