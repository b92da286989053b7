"""Lines and bumps under a convex function: where a zigzag's valleys and peaks go so that f - S is close to scale T^2.

Lines at valleys v_0 < v_1 < ... meet at peaks p_j between; S is their maximum, T rises from 0 at a valley to H_j at the
next peak and falls back, both slopes free. Around a valley S is one line and T^2 is smooth, so S bends at peaks only.
On a branch of length l what is left is about f''' l^3 t (t - 1/2) (t - 1) / 6. All floats: certified later.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from theory.paths import Floats

__all__ = ["Bump", "Request", "bumps", "crossing", "outline"]

#: max of t (t - 1/2) (t - 1) on [0, 1], over 6.
_CUBIC = 3**0.5 / 36 / 6
_MOST = 1500
_SAMPLES = 12


@dataclass(frozen=True)
class Request:
    """What is asked of the smooth part S + scale T^2 on [0, length].

    Attributes:
        g: The convex function.
        length: Right end.
        eps: Bound on the whole error.
        share: Share of eps that half the squarer's range takes, in (0, 1]: scale = 8 share eps.
        pieces: N, the largest T.
        start: Value at 0 that is prescribed, or None.
        level: Whether the first line is horizontal.
    """

    g: Floats
    length: float
    eps: float
    share: float
    pieces: int
    start: float | None = None
    level: bool = False

    @property
    def scale(self) -> float:
        """Scale of T^2: the squarer adds between 0 and scale/4 = 2 share eps."""
        return 8 * self.share * self.eps

    @property
    def shift(self) -> float:
        """Where the smooth part's error is centred, so that the whole error is within +-eps."""
        return -self.scale / 8

    @property
    def room(self) -> float:
        """How far the smooth part's error may be from there."""
        return self.eps - self.scale / 8

    @property
    def first_line(self) -> tuple[float, float]:
        """Value and slope of the first line at 0."""
        value, slope, bend, third = self.g(0.0)
        value = value + self.shift if self.start is None else self.start
        return value, 0.0 if self.level else slope - third * self.step(bend, third) ** 2 / 12

    def step(self, bend: float, third: float) -> float:
        """Return about how long a branch can be where the second and third derivatives are these."""
        cubic = (max(self.room, 0.0) / (_CUBIC * abs(third))) ** (1 / 3) if third else self.length
        high = self.pieces * math.sqrt(2 * self.scale / bend) if bend > 0 else self.length
        return min(self.length, cubic, high)

    def branches(self, bends: Sequence[tuple[float, float]]) -> float:
        """Return about how many branches it takes, from those derivatives at equidistant points."""
        width = self.length / len(bends)
        steps = [self.step(bend, third) for bend, third in bends]
        return sum(width / step if step else math.inf for step in steps)


@dataclass(frozen=True)
class Bump:
    """A branch of T up to a peak and, unless it is the last, down to the next valley.

    Attributes:
        peak: Where T is largest.
        height: T there.
        valley: Where T is 0 again, or None.
        slope: Slope of the line through that valley.
    """

    peak: float
    height: float
    valley: float | None = None
    slope: float = 0.0


def outline(g: Floats, length: float, samples: int = 40) -> list[tuple[float, float]]:
    """Return the second and third derivative in the middle of equal parts of [0, length]."""
    points = [g(length * (i + 0.5) / samples) for i in range(samples)]
    return [(point[2], point[3]) for point in points]


def crossing(g: Floats, end: float, value: float) -> float:
    """Return where g, increasing on [0, end], reaches a value (the end if it does not)."""
    low, high = 0.0, end
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if g(middle)[0] < value else (low, middle)
    return low


def bumps(request: Request) -> list[Bump] | None:
    """Return bumps from 0 to the end, every one as long as its errors allow; None where they get nowhere."""
    if request.room <= 0:
        return None
    at, (value, slope) = 0.0, request.first_line
    found: list[Bump] = []
    while len(found) < _MOST:
        last = _last(request, at, value, slope)
        if last is not None:
            return [*found, last]
        bump = _longest(request, at, value, slope)
        if bump is None or bump.valley is None or bump.valley - at < 1e-7 * request.length:
            return None
        found.append(bump)
        if bump.valley >= request.length:
            return found
        at, slope = bump.valley, bump.slope
        value = request.g(at)[0] + request.shift
    return None


def _last(request: Request, at: float, value: float, slope: float) -> Bump | None:
    """Return a single branch to the end, if it fits."""
    end = request.length
    rest = request.g(end)[0] + request.shift - value - slope * (end - at)
    if rest <= 0 or (height := math.sqrt(rest / request.scale)) > request.pieces:
        return None
    return Bump(end, height) if _fits(request, at, value, slope, end, rest) else None


def _longest(request: Request, at: float, value: float, slope: float) -> Bump | None:
    most = request.length - at
    span = min(most, 3 * request.step(*request.g(at)[2:4]))
    bump = _bump(request, at, value, slope, span)
    tries = 0
    while bump is None and tries < 40:
        span, tries = span * 0.85, tries + 1
        bump = _bump(request, at, value, slope, span)
    low, high = span, min(most, span / 0.85)
    for _ in range(8 if bump else 0):
        middle = (low + high) / 2
        longer = _bump(request, at, value, slope, middle)
        low, high = (middle, high) if longer else (low, middle)
        bump = longer or bump
    return bump


def _bump(request: Request, at: float, value: float, slope: float, span: float) -> Bump | None:
    """Return the bump from a valley to the valley ``span`` further, if its errors and its height fit."""
    valley = at + span
    top, first, _, third = request.g(valley)
    ahead, after = first - third * (span / 2) ** 2 / 12, top + request.shift
    if ahead <= slope:
        return None
    peak = (value - slope * at - after + ahead * valley) / (ahead - slope)
    if not at < peak < valley:
        return None
    rest = request.g(peak)[0] + request.shift - value - slope * (peak - at)
    if rest <= 0 or (height := math.sqrt(rest / request.scale)) > request.pieces:
        return None
    fits = _fits(request, at, value, slope, peak, rest) and _fits(request, valley, after, ahead, peak, rest)
    return Bump(peak, height, valley, ahead) if fits else None


def _fits(request: Request, valley: float, value: float, slope: float, peak: float, rest: float) -> bool:
    """Whether line and parabola stay within the room on the branch between a valley and a peak, on samples."""
    for i in range(1, _SAMPLES + 1):
        share = i / _SAMPLES
        x = valley + (peak - valley) * share
        error = value + slope * (x - valley) + rest * share**2 - request.g(x)[0]
        if abs(error - request.shift) > request.room:
            return False
    return True
