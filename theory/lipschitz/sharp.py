"""Sharper than the paper: which constants, sets and thresholds are the right ones. All of this is derived here.

B = [[b, r], [c, M]] with a scalar b; z = b - r M^-1 c is the Schur complement, and (B^-1)_11 = 1/z.
"""

from __future__ import annotations

import sympy as sp

from theory.lipschitz.common_steps import LARGE_POWER
from theory.steps import Cited, Identity, Smt, le, lt
from theory.symbols import A_BLOCKS, B_BLOCKS, Gg, a, b, delta, gap, lam, n, rho, tau, u, v, w, x, y, z
from theory.theorem import Bound, Kind, Theorem

__all__ = ["LEMMA_36_SHARP", "MAX_NORM", "THEOREM_37_SHARP", "THEOREM_38_SHARP", "THEOREM_39_SHARP", "ball_volume"]

_HERE = "derived here; sharpens Ji, Wu and Xi, arXiv 2506.00642, "
_A, _S, _V, _U = A_BLOCKS  # symbols that do not commute: here A, S, and vectors v and u
_B, _R, _C, _M = B_BLOCKS  # and here the blocks b, r, c, M


def ball_volume(dimension: sp.Expr) -> sp.Expr:
    """Return the volume of the unit ball, pi^(d/2)/Gamma(d/2 + 1), as an expression."""
    return sp.pi ** (dimension / 2) / sp.gamma(dimension / 2 + 1)


LEMMA_36_SHARP = Theorem(
    id="inversion.lemma-3.6.sharp",
    title="||A^-1||_2 is one over the distance to the singular matrices, of any rank",
    statement=(
        "||A^-1||_2 >= 1/||A - S||_2 for every invertible A and every singular S, of any rank and at any "
        "distance: the "
        "paper's C is 1, its delta infinite, its rank n - 1 not needed. Equality holds at a nearest S, which differs "
        "from A by rank 1; so ||A^-1||_2 = 1/dist, in the 2-norm and in the Frobenius norm alike. In max-entry norm "
        "||A^-1||_max >= 1/(n ||A - S||_2)."
    ),
    hypotheses=("A invertible", "S singular"),
    bound=Bound(1 / gap, Kind.TIGHT, "2", "d = ||A - S||_2; equality at a nearest singular S"),
    steps=(
        Identity(
            "kernel",
            "S v = 0, |v| = 1: v = A^-1 (A - S) v",
            _A**-1 * (_A - _S) * _V + _A**-1 * _S * _V,
            _V,
        ),
        Smt("lower", "1 = |v| <= ||A^-1|| d", (lt(0, gap), le(0, x), le(1, x * gap)), le(1 / gap, x)),
        Identity(
            "nearest",
            "A v = sigma u with |u| = |v| = 1, v^T v = 1: (A - sigma u v^T) v = 0, and sigma u v^T has rank 1",
            lam * _U - lam * _U * 1,
            sp.Integer(0),
        ),
        Identity("one-norm", "a rank-1 matrix has equal 2- and Frobenius norms: |u| |v|", (u**2 * v**2), (u * v) ** 2),
        Smt(
            "max-entry",
            "||A^-1||_2^2 <= ||A^-1||_F^2 <= n^2 ||A^-1||_max^2 (u the largest entry)",
            (le(0, x), le(0, u), le(x**2, n**2 * u**2)),
            le(x, n * u),
        ),
    ),
    source=_HERE + "Lemma 3.6 (A.5); classical for the nearest S (Eckart and Young 1936)",
    uses=("inverse.blowup",),
)

