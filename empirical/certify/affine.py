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

    def expand(self, centre: Floats, radius: Floats, functionals: Floats) -> Expansion:
        """The functionals of the map itself; what remains is rounding."""
        entries = len(self.shift)
        weights = np.abs(functionals)
        slope = functionals @ self.matrix
        value = (functionals * self.values(centre)).sum(axis=1)
        # Two nested sums of N products and one of N: gamma(3 N + 8) of the sum of absolute values.
        reach = (np.abs(centre) + radius) @ np.abs(self.matrix).T + np.abs(self.shift)
        rounding = gamma(3 * entries + 8) * (weights * reach).sum(axis=1) + TINY
        return Expansion(value, slope, rounding, rounding)

    def ball(self, matrix: Any) -> Any:
        """The image of a flint ``arb_mat``, enclosed."""
        from flint import arb, arb_mat

        n, flat = self.n, matrix.entries()
        image = [
            sum((arb(float(w)) * x for w, x in zip(row, flat, strict=True)), arb(float(shift)))
            for row, shift in zip(self.matrix, self.shift, strict=True)
        ]
        return arb_mat(n, n, image)
