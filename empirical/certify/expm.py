"""The matrix exponential over boxes: second-order Taylor models by jets, with a remainder from a Metzler majorant.

A = C + D, |D| <= H entrywise, S_k the simplex s_0 + ... + s_k = 1. Duhamel's formula, iterated, gives
    e^(C+D) = sum_k J_k(D),    J_k(D) = integral over S_k of e^(s_0 C) D e^(s_1 C) ... D e^(s_k C).
J_0, J_1, J_2 are the value, slopes and quadratic form of the Taylor model.

Remainder. Let M have C's diagonal and |C| elsewhere. Then |e^(sC)| <= e^(sM) for s >= 0: with mu >= max |c_ii|,
|C + mu I| = M + mu I, so |e^(s(C + mu I))| <= e^(s(M + mu I)), and e^(s mu) cancels. Hence
    |sum_{k>=3} J_k(D)| <= sum_{k>=3} J_k^M(H) = e^(M+H) - J_0^M - J_1^M(H) - J_2^M(H),
where e^[[M, H, 0], [0, M, H], [0, 0, M]] has J_0^M, J_1^M(H), J_2^M(H) as its first block row. (A majorant by e^|C|
would lose e^(2 |c_ii|) wherever a diagonal entry is negative.)

Evaluation. T(X) = (sum_{k<=K} (X/m)^k / k!)^m, m = 2^s, by Horner and s squarings, on matrices and on jets (a matrix,
its slopes and its quadratic form, products cut after second order). With Y = |C| + H, lambda >= the row sums of Y,
theta = lambda/m:
- Truncation: e^X - T(X) is a power series with coefficients between 0 and those of
  m e^(x(m-1)/m) (e^(x/m) - sum_{k<=K} (x/m)^k/k!), so every entry, slopes and quadratic form taken along any |D| <= H,
  is off by at most m e^lambda theta^(K+1)/(K+1)! / (1 - theta/(K+2)).
- Rounding: T is built from sums and products only, so its computed value is the sum of its monomials, each times at
  most d factors (1 + e), |e| <= u: off by at most gamma_d times the same program on absolute values, itself at most
  E = T(Y) entrywise, again along any |D| <= H. A Horner step costs p + 3 roundings for p x p matrices, and depths add
  along a product: d <= m (K (p + 3) + p + 2) + 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from empirical.certify.expansion import Expansion, Indices
from empirical.certify.region import Region
from empirical.certify.rounding import TINY, Floats, above, gamma
from theory.errors import BadInput

__all__ = ["ExpmTarget"]

_DEGREE = 14
_LARGEST_ROW_SUM = 300.0
#: Sides up to which quadratic forms are kept: n^6 numbers a box.
_CURVED_SIDE = 4


@dataclass(frozen=True)
class ExpmTarget:
    """A -> e^A on n x n matrices whose entrywise absolute values have row sums at most ``reach``."""

    n: int
    reach: float

    @classmethod
    def over(cls, region: Region) -> ExpmTarget:
        """The exponential on a region.

        Raises:
            BadInput: If row sums of absolute values on the region exceed 300.
        """
        low, high = region.outer
        rows = np.maximum(np.abs(low), np.abs(high)).reshape(region.n, region.n).sum(axis=1)
        # 1 + 1e-9: the roundings of this sum, and of the centres and radii of sub-boxes.
        reach = float(rows.max()) * (1 + 1e-9) + 1e-9
        if not reach <= _LARGEST_ROW_SUM:
            raise BadInput(f"row sums on this box reach {reach:.4g}: e^A is certified up to {_LARGEST_ROW_SUM:.0f}")
        return cls(region.n, reach)

    @property
    def squarings(self) -> int:
        """Number of squarings s, with reach / 2^s <= 1/4."""
        return max(0, math.ceil(math.log2(max(self.reach, 1e-9))) + 2)

    @property
    def truncation(self) -> float:
        """The bound on truncation derived above, doubled for its own rounding."""
        parts = 2**self.squarings
        theta = self.reach / parts
        tail = theta ** (_DEGREE + 1) / math.factorial(_DEGREE + 1) / (1 - theta / (_DEGREE + 2))
        return 2 * parts * math.exp(self.reach) * tail + TINY

    def relative_rounding(self, side: int) -> float:
        """gamma_d for the program on side x side matrices."""
        return gamma(2**self.squarings * (_DEGREE * (side + 3) + side + 2) + 4)

    def values(self, points: Floats) -> Floats:
        """Float exponentials, (batch, n^2)."""
        return _exponential(points.reshape(-1, self.n, self.n), self.squarings).reshape(points.shape)

    def pullback(self, points: Floats, cotangents: Floats) -> Floats:
        """Gradient of <G, e^A>: J_1 at A^T in direction G, (batch, n^2)."""
        n = self.n
        transposed = np.swapaxes(points.reshape(-1, n, n), 1, 2)
        block = np.zeros((len(points), 2 * n, 2 * n))
        block[:, :n, :n] = block[:, n:, n:] = transposed
        block[:, :n, n:] = cotangents.reshape(-1, n, n)
        return _exponential(block, self.squarings + 1)[:, :n, n:].reshape(points.shape)

    def ball(self, matrix: Any) -> Any:
        """The exponential of a flint ``arb_mat``, enclosed."""
        return matrix.exp()

    def expand(self, centre: Floats, radius: Floats, functionals: Floats) -> Expansion:
        """Taylor models about the centres: of second order up to 4 x 4, of first order beyond."""
        n, batch = self.n, len(centre)
        entries = n * n
        matrices, spread, weights = (part.reshape(batch, n, n) for part in (centre, radius, functionals))
        curved = n <= _CURVED_SIDE
        value, slope, form = _jets(matrices, self.squarings, curved)
        quadratic, rest, error, whole = self._majorants(matrices, spread, curved)
        # Each functional is a sum of at most n^2 terms: gamma(n^2 + 4) of the sum of absolute values, itself below
        # |F| . E; doubled for the symmetric form.
        tail = rest + error + 2 * gamma(entries + 4) * whole
        share = np.abs(weights).reshape(batch, entries)
        tails, wides = ((share * part.reshape(batch, entries)).sum(axis=1) for part in (tail, tail + quadratic))
        # 8: the roundings of the line above and of the sums it weighs.
        tails, wides = (part * (1 + gamma(entries + 8)) + TINY for part in (tails, wides))
        flat = weights.reshape(batch, entries)
        return Expansion(
            value=(flat * value.reshape(batch, entries)).sum(axis=1),
            slope=(slope.reshape(batch, entries, entries) @ flat[:, :, None])[..., 0],
            wide=wides,
            tail=tails,
            curvature=None if form is None else _Curvature(form.reshape(batch, entries, entries, entries), flat),
        )

    def _majorants(self, matrices: Floats, spread: Floats, curved: bool) -> tuple[Floats, Floats, Floats, Floats]:
        """Bounds of |J_2| (0 unless ``curved``), the terms left out, the model's error, and E, each (batch, n, n)."""
        n, batch = self.n, len(matrices)
        size = np.abs(matrices)
        metzler = np.where(np.eye(n, dtype=bool), matrices, size)
        block = np.zeros((batch, 3 * n, 3 * n))
        for i in range(3):
            block[:, i * n : (i + 1) * n, i * n : (i + 1) * n] = metzler
        block[:, :n, n : 2 * n] = block[:, n : 2 * n, 2 * n :] = spread
        row = _exponential(block, self.squarings)[:, :n].reshape(batch, n, 3, n)
        # above: rounding of M + H and |C| + H, upwards; both exponentials grow with it.
        whole = _exponential(above(metzler + spread), self.squarings)
        rounding = self.relative_rounding(3 * n)
        largest = _exponential(above(size + spread), self.squarings) * (1 + 2 * rounding)
        error = largest * rounding + self.truncation
        quadratic = np.maximum(row[:, :, 2], 0) + error if curved else np.zeros_like(whole)
        known = row[:, :, 0] + row[:, :, 1] + (row[:, :, 2] if curved else 0.0)
        # Both sides of the difference are off by one error each; five more roundings of at most E u fit in a third.
        rest = np.maximum(whole - known, 0) + 3 * error
        return quadratic, rest, 2 * error, largest + self.truncation


