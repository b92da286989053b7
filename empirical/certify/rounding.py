"""Float64 arithmetic whose rounding is accounted for: the few facts every proved bound here rests on.

Model (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., sections 2.2 and 3.1): with u = 2^-53 every
float64 operation returns its exact result times (1 + e), |e| <= u, plus at most 2^-1075 when it underflows. An inner
product of length k, summed in any order, with or without fused multiply-add, then misses x.y by at most
gamma_k |x|.|y|, gamma_k = k u / (1 - k u). This covers every conventional matrix product a BLAS may choose and excludes
Strassen-like ones. ``gamma(k)`` below is 2 k u, which exceeds gamma_k for k <= 2^50 and so also pays for the
rounding of the bound itself. ``TINY`` pays for underflow: at most 2^60 operations lose 2^-1075 each, multiplied by
magnitudes that ``chain.budget`` keeps below 2^500.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

__all__ = ["TINY", "UNIT", "Floats", "above", "below", "float_above", "float_below", "gamma", "product_above"]

Floats = npt.NDArray[np.float64]

UNIT = 2.0**-53
TINY = 2.0**-400


def gamma(k: int) -> float:
    """Return 2 k u, an upper bound on gamma_k = k u / (1 - k u) with room for its own use in float64."""
    return 2 * k * UNIT


def above(values: Floats) -> Floats:
    """Return the next float64 upwards: above the exact value of any one operation that rounded to ``values``."""
    return np.nextafter(values, np.inf)


def below(values: Floats) -> Floats:
    """Return the next float64 downwards."""
    return np.nextafter(values, -np.inf)


def product_above(left: Floats, right: Floats) -> Floats:
    """Return an entrywise upper bound of the exact product of two non-negative (stacks of) matrices."""
    return (left @ right) * (1 + gamma(left.shape[-1] + 3)) + TINY


def float_above(value: Fraction) -> float:
    """Return the smallest float64 that is at least the rational (infinity beyond float64's range)."""
    try:
        number = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.ldexp(1 - 2.0**-53, 1024)
    return number if Fraction(number) >= value else math.nextafter(number, math.inf)


def float_below(value: Fraction) -> float:
    """Return the largest float64 that is at most the rational."""
    return -float_above(-value)
