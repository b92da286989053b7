"""Scaling and squaring, and the monomial route, with proofs."""

from __future__ import annotations

import sympy as sp

from theory.expm.formulas import MONOMIAL_FREEZING, SQUARED_TAIL, TAIL, TREE, UNIFORM
from theory.steps import Exhaustive, Identity, Induction, Smt, le, lt
from theory.symbols import (
    E0,
    MATRICES,
    N,
    a,
    b,
    eta,
    j,
    k,
    m,
    mu,
    n,
    p,
    q,
    r1,
    s,
    theta,
    v,
    w,
    x,
    y,
    z,
)
from theory.theorem import Bound, Kind, Theorem

__all__ = ["MONOMIAL", "SCALING_SQUARING"]

_X, _Z = MATRICES[:2]

_TELESCOPE = (
    Identity("square", "(I + Y)^2 = I + (2Y + Y^2)", sp.expand((1 + _X) * (1 + _X)), 1 + 2 * _X + _X**2),
    Identity(
        "telescope",
        "X^(k+1) - Z^(k+1) = X (X^k - Z^k) + (X - Z) Z^k, matrices do not commute",
        sp.expand(_X * (_X**k - _Z**k) + (_X - _Z) * _Z**k),
        _X ** (k + 1) - _Z ** (k + 1),
    ),
    Induction(
        "powers",
        "||X^k - Z^k|| <= k c^(k-1) ||X - Z|| for ||X||, ||Z|| <= c, ||Z^k|| <= c^k",
        Smt("base", "k = 1", (le(x, z),), le(x, 1 * 1 * z)),
        Smt(
            "step",
            "c d + c^k e <= (k + 1) c^k e, with p = c^(k-1)",
            (le(0, a), le(0, y), le(0, z), le(x, k * y * z)),
            le(a * x + (a * y) * z, (k + 1) * (a * y) * z),
        ),
    ),
    Identity(
        "box",
        "on the box, where nu(I) = n: entrywise (I + (a/n) J)((x/n) J) = (1 + a)(x/n) J, so a factor of e^X is e^theta",
        x / n + (a / n) * (x / n) * n,
        (1 + a) * (x / n),
    ),
    Identity(
        "tail",
        "k = 2^s, c = e^theta",
        2**s * sp.exp(theta) ** (2**s - 1) * E0,
        SQUARED_TAIL,
    ),
    Smt(
        "stand-in",
        "coefficients off by errors of sum x: |T| <= e^theta + x <= e^theta (1 + x), with y = e^theta",
        (le(1, y), le(0, x)),
        le(y + x, y * (1 + x)),
    ),
    Smt(
        "stand-in-power",
        "and (1 + x)^(2^s - 1) <= (1 + x)^(2^s) = exp(2^s ln(1 + x))",
        (le(1, z), le(0, x)),
        le(z, z * (1 + x)),
    ),
)

_UNIFORM = (
    Identity(
        "uniform-square",
        "W = zY, z = 1 + eta: ranges grow as z (2Y + z Y^2) = 2W + W^2, so 1 + W <- (1 + W)^2",
        z * (2 * y + z * y**2),
        (1 + z * y) ** 2 - 1,
    ),
    Identity(
        "uniform-slope",
        "G = (1 + p)^(2^s) - 1, p <= e^x - 1, p' <= e^x: G' = 2^s (1 + p)^(2^s - 1) p' <= 2^s e^(2^s x)",
        2**s * sp.exp(theta) ** (2**s - 1) * sp.exp(theta),
        2**s * sp.exp(2**s * theta),
    ),
    Identity(
        "uniform",
        "x eta G'(z x) at x = theta/2^s",
        sp.simplify((theta / 2**s) * eta * 2**s * sp.exp(2**s * (1 + eta) * theta / 2**s)),
        UNIFORM,
    ),
)