@dataclass(frozen=True)
class _Curvature:
    """Symmetric H with d' H d the functional's quadratic form; ``form`` is (batch, inputs, inputs, entries)."""

    form: Floats
    functionals: Floats

    def __call__(self, boxes: Indices) -> Floats:
        chosen = (self.form[boxes] @ self.functionals[boxes][:, None, :, None])[..., 0]
        return np.asarray((chosen + np.swapaxes(chosen, 1, 2)) / 2)


def _exponential(matrices: Floats, squarings: int) -> Floats:
    """T(X) for a stack (batch, p, p), in plain float64."""
    scaled = matrices * 2.0**-squarings
    identity = np.eye(matrices.shape[-1])
    result = np.broadcast_to(identity, matrices.shape)
    for k in range(_DEGREE, 0, -1):
        result = identity + (scaled @ result) / k
    for _ in range(squarings):
        result = result @ result
    return result


def _jets(matrices: Floats, squarings: int, curved: bool) -> tuple[Floats, Floats, Floats | None]:
    """T on the jet C + sum d_i E_i: value (batch, n, n), slopes (batch, n^2, n, n), forms (batch, n^2, n^2, n, n)."""
    batch, n, _ = matrices.shape
    inputs = n * n
    scaled, unit = matrices * 2.0**-squarings, 2.0**-squarings
    identity = np.eye(n)
    value = np.broadcast_to(identity, matrices.shape)
    slope = np.zeros((batch, inputs, n, n))
    form = np.zeros((batch, inputs, inputs, n, n)) if curved else None
    for k in range(_DEGREE, 0, -1):
        if form is not None:
            form = (scaled[:, None, None] @ form + _unit_products(slope, unit).reshape(form.shape)) / k
        slope = (scaled[:, None] @ slope + _unit_products(value, unit).reshape(slope.shape)) / k
        value = identity + (scaled @ value) / k
    for _ in range(squarings):
        if form is not None:
            form = value[:, None, None] @ form + form @ value[:, None, None] + slope[:, :, None] @ slope[:, None]
        slope = value[:, None] @ slope + slope @ value[:, None]
        value = value @ value
    return value, slope, form


def _unit_products(stack: Floats, unit: float) -> Floats:
    """Return unit E_ab X, whose row a is X's row b, for all a and b: (batch, ..., n, n) -> (batch, n, n, ..., n, n)."""
    batch, n = stack.shape[0], stack.shape[-1]
    result = np.zeros((batch, n, n, *stack.shape[1:]))
    for a in range(n):
        for b in range(n):
            result[:, a, b, ..., a, :] = unit * stack[..., b, :]
    return result
