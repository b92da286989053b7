"""What rounding the weights once to float64 does to an affine row, and how a squarer damps it.

Inner zigzag weights are integers, exact in float64. What rounds in a squarer are the rows that feed it: the first
layer's X_1 - k, and the part of the second layer's X_2 - k that rides on carried inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod

import sympy as sp

from theory.freezing_formulas import EXACT_LINEAR, FIRST_LAYER, SECOND_LAYER
from theory.steps import Identity, Smt, eq, le, lt
from theory.symbols import P, a, b, h, p, r, r1, r2, t, tau, tau1, tau2, u, v, x, y, z
from theory.theorem import Bound, Kind, Theorem

__all__ = ["AFFINE", "FIRST_LAYER", "LAYER", "SECOND_LAYER", "SQUARER", "SQUARER_BOUND", "UNIT_ROUNDOFF", "perturbed"]

#: |w - fl(w)| <= 2^-53 |w| for a weight in float64's normal range.
UNIT_ROUNDOFF = Fraction(1, 2**53)
SQUARER_BOUND = FIRST_LAYER * tau1 / r1 + SECOND_LAYER * tau2 / (r2 * r1**2)
#: Any layer: radix r after radices of product P, every pre-activation off by at most tau.
LAYER = 8 * tau / (r * P**2)


def perturbed(radices: Sequence[int], u: Fraction, shifts: Sequence[Sequence[Fraction]]) -> Fraction:
    """Return the squarer of u^2 evaluated neuron by neuron, the pre-activation X_j - k of layer j off by shifts[j][k].

    Kink 0 is the linear part X_j: a neuron relu(X_j) in the middle layers, carried input in the first and part of the
    accumulator in the last, so not clamped there. Layers without shifts are exact.
    """
    accumulator, value, pieces, last = Fraction(0), (u + 1) / 2, 1, len(radices) - 1
    for layer, radix in enumerate(radices):
        shift = shifts[layer] if layer < len(shifts) else [Fraction(0)] * radix
        scaled = radix * value
        linear = scaled + shift[0]
        kinks = [max(scaled - index + shift[index], Fraction(0)) for index in range(1, radix)]
        pieces *= radix
        accumulator += Fraction(4, pieces**2) * sum(kinks[::2], Fraction(0))
        carried = linear if layer in (0, last) else max(linear, Fraction(0))
        value = carried + 2 * sum((-1) ** index * kink for index, kink in enumerate(kinks, start=1))
    return 4 * (accumulator + value / Fraction(prod(radices)) ** 2) - 2 * u - 1


AFFINE = Theorem(
    id="freeze.affine",
    title="rounding a row of weights once",
    statement=(
        "A weight in float64's normal range rounded to nearest has |w - fl(w)| <= 2^-53 |w|, so a row sum_j w_j "
        "h_j + b moves by at most 2^-53 (sum_j |w_j| |h_j| + |b|). A weight float64 holds exactly adds nothing."
    ),
    hypotheses=(
        "w = 0, or 2^e <= |w| <= 2^(e+1) with -1022 <= e <= 1023 and fl(w) finite (float64's normal range)",
        "fl(w) is a nearest multiple of s = 2^(e-52) (round to nearest)",
    ),
    bound=Bound(
        sp.Rational(1, 2**53) * (a * x + b), Kind.UPPER, "abs", "one term a = |w|, x = |h| and the bias b = |b|"
    ),
    steps=(
        Smt(
            "nearest",
            "between two multiples of s the nearer one is at most s/2 away",
            (le(y, x - p * z), le(y, (p + 1) * z - x)),
            le(y, z / 2),
        ),
        Smt(
            "relative",
            "error y <= s/2 and w = x >= 2^52 s: y <= 2^-53 w",
            (le(y, z / 2), le(2**52 * z, x), lt(0, z)),
            le(2**53 * y, x),
        ),
        Smt(
            "term",
            "|(w - fl w) h| <= u |w| |h|: x the rounding, a = |w|, y = |h|",
            (le(-u * a, x), le(x, u * a), le(0, u), le(0, a), le(0, y)),
            le((x * y - u * a * y) * (x * y + u * a * y), 0),
        ),
        Smt(
            "sum",
            "terms add: one more",
            (le(x, u * a), le(-u * a, x), le(y, u * b), le(-u * b, y)),
            le(x + y, u * (a + b)),
        ),
    ),
    source="IEEE 754; Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., Theorem 2.2",
)

SQUARER = Theorem(
    id="freeze.squarer",
    title="how a squarer damps what its first layers get wrong",
    statement=(
        "Let every pre-activation X_1 - k of a squarer of u^2 on [-1, 1] (X_1 = r_1 (u+1)/2) be off by at most "
        "tau_1 and every X_2 - k by at most tau_2, each neuron in its own way. Then its output moves by at most 8 "
        "tau_1/r_1 + 8 tau_2/(r_2 r_1^2). Neither 8 can be lowered; if X_1's linear part is exact, 16 "
        "floor(r_1/2)/r_1 replaces the first. In general layer j contributes 8 tau_j/(r_j P_{j-1}^2), and the "
        "layers add."
    ),
    hypotheses=("integer inner weights, so exact", "the shifts may differ from neuron to neuron"),
    bound=Bound(SQUARER_BOUND, Kind.UPPER, "abs", "u in [-1, 1]"),
    steps=(
        Identity(
            "change",
            "kinks move, the rest answers with mean slope t: odd kinks weigh 4 - 2t, even ones 2t, the linear part t",
            4 * (x + y) + t * (z + 2 * (u + v) - 2 * (x + y)),
            (4 - 2 * t) * (x + y) + 2 * t * (u + v) + t * z,
        ),
        Smt(
            "clip",
            "relu moves no further than its argument: u = relu(x), v = relu(y)",
            (le(0, u), le(x, u), eq(u * (u - x), 0), le(0, v), le(y, v), eq(v * (v - y), 0)),
            le((u - v) ** 2, (x - y) ** 2),
        ),
        Smt("weights", "with t in [0, 2] no weight is negative", (le(0, t), le(t, 2)), le(0, (4 - 2 * t) * t)),
        Identity("even-radix", "r = 2h: h odd and h - 1 even kinks", (4 - 2 * t) * h + 2 * t * (h - 1) + t, 4 * h - t),
        Identity("odd-radix", "r = 2h + 1: h odd and h even kinks", (4 - 2 * t) * h + 2 * t * h + t, 4 * h + t),
        Smt("even-total", "at most 2r = 4h", (le(0, t),), le(4 * h - t, 2 * (2 * h))),
        Smt("odd-total", "at most 2r = 4h + 2", (le(t, 2),), le(4 * h + t, 2 * (2 * h + 1))),
        Smt(
            "first-even",
            "without the linear part, r = 2h: at most 4h",
            (le(0, t),),
            le((4 - 2 * t) * h + 2 * t * (h - 1), 4 * h),
        ),
        Identity("first-odd", "without it, r = 2h + 1: 4h whatever t is", (4 - 2 * t) * h + 2 * t * h, 4 * h),
        Identity("scale", "2r tau/(P r)^2 for x^2, four times that for u^2", 4 * (2 * r * tau / (P * r) ** 2), LAYER),
        Identity("layer-1", "P = 1", LAYER.subs(P, 1).subs(r, r1).subs(tau, tau1), FIRST_LAYER * tau1 / r1),
        Identity(
            "layer-2", "P = r_1", LAYER.subs(P, r1).subs(r, r2).subs(tau, tau2), SECOND_LAYER * tau2 / (r2 * r1**2)
        ),
    ),
    source="derived here",
    uses=("square.sensitivity",),
    formulas={"layer j": LAYER, "first layer, exact linear part": EXACT_LINEAR},
)
