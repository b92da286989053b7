"""Matrices without an inverse inside a region: found and proved, so that nobody waits for a bound that cannot exist."""

from __future__ import annotations

import numpy as np

from empirical.certify.region import Region
from empirical.certify.rounding import Floats
from empirical.certify.witness import determinant_sign

__all__ = ["holds_singular"]


def holds_singular(region: Region, seed: int = 0, starts: int = 64, sweeps: int = 12) -> bool:
    """Whether the region is proved to hold a singular matrix; False proves nothing.

    The determinant is affine in every single entry, with its cofactor as slope, so moving each entry to the end its
    cofactor points to drives it up or down; two float matrices of the region whose exact determinants differ in sign,
    or one where it vanishes, prove a singular matrix (intermediate value theorem on the segment; the region is convex).
    """
    low, high = region.inner
    generator = np.random.default_rng(seed)
    points = np.concatenate([region.centre.reshape(1, -1), low + (high - low) * generator.random((starts, len(low)))])
    points = np.clip(points, low, high)
    signs = {determinant_sign(_square(points[0], region.n))}
    for direction in (1.0, -1.0):
        extreme = _push(points, low, high, direction, region.n, sweeps)
        signs.add(determinant_sign(_square(extreme, region.n)))
    return 0 in signs or signs >= {1, -1}


def _push(points: Floats, low: Floats, high: Floats, direction: float, n: int, sweeps: int) -> Floats:
    """The point with the largest direction * determinant met while following float cofactors to corners."""
    best, best_value = points[0], -np.inf
    for _ in range(sweeps):
        matrices = points.reshape(-1, n, n)
        values = direction * np.linalg.det(matrices)
        leader = int(values.argmax())
        if values[leader] > best_value:
            best, best_value = points[leader], float(values[leader])
        left, sizes, right = np.linalg.svd(matrices)
        # Cofactors from the decomposition stay finite at singular matrices: products of all singular values but one.
        others = np.stack([np.prod(np.delete(sizes, i, axis=1), axis=1) for i in range(n)], axis=1)
        orientation = np.linalg.det(left) * np.linalg.det(right)
        cofactors = (left * others[:, None, :]) @ right * orientation[:, None, None]
        points = np.where(direction * cofactors.reshape(len(points), -1) > 0, high, low)
    return best


def _square(point: Floats, n: int) -> Floats:
    return point.reshape(n, n)
