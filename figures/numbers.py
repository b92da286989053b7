"""Numbers as documents hold them (text above 10^18, an interval for log10 above 10^300), made fit for axes."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["log10_of", "short"]


def log10_of(value: Any) -> float:
    """Return log10 of a positive number of a document (the middle of the interval where only that is known)."""
    if isinstance(value, dict):
        low, high = value["log10"]
        return (low + high) / 2
    return math.log10(int(value) if isinstance(value, str) else value)


def short(value: Any) -> str:
    """Return a number as a few characters of mathematical text: 2,896 or $10^{26}$."""
    exponent = log10_of(value)
    if exponent < 7:
        return f"{value:,.0f}" if exponent >= 2 else f"{value:.3g}"
    return f"$10^{{{exponent:.0f}}}$"