SCALING_SQUARING = Theorem(
    id="expm.scaling-squaring",
    title="e^A by a Taylor polynomial of A/2^s and s squarings",
    statement=(
        "Y_0 = T(A/2^s) - I and Y <- 2Y + Y^2, s times, give I + Y = T(A/2^s)^(2^s), which misses e^A by at most 2^s "
        "e^(theta (2^s - 1)) E_0, theta the norm of A/2^s and E_0 that of e^X - T(X); where T's coefficients are "
        "rational stand-ins off by errors that sum to at most E_0, times (1 + E_0)^(2^s). The products add what "
        "theorem expm.propagation says: with all squarers of N pieces at most eta theta e^((1 + eta) theta), theta "
        "now that of A."
    ),
    hypotheses=(
        "||e^X||, ||T(X)|| <= e^theta as factors: submultiplicative norm, or entrywise at most I + ((e^theta - 1)/n) J",
        "T has non-negative coefficients",
    ),
    bound=Bound(SQUARED_TAIL, Kind.UPPER, "fro", "truncation; theta = nM/2^s on the box, R/2^s on the ball"),
    steps=(*_TELESCOPE, *_UNIFORM),
    source="derived here",
    uses=(
        "expm.truncation",
        "expm.propagation",
        "expm.paterson-stockmeyer",
        "expm.degree-8",
        "expm.degree-12",
        "expm.degree-18",
    ),
    formulas={
        "E_0": TAIL,
        "stand-ins": SQUARED_TAIL * sp.exp(2**s * sp.log(1 + E0)),
        "products": UNIFORM,
    },
)


