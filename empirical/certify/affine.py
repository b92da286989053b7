"""The affine target x -> G x + c, for which the worst error of a small network is a mixed-integer linear program."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from empirical.certify.expansion import Expansion
from empirical.certify.rounding import TINY, Floats, gamma

__all__ = ["AffineTarget"]


@dataclass(frozen=True)
class AffineTarget:
    """x -> matrix x + shift on flattened n x n matrices; ``matrix`` is (n^2, n^2), ``shift`` (n^2,)."""

    matrix: Floats
    shift: Floats

    @property
    def n(self) -> int:
        """Side of the matrices."""
        return math.isqrt(len(self.shift))

    def values(self, points: Floats) -> Floats:
        """The map in float64, (batch, n^2)."""
        return points @ self.matrix.T + self.shift

    def pullback(self, points: Floats, cotangents: Floats) -> Floats:
        """Gradients, (batch, n^2)."""
        return cotangents @ self.matrix

    def expand(self, centre: Floats, radius: Floats) -> Expansion:
        """The map itself; what remains is the rounding of G C + c."""
        entries = len(self.shift)
        value = self.values(centre)
        rounding = gamma(entries + 4) * (np.abs(centre) @ np.abs(self.matrix).T + np.abs(self.shift)) + TINY
        slope = np.broadcast_to(self.matrix, (len(centre), entries, entries))
        return Expansion(value, slope, -rounding, rounding, rounding)

    def ball(self, matrix: Any) -> Any:
        """The image of a flint ``arb_mat``, enclosed."""
        from flint import arb, arb_mat

        n, flat = self.n, matrix.entries()
        image = [
            sum((arb(float(w)) * x for w, x in zip(row, flat, strict=True)), arb(float(shift)))
            for row, shift in zip(self.matrix, self.shift, strict=True)
        ]
        return arb_mat(n, n, image)
