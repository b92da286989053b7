"""How wrong every network of given widths must be about the inverse on a box, from the pieces that it has on lines.

On a line A0 + t u v^T the inverse is a constant matrix plus a constant matrix times 1/(t + 1/q), and a network is a
broken line: the argument of theorem ``inverse.bits`` holds on any box, near the singular matrices or not.
"""

from __future__ import annotations

import sympy as sp

from theory.steps import Identity, Smt, le, lt
from theory.symbols import A_BLOCKS, P, a, b, eps, gap, mu, rho, s, t, v, x, y, z
from theory.theorem import Bound, Kind, Theorem

__all__ = ["FLOOR"]

_A, _S, _, _ = A_BLOCKS  # symbols that do not commute: A0, and S = u v^T
_DROP = 1 / sp.sqrt(1 / rho - gap) - 1 / sp.sqrt(1 / rho + gap)

FLOOR = Theorem(
    id="inverse.box.floor",
    title="what every network of given widths leaves of the inverse on a box",
    statement=(
        "Let |A - A0| <= d entry by entry, V = A0^-1, and u, v vectors with entries in [-1, 1], q = v^T V u > 0, "
        "q d < 1. A ReLU network with hidden widths w_l that is within eps of the inverse in max-entry norm has eps >= "
        "m/(2 q^2) ((1/q - d)^(-1/2) - (1/q + d)^(-1/2))^2 / P^2, m the largest |(V u)_i (v^T V)_j| and P = prod (w_l "
        "+ 1). The same for every map with at most P affine pieces on the line A0 + t u v^T; P = 1: affine maps."
    ),
    hypotheses=("|A - A0| <= d in every entry", "q = v^T V u > 0 and q d < 1", "|u_i|, |v_j| <= 1"),
    bound=Bound(mu / (2 * rho**2) * _DROP**2 / P**2, Kind.LOWER, "max", "|A - A0| <= d, m = mu, q = rho, P pieces"),
    steps=(
        Smt(
            "inside",
            "t u_i v_j is at most d in size for |t| <= d, |u_i|, |v_j| <= 1",
            (le(-a, t), le(t, a), le(-1, x), le(x, 1), le(-1, y), le(y, 1), le(0, a)),
            le(t * x * y, a),
        ),
        Identity(
            "rank-one",
            "(A0 + tS)(V - sVSV) for S = u v^T, V = A0^-1",
            (_A + t * _S) * (_A**-1 - s * _A**-1 * _S * _A**-1),
            1 + t * _S * _A**-1 - s * _S * _A**-1 - t * s * _S * _A**-1 * _S * _A**-1,
        ),
        Identity(
            "coefficient",
            "S V S = q S, so that is I + (t - s - t s q) S V, and I for s = t/(1 + tq)",
            t - t / (1 + t * rho) - t * (t / (1 + t * rho)) * rho,
            sp.Integer(0),
        ),
        Identity(
            "entry",
            "with c = (V u)_i (v^T V)_j: v_ij - c t/(1 + tq) = (v_ij - c/q) + (c/q^2)/(t + 1/q)",
            x - y * t / (1 + t * rho),
            (x - y / rho) + (y / rho**2) / (t + 1 / rho),
        ),
        Smt(
            "scale",
            "within eps of k + g z means within eps/g of z after x -> (x - k)/g, which keeps the number of pieces",
            (lt(0, y), le(x - (a + y * z), b)),
            le((x - a) / y - z, b / y),
        ),
        Smt(
            "floor",
            "g = m/q^2, and drop <= P sqrt(2 eps/g) by the steps of inverse.bits on [1/q - d, 1/q + d]: eps from below",
            (lt(0, y), lt(0, P), le(0, x), le(0, v), le(x, P * v), le(v * v * y, 2 * eps)),
            le(x * x * y, 2 * eps * P * P),
        ),
    ),
    source="derived here",
    uses=("inverse.bits", "limits.pieces"),
)
