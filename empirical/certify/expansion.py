"""What branch and bound needs to know of the function a network imitates, and the balls it expands in over a box."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from empirical.certify.rounding import Floats

__all__ = ["Expansion", "Indices", "Target"]

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Expansion:
    """Taylor models of all entries of f over a batch of boxes C +- radius, rounding included.

    For every real d with |d| <= radius, box b and entry k:
        low[b, k] <= f_k(C + d) - value[b, k] - slope[b, k] . d <= high[b, k], and, where ``curvature`` is given,
        |f_k(C + d) - value[b, k] - slope[b, k] . d - d' H d| <= tail[b, k] with the symmetric H = curvature(b, k).
    Infinite bounds say that nothing could be proved on that box.

    Args:
        value: (batch, entries).
        slope: (batch, entries, inputs).
        low: (batch, entries).
        high: (batch, entries).
        tail: (batch, entries).
        curvature: Arrays of box and entry indices (pairs,) -> (pairs, inputs, inputs); None if there is no such form.
    """

    value: Floats
    slope: Floats
    low: Floats
    high: Floats
    tail: Floats
    curvature: Callable[[Indices, Indices], Floats] | None = None


class Target(Protocol):
    """A function of n x n matrices, flattened row by row."""

    @property
    def n(self) -> int:
        """Side of the matrices."""
        ...

    def values(self, points: Floats) -> Floats:
        """Values in plain float64, (batch, n^2) -> (batch, n^2); not proved, NaN where undefined."""
        ...

    def pullback(self, points: Floats, cotangents: Floats) -> Floats:
        """Gradient of cotangent . f at every point, in plain float64, (batch, n^2)."""
        ...

    def expand(self, centre: Floats, radius: Floats) -> Expansion:
        """Taylor models over the boxes centre +- radius, each (batch, n^2)."""
        ...

    def ball(self, matrix: Any) -> Any:
        """The value at a flint ``arb_mat``, enclosed."""
        ...
