"""2 x 2 matrices near the singular ones: the distance, and the exact boundary of D_eps in slices.

A = [[a, b], [c, d]]. The distance to the singular matrices, in the Frobenius and the 2-norm alike, is the least
singular value (theorem inversion.lemma-3.6.sharp). With ||A||_F^2 +- 2 det A = (a + d)^2 + (b - c)^2 and
(a - d)^2 + (b + c)^2, the squares of the singular values' sum and difference,

    sigma_min = |sqrt((a + d)^2 + (b - c)^2) - sqrt((a - d)^2 + (b + c)^2)| / 2.

sigma_min <= eps means (sigma_1^2 - eps^2)(sigma_2^2 - eps^2) = eps^4 - ||A||_F^2 eps^2 + det^2 <= 0 wherever |a| > eps
(then sigma_1 > eps). That is a quadratic inequality in d: with m = a^2 - eps^2,

    |m d - a b c| <= eps sqrt((b^2 + m)(c^2 + m)).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["least_singular_value", "sheets"]

Floats = NDArray[np.float64]


def least_singular_value(a: ArrayLike, b: ArrayLike, c: ArrayLike, d: ArrayLike) -> Floats:
    """Return sigma_min of [[a, b], [c, d]], entrywise over arrays that broadcast."""
    a, b, c, d = (np.asarray(entry, dtype=np.float64) for entry in (a, b, c, d))
    return np.asarray(np.abs(np.hypot(a + d, b - c) - np.hypot(a - d, b + c)) / 2)


def sheets(a: float, b: ArrayLike, c: ArrayLike, eps: float) -> tuple[Floats, Floats]:
    """Return the two d at which [[a, b], [c, d]] has distance eps from the singular matrices; between them it has less.

    Raises:
        ValueError: If ``|a| <= eps``, where the set between the sheets is not all of it.
    """
    if abs(a) <= eps:
        raise ValueError("the sheets bound D_eps only where |a| > eps")
    b, c = np.asarray(b, dtype=np.float64), np.asarray(c, dtype=np.float64)
    m = a * a - eps * eps
    middle, reach = a * b * c / m, eps * np.sqrt((b * b + m) * (c * c + m)) / m
    return middle - reach, middle + reach
