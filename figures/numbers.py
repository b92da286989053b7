"""Numbers and domains as documents hold them, made fit for axes: a count may be text, or an interval for its log10."""

from __future__ import annotations

import math
import re
from typing import Any

__all__ = ["domain_maths", "log10_of", "short"]


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


def domain_maths(text: str) -> str:
    """Return a domain's plain description, such as ``||A||_2 <= 1/2``, as mathematical text."""
    text = re.sub(r"\b(\w) - 0 I", r"\1", text).replace("- 1 I", "- I")
    text = re.sub(r"\|\|(.+?)\|\|_(\w)", r"\\|\1\\|_\2", text)
    for plain, sign in (("sigma_min", r"\sigma_{\min}"), ("a_ij", "a_{ij}"), ("<=", r"\leq"), (">=", r"\geq")):
        text = text.replace(plain, sign)
    return " and ".join(f"${part}$" for part in text.split(" and "))
