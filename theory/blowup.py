"""Why inversion is hard near singular matrices: the inverse blows up, forces a Lipschitz constant, and costs bits.

K_delta = {sigma_min(A) >= delta, ||A||_F <= R}; it is not empty exactly when n delta^2 <= R^2. The witnesses are
A(t) = diag(t, delta, ..., delta), delta <= |t| <= r, r^2 = R^2 - (n-1) delta^2.
"""

from __future__ import annotations

import sympy as sp

from theory.forced_bits import InversionBlock, inversion_block
from theory.steps import Identity, Induction, Smt, le, lt
from theory.symbols import A_BLOCKS, P, R, a, b, delta, eps, eta, n, s, t, u, v, x, y, z
from theory.theorem import Bound, Kind, Theorem

__all__ = ["BITS", "BLOWUP", "LIPSCHITZ", "InversionBlock", "inversion_block"]


_A, _S, _UNIT, _ = A_BLOCKS  # any symbols that do not commute: A, S and a unit vector v
_BITS = sp.log((1 / sp.sqrt(delta) - (R**2 - (n - 1) * delta**2) ** sp.Rational(-1, 4)) / sp.sqrt(2 * eps)) / sp.log(2)

BLOWUP = Theorem(
    id="inverse.blowup",
    title="the inverse blows up like one over the distance to the singular matrices",
    statement=(
        "||A^-1||_2 >= 1/||A - S||_2 for every singular S, of any rank, with equality for a nearest one: "
        "||A^-1||_2 = 1/sigma_min(A), and the distance to the singular matrices is sigma_min(A)."
    ),
    hypotheses=("A invertible", "S singular", "delta = ||A - S||_2"),
    bound=Bound(1 / delta, Kind.TIGHT, "2", "distance delta from the singular matrices"),
    steps=(
        Identity(
            "kernel",
            "S v = 0, |v| = 1: v = A^-1 (A - S) v, since A^-1 (A - S) v + A^-1 S v = v",
            _A**-1 * (_A - _S) * _UNIT + _A**-1 * _S * _UNIT,
            _UNIT,
        ),
        Smt("lower", "1 <= ||A^-1|| ||A - S||", (lt(0, x), lt(0, y), le(1, x * y)), le(1 / y, x)),
        Identity(
            "nearest",
            "with |v| = 1, so v^T v = 1: S = A - (A v) v^T has S v = 0, and ||A - S||_2 = |A v|, at best sigma_min",
            _A * _UNIT - (_A * _UNIT) * 1,
            sp.Integer(0),
        ),
        Smt(
            "equal",
            "|A v| >= sigma |v| for all v, with equality for one, is |A^-1 y| <= |y|/sigma with equality (y = A v)",
            (le(z * y, x), lt(0, z), le(0, y)),
            le(y, x / z),
        ),
    ),
    source="classical (Eckart and Young 1936); the direct inequality for every S sharpens a constant to 1",
)

LIPSCHITZ = Theorem(
    id="inverse.lipschitz",
    title="an accurate inverse near singular matrices is steep",
    statement=(
        "Let ||g(A) - A^-1|| <= eps on K_delta in a norm with ||E_11|| = 1. Then ||g(A+) - g(A-)||/||A+ - A-|| >= "
        "1/delta^2 - eps/delta at A+- = diag(+-delta, delta, ..., delta), and at diag(+-delta, 1, ..., 1) where "
        "delta <= 1 and R^2 >= delta^2 + n - 1. Attained where g(A+-) = A+-^-1 -+ eps E_11, for eps <= 1/delta."
    ),
    hypotheses=("K_delta is not empty: n delta^2 <= R^2", "||E_11|| = 1 (fro, 1, 2, inf, max)", "n >= 1"),
    bound=Bound(1 / delta**2 - eps / delta, Kind.TIGHT, "quotient", "K_delta, n delta^2 <= R^2"),
    steps=(
        Identity("norm", "||A+-||_F^2 = n delta^2", delta**2 + (n - 1) * delta**2, n * delta**2),
        Identity("apart", "A+ - A- = 2 delta E_11", delta - (-delta), 2 * delta),
        Identity("inverses", "A+^-1 - A-^-1 = (2/delta) E_11", 1 / delta - 1 / (-delta), 2 / delta),
        Smt(
            "triangle",
            "2/delta = x <= ||g(A+) - g(A-)|| + eps + eps",
            (le(x, y + 2 * eps),),
            le(x - 2 * eps, y),
        ),
        Identity("quotient", "over 2 delta", (2 / delta - 2 * eps) / (2 * delta), 1 / delta**2 - eps / delta),
        Identity(
            "attained",
            "(1/delta - eps) - (-1/delta + eps) over 2 delta",
            ((1 / delta - eps) - (-1 / delta + eps)) / (2 * delta),
            1 / delta**2 - eps / delta,
        ),
    ),
    source="derived here",
)

