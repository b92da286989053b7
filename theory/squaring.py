"""Squaring with any radices: a composition of zigzags interpolates x^2, and its error is known exactly.

The zigzag T_r has r pieces on [0, 1]. With T_0 = x, T_j = T_{r_j}(T_{j-1}), X_j = r_j T_{j-1} and P_j = r_1 ... r_j,

    x^2 = S_j + T_j^2 / P_j^2,    S_j = S_{j-1} + (4 / P_j^2) sum_{k odd} relu(X_j - k),

so f = S_m + T_m / N^2 with N = P_m misses x^2 by (T_m - T_m^2) / N^2. All r_j = 2 is Yarotsky's network (Neural
Networks 94 (2017) 103, Proposition 2); the recursion for arbitrary radices is derived here.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod

import sympy as sp

from theory.steps import Identity, Induction, Smt, eq, le
from theory.symbols import N, P, S, T, a, b, h, k, m, p, r, s, t, tau, u, w, x, z
from theory.theorem import Bound, Kind, Theorem

__all__ = ["COUNT", "INTERPOLANT", "SENSITIVITY", "SYMMETRIC", "interpolate", "interpolate_symmetric", "zigzag"]


def zigzag(radix: int, x: Fraction) -> Fraction:
    """Return T_r(x) = r x + 2 sum_{0<k<r} (-1)^k relu(r x - k): r pieces of slope +-r, from 0 up to 1 and back.

    Outside [0, 1] the first and the last piece go on.
    """
    return radix * x + 2 * sum((-1) ** k * max(radix * x - k, Fraction(0)) for k in range(1, radix))


def interpolate(radices: Sequence[int], x: Fraction) -> Fraction:
    """Return f(x) = S_m + T_m / N^2, the interpolant of x^2 at the multiples of 1/N, N the product of the radices."""
    accumulator, value, pieces = Fraction(0), Fraction(x), 1
    for radix in radices:
        pieces *= radix
        scaled = radix * value
        accumulator += Fraction(4, pieces**2) * sum(max(scaled - odd, Fraction(0)) for odd in range(1, radix, 2))
        value = zigzag(radix, value)
    return accumulator + value / Fraction(pieces) ** 2


def interpolate_symmetric(radices: Sequence[int], u: Fraction, *, centred: bool = False) -> Fraction:
    """Return g(u) = 4 f((u+1)/2) - 2u - 1, which approximates u^2 on [-1, 1]; centred: minus half its largest error."""
    value = 4 * interpolate(radices, (u + 1) / 2) - 2 * u - 1
    return value - Fraction(1, 2 * prod(radices) ** 2) if centred else value


# The zigzag as its neurons write it, on the pieces p = 2h and p = 2h - 1: both are +-(r x - 2h).
_PAIRS = Induction(
    "zigzag-pairs",
    "sum_{k=1}^{2h} (-1)^k (r x - k) = -h: the active neurons of T_r cancel in pairs",
    Identity("base", "h = 0", sp.Integer(0), -h.subs(h, 0)),
    Identity("step", "h -> h + 1", -h - (r * x - (2 * h + 1)) + (r * x - (2 * h + 2)), -(h + 1)),
)
_EVEN = Identity("zigzag-even", "T_r(x) = r x - 2h on piece p = 2h", r * x + 2 * (-h), r * x - 2 * h)
_ODD = Identity(
    "zigzag-odd",
    "T_r(x) = 2h - r x on piece p = 2h - 1",
    r * x + 2 * (-(h - 1) - (r * x - (2 * h - 1))),
    2 * h - r * x,
)
_ACTIVE = Smt(
    "active", "on piece p, p <= r x <= p+1, a kink k <= p is active", (le(p, r * x), le(k, p)), le(0, r * x - k)
)
_SILENT = Smt("silent", "and a kink k >= p+1 is silent", (le(r * x, p + 1), le(p + 1, k)), le(r * x - k, 0))
_KINKS = Induction(
    "odd-kinks",
    "sum_{k = 1, 3, ..., 2h-1} (r x - k) = h r x - h^2",
    Identity("base", "h = 0", sp.Integer(0), (h * r * x - h**2).subs(h, 0)),
    Identity("step", "h -> h + 1", h * r * x - h**2 + r * x - (2 * h + 1), (h + 1) * r * x - (h + 1) ** 2),
)
_SPLIT = Induction(
    "split",
    "x^2 = S_j + T_j^2 / P_j^2 for every j and all radices (piece 2h or 2h - 1 of the next zigzag)",
    Identity("base", "S_0 = 0, T_0 = x, P_0 = 1", x**2, 0 + x**2 / sp.Integer(1)),
    Identity(
        "step",
        "S_{j+1} + T_{j+1}^2 / P_{j+1}^2 = S_j + T_j^2 / P_j^2",
        S + 4 * (h * r * T - h**2) / (P * r) ** 2 + (r * T - 2 * h) ** 2 / (P * r) ** 2,
        S + T**2 / P**2,
    ),
)
_FIRST_PIECE = Induction(
    "first-piece",
    "T_j(x) = P_j x while P_j x <= 1, so T_m = 1/2 at x = 1/(2N)",
    Identity("base", "T_0 = x, P_0 = 1", x, 1 * x),
    Smt(
        "step",
        "P r x <= 1 keeps P x on the next zigzag's first piece",
        (le(P * r * x, 1), le(0, x)),
        le(r * (P * x), 1),
    ),
)
_COMPOSITION = (
    # On piece i of T_P (i = 2s or 2s + 1, so T_P is P x - 2s or 2s + 2 - P x) and piece p of T_r, T_{rP} is on piece
    # r i + p, or r (i+1) - p - 1 where T_P falls: its value +-(r P x - 2 ceil(piece / 2)), parity as i is even or odd.
    Identity(
        "compose-up-up",
        "i, p even: piece 2rs + 2h",
        r * (P * x - 2 * s) - 2 * h,
        r * P * x - (2 * r * s + 2 * h),
    ),
    Identity(
        "compose-up-down",
        "i even, p = 2h - 1: piece 2rs + 2h - 1",
        2 * h - r * (P * x - 2 * s),
        (2 * r * s + 2 * h) - r * P * x,
    ),
    Identity(
        "compose-down-up",
        "i odd, p = 2h: piece r(2s+2) - 2h - 1, odd",
        r * (2 * s + 2 - P * x) - 2 * h,
        (r * (2 * s + 2) - 2 * h) - r * P * x,
    ),
    Identity(
        "compose-down-down",
        "i odd, p = 2h - 1: piece r(2s+2) - 2h, even",
        2 * h - r * (2 * s + 2 - P * x),
        r * P * x - (r * (2 * s + 2) - 2 * h),
    ),
)

INTERPOLANT = Theorem(
    id="square.interpolant",
    title="x^2 on [0, 1] by composed zigzags of any radices",
    statement=(
        "For radices r_1, ..., r_m with product N, the network f = S_m + T_m/N^2 interpolates x^2 at the N+1 "
        "points k/N, is affine between them, and 0 <= f(x) - x^2 <= 1/(4 N^2) on [0, 1]; the bound is attained at "
        "the midpoint of every piece, as at x = 1/(2N)."
    ),
    hypotheses=("r_j >= 1 integers", "0 <= x <= 1", "exact real arithmetic"),
    bound=Bound(1 / (4 * N**2), Kind.TIGHT, "abs", "x in [0, 1]"),
    steps=(
        _ACTIVE,
        _SILENT,
        _PAIRS,
        _EVEN,
        _ODD,
        _KINKS,
        _SPLIT,
        Smt(
            "range",
            "0 <= T_r <= 1 on every piece",
            (le(p, r * x), le(r * x, p + 1)),
            le(0, (r * x - p) * (p + 1 - r * x)),
        ),
        Identity("error", "f - x^2 = (T_m - T_m^2)/N^2", (S + T / N**2) - (S + T**2 / N**2), (T - T**2) / N**2),
        Smt("one-sided", "T - T^2 >= 0 on [0, 1]", (le(0, T), le(T, 1)), le(0, T - T**2)),
        Smt("ceiling", "T - T^2 <= 1/4", (), le(T - T**2, sp.Rational(1, 4))),
        Identity("attained", "T - T^2 = 1/4 at T = 1/2", (T - T**2).subs(T, sp.Rational(1, 2)), sp.Rational(1, 4)),
        _FIRST_PIECE,
        *_COMPOSITION,
    ),
    source="derived here; r_j = 2: Yarotsky, Neural Networks 94 (2017), Proposition 2",
    formulas={"error": (T - T**2) / N**2, "accumulator": S + 4 * (h * r * T - h**2) / (P * r) ** 2},
)

SYMMETRIC = Theorem(
    id="square.symmetric",
    title="u^2 on [-1, 1], even, through z = (u+1)/2",
    statement=(
        "g(u) = 4 f((u+1)/2) - 2u - 1 is even and 0 <= g(u) - u^2 <= 1/N^2 on [-1, 1], both ends attained; with "
        "the bias -1/(2 N^2) the error is within +-1/(2 N^2)."
    ),
    hypotheses=("those of square.interpolant", "-1 <= u <= 1"),
    bound=Bound(1 / N**2, Kind.TIGHT, "abs", "u in [-1, 1]"),
    steps=(
        Identity("substitution", "u^2 = 4 z^2 - 2u - 1 at z = (u+1)/2", 4 * ((u + 1) / 2) ** 2 - 2 * u - 1, u**2),
        Smt("domain", "z is in [0, 1]", (le(-1, u), le(u, 1)), le(0, (u + 1) / 2 * (1 - (u + 1) / 2))),
        Identity("scale", "4 times the error of f", 4 * (1 / (4 * N**2)), 1 / N**2),
        Identity(
            "mirror",
            "N(1 - z) on piece N - 1 - p is 1 - (N z - p): T_N(1 - z) is T_N(z) or 1 - T_N(z)",
            N * (1 - z) - (N - 1 - p),
            1 - (N * z - p),
        ),
        Identity("even", "T - T^2 is the same at T and 1 - T", (1 - T) - (1 - T) ** 2, T - T**2),
        Identity("centred", "[0, 1/N^2] less 1/(2N^2) ends at 1/(2N^2)", 1 / N**2 - 1 / (2 * N**2), 1 / (2 * N**2)),
    ),
    source="derived here",
    uses=("square.interpolant",),
    formulas={"centred": 1 / (2 * N**2)},
)

COUNT = Theorem(
    id="square.count",
    title="neurons of a squarer, and the most pieces at a cap",
    statement=(
        "Beside carried inputs and one shared accumulator, a squarer with radices r_1, ..., r_m takes m hidden "
        "layers of r_1 - 1, r_2, ..., r_{m-1}, r_m - 1 neurons (r_1 - 1 for m = 1). With at most w neurons a "
        "layer the largest N is (w+1)^2 w^(m-2) for m >= 2, and w + 1 for m = 1."
    ),
    hypotheses=("w >= 1", "m >= 2 for the formula"),
    bound=Bound((w + 1) ** 2 * w ** (m - 2), Kind.TIGHT, "pieces", "at most w neurons a squarer a layer, m >= 2"),
    steps=(
        Identity(
            "last-odd",
            "in f an odd kink of the last zigzag weighs 2/N^2: 4/N^2 from S_m, -2/N^2 from T_m",
            4 / N**2 - 2 / N**2,
            2 / N**2,
        ),
        Identity("last-even", "so does an even one: nothing from S_m, +2/N^2 from T_m", 0 + 2 / N**2, 2 / N**2),
        Identity(
            "last-linear",
            "so f = S_{m-1} + X_m/N^2 + (2/N^2) sum_k relu(X_m - k): the linear part joins the accumulator",
            (S + 4 * a / N**2) + (x - 2 * a + 2 * b) / N**2,
            S + x / N**2 + 2 * (a + b) / N**2,
        ),
        Smt(
            "ends",
            "r_1 - 1 <= w and r_m - 1 <= w give r_1 r_m <= (w+1)^2",
            (le(r - 1, w), le(k - 1, w)),
            le(r * k, (w + 1) ** 2),
        ),
        Induction(
            "middle",
            "r_j <= w gives r_2 ... r_{m-1} <= w^(m-2), with equality for r_j = w",
            Identity("base", "no middle layer", sp.Integer(1), w ** (m - 2).subs(m, 2)),
            Smt("step", "P <= Q and r <= w give P r <= Q w", (le(P, N), le(r, w)), le(P * r, N * w)),
        ),
    ),
    source="derived here",
    uses=("square.interpolant",),
    formulas={"first layer": r - 1, "middle layer": r, "last layer": r - 1, "one layer": w + 1},
)

_SLOPE = t  # the slope of what follows, in [0, 2] by induction

SENSITIVITY = Theorem(
    id="square.sensitivity",
    title="an error inside a squarer is damped",
    statement=(
        "With S_j fixed the squarer's output is S_j + P_j^{-2} G(T_j), every slope of G on the real line in [0, "
        "2], so an error tau in T_j moves the output by at most 2 tau / P_j^2, also past the ends of [0, 1]. "
        "Attained from T_j = 1 upwards where r_{j+1} is even and the layer after it carries relu(X); inside [0, "
        "1] the last slope is 2 - P_j/N."
    ),
    hypotheses=("those of square.interpolant", "tau >= 0"),
    bound=Bound(2 * tau / P**2, Kind.TIGHT, "abs", "T_j anywhere on the real line"),
    steps=(
        Identity(
            "recursion",
            "G(T) = (4/r^2) sum_{k odd} relu(rT - k) + G'(T_r(T))/r^2 has slope (4h + t)/r where T_r rises",
            (4 / r**2) * h * r + (1 / r**2) * _SLOPE * r,
            (4 * h + _SLOPE) / r,
        ),
        Induction(
            "rising",
            "slopes in [0, 2] on rising pieces p = 2h <= r - 1 (the first goes on to the left, the last to the right)",
            Smt("base", "no layer follows: G(T) = T", (eq(t, 1),), le(0, t * (2 - t))),
            Smt(
                "step",
                "0 <= (4h + t)/r <= 2",
                (le(0, t), le(t, 2), le(2 * h, r - 1)),
                le(0, (4 * h + t) * (2 * r - 4 * h - t)),
            ),
        ),
        Induction(
            "falling",
            "slopes in [0, 2] on falling pieces p = 2h - 1 <= r - 1, h >= 1",
            Smt("base", "no layer follows: G(T) = T", (eq(t, 1),), le(0, t * (2 - t))),
            Smt(
                "step",
                "0 <= (4h - t)/r <= 2",
                (le(0, t), le(t, 2), le(1, h), le(2 * h, r)),
                le(0, (4 * h - t) * (2 * r - 4 * h + t)),
            ),
        ),
        Identity(
            "last-cell",
            "the interpolant's last cell of K has slope 2 - 1/K",
            N * (1 - ((N - 1) / N) ** 2),
            2 - 1 / N,
        ),
        Identity(
            "attained",
            "past 1 with r = 2k even and a clamped rest (t = 0) the slope is 2",
            (4 * k - 0) / (2 * k),
            sp.Integer(2),
        ),
    ),
    source="derived here",
    uses=("square.interpolant",),
    formulas={"last slope": 2 - P / N},
)
