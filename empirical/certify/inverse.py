"""The matrix inverse over boxes: a second-order Taylor model whose remainder holds, rounding included.

Let A = C + D with |D| <= H entrywise, V any matrix (here the float inverse of C), E = I - V A = E0 - V D with
E0 = I - V C. If Q >= |E| over the box has spectral radius below 1, then I - E = V A is regular, so V and every A are,
and  A^-1 = (I - E)^-1 V = V + E V + E^2 V + E^3 (I - E)^-1 V.   With F >= |E0|:
    V + E V  = V - V D V + E0 V,                        |E0 V| <= F |V|,
    E^2 V    = V D V D V + (E0^2 - E0 V D - V D E0) V,  the bracket at most F F + F |V| H + |V| H F,
    |E^3 (I - E)^-1 V| <= Q^3 (I - Q)^-1 |V| <= Y  for every Y with  Q^3 |V| + Q Y <= Y
(then (I - Q) Y >= Q^3 |V|, and (I - Q)^-1 = I + Q + Q^2 + ... is non-negative). The spectral radius of Q is below 1 if
Q x < x for some x > 0 (Collatz-Wielandt). Both are checked on rounded-up products, so the float x and Y need not be
solutions of anything. To first order the same reads |A^-1 - (2V - VAV)| <= Q^2 (I - Q)^-1 |V|.

|C^-1| H |C^-1| H |C^-1| / (1 - rho), rho the spectral radius of |C^-1| H, is not a bound: |V|H and the resolvent do
not commute with it entrywise (a test has a counterexample).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from empirical.certify.expansion import Expansion, Indices
from empirical.certify.rounding import TINY, Floats, above, gamma, product_above

__all__ = ["InverseTarget"]


@dataclass(frozen=True)
class InverseTarget:
    """A -> A^-1 on n x n matrices."""

    n: int

    def values(self, points: Floats) -> Floats:
        """Float inverses, (batch, n^2); NaN where singular."""
        return _inverses(points.reshape(-1, self.n, self.n)).reshape(points.shape)

    def pullback(self, points: Floats, cotangents: Floats) -> Floats:
        """Gradient of <G, A^-1>: -A^-T G A^-T, (batch, n^2)."""
        transposed = np.swapaxes(_inverses(points.reshape(-1, self.n, self.n)), 1, 2)
        return -(transposed @ cotangents.reshape(-1, self.n, self.n) @ transposed).reshape(points.shape)

    def ball(self, matrix: Any) -> Any:
        """The inverse of a flint ``arb_mat``, enclosed."""
        return matrix.inv()

    def expand(self, centre: Floats, radius: Floats, functionals: Floats) -> Expansion:
        """Second-order Taylor models about the float inverses of the centres.

        With F the functional as an n x n matrix, F . V D V = M . D for M = V' F V', and F . V D V D V is the quadratic
        form with M_ad V_bc at D_ab D_cd.
        """
        n, batch = self.n, len(centre)
        boxes, spread, weights = (part.reshape(batch, n, n) for part in (centre, radius, functionals))
        inverse = _inverses(boxes)
        # A centre that is singular in floats proves nothing: V = 0 gives Q >= I, which the check below refuses.
        inverse = np.where(np.isfinite(inverse).all(axis=(1, 2), keepdims=True), inverse, 0.0)
        size = np.abs(inverse)
        with np.errstate(over="ignore", invalid="ignore"):
            transposed = np.swapaxes(inverse, 1, 2)
            moment = transposed @ weights @ transposed
            residual = _residual_above(boxes, inverse)
            moved = product_above(size, spread)
            linear = product_above(moved, size)
            quadratic = product_above(moved, linear)
            rest = _cubic_rest(above(residual + moved), size)
            cross = product_above(residual, residual) + product_above(residual, moved) + product_above(moved, residual)
            # Rounding: E0 V and the bracket as derived; value, M and M V are sums of at most n^2 products of up to
            # three factors: gamma(4 n^2 + 8) of the sums of absolute values, |F| . |V|, |F| . VHV and |F| . VHVHV.
            small = product_above(residual, size) + product_above(cross, size)
            small = small + gamma(4 * n * n + 8) * (size + linear + quadratic)
            tail = above(rest + small * (1 + gamma(16))) + TINY
            wide = above(tail + quadratic)
            share = np.abs(weights)
            tail, wide = (_weighted_above(share, part) for part in (tail, wide))
            value = (weights * inverse).sum(axis=(1, 2))
        slope = -moment.reshape(batch, n * n)
        return Expansion(value, slope, wide, tail, _Curvature(moment, inverse))


@dataclass(frozen=True)
class _Curvature:
    """Symmetric H with d' H d = F . V D V D V; ``moment`` is M = V' F V', ``inverse`` V, both (batch, n, n)."""

    moment: Floats
    inverse: Floats

    def __call__(self, boxes: Indices) -> Floats:
        entries = self.inverse.shape[-1] ** 2
        # Axes a, b, c, d: the entry M_ad V_bc, as a matrix in the index pairs (a, b) and (c, d).
        form = self.moment[boxes][:, :, None, None, :] * self.inverse[boxes][:, None, :, :, None]
        form = form.reshape(len(boxes), entries, entries)
        return np.asarray((form + np.swapaxes(form, 1, 2)) / 2)