def _levels_counted() -> bool:
    """Every degree up to 600: halving ceil(log2 k) times leaves one factor, and not before."""
    for degree in range(1, 601):
        factors, levels = degree, 0
        while factors > 1:
            factors, levels = -(-factors // 2), levels + 1
        if levels != (degree - 1).bit_length():
            return False
    return True


_TREE_STEPS = (
    Identity(
        "difference",
        "x y = ((x + y)/2)^2 - ((x - y)/2)^2, two squarers a product",
        ((x + y) / 2) ** 2 - ((x - y) / 2) ** 2,
        x * y,
    ),
    Smt(
        "product",
        "factors in [-1, 1] off by at most e, ranges 1 + e, product error v: |x y - a b| + v, (1 + e)^2 (1 + N^-2) - 1",
        (
            le(-1, x),
            le(x, 1),
            le(-1, y),
            le(y, 1),
            le(0, z),
            le(-z, a),
            le(a, z),
            le(-z, b),
            le(b, z),
            le(0, w),
            le(-((1 + z) ** 2) * w, v),
            le(v, (1 + z) ** 2 * w),
        ),
        le((x + a) * (y + b) - x * y + v, (1 + z) ** 2 * (1 + w) - 1),
    ),
    Induction(
        "levels",
        "1 + e_{l+1} = (1 + e_l)^2 (1 + N^-2) gives e_l = (1 + N^-2)^(2^l - 1) - 1",
        Identity("base", "e_0 = 0", TREE.subs(s, 0), sp.Integer(0)),
        Identity(
            "step",
            "l -> l + 1",
            (1 + TREE.subs(s, j)) ** 2 * (1 + 1 / N**2),
            1 + TREE.subs(s, j + 1),
        ),
    ),
    Smt(
        "carried",
        "an odd factor is carried with e_l <= e_{l+1}",
        (le(0, x), le(0, w)),
        le(x, (1 + x) ** 2 * (1 + w) - 1),
    ),
    Identity(
        "sum",
        "an entry has n^(k-1) monomials of size mu^k/k!: n times their errors is (n mu)^k/k! e_L",
        n * n ** (k - 1) * mu**k,
        (n * mu) ** k,
    ),
    Identity("copies", "n^2 entries of n^(k-1) paths each: n^(k+1) trees", n**2 * n ** (k - 1), n ** (k + 1)),
    Smt(
        "halving",
        "m = ceil(x/b), p = ceil(m/2): x <= 2 p b",
        (lt(0, b), le(2 * p - 1, m), le(m, 2 * p), lt((m - 1) * b, x), le(x, m * b)),
        le(x, 2 * p * b),
    ),
    Smt(
        "halving-least",
        "and x > (2p - 2) b, so p = ceil(x/(2b)): ceil(k/2^l) factors are left after l levels",
        (lt(0, b), le(2 * p - 1, m), le(m, 2 * p), lt((m - 1) * b, x), le(x, m * b)),
        lt((2 * p - 2) * b, x),
    ),
    Exhaustive("depth", "so ceil(log2 k) levels for degree k: degrees to 600", _levels_counted),
)

_FREEZING_STEPS = (
    Smt(
        "freeze-row",
        "a product's row |w||h|: its value, offsets of 9/4 twice, kinks of two squares: at most 20 (e = x, 1/N^2 = y)",
        (le(0, x), le(100 * x, 1), le(0, y), le(9 * y, 1)),
        le((1 + x) ** 2 * (1 + y + 2 * sp.Rational(9, 4) + 8), 20),
    ),
    Smt("freeze-shallow", "in one layer 9 a square: at most 20", (le(0, x), le(100 * x, 1)), le(18 * (1 + x) ** 2, 20)),
    Smt(
        "freeze-product",
        "tau_1/r_1 <= 21/2 u, carriers 22 u, tau_2 <= (11 + 2) u r_1 r_2: two squarers and their sum, 512 u",
        (le(2, r1), le(0, z), le(100 * z, 1)),
        le((1 + z) ** 2 * 2 * (8 * sp.Rational(21, 2) + 2 * 22 + 8 * (11 + 2) / r1 + 9 + sp.Rational(5, 3) + 5), 512),
    ),
    Identity(
        "freeze-sum",
        "at most 2k such a monomial, k x^k/k! = x x^(k-1)/(k-1)!",
        k * x**k / sp.gamma(k + 1),
        x * (x ** (k - 1) / sp.gamma(k)),
    ),
)

MONOMIAL = Theorem(
    id="expm.monomial",
    title="e^A as a sum over index paths, each product of entries a tree",
    statement=(
        "Every entry of sum_{k<=q} A^k/k! is a sum of n^(k-1) monomials a degree; a tree of products by differences of "
        "squares, L = ceil(log2 q) levels, squarers of N pieces, returns each of them, scaled into [-1, 1], within e_L "
        "= (1 + N^-2)^(2^L - 1) - 1. With |a_ij| <= mu the network misses e^A by at most the tail and e_L (e^(n mu) - "
        "1). It has n^(k+1) trees of degree k: width exponential in n mu. Freezing every row to float64 adds at most "
        "2^-41 (1 + n mu) e^(n mu). Where it is built, scales are short dyadics and one tree a degree is "
        "followed through its products (theorem expm.propagation), the same for all its copies. (The literature's "
        "constants for such networks are not public; this is our own derivation of that route.)"
    ),
    hypotheses=("|a_ij| <= mu: M on the box, R on the ball", "theta < q + 2", "e_L <= 1/100 for the freezing term"),
    bound=Bound(TAIL + TREE * (sp.exp(n * mu) - 1), Kind.UPPER, "fro", "|a_ij| <= mu; s = L levels"),
    steps=(*_TREE_STEPS, *_FREEZING_STEPS),
    source="derived here, after Padmanabhan and Brugiapaglia, arXiv 2602.07800",
    uses=(
        "expm.truncation",
        "expm.propagation",
        "product.difference",
        "freeze.affine",
        "freeze.squarer",
        "freeze.stage",
    ),
    formulas={
        "tree": TREE,
        "trees of degree k": n ** (k + 1),
        "levels": sp.ceiling(sp.log(q) / sp.log(2)),
        "freezing": MONOMIAL_FREEZING,
    },
)
