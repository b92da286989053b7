"""Numbers of any size in tables and documents: exact where they can be named, an interval for log10 where not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb

from theory.evaluate import as_ball, lower, upper

__all__ = ["Huge", "Size", "size_json", "size_text"]

_STRING_ABOVE = 10**18
_NAMED_BELOW = 10**300
_NAMED_ABOVE = Fraction(1, 10**300)


@dataclass(frozen=True)
class Huge:
    """A positive number known by an interval for its log10."""

    lo: float
    hi: float

    @classmethod
    def from_ln(cls, lo: arb, hi: arb | None = None) -> Huge:
        """Return the size from natural logarithms of a lower and an upper bound, rounded outward."""
        ten = arb(10).log()
        low = float(lower(lo / ten, 50))
        high = float(upper((lo if hi is None else hi) / ten, 50))
        return cls(math.nextafter(low, -math.inf), math.nextafter(high, math.inf))


Size = int | Fraction | Huge


def named(value: arb) -> Size:
    """Return a positive ball as a short rational, or as a Huge where it is beyond 10^300."""
    if value.upper() < arb(10) ** 300:
        return upper(value, 53)
    return Huge.from_ln(value.log())


def _is_beyond(value: int | Fraction) -> bool:
    """Return whether a float would not show the number: above 10^300, or positive and below 10^-300."""
    return value >= _NAMED_BELOW or 0 < value < _NAMED_ABOVE


def size_json(value: Size) -> Any:
    """Return a number for a document: text above 10^18, ``{"log10": [lo, hi]}`` where float64 ends; never infinite."""
    if isinstance(value, Huge):
        return {"log10": [value.lo, value.hi]}
    if _is_beyond(value):
        return size_json(Huge.from_ln(as_ball(value).log()))
    if isinstance(value, int):
        return str(value) if value > _STRING_ABOVE else value
    return float(value)


def size_text(value: Size) -> str:
    """Return a number for a table."""
    if isinstance(value, Huge):
        return f"10^{value.lo:.6g}"
    if _is_beyond(value):
        return size_text(Huge.from_ln(as_ball(value).log()))
    if isinstance(value, int) and value < 10**12:
        return f"{value:,}"
    number = float(value)
    return f"{number:.3e}" if number >= 1e6 or 0 < number < 1e-3 else f"{number:.4g}"


__all__ += ["named"]