# Both signs: one piece may span the gap. In units of delta it is affine, within eta = eps delta of 1/t on [1, x^2] and
# on [-y^2, -1]; it saves at most (1 - 1/x) + (1 - 1/y) of the drop that the pieces have to carry.
_FURTHER_BIT = (
    Smt(
        "span-slope",
        "a spanning piece a t + b has slope at least 1 - eta",
        (le(1 - eta, a + b), le(-a + b, -1 + eta)),
        le(1 - eta, a),
    ),
    Smt(
        "span-reach",
        "so its ends s = x^2, t = y^2 obey (s - 1/s) + (t - 1/t) <= eta (2 + s + t)",
        (le(1 - eta, a), le(1, x), le(1, y), le(a * x + b, 1 / x + eta), le(-1 / y - eta, -a * y + b)),
        le(x - 1 / x + y - 1 / y, eta * (2 + x + y)),
    ),
    Smt(
        "span-short",
        "eta <= 1/2 keeps both ends at most 4 away",
        (le(eta, sp.Rational(1, 2)), le(1, x), le(1, y), le(x - 1 / x + y - 1 / y, eta * (2 + x + y))),
        le(x, 4),
    ),
    Smt(
        "span-side",
        "10 (1 - 1/x)^2 <= x^2 - 1/x^2 for 1 <= x <= 2 (times x^2)",
        (le(1, x), le(x, 2)),
        le(10 * (x - 1) ** 2, x**4 - 1),
    ),
    Smt(
        "span-saves",
        "so the saving is at most sqrt(2 eta): x, y the two savings, u, v the s - 1/s, a, b the ends",
        (le(10 * x**2, u), le(10 * y**2, v), le(u + v, eta * (2 + a + b)), le(a, 4), le(b, 4)),
        le((x + y) ** 2, 2 * eta),
    ),
    Smt(
        "further-bit",
        "with s, t pieces on the two sides: 2 (1 - sqrt(delta/r)) <= (s + t + 1) sqrt(2 eta)",
        (le(a - z, s * v), le(b - z, t * v), le((1 - a) + (1 - b), v)),
        le(2 * (1 - z), (s + t + 1) * v),
    ),
    Smt(
        "apart",
        "without a spanning piece the two sides share none",
        (le(1 - z, s * v), le(1 - z, t * v)),
        le(2 * (1 - z), (s + t) * v),
    ),
)

BITS = Theorem(
    id="inverse.bits",
    title="bits that inversion at distance delta costs",
    statement=(
        "A ReLU network within eps of the inverse on K_delta (fro, 1, 2, inf or max-entry norm) has sum_l "
        "log2(w_l + 1) >= log2((delta^(-1/2) - r^(-1/2))/sqrt(2 eps)), r^2 = R^2 - (n-1) delta^2, already on "
        "matrices of one sign of the determinant; with both signs and eps delta <= 1/2, one bit more."
    ),
    hypotheses=("K_delta is not empty: n delta^2 <= R^2", "for the further bit: eps delta <= 1/2"),
    bound=Bound(_BITS, Kind.LOWER, "bits", "K_delta, n delta^2 <= R^2"),
    steps=(
        Identity(
            "path",
            "||diag(t, delta, ..., delta)||_F^2 is R^2 at t = r",
            (R**2 - (n - 1) * delta**2) + (n - 1) * delta**2,
            R**2,
        ),
        Identity(
            "chord",
            "on [a, b] = [x^2, y^2] the chord of 1/t at t = xy is (1/x - 1/y)^2 above 1/t",
            1 / x**2 + (x * y - x**2) * (1 / y**2 - 1 / x**2) / (y**2 - x**2) - 1 / (x * y),
            (1 / x - 1 / y) ** 2,
        ),
        Smt(
            "affine",
            "affine within u of x, y at the ends and z between (weights t, 1 - t): the chord is at most 2u above z",
            (
                le(0, t),
                le(t, 1),
                le(x - a, u),
                le(y - b, u),
                le((t * a + (1 - t) * b) - z, u),
            ),
            le(t * x + (1 - t) * y - z, 2 * u),
        ),
        Smt("root", "squared at most 2 eps = v^2, a drop is at most v", (le(0, x), le(0, v), le(x**2, v**2)), le(x, v)),
        Induction(
            "pieces",
            "drops add over P pieces: delta^(-1/2) - r^(-1/2) <= P sqrt(2 eps)",
            Smt("base", "one piece", (le(x, v),), le(x, 1 * v)),
            Smt("step", "one more", (le(x, P * v), le(y, v)), le(x + y, (P + 1) * v)),
        ),
        Smt("count", "so P >= drop/sqrt(2 eps)", (lt(0, v), le(x, P * v)), le(x / v, P)),
        *_FURTHER_BIT,
    ),
    source="derived here",
    uses=("limits.pieces",),
    formulas={
        "both signs": 1 + _BITS,
        "best affine error of 1/t on [a, b]": (1 / sp.sqrt(x) - 1 / sp.sqrt(y)) ** 2 / 2,
    },
)
