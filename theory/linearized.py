"""The theorems behind networks around a matrix: the Neumann series, its error on a box, and how few units it needs."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import sympy as sp

from theory.functions.theorems import GEOMETRIC
from theory.steps import Cited, Exhaustive, Identity, Induction, Smt, eq, le
from theory.symbols import A_BLOCKS, R, a, b, gap, k, m, mu, n, rho, x, xi, y, z, zeta
from theory.theorem import Bound, Kind, Theorem

__all__ = ["BOX", "LINEARIZED", "WIDTH"]

_HORN = "Horn, Johnson, Matrix Analysis, 2nd ed., Cambridge 2013"
#: Matrices that do not commute: C, the inverse Y of A, V, and a perturbation H.
_C, _Y, _V, _H = A_BLOCKS


def _ge(high: sp.Expr | int, low: sp.Expr | int) -> sp.Rel:
    return le(low, high)


LINEARIZED = Theorem(
    id="inverse.linearized",
    title="the inverse near A0 as a truncated Neumann series",
    statement=(
        "For a square matrix V and C = I - VA with ||C|| <= rho < 1 in a submultiplicative norm, V and A are "
        "invertible and A^-1 - sum_{j<=k} C^j V = C^(k+1) A^-1, so its norm is at most ||V|| rho^(k+1)/(1 - rho). With "
        "V = A0^-1 that is the series in A0^-1 (A - A0), k = 1 the linearisation A0^-1 - A0^-1 (A - A0) A0^-1; the "
        "bound is attained at A = (1 - rho) A0. Nothing asks V to be the inverse of A0: if it is rounded, C says so."
    ),
    hypotheses=("||I - VA|| <= rho < 1 in a submultiplicative norm",),
    bound=Bound(mu * rho ** (k + 1) / (1 - rho), Kind.TIGHT, "2", "||I - VA||_2 <= rho, ||V||_2 = mu"),
    steps=(
        Cited("invertible", "||I - VA|| < 1 makes VA, hence V and A, invertible", f"{_HORN}, Corollary 5.6.16"),
        Induction(
            "telescope",
            "V + CV + ... + C^(m-1) V = (I - C^m) Y for C = I - VA, Y = A^-1, that is V = (I - C) Y",
            Identity("telescope-base", "m = 1: V = (I - C) Y", _V, (1 - (1 - _V * _Y**-1)) * _Y),
            Identity(
                "telescope-step",
                "(I - C^m) Y + C^m (I - C) Y = (I - C^(m+1)) Y",
                (1 - _C**m) * _Y + _C**m * (1 - _C) * _Y,
                (1 - _C ** (m + 1)) * _Y,
            ),
        ),
        Identity(
            "first-order",
            "A^-1 - (2V - VAV) = (I - VA) A^-1 (I - AV)",
            _Y - (2 * _V - _V * _Y**-1 * _V),
            (1 - _V * _Y**-1) * _Y * (1 - _Y**-1 * _V),
        ),
        Identity(
            "seed",
            "2V - V(A0 + H)V = V - VHV for V = A0^-1",
            2 * _Y - _Y * (_Y**-1 + _H) * _Y,
            _Y - _Y * _H * _Y,
        ),
        GEOMETRIC,
        Smt(
            "size",
            "||C^(k+1) (I - C)^-1 V|| <= rho^(k+1) (1/(1 - rho)) ||V||, factor by factor",
            (_ge(x, 0), le(x, a), _ge(y, 0), le(y, b)),
            le(x * y, a * b),
        ),
        Identity(
            "attained",
            "at A = (1 - rho) A0, C = rho I: 1/(1 - rho) - (1 - rho^(k+1))/(1 - rho) = rho^(k+1)/(1 - rho)",
            1 / (1 - rho) - (1 - rho ** (k + 1)) / (1 - rho),
            rho ** (k + 1) / (1 - rho),
        ),
    ),
    source="classical; the linear case after Ji, Wu and Xi, arXiv 2506.00642, formula 12",
)


def _corner_attains() -> bool:
    """Check, for 2 x 2 matrices V with entries in +-1, +-2 whose signs have rank one, that a corner meets the bound."""
    values = (-2, -1, 1, 2)
    for v in product(values, repeat=4):
        V = ((v[0], v[1]), (v[2], v[3]))
        det = V[0][0] * V[1][1] - V[0][1] * V[1][0]
        if det == 0 or V[0][0] * V[1][1] * V[0][1] * V[1][0] < 0:
            continue
        d = Fraction(1, 2 * sum(map(abs, v)))
        for order in (1, 2, 3):
            if _at_corner(V, Fraction(det), d, order) != _claimed(V, d, order):
                return False
    return True


def _claimed(V: tuple[tuple[int, ...], ...], d: Fraction, order: int) -> list[list[Fraction]]:
    rows = [sum(map(abs, row)) for row in V]
    columns = [sum(map(abs, column)) for column in zip(*V, strict=True)]
    s = d * sum(rows)
    return [[d * s**order / (1 - s) * r * c for c in columns] for r in rows]


def _at_corner(V: tuple[tuple[int, ...], ...], det: Fraction, d: Fraction, order: int) -> list[list[Fraction]]:
    """Return |A^-1 - sum_{j<=k} C^j V| at A = V^-1 - d y x^T, v_ij = x_i |v_ij| y_j."""
    (p, r), (s, t) = V
    x_signs = (1, 1 if s * p > 0 else -1)
    y_signs = (1 if p > 0 else -1, 1 if r > 0 else -1)
    A = [[Fraction(t), Fraction(-r)], [Fraction(-s), Fraction(p)]]
    A = [[A[i][j] / det - d * y_signs[i] * x_signs[j] for j in range(2)] for i in range(2)]
    size = A[0][0] * A[1][1] - A[0][1] * A[1][0]
    inverse = [[A[1][1] / size, -A[0][1] / size], [-A[1][0] / size, A[0][0] / size]]

    def times(left: list[list[Fraction]], right: list[list[Fraction]]) -> list[list[Fraction]]:
        return [[sum((left[i][q] * right[q][j] for q in range(2)), Fraction(0)) for j in range(2)] for i in range(2)]

    start = [[Fraction(entry) for entry in row] for row in V]
    VA = times(start, A)
    C = [[(i == j) - VA[i][j] for j in range(2)] for i in range(2)]
    total = start
    for _ in range(order):
        moved = times(C, total)
        total = [[start[i][j] + moved[i][j] for j in range(2)] for i in range(2)]
    return [[abs(inverse[i][j] - total[i][j]) for j in range(2)] for i in range(2)]


BOX = Theorem(
    id="inverse.box",
    title="the Neumann series on a box around A0, entry by entry",
    statement=(
        "On |A - A0| <= d, entry by entry, let C = I - VA and Q = |I - V A0| + d |V| J, J all ones. If (I - Q)^-1 >= "
        "0, every A of the box is invertible and |A^-1 - sum_{j<=k} C^j V| <= Q^(k+1) (I - Q)^-1 |V|. For V = A0^-1 "
        "with row sums r_i and column sums c_j of |V|, and s = d sum |v_ij| < 1, entry (i, j) is at most "
        "d s^k/(1 - s) r_i c_j, attained in all entries at once, at a corner, if the signs of V have rank one. Also "
        "||C||_2 <= ||I - V A0||_F + n d ||V||_2, with theorem inverse.linearized: the smaller bound counts."
    ),
    hypotheses=("|A - A0| <= d in every entry", "s = d sum |v_ij| < 1"),
    bound=Bound(
        gap * rho**k / (1 - rho) * xi * zeta,
        Kind.TIGHT,
        "max",
        "|A - A0| <= d, s = rho, largest row and column sum xi, zeta; signs of A0^-1 of rank one (UPPER for others)",
    ),
    steps=(
        Smt(
            "entries",
            "|v h| <= |v| d for |h| <= d, so |C| <= Q entry by entry, and |C C'| <= Q Q'",
            (_ge(x, -a), le(x, a), _ge(y, -b), le(y, b)),
            le(x * y, a * b),
        ),
        Smt(
            "entries-low",
            "the same from below",
            (_ge(x, -a), le(x, a), _ge(y, -b), le(y, b)),
            _ge(x * y, -a * b),
        ),
        Cited(
            "radius",
            "for Q >= 0, (I - Q)^-1 >= 0 just when the spectral radius of Q is below 1, and then it is sum Q^j",
            "Berman, Plemmons, Nonnegative Matrices in the Mathematical Sciences, Lemma 6.2.1",
        ),
        Identity(
            "square",
            "Q = d r 1^T squares to s Q: sum_q (d r_i)(d r_q) = (d r_i) s for s = d sum r_q (three rows)",
            gap * x * (gap * x + gap * y + gap * z),
            gap * (x + y + z) * (gap * x),
        ),
        Identity(
            "resolvent",
            "(I - Q)(I + Q/(1 - s)) = I where Q^2 = s Q",
            1 + x / (1 - rho) - x - rho * x / (1 - rho),
            sp.Integer(1),
        ),
        Identity(
            "sum",
            "Q^(k+1) (I + Q/(1 - s)) = s^k (1 + s/(1 - s)) Q = s^k/(1 - s) Q, and (Q |V|)_ij = d r_i c_j",
            rho**k * (1 + rho / (1 - rho)),
            rho**k / (1 - rho),
        ),
        Smt(
            "corner",
            "with v = x |v| y and h = -d y x', -v h = x (d |v|) x': C and Q differ by signs of rows and columns alone",
            (eq(y * y, 1), eq(x * x, 1)),
            eq(-(x * a * y) * (-gap * y * z), x * (gap * a) * z),
        ),
        Exhaustive(
            "attained",
            "2 x 2 matrices V of entries +-1, +-2, signs of rank one, k = 1, 2, 3: a corner meets the bound exactly",
            _corner_attains,
        ),
        Smt(
            "frobenius",
            "||H||_2 <= ||H||_F <= n d: n^2 squares of at most d^2",
            (_ge(x, 0), le(x, n**2 * gap**2)),
            le(x, (n * gap) ** 2),
        ),
    ),
    source="derived here",
    uses=("inverse.linearized", "freeze.affine"),
)

WIDTH = Theorem(
    id="inverse.width",
    title="n^2 hidden units are the fewest for the linearised inverse",
    statement=(
        "A ReLU network that equals an affine map A -> Y0 - V A V with invertible V on a set with interior has at "
        "least n^2 units in every hidden layer; on a box n^2 are enough. And a network whose first hidden layer has "
        "fewer errs from A^-1, somewhere on |A - A0| <= d, by at least d/(||A0||_inf ||A0||_1) - d s^2/(1 - s^2) max "
        "r_i c_j in the largest entry (s, r, c as in theorem inverse.box): of order d, where the linearised inverse "
        "errs by order d^2."
    ),
    hypotheses=("V invertible", "s < 1"),
    bound=Bound(n**2, Kind.LOWER, "hidden units", "affine on a set with interior, linear part -V A V"),
    steps=(
        Cited(
            "pieces",
            "a network is affine on each of finitely many polyhedra, one of which meets the set in a set with "
            "interior; there it is a product of affine maps, one through R^w for a layer of w units",
            "Arora, Basu, Mianjy, Mukherjee, Understanding deep neural networks with ReLU, ICLR 2018, Theorem 2.1",
        ),
        Cited("rank", "rank(PQ) <= the inner dimension", f"{_HORN}, section 0.4.5"),
        Identity(
            "onto",
            "A0 (V H V) A0 = H for V = A0^-1: H -> V H V is invertible, of rank n^2",
            _Y**-1 * (_Y * _H * _Y) * _Y**-1,
            _H,
        ),
        Smt(
            "enough",
            "y = relu(x), that is y >= x, y >= 0 and y (y - x) = 0, is x for x >= 0: n^2 units carry A + beta",
            (_ge(y, x), _ge(y, 0), eq(y * (y - x), 0), _ge(x, 0)),
            eq(y, x),
        ),
        Cited(
            "kernel",
            "fewer than n^2 linear forms vanish at some H != 0; scaled to largest entry d, A0 + H and A0 - H are "
            "in the box and the network has one value at both",
            f"{_HORN}, section 0.2.3",
        ),
        Smt(
            "half",
            "one value within e of two numbers: they are within 2e of each other",
            (le(y - a, x), le(b - y, x)),
            le(b - a, 2 * x),
        ),
        Identity(
            "odd",
            "((1 + x)^-1 - (1 - x)^-1)/2 = -(x + x^3/(1 - x^2)): half the difference of the inverses, x = V H",
            (1 / (1 + x) - 1 / (1 - x)) / 2,
            -(x + x**3 / (1 - x**2)),
        ),
        Smt(
            "first",
            "||H||_max = ||A0 (VHV) A0||_max <= ||A0||_inf ||VHV||_max ||A0||_1, as |a x + b y| <= (a + b) z for "
            "|x|, |y| <= z",
            (_ge(a, 0), _ge(b, 0), _ge(x, -z), le(x, z), _ge(y, -z), le(y, z)),
            le(a * x + b * y, (a + b) * z),
        ),
        Identity(
            "rest",
            "sum over odd j >= 3 of s^(j-1) is s^2/(1 - s^2): |(VH)^j V| <= Q^j |V| = s^(j-1) d r c^T",
            rho**2 + rho**4 / (1 - rho**2),
            rho**2 / (1 - rho**2),
        ),
    ),
    source="derived here",
    uses=("inverse.box",),
    formulas={"narrow": gap / (R * mu) - gap * rho**2 / (1 - rho**2) * xi * zeta},
)
