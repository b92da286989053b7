"""How small a network can be: along a line it has few pieces, and few pieces approximate x^2 and e^A badly.

bits = sum_l log2(w_l + 1) over the hidden layers: 2^bits bounds the pieces of a ReLU network along any line.
"""

from __future__ import annotations

import sympy as sp

from theory.forced_bits import lower_bound_bits
from theory.steps import Identity, Induction, Smt, eq, le, lt
from theory.symbols import M, N, P, R, a, b, eps, k, m, n, t, theta, u, v, w, x, y, z
from theory.theorem import Bound, Kind, Theorem

__all__ = ["EXPM", "PIECES", "SQUARE", "lower_bound_bits"]

_HALF = sp.Rational(1, 2)
_LOG2 = sp.log(2)


PIECES = Theorem(
    id="limits.pieces",
    title="pieces of a ReLU network along a line",
    statement=(
        "Along a segment, every output of a ReLU network with hidden layers of w_1, ..., w_m neurons is "
        "continuous and affine on the cells of one partition into at most (w_1 + 1) ... (w_m + 1) intervals. (The "
        "formula is for equal widths w.)"
    ),
    hypotheses=("no skip connections", "activation relu"),
    bound=Bound((w + 1) ** m, Kind.UPPER, "pieces", "any segment in the input space"),
    steps=(
        Smt(
            "one-zero",
            "where a pre-activation is affine and not constant it vanishes once: relu adds at most one breakpoint",
            (eq(a * x + b, 0), eq(a * y + b, 0), lt(x, y)),
            eq(a, 0),
        ),
        Induction(
            "layers",
            "each of P intervals is split by w neurons, a breakpoint each, into at most w + 1: the counts multiply",
            Identity("base", "before the first layer", (w + 1) ** 0, sp.Integer(1)),
            Identity("step", "P intervals, P w new points", P + P * w, P * (w + 1)),
        ),
    ),
    source="folklore (Montufar et al., NeurIPS 2014; Telgarsky, COLT 2016); proof here",
)

SQUARE = Theorem(
    id="limits.square",
    title="no network squares better than its pieces allow",
    statement=(
        "A continuous piecewise affine function with N pieces misses x^2 on [0, 1] by at least 1/(8 N^2), and the "
        "interpolant at k/N less 1/(8 N^2) attains it; so a ReLU network has error at least (1/8) prod_l (w_l + "
        "1)^-2."
    ),
    hypotheses=("N = prod_l (w_l + 1) for a network",),
    bound=Bound(1 / (8 * N**2), Kind.LOWER, "abs", "x in [0, 1]"),
    steps=(
        Smt(
            "second-difference",
            "affine within E of x^2 at x - t, x and x + t: t^2 <= 2E",
            (
                le(a * (x - t) + b - (x - t) ** 2, z),
                le((x - t) ** 2 - a * (x - t) - b, z),
                le(a * x + b - x**2, z),
                le(x**2 - a * x - b, z),
                le(a * (x + t) + b - (x + t) ** 2, z),
                le((x + t) ** 2 - a * (x + t) - b, z),
            ),
            le(t**2, 2 * z),
        ),
        Identity("length", "a piece of length 2t has E >= t^2/2 = (2t)^2/8", t**2 / 2, (2 * t) ** 2 / 8),
        Identity("pigeonhole", "N pieces of length below 1/N do not cover [0, 1]", N * (1 / N), sp.Integer(1)),
        Identity("longest", "so one has length 1/N or more", (1 / N) ** 2 / 8, 1 / (8 * N**2)),
        Identity("attained", "error [0, 1/(4N^2)] (square.interpolant), centred", 1 / (4 * N**2) / 2, 1 / (8 * N**2)),
    ),
    source="derived here",
    uses=("limits.pieces", "square.interpolant"),
)