MAX_NORM = Theorem(
    id="inversion.lemma-3.6.max-norm",
    title="in max-entry norm the distance to the singular matrices is 1/||A^-1||_{inf->1}",
    statement=(
        "min ||A - S||_max over singular S is 1/||A^-1||_{inf->1}, ||X||_{inf->1} = max ||X w||_1 over sign "
        "vectors w. "
        "With w the best sign vector and y = A^-1 w, S = A - w sign(y)^T/||y||_1 is a nearest one."
    ),
    hypotheses=("A invertible",),
    bound=Bound(1 / x, Kind.TIGHT, "max", "x = ||A^-1||_{inf->1}"),
    steps=(
        Identity(
            "kernel",
            "S v = 0, ||v||_1 = 1: v = A^-1 (A - S) v",
            _A**-1 * (_A - _S) * _V + _A**-1 * _S * _V,
            _V,
        ),
        Smt("hoelder", "|sum e_j v_j| <= d sum |v_j|, one entry more (v the entry's size)",
            (le(x, gap * y), le(a, gap), le(-a, gap), le(0, v)), le(x + a * v, gap * (y + v))),
        Smt("lower", "1 = ||v||_1 <= ||A^-1||_{inf->1} d", (lt(0, gap), lt(0, x), le(1, x * gap)), le(1 / x, gap)),
        Identity("singular", "(A - w s^T/l) y = w - w (s^T y)/l = 0, where A y = w and s^T y = ||y||_1 = l",
                 _V - _V * (lam / lam), sp.Integer(0)),
        Identity("size", "each entry of w s^T/l is +-1/l", (1 / lam) ** 2, ((-1) * 1 / lam) ** 2),
        Smt("signs", "a convex function on a cube is largest at a corner: between u and v it is at most their mean",
            (le(0, w), le(w, 1), le(x, w * u + (1 - w) * v), le(u, z), le(v, z)), le(x, z)),
    ),
    source=_HERE + "Lemma 3.6; the principle is Kahan's and Gastinel's (Kahan, Canad. Math. Bull. 9 (1966) 757)",
)  # fmt: skip

_SCHUR = (
    Identity(
        "schur-top",
        "B (1, -M^-1 c) has first entry b 1 + r (-M^-1 c) = z",
        _B * 1 + _R * (-(_M**-1) * _C),
        _B - _R * _M**-1 * _C,
    ),
    Identity(
        "schur-rest",
        "and the others c 1 + M (-M^-1 c) = 0: so B^-1 e_1 = (1, -M^-1 c)/z",
        _C * 1 + _M * (-(_M**-1) * _C),
        sp.Integer(0),
    ),
    Identity("entry", "(B^-1)_11 = 1/z and z (1/z) = 1", tau * (1 / tau), sp.Integer(1)),
)
_EXCEEDS = Smt(
    "exceeds",
    "0 < |z| < tau (u = |z|), tau (E + G) <= 1 with E = rho: |1/z - g_11| >= 1/|z| - G > E",
    (lt(0, u), lt(u, tau), le(tau * (rho + Gg), 1)),
    lt(rho, 1 / u - Gg),
)

THEOREM_37_SHARP = Theorem(
    id="inversion.theorem-3.7.sharp",
    title="an explicit matrix where a certified map misses the inverse by more than E",
    statement=(
        "||g|| <= G on the ball ||A||_F <= R. At A = diag(z, m, ..., m), m = R/n, 0 < z < min(1/(E + G), "
        "m/4), which lies "
        "in the ball, entry (1, 1) of g(A) misses that of A^-1 by more than E."
    ),
    hypotheses=("g certified, G = its bound on the ball", "E, R > 0", "n >= 2 (n = 1: A = z)"),
    bound=Bound(1 / tau - Gg, Kind.LOWER, "max", "A = diag(tau, m, ..., m)"),
    steps=(
        Smt(
            "fits",
            "z^2 + (n - 1) m^2 <= n^2 m^2 = R^2",
            (le(2, n), le(0, u), le(4 * u, rho)),
            le(u**2 + (n - 1) * rho**2, n**2 * rho**2),
        ),
        *_SCHUR,
        _EXCEEDS,
    ),
    source=_HERE + "Theorem 3.7",
    uses=("lipschitz.bounded",),
)

_SIDE = rho / 4
_MEASURE = 2 * tau * ball_volume((n - 1) ** 2) * _SIDE ** ((n - 1) ** 2) * (ball_volume(n - 1) * _SIDE ** (n - 1)) ** 2

