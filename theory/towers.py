"""Planning towers: f within eps by a sum of few hinges and one squarer that every branch of a zigzag shares.

``theory.branches`` places valleys and peaks in floats; here they are rounded to short dyadics so that T is in [0, N],
the cheapest plans are tried in order, and the first whose exact function is certified to be within eps is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from theory.branches import Bump, Request, bumps, crossing, outline
from theory.evaluate import lower, upper
from theory.interpolant import Certified, Rank, certify, gate_of
from theory.paths import directed, pieces_near, signs
from theory.schedule import Schedule, Wires, cheapest
from theory.shapes import Shape, Tower
from theory.smooth import Parity, Smooth, as_fraction

__all__ = ["tower_plan"]

_BITS = 44
_PIECES = (2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 18, 24, 36, 48, 72, 96, 144, 192, 288, 384, 576, 768)
_SHARES = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97)
#: How far past eps the two errors are planned together: they rarely meet at one point; what is kept is certified.
_OVER = (1.3, 1.2, 1.1, 1.05, 1.0, 0.98)
_TRIED, _CHECKED, _MOST_BRANCHES = 8, 40, 800
#: With so many pieces fewer plans are tried; with more none, since a matrix network at n = 1 is smaller there.
_MANY_PIECES, _MOST_PIECES = 150, 3000


def tower_plan(
    f: Smooth, lo: Fraction, hi: Fraction, eps: Fraction, rank: Rank, parity: Parity = "none"
) -> Certified | None:
    """Return the best tower found, certified to be within eps; None where f'' changes sign, or none keeps the limits.

    Args:
        f: The function; ``even`` or ``odd`` where ``parity`` says so.
        lo: Left end.
        hi: Right end.
        eps: Largest error.
        rank: What is better, smaller first; None for a shape that is not wanted.
        parity: Whether to fold: the tower then works on |x|.
    """
    segments = signs(f, 0.0 if parity != "none" else float(lo), float(hi))
    sign = segments[0][2]
    if len(segments) > 1 or not sign or (parity == "odd" and f.floats(float(hi))[0] < 0):
        return None
    half = (lo if parity == "none" else Fraction(0), hi)
    most = pieces_near(f, half, float(eps))
    if most > _MOST_PIECES:
        return None
    overs = _OVER if most < _MANY_PIECES else _OVER[-1:]
    shapes = [shape for over in overs for shape in _shapes(f, sign, (lo, hi), float(eps) * over, parity)]
    ranked = sorted(((rank(shape), place) for place, shape in enumerate(shapes) if rank(shape)))
    for _, place in ranked[:_CHECKED]:
        shape = shapes[place]
        centred = _centred(f, shape, half, float(eps))
        try:
            certified = certify(f, centred) if centred else None
        except ValueError:  # rounding took T or S out of its range
            continue
        if certified and certified.error.bound <= eps:
            return certified
    return None


def _shapes(f: Smooth, sign: int, interval: tuple[Fraction, Fraction], eps: float, parity: Parity) -> Iterator[Shape]:
    """Yield the towers for a planned error that promise the fewest branches and squarer layers."""
    lo, hi = interval
    origin, start, level = (lower(lo, _BITS) if parity == "none" else Fraction(0)), None, parity == "even"
    g = directed(f, float(origin), 1, sign)
    if parity == "odd":
        start = 0.0
        if sign > 0 and g(0.0)[1] == 0:  # f starts flat: the network is 0 for as long as that is close enough
            origin, level = as_fraction(crossing(g, float(hi), 0.8 * eps), _BITS), True
            g = directed(f, float(origin), 1, sign)
    length = float(hi - origin)
    bends = outline(g, length)
    estimates: list[tuple[float, int, Request]] = []
    for share in _SHARES:
        for pieces in _PIECES if start is None or share <= 0.5 else ():
            request = Request(g, length, eps, share, pieces, start, level)
            branches = request.branches(bends)
            if branches < _MOST_BRANCHES:
                estimates.append((4 * branches + min(3 * pieces, 8 + 7 * math.log2(pieces)), len(estimates), request))
    for _, _, request in sorted(estimates)[:_TRIED]:
        found = bumps(request)
        if found is None:
            continue
        try:
            core = _tower(request, found, (origin, hi), sign)
            core = _lifted(core, interval if parity == "none" else (Fraction(0), hi), start is not None)
            gate = gate_of(core, hi) if parity == "odd" else Fraction(0)
            yield Shape(core, parity, lo, hi, gate)
        except ValueError:
            continue


def _tower(request: Request, found: list[Bump], ends: tuple[Fraction, Fraction], sign: int) -> Tower:
    """Return the bumps in short dyadics: rising slopes rounded down from below N, falling ones so that T >= 0.

    The last peak or valley is no nearer than the end, which need not be a float64.
    """
    (origin, hi), last = ends, found[-1]
    value, slope = request.first_line
    schedule = _schedule(found, slope, request.pieces)
    stretch = schedule.pieces / request.pieces
    scale = as_fraction(request.scale / stretch**2, _BITS)
    kinks: list[Fraction] = []
    zigzag: list[Fraction] = []
    direct: list[Fraction] = []
    at, height, falling = origin, Fraction(0), Fraction(0)
    for bump in found:
        peak = origin + as_fraction(bump.peak, _BITS)
        if bump is last and bump.valley is None:
            peak = max(peak, upper(hi, _BITS))
        top = Fraction(math.floor(bump.height * stretch * 2**30), 2**30)
        rising = _floor((top - height) / (peak - at))
        kinks.append(at)
        zigzag.append(falling + rising)
        direct.append(Fraction(0) if direct else as_fraction(slope / float(scale), _BITS))
        if bump.valley is not None:
            valley = origin + as_fraction(bump.valley, _BITS)
            if bump is last:
                valley = max(valley, upper(hi, _BITS))
            height += rising * (peak - at)
            falling = _floor(height / (valley - peak))
            kinks.append(peak)
            zigzag.append(-rising - falling)
            direct.append(as_fraction((bump.slope - slope) / float(scale), _BITS))
            height -= falling * (valley - peak)
            at, slope = valley, bump.slope
    offset = as_fraction(value, _BITS)
    return Tower(tuple(kinks), tuple(zigzag), tuple(direct), Fraction(0), sign * scale, sign * offset, schedule)


def _schedule(found: list[Bump], slope: float, pieces: int) -> Schedule:
    whole = sum(bump.valley is not None for bump in found)
    return cheapest(Wires(len(found) + whole, whole + (slope != 0)), pieces)


def _floor(value: Fraction) -> Fraction:
    """Return a short dyadic just below a positive value."""
    short = as_fraction(float(value), _BITS)
    while short > value:
        short = as_fraction(float(short * (1 - Fraction(3, 2**_BITS))), _BITS)
    return short


def _lifted(core: Tower, interval: tuple[Fraction, Fraction], pinned: bool) -> Tower:
    """Return the tower with a constant in S where S would be negative, taken off again by the offset.

    A pinned tower keeps its value at 0 exactly: the constant is so short that scale times it is a float64.
    """
    lowest = min(s for _, _, s in core.corners(*interval))
    if lowest >= 0:
        return core
    constant = as_fraction(-float(lowest) * 1.02, 6)
    moved = core.offset - core.scale * constant
    return replace(core, constant=constant, offset=moved if pinned else as_fraction(float(moved), _BITS))


def _centred(f: Smooth, shape: Shape, half: tuple[Fraction, Fraction], eps: float) -> Shape | None:
    """Return the shape with the offset that balances its errors to both sides; None where samples exceed eps.

    An odd one keeps its value at 0.
    """
    core = shape.core
    assert isinstance(core, Tower)
    errors = _errors(f, core, half)
    low, high = min(errors), max(errors)
    if shape.parity == "odd":
        return shape if max(-low, high) <= eps * (1 + 1e-9) else None
    if high - low > 2 * eps * (1 + 1e-9):
        return None
    return replace(shape, core=replace(core, offset=as_fraction(float(core.offset) - (low + high) / 2, _BITS)))


def _errors(f: Smooth, core: Tower, half: tuple[Fraction, Fraction]) -> list[float]:
    """Return errors on samples, in floats: the ends of every piece and three points between."""
    corners = [(float(x), float(t), float(s)) for x, t, s in core.corners(*half)]
    scale, offset = float(core.scale), float(core.offset)
    points = []
    for (x, t, s), (to_x, to_t, to_s) in pairwise(corners):
        levels = list(range(math.floor(min(t, to_t)) + 1, math.ceil(max(t, to_t))))
        shares = [0.0, *((level - t) / (to_t - t) for level in (levels if t < to_t else reversed(levels))), 1.0]
        for share in shares:
            at = t + share * (to_t - t)
            value = (2 * math.floor(at) + 1) * at - math.floor(at) * (math.floor(at) + 1)
            points.append((x + share * (to_x - x), offset + scale * (s + share * (to_s - s) + value)))
    return [
        u + (v - u) * t - f.floats(a + (b - a) * t)[0]
        for (a, u), (b, v) in pairwise(points)
        for t in (0.0, 0.3, 0.5, 0.7, 1.0)
    ]
