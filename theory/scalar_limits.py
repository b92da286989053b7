"""How few pieces and non-zeros a scalar network can have: intervals that no line fits, and what a piece must cost.

An affine map within eps of f at a < c < b leaves |f(c) - chord(c)| <= 2 eps. So k intervals with disjoint insides, each
with three points that violate this, force a breakpoint inside each: at least k + 1 pieces, for any f. The numbers these
theorems come to are in ``theory.scalar_needs``.
"""

from __future__ import annotations

import sympy as sp

from theory.steps import Identity, Induction, Smt, le, lt
from theory.symbols import M, N, P, a, b, eps, k, m, t, u, v, x, y, z
from theory.theorem import Bound, Kind, Theorem

__all__ = ["NONZEROS", "PIECES"]

PIECES = Theorem(
    id="scalar.pieces",
    title="pieces that three points in each interval force",
    statement=(
        "If k intervals with disjoint insides each hold points p < c < q at which f leaves its chord over [p, q] by "
        "more than 2 eps at c, then every continuous piecewise affine function within eps of f has more than k "
        "pieces, and so every ReLU network within eps of f has prod_l (w_l + 1) > k."
    ),
    hypotheses=("a continuous piecewise affine function within eps of f",),
    bound=Bound(k + 1, Kind.LOWER, "pieces", "an interval, or any segment in the input space"),
    steps=(
        Smt(
            "three-points",
            "a t + b within eps of values x, y, z at the ends and at share t of a chord: |y - (1-t) x - t z| <= 2 eps",
            (
                le(0, t), le(t, 1),
                le(b - x, eps), le(x - b, eps), le(a + b - z, eps), le(z - a - b, eps),
                le(a * t + b - y, eps), le(y - a * t - b, eps),
            ),
            le((y - (1 - t) * x - t * z) ** 2, 4 * eps**2),
        ),
        Induction(
            "breakpoints",
            "an interval that no line fits has a breakpoint inside; disjoint insides hold different ones: k of them",
            Identity("base", "no interval", sp.Integer(0), 0 * k),
            Identity("step", "one more interval, one more breakpoint", (k - 1) + 1, k),
        ),
        Smt(
            "curvature",
            "f'' >= u, ends x -+ y t + f''(xi) t^2/2 about the middle: there f is u t^2/2 below its chord at least",
            (le(u, z), le(u, v)),
            le(u * t**2 / 2, ((x - y * t + z * t**2 / 2) + (x + y * t + v * t**2 / 2)) / 2 - x),
        ),
        Identity(
            "room",
            "which is 2 eps on an interval of length 4 sqrt(eps/u): on a longer one no line fits",
            M * (2 * sp.sqrt(eps / M)) ** 2 / 2,
            2 * eps,
        ),
        Identity("pieces", "k breakpoints end k + 1 pieces", k + 1, 1 + k),
    ),
    source="derived here; Chebyshev's alternation on three points",
    uses=("limits.pieces",),
)  # fmt: skip

NONZEROS = Theorem(
    id="scalar.nonzeros",
    title="what a piece costs in non-zero weights and biases",
    statement=(
        "A ReLU network whose restriction to a line through the origin has P pieces has at least 2 log2 P non-zero "
        "weights and biases."
    ),
    hypotheses=("no skip connections", "activation relu", "the line passes through the origin of the input space"),
    bound=Bound(2 * sp.log(P) / sp.log(2), Kind.LOWER, "non-zeros", "any segment of a line through the origin"),
    steps=(
        Smt(
            "one-weight",
            "behind the first layer a neuron with one weight and no bias reads x >= 0: it is linear there, or zero",
            (le(0, x), lt(0, a)),
            le(0, a * x),
        ),
        Smt(
            "origin",
            "in the first layer a neuron without bias bends at the origin only",
            (le(a * t, 0), le(0, a * t), lt(0, a**2)),
            le(t**2, 0),
        ),
        Identity(
            "first",
            "so m bends after the first layer take m - 1 neurons of weight and bias and one of a weight: 2m - 1",
            2 * (m - 1) + 1,
            2 * m - 1,
        ),
        Identity("sum", "later layers add 2 m_l, the output row at least one: 2 (m_1 + ... + m_L) in all",
                 (2 * m - 1) + 2 * k + 1, 2 * (m + k)),
        Induction(
            "bits",
            "m + 1 <= 2^m: a layer with m neurons that bend multiplies the pieces by at most 2^m",
            Smt("base", "m = 1", (), le(1 + 1, sp.Integer(2))),
            Smt("step", "one more neuron", (le(m + 1, N), le(1, m)), le(m + 2, 2 * N)),
        ),
        Identity("logarithm", "P <= 2^(m_1 + ... + m_L): twice the exponent is at least 2 log2 P",
                 2 * sp.log(2**m) / sp.log(2), 2 * m),
    ),
    source="derived here",
    uses=("limits.pieces",),
)  # fmt: skip