THEOREM_38_SHARP = Theorem(
    id="inversion.theorem-3.8.sharp",
    title="a set whose measure is proportional to 1/(E + G), and a ball, on which the error exceeds E",
    statement=(
        "||g|| <= G on ||A||_F <= R, m = R/n, tau <= min(1/(E + G), m/4), n >= 2. Every B = [[b, r], [c, M]] "
        "with ||M - m "
        "I||_F, |r|, |c| <= m/4 and 0 < |b - r M^-1 c| < tau is invertible, lies in the ball, and ||g(B) - "
        "B^-1||_max > E. "
        "The set has measure 2 tau V, V = omega_{(n-1)^2} (m/4)^{(n-1)^2} (omega_{n-1} (m/4)^{n-1})^2. It "
        "contains the "
        "Frobenius ball of radius tau/4 around diag(tau/2, m, ..., m)."
    ),
    hypotheses=("g certified, G = its bound on the ball", "E, R > 0", "n >= 2"),
    bound=Bound(_MEASURE, Kind.LOWER, "measure", "rho = m = R/n; measure of a set with error above E"),
    steps=(
        Smt(
            "block",
            "|M v| >= m - m/4, so ||M^-1|| <= 4/(3m)",
            (le(rho - rho / 4, x), le(x * y, 1), le(0, y)),
            le(3 * rho * y, 4),
        ),
        Identity("shift", "|r M^-1 c| <= (m/4)^2 4/(3m) = m/12", (rho / 4) ** 2 * 4 / (3 * rho), rho / 12),
        Identity("corner", "|b| <= tau + m/12 <= m/4 + m/12 = m/3", rho / 4 + rho / 12, rho / 3),
        Smt(
            "fits",
            "with w = sqrt(n - 1) >= 1: (w + 1/4)^2 + 2/16 + 1/9 <= (w^2 + 1)^2 = n^2",
            (le(1, w),),
            le((w + sp.Rational(1, 4)) ** 2 + sp.Rational(2, 16) + sp.Rational(1, 9), (w**2 + 1) ** 2),
        ),
        *_SCHUR,
        _EXCEEDS,
        Identity(
            "interval",
            "for fixed M, r, c the entry b runs through an interval of length 2 tau",
            (x + tau) - (x - tau),
            2 * tau,
        ),
        Smt(
            "ball",
            "|b - tau/2| <= tau/4 and |r M^-1 c| <= (tau/4)^2/(m - tau/4) keep 0 < z < tau (u that last bound)",
            (le(4 * tau, rho), le(u * (rho - tau / 4), tau**2 / 16), le(x, tau / 4 + u), le(-x, tau / 4 + u), le(0, u)),
            lt(0, (x + tau / 2) * (tau - (x + tau / 2))),
        ),
    ),
    source=_HERE + "Theorem 3.8",
    uses=("lipschitz.bounded",),
)

THEOREM_39_SHARP = Theorem(
    id="inversion.theorem-3.9.sharp",
    title="every moment of order k >= 1 is infinite, for every n",
    statement=(
        "A distribution of n x n matrices with a density bounded below on a ball around some singular "
        "matrix, of any rank; "
        "g measurable and bounded on that ball: E||g(A) - A^-1||^k = infinity for every k >= 1. The singular "
        "matrices have "
        "codimension 1, so the threshold is 1 and not n^2. Below 1 the moments are finite (inversion.moments.finite)."
    ),
    hypotheses=("density >= some d_0 > 0 on a ball around a singular S", "g bounded on that ball", "k >= 1"),
    bound=Bound(sp.log(delta / tau), Kind.LOWER, "moment", "k = 1, tau < |z| < delta, times a positive constant"),
    steps=(
        Smt(
            "rank",
            "S = sum sigma_i u_i v_i^T: raising all zero sigma_i but one to e moves S by e per direction and "
            "leaves rank n-1",
            (le(0, x), le(0, y), le(x**2, n * y**2)),
            le(x, n * y),
        ),
        Cited(
            "coordinates",
            "orthogonal U, V with U^T S V = diag(0, M_0), M_0 invertible; A -> U^T A V keeps norms and "
            "Lebesgue measure",
            "Golub and Van Loan, Matrix Computations, 4th ed., section 2.4 (singular value decomposition)",
        ),
        *_SCHUR,
        Smt(
            "half",
            "1/|z| - G >= 1/(2|z|) for |z| <= 1/(2G) (u = |z|)",
            (lt(0, u), le(2 * Gg * u, 1)),
            le(1 / (2 * u), 1 / u - Gg),
        ),
        LARGE_POWER,
        Identity(
            "shear",
            "z = b - r M^-1 c at fixed M, r, c: dz = db, so the measure is dz dM dr dc",
            sp.diff(x - y * z, x),
            sp.Integer(1),
        ),
        Identity("primitive", "the integral of 1/z over tau < z < delta", sp.diff(sp.log(tau), tau), 1 / tau),
        Identity(
            "unbounded", "log(delta/tau) is any number b at tau = delta e^-b", sp.log(delta / (delta * sp.exp(-b))), b
        ),
    ),
    source=_HERE + "Theorem 3.9 and Theorem A.6",
)