_EXPM_STEPS = (
    Identity(
        "exponential",
        "e^{tJ} = I + ((e^{nt} - 1)/n) J for the matrix J of ones, J^2 = nJ: both solve Y' = JY, Y(0) = I",
        sp.diff((sp.exp(n * t) - 1) / n, t),
        1 + n * ((sp.exp(n * t) - 1) / n),
    ),
    Identity(
        "test",
        "the sum of its n^2 entries over n is e^{nt}",
        (n + n**2 * (sp.exp(n * t) - 1) / n) / n,
        sp.exp(n * t),
    ),
    Induction(
        "fro",
        "(sum over entries / n)^2 <= ||E||_F^2 (Cauchy-Schwarz): (x_1 + ... + x_k)^2 <= k (x_1^2 + ... + x_k^2)",
        Identity("base", "one entry", x**2, 1 * x**2),
        Smt("step", "one more", (le(x**2, k * y),), le((x + z) ** 2, (k + 1) * (y + z**2))),
    ),
    Identity("two", "J/n = q q^T with |q| = 1, and |q^T E q| <= ||E||_2", n * (1 / sp.sqrt(n)) ** 2, sp.Integer(1)),
    Identity("inf", "the mean of n row sums is at most the largest, also in absolute value", n * x / n, x),
    Identity("max", "n^2 entries of at most eps over n: n eps", n**2 * eps / n, n * eps),
    Identity(
        "midpoint",
        "on a piece [c, c+h], q = e^{h/2}: the chord is (q - 1)^2/2 e^c above e^s in the middle",
        (1 + x**2) / 2 - x,
        (x - 1) ** 2 / 2,
    ),
    Smt(
        "affine",
        "affine within E of values x, y, z at the ends and the middle (a - b, a + b, a): (x + z)/2 - y <= 2E",
        (le(a - b - x, u), le(x - a + b, u), le(a - y, u), le(y - a, u), le(a + b - z, u), le(z - a - b, u)),
        le((x + z) / 2 - y, 2 * u),
    ),
    Smt(
        "root",
        "e^c (q - 1)^2/2 <= 2 eps with e^c = y^2, eps = v^2: 2 e^{c/2} (q - 1) <= 4 sqrt(eps)",
        (lt(0, y), le(1, x), le(0, v), le(y**2 * (x - 1) ** 2 / 2, 2 * v**2)),
        le(2 * y * (x - 1), 4 * v),
    ),
    Identity("integrand", "2 e^{s/2} is a primitive of e^{s/2}", sp.diff(2 * sp.exp(t / 2), t), sp.exp(t / 2)),
    Identity(
        "integral",
        "integral of e^{s/2} over [-theta, theta] is 4 sinh(theta/2)",
        2 * sp.exp(theta / 2) - 2 * sp.exp(-theta / 2),
        4 * (sp.exp(theta / 2) - sp.exp(-theta / 2)) / 2,
    ),
    Induction(
        "pieces",
        "P pieces carry at most 4 P sqrt(eps) of the integral",
        Smt("base", "one piece", (le(x, 4 * v),), le(x, 1 * 4 * v)),
        Smt("step", "one more", (le(x, 4 * P * v), le(y, 4 * v)), le(x + y, 4 * (P + 1) * v)),
    ),
    Smt("count", "so P >= sinh(theta/2)/sqrt(eps)", (lt(0, v), le(4 * x, 4 * P * v)), le(x / v, P)),
    Identity(
        "ball",
        "on ||A||_2 <= R: A = tJ/n has norm |t|, and the mean of row sums is e^t; A = t E_11 has e^t in one entry",
        (n + n**2 * (sp.exp(t) - 1) / n) / n,
        sp.exp(t),
    ),
)

EXPM = Theorem(
    id="limits.expm",
    title="a lower bound for every ReLU network that computes e^A",
    statement=(
        "On the box |a_ij| <= M an absolute error eps in Frobenius, 2- or inf-norm forces sum_l log2(w_l + 1) >= "
        "log2 sinh(nM/2) + log2(1/eps)/2; in max-entry norm with n eps in place of eps. On the ball ||A||_2 <= R "
        "the same holds with R in place of nM, and with eps itself also in max-entry norm."
    ),
    hypotheses=("a ReLU network with hidden widths w_l", "error at most eps on the whole domain"),
    bound=Bound(
        sp.log(sp.sinh(n * M / 2)) / _LOG2 + sp.log(1 / eps) / (2 * _LOG2),
        Kind.LOWER,
        "bits",
        "|a_ij| <= M; fro, 2, inf",
    ),
    steps=_EXPM_STEPS,
    source="derived here",
    uses=("limits.pieces",),
    formulas={
        "max-entry": sp.log(sp.sinh(n * M / 2)) / _LOG2 + sp.log(1 / (n * eps)) / (2 * _LOG2),
        "ball": sp.log(sp.sinh(R / 2)) / _LOG2 + sp.log(1 / eps) / (2 * _LOG2),
        "gap on a piece": (sp.exp(x / 2) - 1) ** 2 / 2,
    },
)
