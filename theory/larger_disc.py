"""The disc Cauchy's estimate is applied on: its radius searched for in floats, analyticity and maximum then proved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, expm1, inf, log, log2

from flint import arb

from theory.disc import first_singularity, maximum
from theory.errors import OutOfReach
from theory.evaluate import as_ball, upper
from theory.formula import Formula
from theory.singularities import Singularity
from theory.taylor import coefficients

__all__ = ["LargerDisc", "larger_disc", "log_of", "sizes"]

_TRIES = 12
#: Where |f| near the edge is much larger than its first terms say, the next disc tried is that much narrower.
_NARROWER = 0.6
_GRID = 24
#: Radii are at most this power of two times R: beyond, nothing is gained.
_WIDEST = 8.0
_HOPE = 0.5
#: Discs less than 2^1e-6 times as wide are not worth a proof.
_NARROWEST = 1e-6
_PRECISION = 128
_MOST_SAMPLES = 4096


@dataclass(frozen=True)
class LargerDisc:
    """A disc on which a formula is proved analytic.

    Attributes:
        radius: r > R.
        maximum: A bound on |f| on |z - c| <= r.
        terms: The K, in floats, at which Cauchy's tail M (R/r)^(K+1)/(1 - R/r) meets the remainder asked for.
    """

    radius: Fraction
    maximum: Fraction
    terms: int


def sizes(formula: Formula, radius: Fraction, count: int) -> list[float]:
    """Return log2(|c_k| R^k) for k < count, in floats; -inf where a coefficient may be zero.

    Raises:
        BadInput: If the formula is not analytic at its centre.
    """
    step = log_of(radius)
    balls = coefficients(formula, count, _PRECISION)
    return [-inf if ball.contains(0) else _log_of_ball(ball) + k * step for k, ball in enumerate(balls)]


def larger_disc(formula: Formula, radius: Fraction, remainder: Fraction) -> LargerDisc:
    """Return a disc of radius r > R that makes Cauchy's tail small after few terms.

    Args:
        formula: A formula already proved analytic on |z - c| <= R.
        radius: R.
        remainder: What Cauchy's tail has to meet.

    Raises:
        OutOfReach: If no disc noticeably larger than R is free of singularities.
    """
    samples = _samples(formula, radius)
    # Too hopeful a start costs little: the nearest singularity is met, and says how wide the disc may be.
    widest = min(max(_reach(samples), _HOPE), _WIDEST)
    obstacle: Singularity | None = None
    best: LargerDisc | None = None
    for _ in range(_TRIES):
        widening, hoped = _best(samples, widest, log_of(remainder))
        if widening < _NARROWEST or (best is not None and hoped >= best.terms):
            break
        larger = radius * Fraction(ceil(2**widening * 2**20), 2**20)
        obstacle = first_singularity(formula, larger, (larger - radius) / 64)
        if obstacle is not None:
            distance = upper((obstacle.ball - as_ball(formula.centre)).abs_lower(), 40)
            widest = min(widening, log_of(distance / radius)) if distance > radius else widening / 2
            continue
        widest = widening * _NARROWER
        bound = maximum(formula, larger)
        if bound is None:
            continue
        terms = _terms(log_of(bound) if bound else 0.0, widening, log_of(remainder))
        worth_more = best is None or 5 * terms < 4 * best.terms
        if best is None or terms < best.terms:
            best = LargerDisc(larger, bound, terms)
        if not worth_more or terms <= hoped + hoped // 4 + 16:
            break
    if best is not None:
        return best
    reason = f"is not free of singularities ({obstacle})" if obstacle else "keeps the values within range"
    raise OutOfReach(f"no disc noticeably larger than the radius {reason}; lower the radius")


def _samples(formula: Formula, radius: Fraction) -> list[float]:
    """Return the sizes of enough terms to see how fast they fall: more as long as that shows a wider disc."""
    count = 64
    found = sizes(formula, radius, count)
    while _reach(found) < 1 and count < _MOST_SAMPLES:
        count *= 2
        further = sizes(formula, radius, count)
        gained = _reach(further) > _reach(found) + 0.2
        found = further
        if not gained:
            break
    return found


def _reach(samples: Sequence[float]) -> float:
    """Return log2(rho/R) for the radius of convergence rho the last third of the terms suggests (root test)."""
    return min((-size / k for k, size in enumerate(samples) if 3 * k > 2 * len(samples)), default=inf)


def _best(samples: Sequence[float], widest: float, remainder: float) -> tuple[float, int]:
    """Return log2(r/R) below ``widest`` that needs the fewest terms K, and that K, judged by the first terms alone."""

    def terms(widening: float) -> int:
        exponents = [size + k * widening for k, size in enumerate(samples)]
        top = max(max(exponents), remainder)
        spread = sum(2.0 ** max(exponent - top, -1000.0) for exponent in exponents)
        return _terms(top + log2(spread), widening, remainder)

    grid = [widest * k / _GRID for k in range(1, _GRID)]
    best = min(grid, key=lambda widening: (terms(widening), -widening))
    return best, terms(best)


def _terms(largest: float, widening: float, remainder: float) -> int:
    """Return the K at which Cauchy's tail meets the remainder, from log2 of M, r/R and the remainder."""
    return max(0, ceil((largest - remainder - log2(-expm1(-widening * log(2)))) / widening))


def log_of(value: Fraction) -> float:
    """Return log2 of a positive rational of any size."""
    return log2(value.numerator) - log2(value.denominator)


def _log_of_ball(ball: arb) -> float:
    mantissa, exponent = arb(ball.abs_upper()).man_exp()
    return log2(int(mantissa)) + int(exponent)
