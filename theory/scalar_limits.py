"""How few pieces and non-zeros a scalar network can have: intervals that no line fits, and what a piece must cost.

An affine map within eps of f at a < c < b leaves |f(c) - chord(c)| <= 2 eps. So k intervals with disjoint insides, each
with three points that violate this, force a breakpoint inside each: at least k + 1 pieces, for any f. The numbers these
theorems come to are in ``theory.scalar_needs``.
"""

from __future__ import annotations

import sympy as sp

from theory.steps import Identity, Induction, Smt, eq, le, lt
from theory.symbols import M, N, P, a, b, eps, h, k, m, p, q, s, t, u, v, x, y, z
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
        "Along a line through the origin let Q_l be the intervals on which the activations of layer l are affine (Q_0 "
        "= 1), w_l its neurons that are not constant, t_l and e_l those that bend with two and with three or more "
        "non-zeros. Then Q_l <= (1 + e_l) Q_{l-1} + t_l Q_{l-2}, Q_{-1} = 1, with e_l = 0 where w_{l-1} = 1; over a "
        "run of layers with w = 1 Q grows at most threefold, and each neuron behind it adds at most the Q before the "
        "run. There are at least sum_l max(2 t_l + 3 e_l + idle ones, w_{l-1}) + w_L - 1 non-zeros. So P pieces need "
        "at least 2 log2 P of them, and as many as the search over all such sequences says."
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
        Smt(
            "monotone",
            "relu is monotone: with u = relu(x), v = relu(y), a u + b follows x, so it changes sign once where x does",
            (le(x, y), le(0, u), le(x, u), eq(u * (u - x), 0), le(0, v), le(y, v), lt(0, a)),
            le(a * u + b, a * v + b),
        ),
        Smt(
            "two-weights",
            "a u - b v with u, v >= 0 changes sign only where both are positive, on an interval where it is affine",
            (le(0, u), le(0, v), lt(0, a), lt(0, b), eq(u * v, 0), lt(0, a * u - b * v)),
            le(v, 0),
        ),
        Smt(
            "run",
            "relu(a y + b) of y = x cut off at 0 and k is again constant, then affine in x, then constant: it is "
            "between its values at both ends",
            (le(0, y), le(y, k), lt(0, a), le(0, u), le(a * y + b, u), eq(u * (u - a * y - b), 0),
             le(0, v), le(a * k + b, v), eq(v * (v - a * k - b), 0)),
            le(u, v),
        ),
        Identity(
            "layer",
            "e neurons add Q_{l-1} = q each, t neurons Q_{l-2} = p each",
            q + h * q + s * p,
            (1 + h) * q + s * p,
        ),
        Identity(
            "threefold",
            "constant, affine, constant on each interval before the run: two breaks in each",
            q + 2 * q,
            3 * q,
        ),
        Identity(
            "sum",
            "first layer 2m - 1, later layers 2k, the output row at least one: 2 (m + k) in all",
            (2 * m - 1) + 2 * k + 1,
            2 * (m + k),
        ),
        Induction(
            "bits",
            "m + 1 <= 2^m: a layer with m neurons that bend multiplies the pieces by at most 2^m",
            Smt("base", "m = 1", (), le(1 + 1, sp.Integer(2))),
            Smt("step", "one more neuron", (le(m + 1, N), le(1, m)), le(m + 2, 2 * N)),
        ),
        Identity(
            "logarithm",
            "P <= 2^(m_1 + ... + m_L): twice the exponent is at least 2 log2 P",
            2 * sp.log(2**m) / sp.log(2),
            2 * m,
        ),
    ),
    source="derived here",
    uses=("limits.pieces",),
    formulas={"intervals of the next layer": (1 + h) * q + s * p},
)  # fmt: skip
