"""Planning hinges: the fewest pieces within eps of a smooth f, the cheapest way to write them, and a bound in balls.

A path inside the tube is found in floats, its kinks and slopes are rounded to short dyadics, and the exact function
that results is certified piece by piece; if rounding took it past eps, a slightly narrower tube is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from theory.errors import OutOfReach
from theory.evaluate import lower, upper
from theory.paths import Path, Tube, convex_path, directed, flat_path, pieces_near, signs
from theory.piecewise import Distance, distance
from theory.shapes import Core, Hinges, Shape
from theory.smooth import Parity, Smooth, as_fraction

__all__ = ["Certified", "Rank", "certify", "gate_of", "hinge_plan"]

#: Kinks and jumps keep this many bits: 2^-44 of a value near 1 is far below any eps offered here.
_BITS = 44
_MOST_PIECES = 5_000
#: Halvings of the error that balances a path: it ends within 2^-10 of what its number of pieces can do.
_STEPS = 10
_PathOf = Callable[[float], Path | None]
#: How good a shape is, smaller first; None for one that is not wanted.
Rank = Callable[[Shape], tuple[int, ...] | None]


@dataclass(frozen=True)
class Certified:
    """A shape with the proved distance of its function from f."""

    shape: Shape
    error: Distance


def certify(f: Smooth, shape: Shape) -> Certified:
    """Return the shape with its distance from f, certified in balls on the whole interval: no parity is trusted."""
    return Certified(shape, distance(f, shape.function()))


def hinge_plan(
    f: Smooth, lo: Fraction, hi: Fraction, eps: Fraction, rank: Rank, parity: Parity = "none"
) -> Certified | None:
    """Return the best hinges found, their error certified to be at most eps.

    Args:
        f: The function; ``even`` or ``odd`` where ``parity`` says so.
        lo: Left end.
        hi: Right end.
        eps: Largest error.
        rank: What is better, smaller first; None for a shape that is not wanted.
        parity: Whether to fold: the hinges then work on |x|.

    Returns:
        The plan; None for an ``odd`` one whose core is not between 0 and a multiple of y, or where none is wanted.

    Raises:
        OutOfReach: If it takes more than 5,000 pieces.
    """
    if pieces_near(f, (Fraction(0) if parity != "none" else lo, hi), float(eps)) > _MOST_PIECES:
        raise OutOfReach(f"more than {_MOST_PIECES} pieces: ask for a larger eps")
    ways: list[tuple[tuple[int, ...], int, _PathOf]] = []
    for paths in _ways(f, lo, hi, eps, parity):
        path = _found(paths, float(eps))
        shape = _shape(path, lo, hi, parity) if path else None
        order = rank(shape) if shape else None
        if order is not None:
            ways.append((order, len(ways), paths))
    for _, _, paths in sorted(ways, key=lambda way: way[:2]):
        target = float(eps)
        for _ in range(8):
            path = _balanced(paths, target)
            shape = _shape(path, lo, hi, parity) if path else None
            if shape is None:
                break
            certified = certify(f, shape)
            if certified.error.bound <= eps:
                return certified
            target *= min(1.0, float(eps / certified.error.bound)) * 0.9995
    return None


def _ways(f: Smooth, lo: Fraction, hi: Fraction, eps: Fraction, parity: Parity) -> Iterator[_PathOf]:
    """Yield functions from an error to a path: different ways to place the pieces."""
    start, end = (0.0 if parity != "none" else float(lo)), float(hi)
    segments = signs(f, start, end)
    sign = segments[0][2] or 1
    if parity == "odd":
        yield lambda error: _odd_path(f, end, error, sign, len(segments) == 1)
        return
    if len(segments) > 1:
        tube = Tube(f, start, end, float(eps))
        yield lambda error: tube.path(error)
        return
    yield lambda error: _plain(f, start, end, error, sign)
    if parity == "even":
        yield lambda error: _flat_start(f, end, error, sign)
    else:
        yield lambda error: flat_path(f, start, end, error, sign)
        if start < 0 < end:
            yield lambda error: _through_zero(f, start, end, error, sign)


def _plain(f: Smooth, start: float, end: float, error: float, sign: int) -> Path:
    half = convex_path(directed(f, start, 1, sign), end - start, error)
    return Path(tuple((start + t, sign * value) for t, value in half))


def _through_zero(f: Smooth, start: float, end: float, error: float, sign: int) -> Path:
    left = convex_path(directed(f, 0.0, -1, sign), -start, error)
    right = convex_path(directed(f, 0.0, 1, sign), end, error)
    points = [(-t, sign * v) for t, v in reversed(left[1:])] + [(t, sign * v) for t, v in right]
    return Path(tuple(points))


def _flat_start(f: Smooth, end: float, error: float, sign: int) -> Path:
    """Return a path on [0, end] of an even f whose first piece is horizontal: the middle of the folded function."""
    g = directed(f, 0.0, 1, sign)
    level = g(0.0)[0] + error
    if g(end)[0] <= level + error:
        return Path(((0.0, sign * level), (end, sign * level)), flat=0)
    low, high = 0.0, end
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if g(middle)[0] < level + error else (low, middle)
    rest = convex_path(directed(f, high, 1, sign), end - high, error, level)
    return Path(((0.0, sign * level), *((high + t, sign * v) for t, v in rest)), flat=0)


def _odd_path(f: Smooth, end: float, error: float, sign: int, one_sign: bool) -> Path | None:
    """Return a path on [0, end] from (0, 0): horizontal for as long as f is below the error, where f starts so flat."""
    value = f.floats(end)[0]
    if not one_sign:
        return Tube(f, 0.0, end, error).path(error, 0.0)
    if sign * value > 0 and f.floats(0.0)[1] == 0:
        g = directed(f, 0.0, 1, sign)
        if g(end)[0] <= error:
            return None
        low, high = 0.0, end
        for _ in range(100):
            middle = (low + high) / 2
            low, high = (middle, high) if g(middle)[0] < error else (low, middle)
        rest = convex_path(directed(f, high, 1, sign), end - high, error, 0.0)
        return Path(((0.0, 0.0), *((high + t, sign * v) for t, v in rest)), flat=0)
    half = convex_path(directed(f, 0.0, 1, sign), end, error, 0.0)
    return Path(tuple((t, sign * v) for t, v in half))


def _found(paths: _PathOf, error: float) -> Path | None:
    """Return a path; None where its pieces become too short for floats."""
    try:
        return paths(error)
    except ValueError:
        return None


def _balanced(paths: _PathOf, error: float) -> Path | None:
    """Return a path of as few pieces as the error allows, with the smallest error that still has so few."""
    best = _found(paths, error)
    if best is None or best.pieces > 200:
        return best
    low, high = error * (1 - 2 / (best.pieces + 1)) if best.pieces > 2 else 0.0, error
    for _ in range(_STEPS if best.pieces > 50 else 2 * _STEPS):
        middle = (low + high) / 2
        found = _found(paths, middle) if middle else None
        if found is not None and found.pieces <= best.pieces:
            best, high = found, middle
        else:
            low = middle
    return best


def _shape(path: Path, lo: Fraction, hi: Fraction, parity: Parity) -> Shape | None:
    """Return the cheapest way to write the path as hinges."""
    slopes = [(v - u) / (b - a) for (a, u), (b, v) in pairwise(path.points)]
    if path.flat is not None:
        slopes[path.flat] = 0.0
    if parity == "odd" and path.points[-1][1] < 0:
        return None
    anchors = [0] if parity != "none" else _anchors(path, slopes, float(lo), float(hi))
    found = []
    for anchor in anchors:
        core = _hinges(path, slopes, anchor, lo if parity == "none" else Fraction(0), hi, parity)
        if core is None:
            continue
        try:
            gate = gate_of(core, hi) if parity == "odd" else Fraction(0)
            found.append(Shape(core, parity, lo, hi, gate))
        except ValueError:
            continue
    return min(found, key=lambda shape: shape.nonzeros, default=None)


def _anchors(path: Path, slopes: list[float], lo: float, hi: float) -> list[int]:
    """Return the pieces worth writing the path from: the horizontal one, or the first whose line vanishes outside."""
    if path.flat is not None:
        return [path.flat]
    for i, slope in enumerate(slopes):
        x, y = path.points[i]
        if slope and not lo < x - y / slope < hi:
            return [i]
    return [0]


def _hinges(path: Path, slopes: list[float], anchor: int, lo: Fraction, hi: Fraction, parity: Parity) -> Hinges | None:
    """Return the path written from one of its lines: that line by an offset and a hinge, the others by their bends."""
    parts: list[tuple[Fraction, Fraction, int]] = []
    (x, y), slope, offset = path.points[anchor], slopes[anchor], Fraction(0)
    if slope == 0:
        offset = as_fraction(y, _BITS)
    elif parity == "odd":
        parts.append((Fraction(0), as_fraction(slope, _BITS), 1))
    else:
        zero = x - y / slope
        left, right = lower(lo, _BITS), upper(hi, _BITS)  # an end need not be a float64; a kink past it is as good
        if zero <= float(lo) and parity == "none":
            parts.append((min(as_fraction(zero, _BITS), left), as_fraction(slope, _BITS), 1))
        elif zero >= float(hi) and parity == "none":
            parts.append((max(as_fraction(zero, _BITS), right), as_fraction(-slope, _BITS), -1))
        else:
            parts.append((left, as_fraction(slope, _BITS), 1))
            offset = as_fraction(y + slope * (float(left) - x), _BITS)
    for i in range(1, len(slopes)):
        jump = as_fraction(slopes[i] - slopes[i - 1], _BITS)
        if jump:
            parts.append((as_fraction(path.points[i][0], _BITS), jump, 1 if i > anchor else -1))
    if not parts:
        return None
    parts.sort(key=lambda part: part[0])
    kinks, jumps, sides = zip(*parts, strict=True)
    return Hinges(kinks, jumps, sides, offset)


def gate_of(core: Core, hi: Fraction) -> Fraction:
    """Return a power of two M with core(y) <= M y on [0, hi]."""
    half = core.function(Fraction(0), hi)
    steepest = max((value / at for at, value in zip(half.knots, half.values, strict=True) if at), default=Fraction(0))
    gate = Fraction(1)
    while gate < steepest:
        gate *= 2
    return gate
