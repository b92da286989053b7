"""Theorems behind polynomials for analytic functions of a matrix: tails, removable singularities."""

from __future__ import annotations

import sympy as sp

from theory.steps import Cited, Identity, Induction, Smt, eq, le, lt
from theory.symbols import M, R, a, b, j, k, q, rho, s, t, theta, u, v, x, y, z
from theory.theorem import Bound, Kind, Theorem

__all__ = ["CAUCHY", "CAUCHY_TAIL", "EXPLICIT", "EXPLICIT_TAIL", "REMOVABLE"]

#: Cauchy's tail after degree q, from |f| <= M on |z - c| <= rho.
CAUCHY_TAIL = M * (R / rho) ** (q + 1) / (1 - R / rho)
#: A series that starts with a term of size M and whose terms fall by the factor theta < 1 at least.
EXPLICIT_TAIL = M / (1 - theta)

_TERM = M / rho ** (q + 1) * R ** (q + 1)
_BETA = sp.factorial(k - 1) * sp.factorial(j) / sp.factorial(k + j)

CAUCHY = Theorem(
    id="analytic.cauchy-tail",
    title="the tail of an analytic function's series, of any matrix in a ball",
    statement=(
        "Let f be analytic with |f| <= M on |z - c| <= rho, c_k its Taylor coefficients at c, and ||A - cI|| <= R < "
        "rho in a submultiplicative norm with ||I|| = 1. Then ||f(A) - sum_{k<=K} c_k (A - cI)^k|| <= M "
        "(R/rho)^(K+1)/(1 - R/rho), whether A is normal or not. Stopping at q <= K adds at most sum_{q<k<=K} |c_k| "
        "R^k, and coefficients d_k in place of c_k add at most sum_{k<=q} |d_k - c_k| R^k."
    ),
    hypotheses=(
        "f is analytic on the closed disc |z - c| <= rho; covering it by boxes proves that",
        "M bounds |f| on the circle, and so on the disc",
        "the norm is submultiplicative with ||I|| = 1: the 2-, infinity- and 1-norm; not max-entry, not Frobenius",
    ),
    bound=Bound(CAUCHY_TAIL, Kind.UPPER, "2 or inf", "||A - cI|| <= R < rho"),
    steps=(
        Cited(
            "maximum-principle",
            "|f| on a closed disc is at most its maximum on the circle",
            "Ahlfors, Complex Analysis, 3rd ed., chapter 4, section 3.4",
        ),
        Cited(
            "cauchy-estimate",
            "|c_k| <= M/rho^k",
            "Ahlfors, Complex Analysis, 3rd ed., chapter 4, section 2.3",
        ),
        Cited(
            "spectral-radius",
            "the eigenvalues of A - cI are at most ||A - cI|| in modulus",
            "Horn and Johnson, Matrix Analysis, 2nd ed., Theorem 5.6.9",
        ),
        Cited(
            "matrix-series",
            "f(A) = sum_k c_k (A - cI)^k when the eigenvalues lie inside the circle of convergence",
            "Higham, Functions of Matrices, SIAM 2008, Theorem 4.7",
        ),
        Induction(
            "powers",
            "||B^k|| <= R^k: x = ||B^k||, y = R^k, u = ||B||, s = ||B^(k+1)||",
            Smt("powers-base", "k = 1", (le(u, R),), le(u, R)),
            Smt(
                "powers-step",
                "s <= x u <= y R",
                (le(s, x * u), le(x, y), le(u, R), le(0, u), le(0, y)),
                le(s, y * R),
            ),
        ),
        Identity(
            "telescope",
            "one term of M sum_{k>q} (R/rho)^k and the tail after it make the tail before it",
            _TERM + CAUCHY_TAIL.subs(q, q + 1),
            CAUCHY_TAIL,
        ),
        Smt(
            "partial-sums",
            "a partial sum z = y - t of differences of tails y, t is at most the first: t (rho - R) = M x rho, x >= 0",
            (eq(t * (rho - R), M * x * rho), le(0, x), lt(R, rho), eq(z, y - t)),
            le(z, y),
        ),
        Smt(
            "stand-ins",
            "deviations add, one more: ||D + E|| <= x + u with x <= a, u <= |d - c| R^k = b",
            (le(x, a), le(u, b), le(v, x + u)),
            le(v, a + b),
        ),
    ),
    source="Cauchy's estimates, summed; derived here for balls about c in any submultiplicative norm",
)

