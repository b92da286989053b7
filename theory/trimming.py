"""Radices no larger than needed: layers are whole, so squarers planned at a cap are finer than their share asks.

To first order stage i adds C_i / N_i^2 to the error. The smallest radices with C_i / N_i^2 <= lambda, never above the
cap, are taken with the largest lambda for which the sum meets the target: equal shares minimise sum log N_i.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

from theory.radices import Radices

__all__ = ["log_pieces", "smallest", "trimmed"]

#: Squarers deeper than this are left as they are: their pieces hardly exceed what is asked.
_DEEPEST = 64
_HALVINGS = 40
#: Radices that sum to more are scaled by bisection, not from a list.
_LISTED = 64


def trimmed(
    caps: Sequence[tuple[int, int, int]], layers: Sequence[int], contributions: Sequence[float], log_target: float
) -> list[Radices]:
    """Return radices per stage that meet the target to first order, none larger than its cap.

    Args:
        caps: Largest (first, middle, last) radices of every stage.
        layers: Hidden layers of every stage.
        contributions: log C_i; minus infinity where nothing is multiplied.
        log_target: Logarithm of what the C_i / N_i^2 may sum to; at the caps they do.
    """
    most = [Radices.lean(*cap, m) for cap, m in zip(caps, layers, strict=True)]
    low = log_target - math.log(max(len(most), 1)) - 60.0
    high = log_target
    if not _meets(most, contributions, log_target):
        return most
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        tried = _at(most, contributions, middle)
        low, high = (middle, high) if _meets(tried, contributions, log_target) else (low, middle)
    return _at(most, contributions, low)


def _meets(radices: Sequence[Radices], contributions: Sequence[float], log_target: float) -> bool:
    terms = [c - 2 * log_pieces(r) - log_target for r, c in zip(radices, contributions, strict=True)]
    return sum(math.exp(min(term, 700.0)) for term in terms) <= 1


@lru_cache(maxsize=4096)
def log_pieces(radices: Radices) -> float:
    """Return log N."""
    return sum(times * math.log(radix) for radix, times in radices.runs)


def _at(most: Sequence[Radices], contributions: Sequence[float], log_share: float) -> list[Radices]:
    return [smallest(r, (c - log_share) / 2) for r, c in zip(most, contributions, strict=True)]


def _scaled_alike(most: Radices, wanted: float) -> list[int]:
    """Return the radices all scaled by the least factor, rounded up, that leaves e^wanted pieces."""
    if sum(radix for radix, _ in most.runs) <= _LISTED:
        sizes, choices = _scalings(most)
        return list(choices[min(bisect_left(sizes, wanted), len(choices) - 1)])
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        enough = sum(times * math.log(max(2, math.ceil(r * middle))) for r, times in most.runs) >= wanted
        low, high = (low, middle) if enough else (middle, high)
    return [max(2, math.ceil(r * high)) for r in most]


@lru_cache(maxsize=4096)
def _scalings(most: Radices) -> tuple[list[float], list[tuple[int, ...]]]:
    """Return log pieces and radices for every factor that rounds up differently, smallest first."""
    steps = sorted({j / r for r, _ in most.runs for j in range(r + 1)})
    middles = [(a + b) / 2 for a, b in itertools.pairwise(steps)]
    choices = [tuple(max(2, math.ceil(r * factor)) for r in most) for factor in middles]
    return [sum(map(math.log, choice)) for choice in choices], choices


def smallest(most: Radices, wanted: float) -> Radices:
    """Return radices at most the given ones, of their number, with at least e^wanted pieces if the given ones have."""
    if most.layers > _DEEPEST or log_pieces(most) <= wanted:
        return most
    found = _scaled_alike(most, wanted)
    spare = sum(map(math.log, found)) - wanted
    # Rounding up overshoots: one less where that still suffices, at the ends first (their kinks are merged twice).
    for place in sorted(range(len(found)), key=lambda i: (-found[i], i not in (0, len(found) - 1))):
        loss = math.log(found[place] / (found[place] - 1))
        if found[place] > 2 and loss <= spare:
            found[place] -= 1
            spare -= loss
    return Radices.of(found)