def _weighted_above(weights: Floats, bounds: Floats) -> Floats:
    """Upper bound of sum |F| bound per box, infinite where a bound that counts is not finite, (batch,)."""
    terms = np.where(weights > 0, weights * bounds, 0.0)
    total = terms.sum(axis=(1, 2)) * (1 + gamma(weights.shape[-1] ** 2 + 4)) + TINY
    return np.where(np.isfinite(bounds).all(axis=(1, 2)) & np.isfinite(total), total, np.inf)


def _inverses(matrices: Floats) -> Floats:
    """Float inverses of a stack; NaN for those LAPACK calls singular."""
    try:
        return np.asarray(np.linalg.inv(matrices), dtype=np.float64)
    except np.linalg.LinAlgError:
        result = np.full_like(matrices, np.nan)
        for index, matrix in enumerate(matrices):
            try:
                result[index] = np.linalg.inv(matrix)
            except np.linalg.LinAlgError:
                continue
        return result


def _residual_above(boxes: Floats, inverse: Floats) -> Floats:
    """Upper bound of |I - V C|: the float residual plus gamma_{n+1} (I + |V| |C|)."""
    n = boxes.shape[-1]
    identity = np.eye(n)
    computed = np.abs(identity - inverse @ boxes)
    return above(computed + gamma(n + 4) * (identity + np.abs(inverse) @ np.abs(boxes))) + TINY


def _cubic_rest(radius: Floats, size: Floats) -> Floats:
    """Y >= Q^3 (I - Q)^-1 |V| where provable, infinite elsewhere; ``radius`` is Q, ``size`` |V|, (batch, n, n)."""
    n = radius.shape[-1]
    result = np.full_like(size, np.inf)
    # Q with a row sum this far out has spectral radius 1 or is not worth solving with; it also keeps LAPACK finite.
    usable = np.flatnonzero(radius.max(axis=(1, 2)) < 1e6)
    if not len(usable):
        return result
    matrix, width = radius[usable], size[usable]
    cubic = product_above(product_above(matrix, product_above(matrix, matrix)), width)
    resolvent = _inverses(np.eye(n) - matrix)
    vector = np.maximum(resolvent.sum(axis=2, keepdims=True), 0) * (1 + 1e-9)
    guess = np.maximum(resolvent @ cubic, 0) * (1 + 1e-9)
    guess = guess + 1e-13 * vector * guess.max(axis=(1, 2), keepdims=True) + TINY * vector
    contracts = (vector > 0) & (product_above(matrix, vector) < vector)
    holds = above(product_above(matrix, guess) + cubic) <= guess
    proved = contracts.all(axis=(1, 2)) & holds.all(axis=(1, 2))
    result[usable[proved]] = guess[proved]
    return result
