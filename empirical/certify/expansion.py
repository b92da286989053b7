"""What branch and bound needs to know of the function a network imitates: Taylor models of its linear functionals."""

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
    """Taylor models of functionals F . f over boxes C +- radius, one functional a box, rounding included.

    For every real d with |d| <= radius and every box b:
        |F_b . f(C + d) - value[b] - slope[b] . d| <= wide[b], and, where ``curvature`` is given,
        |F_b . f(C + d) - value[b] - slope[b] . d - d' H d| <= tail[b] with the symmetric H = curvature(b).
    Infinite bounds say that nothing could be proved on that box.

    Args:
        value: (batch,).
        slope: (batch, inputs).
        wide: (batch,).
        tail: (batch,).
        curvature: Box indices (boxes,) -> (boxes, inputs, inputs); None if there is no such form.
    """

    value: Floats
    slope: Floats
    wide: Floats
    tail: Floats
    curvature: Callable[[Indices], Floats] | None = None


class Target(Protocol):
    """A function f of n x n matrices, flattened row by row."""

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

    def expand(self, centre: Floats, radius: Floats, functionals: Floats) -> Expansion:
        """Taylor models of functionals . f over the boxes centre +- radius; all three (batch, n^2)."""
        ...

    def ball(self, matrix: Any) -> Any:
        """The value at a flint ``arb_mat``, enclosed."""
        ...
