"""What freezing one stage to float64 does to the entries of its products, with proof.

A stage multiplies by squares: an entry is ``U - R/2 - C/2``, sums of d_q g(form_q), d_q plus or minus B_L B_R times 1,
2 or 4 (theorems matmul.polarised and matmul.square). ``theory.freezing_budget`` evaluates these formulas for a plan.
"""

from __future__ import annotations

import sympy as sp

from theory.freezing_formulas import (
    CARRIERS,
    KINKS,
    KINKS_TWO_LAYERS,
    LAST_KINKS,
    LATER_KINKS,
    PER_SQUARE,
    ROW,
)
from theory.steps import Identity, Induction, Smt, eq, le, lt
from theory.symbols import BL, BR, E0, P, T, a, b, h, k, n, p, phi, q, r, r1, r2, t, u, v, w, x, y, z
from theory.theorem import Bound, Kind, Theorem

__all__ = ["CARRIERS", "KINKS", "KINKS_TWO_LAYERS", "LAST_KINKS", "LATER_KINKS", "PER_SQUARE", "ROW", "STAGE"]

_HALF = sp.Rational(1, 2)

_ONE_PLUS = (1 + u) ** 2
# A form is a sum of entries with positive weights up to p and negative ones up to q, p + q <= 1, at s = a - b.
_FORM = (le(0, p), le(0, q), le(p + q, 1), le(-p, a), le(a, p), le(-q, b), le(b, q), le(0, t), le(t, 2))
_READ = (1 + a - b) ** 2 + t * (a + p + b + q)

_SQUARER_STEPS = (
    Identity(
        "layer-1",
        "4 S_1 = (1 + u)^2 - 4 T_1^2/r_1^2: between (1 + u)^2 - 4/r_1^2 and (1 + u)^2",
        4 * (((u + 1) / 2) ** 2 - T**2 / r1**2),
        _ONE_PLUS - 4 * T**2 / r1**2,
    ),
    Smt(
        "row-up",
        "kinks, carriers a + p and b + q with weight sigma = t, bias |sigma (p - q) - sigma + 1|: at most 9",
        _FORM,
        le(_READ + t * (p - q) - t + 1, ROW),
    ),
    Smt("row-down", "with the bias of the other sign", _FORM, le(_READ - t * (p - q) + t - 1, ROW)),
    Smt(
        "carriers-in",
        "a carrier moves the part -2 form of the accumulator by 2 phi at most, and X_2 by r_1 r_2 phi/2",
        (le(-phi, x), le(x, phi), le(0, t), le(t, 2)),
        le(t * x, 2 * phi),
    ),
)

_COHERENT_STEPS = (
    Identity(
        "pair",
        "one relative error for all kinks of a layer (d_q are B_L B_R times powers of two): 2 - 1/2 - 1/2 squares",
        2 * (1 + (a + b) / 2) ** 2 - (1 + a) ** 2 / 2 - (1 + b) ** 2 / 2,
        (1 + a) * (1 + b),
    ),
    Smt(
        "pair-upper",
        "at most 4 + 4/r_1^2 a pair, x = 4/r_1^2 off each square",
        (le(-1, a), le(a, 1), le(-1, b), le(b, 1), le(0, x)),
        le((1 + a) * (1 + b) + x / 2 + x / 2, 4 + x),
    ),
    Identity(
        "difference",
        "a difference of two squares without shared sums: half sum and half difference, positions a and b",
        (1 + (a + b) / 2) ** 2 - (1 + (a - b) / 2) ** 2,
        b * (2 + a),
    ),
    Smt(
        "difference-size",
        "at most 3 + x, x = 4/r_1^2 off either square: within 4 + x; its carriers, 4 a term, are fewer too",
        (le(-1, a), le(a, 1), le(-1, b), le(b, 1), le(0, x)),
        le((b * (2 + a)) ** 2 + 2 * x * 3 + x**2, (4 + x) ** 2),
    ),
    Smt(
        "pair-lower",
        "and at least -2x = -8/r_1^2, x <= 1",
        (le(-1, a), le(-1, b), le(0, x), le(x, 1)),
        le(-(4 + x), (1 + a) * (1 + b) - 2 * x),
    ),
    Identity(
        "merged",
        "4, -1 and -1 squares of theorem matmul.square count as two pairs",
        4 * (1 + (x + w) / 2) ** 2 - (1 + w) ** 2 - (1 + x) ** 2,
        2 * (1 + x) * (1 + w),
    ),
    Identity(
        "two-layers-odd",
        "before the last layer odd kinks weigh 16/r_1^2 - 8/(r_1^2 r_2)",
        16 / r1**2 - 8 / (r1**2 * r2),
        (1 - 1 / (2 * r2)) * 16 / r1**2,
    ),
    Induction(
        "even-kinks",
        "even kinks of r_1 = 2h or 2h + 1 sum to at most h^2 <= r_1^2/4: 2/r_2 a square, 6/r_2 for three",
        Identity("base", "h = 0", sp.Integer(0), (h**2).subs(h, 0)),
        Identity("step", "h -> h + 1: 2h + 1 more at X = 2h + 3", h**2 + (2 * h + 1), (h + 1) ** 2),
    ),
    Identity(
        "later",
        "layer j >= 2: at most 4/P^2 of odd kinks and 4/(P^2 r_j r_m) of the chord, three squares: 15/P^2 for 2s",
        3 * (4 + sp.Integer(4) / 4) / P**2,
        15 / P**2,
    ),
    Induction(
        "later-sum",
        "P = r_1, 2 r_1, 4 r_1, ...: 15/r_1^2 (1 + 1/4 + ...) <= 20/r_1^2",
        Smt("base", "one layer", (le(x, 15 * y), le(0, y)), le(x, 20 * y - 5 * y)),
        Smt(
            "step",
            "one more: 20 y - 5 z, z the last P^-2 in units of y, then 15 z/4 more",
            (le(x, 20 * y - 5 * z), le(0, z), eq(w, z / 4)),
            le(x + 15 * w, 20 * y - 5 * w),
        ),
    ),
    Identity(
        "carriers",
        "R and C read a carrier with the weight U has, by half: -2 d alpha + d alpha",
        -2 * z + z,
        -z,
    ),
    Identity(
        "carriers-sum",
        "2 (n - 1) carriers of 2 each, the entry's own (it may merge with another part) 8 in U and 4 in R and C",
        2 * (n - 1) * 2 + 8 + 4,
        CARRIERS,
    ),
    Identity(
        "carriers-square",
        "for a square 2 (n - 2) of 2 each, the entry's own 8 + 4, x_ii and x_jj 2 each",
        2 * (n - 2) * 2 + 8 + 4 + 2 + 2,
        CARRIERS,
    ),
)