REMOVABLE = Theorem(
    id="analytic.removable",
    title="dividing out a common zero on a whole box",
    statement=(
        "Let u be analytic on a convex set B, w in B, and let u vanish at w to order k >= 1 at least. Then g(z) = "
        "u(z)/(z - w)^k is analytic on B and, for every z in B, g^(j)(z)/j! lies in the closed convex hull of "
        "u^(k+j)/(k+j)! on the segment from w to z. So a convex ball around coefficient k + j of u over B encloses "
        "coefficient j of g. If v vanishes at w to order k and a ball around coefficient k of v over B excludes zero, "
        "then u/v is analytic on B: its singularity at w is removable, and v has no other zero there."
    ),
    hypotheses=(
        "B is convex and u is analytic on it",
        "u^(i)(w) = 0 for i < k, exactly",
    ),
    bound=Bound(M, Kind.UPPER, "abs", "|g^(j)/j!| on B, where |u^(k+j)/(k+j)!| <= M on B"),
    steps=(
        Cited(
            "integral-remainder",
            "g(z) = int_0^1 (1-t)^(k-1)/(k-1)! u^(k)(w + t(z-w)) dt when the lower derivatives vanish at w",
            "Apostol, Calculus, volume 1, 2nd ed., Theorem 7.6, for real and imaginary part along the segment",
        ),
        Induction(
            "beta",
            "int_0^1 (1-t)^(k-1) t^j dt = (k-1)! j!/(k+j)!: by parts it is (j/k) times that of k + 1 and j - 1",
            Identity("beta-base", "j = 0: 1/k", sp.factorial(k - 1) / sp.factorial(k), 1 / k),
            Identity("beta-step", "from j to j + 1", _BETA.subs(j, j + 1), (j + 1) / k * _BETA.subs(k, k + 1)),
        ),
        Identity(
            "total-weight",
            "differentiating j times under the integral gives coefficient k + j of u with weights that sum to 1",
            sp.factorial(k + j) / (sp.factorial(k - 1) * sp.factorial(j)) * _BETA,
            sp.Integer(1),
        ),
        Smt(
            "average",
            "an average of values in an interval lies in it; real and imaginary part each",
            (le(a, x), le(x, b), le(a, y), le(y, b), le(0, t), le(t, 1)),
            le((t * x + (1 - t) * y - a) * (t * x + (1 - t) * y - b), 0),
        ),
    ),
    source="derived here; a case of the Hermite-Genocchi formula",
)

EXPLICIT = Theorem(
    id="analytic.explicit-tail",
    title="the tail of a series with known coefficients",
    statement=(
        "If |c_(k+1)| R <= theta |c_k| for every k > q, theta < 1, then sum_{k>q} |c_k| R^k <= |c_(q+1)| "
        "R^(q+1)/(1 - theta). For g(a x + b) at c with y = a c + b the ratio is |a| R/(k+1) for exp, sin, cos, sinh, "
        "cosh (the size of g's derivative apart), and with s = |a| R/y it is s k/(k+1) for log, s |p - k|/(k+1) for "
        "the power p."
    ),
    hypotheses=(
        "||A - cI|| <= R in a submultiplicative norm with ||I|| = 1",
        "log and powers: y > 0 and s < 1",
    ),
    bound=Bound(EXPLICIT_TAIL, Kind.UPPER, "2 or inf", "M the first term cut off, theta the slowest ratio after it"),
    steps=(
        Identity(
            "telescope",
            "one term and the tail after it make the tail before it",
            M + EXPLICIT_TAIL.subs(M, theta * M),
            EXPLICIT_TAIL,
        ),
        Induction(
            "domination",
            "term q + 1 + i is at most theta^i times the first: x the term, y its bound, z the next term",
            Smt("domination-base", "i = 0", (le(x, M),), le(x, M)),
            Smt(
                "domination-step",
                "z <= theta x <= theta y",
                (le(z, theta * x), le(x, y), le(0, x)),
                le(z, theta * y),
            ),
        ),
        Identity(
            "ratio-exp",
            "R^k/k!",
            (R ** (k + 1) / sp.factorial(k + 1)) / (R**k / sp.factorial(k)),
            R / (k + 1),
        ),
        Identity("ratio-log", "R^k/k", (R ** (k + 1) / (k + 1)) / (R**k / k), R * k / (k + 1)),
        Identity(
            "ratio-power",
            "binomial coefficients of p, through p (p-1) ... (p-k+1)/k!",
            (sp.ff(a, k) * (a - k) / sp.factorial(k + 1)) / (sp.ff(a, k) / sp.factorial(k)),
            (a - k) / (k + 1),
        ),
        Smt(
            "power-above",
            "p = a >= -1 and k >= p: the ratio is at most s",
            (le(-1, a), le(a, k)),
            le(k - a, k + 1),
        ),
        Smt(
            "power-below",
            "p = a <= -1: the ratio falls as k grows",
            (le(a, -1),),
            le((k + 1 - a) * (k + 1), (k - a) * (k + 2)),
        ),
    ),
    source="comparison with a geometric series; ratios derived here",
)