_ROW_STEPS = (
    Induction(
        "last-kinks",
        "1 + ... + (r - 1) = r (r - 1)/2 times 8/N^2",
        Identity("base", "r = 1", sp.Integer(0), (r * (r - 1) / 2).subs(r, 1)),
        Identity("step", "r -> r + 1", r * (r - 1) / 2 + r, (r + 1) * r / 2),
    ),
    Identity("last-mass", "8/N^2 r (r - 1)/2 with N = P r", 8 / (P * r) ** 2 * r * (r - 1) / 2, LAST_KINKS),
    Smt(
        "grid",
        "multiples m s of s, |m| <= 2^53, add up to multiples within the sum of their bounds",
        (le(x, u * z), le(y, v * z), le(u + v, k), lt(0, z)),
        le(x + y, k * z),
    ),
    Smt(
        "spare",
        "an accumulator kept above 2^-30 B moves by less than half of that and stays active",
        (le(y, x), lt(2 * z, y), lt(0, y)),
        lt(0, x - z),
    ),
)

STAGE = Theorem(
    id="freeze.stage",
    title="what freezing a stage does to a product's entries",
    statement=(
        "Let rows of the first layer be off by tau_1, the carriers' roundings move forms by phi, rows of the second "
        "layer be off by tau_2 (of which r_1 r_2 phi/2 is the carriers'). Then rounding every weight of the stage "
        "once to float64 moves an entry of a product by at most 3 n B_L B_R (16 floor(r_1/2) tau_1/r_1^2 + 2 phi + 8 "
        "tau_2/(r_2 r_1^2)) + 2^-53 (n B_L B_R (KINKS + LATER KINKS + 3 b) + (4n + 8) B_L B_R + E_0): b <= 3 is a "
        "squarer's bias (1 if coefficients are positive; the formula has 3), E_0 the offsets, the centring and four "
        "times the folded linear part. With one layer the second term falls to the next stage's rows, of mass 9 a "
        "square. A row whose weights are multiples of 2^e and at most 2^(53+e), but for last kinks, is off by 2^-53 "
        "times the mass of those alone."
    ),
    hypotheses=(
        "float64 rounds to nearest: relative error at most 2^-53, the same for w, -w and 2^k w (normal range)",
        "float64 holds every multiple of 2^e of absolute value at most 2^(53+e), e >= -1074",
        "accumulators have 2^-30 of their size to spare, and the bound uses up less than half of it",
    ),
    bound=Bound(
        3 * n * BL * BR * PER_SQUARE
        + sp.Rational(1, 2**53) * (BL * BR * (n * (KINKS + LATER_KINKS + 9) + CARRIERS) + E0),
        Kind.UPPER,
        "max",
        "|l_ij| <= B_L, |r_ij| <= B_R, three layers or more",
    ),
    steps=(*_SQUARER_STEPS, *_COHERENT_STEPS, *_ROW_STEPS),
    source="derived here",
    uses=("freeze.affine", "freeze.squarer", "matmul.polarised", "matmul.square"),
    formulas={
        "per square": PER_SQUARE,
        "kinks": KINKS,
        "kinks, two layers": KINKS_TWO_LAYERS,
        "later kinks": LATER_KINKS,
        "carriers": CARRIERS,
        "last kinks": LAST_KINKS,
    },
)
