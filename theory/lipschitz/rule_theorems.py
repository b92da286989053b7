"""The rules of ``theory.lipschitz.rules`` as theorems.

x, y are points, s = ||x||, t = ||y||, d = ||x - y|| (xi, zeta and d among the symbols); all norms are Euclidean, on
flattened vectors. A certificate (P, c, g_0) of g says ||g(x) - g(y)|| <= P(s, t) d^c and ||g(0)|| <= g_0; G is its
growth.
"""

from __future__ import annotations

import sympy as sp

from theory.lipschitz.common_steps import (
    CAUCHY,
    LARGE_POWER,
    MONOMIAL,
    MONOTONE_POWER,
    POWER,
    SMALL_POWER,
    TRIANGLE,
    power_of_product,
)
from theory.steps import Cited, Identity, Induction, Smt, le
from theory.symbols import (
    A_BLOCKS,
    B_BLOCKS,
    Gg,
    Gh,
    Pf,
    Pg,
    Ph,
    beta,
    g0,
    k,
    lam,
    mu,
    nu,
    rho,
    t,
    tau,
    u,
    v,
    w,
    x,
    xi,
    y,
    z,
    zeta,
)
from theory.theorem import Bound, Kind, Theorem

__all__ = [
    "BOUNDED",
    "COLLAPSE",
    "COMPOSITION",
    "CONCATENATION",
    "GROWTH",
    "JACOBIAN",
    "LOWERING",
    "PRODUCT",
    "SCALING",
    "SUM",
]

_SOURCE = "derived here, in the setting of Ji, Wu and Xi (arXiv 2506.00642)"

GROWTH = Theorem(
    id="lipschitz.growth",
    title="a polynomially Lipschitz map grows like a polynomial",
    statement=(
        "(P, c, g_0) certifies g: then ||g(x)|| <= G(||x||), G(s) = g_0 + P(s, 0) s^c <= g_0 + P(s, 0)(1 + s); "
        "for c = 1 the last factor is s."
    ),
    hypotheses=("0 < c <= 1 rational", "P has non-negative coefficients"),
    bound=Bound(g0 + Pg * (1 + xi), Kind.UPPER, "fro", "every x, xi = ||x||, P_g = P(xi, 0)"),
    steps=(
        Smt(
            "at-zero",
            "||g(x)|| <= ||g(0)|| + ||g(x) - g(0)||, the second at most P(s, 0) s^c",
            (le(x, y + z), le(y, g0), le(z, Pg * u)),
            le(x, g0 + Pg * u),
        ),
        SMALL_POWER,
        LARGE_POWER,
        POWER,
        Smt("together", "with u = s^c <= 1 + s", (le(u, 1 + xi),), le(g0 + Pg * u, g0 + Pg * (1 + xi))),
    ),
    source=_SOURCE,
)

BOUNDED = Theorem(
    id="lipschitz.bounded",
    title="bounded on bounded sets, by an explicit number",
    statement="(P, c, g_0) certifies g: then ||g(x)|| <= g_0 + P(rho, 0) rho^c wherever ||x|| <= rho.",
    hypotheses=("0 < c <= 1 rational", "P has non-negative coefficients"),
    bound=Bound(g0 + Pg * rho**mu, Kind.UPPER, "fro", "||x|| <= rho, P_g = P(rho, 0), c = mu"),
    steps=(
        MONOMIAL,
        MONOTONE_POWER,
        Smt(
            "ball",
            "P(s, 0) s^c <= P(rho, 0) rho^c",
            (le(0, u), le(u, v), le(0, x), le(x, Pg)),
            le(g0 + x * u, g0 + Pg * v),
        ),
    ),
    source=_SOURCE,
    uses=("lipschitz.growth",),
)

COMPOSITION = Theorem(
    id="lipschitz.composition",
    title="composition: exponents multiply",
    statement=(
        "f, g certified by (P_f, c_f, f_0), (P_g, c_g, g_0): f(g(x)) is certified with c = c_f c_g and P(s, t) = "
        "P_f(G(s), G(t)) (1 + P_g(s, t)), G the growth of g; where c_f = 1 the last factor is P_g. Its value at 0 is "
        "at most the growth of f at g_0."
    ),
    hypotheses=("certificates of f and of g",),
    bound=Bound(Pf * (1 + Pg), Kind.UPPER, "fro", "P_f at (G(s), G(t)), P_g at (s, t)"),
    steps=(
        MONOMIAL,
        power_of_product(),
        MONOTONE_POWER,
        SMALL_POWER,
        LARGE_POWER,
        POWER,
        Smt(
            "chain",
            "x = ||f(g(x)) - f(g(y))|| <= P_f u, u = ||g(x) - g(y)||^(c_f) <= v w, v = P_g^(c_f) <= 1 + P_g, w = d^c",
            (le(0, u), le(0, v), le(0, w), le(x, Pf * u), le(u, v * w), le(v, 1 + Pg)),
            le(x, Pf * (1 + Pg) * w),
        ),
        Smt(
            "sharper",
            "c_f = 1: x <= P_f u, u <= P_g w",
            (le(0, u), le(0, w), le(x, Pf * u), le(u, Pg * w)),
            le(x, Pf * Pg * w),
        ),
    ),
    source=_SOURCE,
    uses=("lipschitz.growth",),
)

LOWERING = Theorem(
    id="lipschitz.lowering",
    title="a smaller exponent costs a factor 1 + s + t",
    statement="(P, c, g_0) certifies g and 0 < c' <= c: then (P(s, t)(1 + s + t), c', g_0) certifies g.",
    hypotheses=("0 < c' <= c <= 1 rational",),
    bound=Bound(Pg * (1 + xi + zeta), Kind.UPPER, "fro", "all x, y"),
    steps=(
        Identity("split", "d^c = d^(c') d^(c - c')", tau**nu * tau ** (mu - nu), tau**mu),
        TRIANGLE,
        MONOTONE_POWER,
        SMALL_POWER,
        LARGE_POWER,
        POWER,
        Smt(
            "together",
            "u = d^(c - c') <= (s + t)^(c - c') <= 1 + s + t, w = d^(c')",
            (le(0, u), le(0, w), le(u, 1 + xi + zeta), le(x, Pg * u * w)),
            le(x, Pg * (1 + xi + zeta) * w),
        ),
    ),
    source=_SOURCE,
)

CONCATENATION = Theorem(
    id="lipschitz.concatenation",
    title="concatenation: moduli add",
    statement="f, g certified with one exponent c: x -> (f(x), g(x)) is certified by (P_f + P_g, c, f_0 + g_0).",
    hypotheses=("one exponent; lipschitz.lowering makes it so",),
    bound=Bound(Pf + Pg, Kind.UPPER, "fro", "all x, y"),
    steps=(
        Smt(
            "pythagoras", "z^2 = x^2 + y^2 gives z <= x + y", (le(0, x), le(0, y), le(z**2, x**2 + y**2)), le(z, x + y)
        ),
        Smt("sum", "each part at its bound", (le(x, Pf * w), le(y, Pg * w), le(z, x + y)), le(z, (Pf + Pg) * w)),
    ),
    source=_SOURCE,
    uses=("lipschitz.lowering",),
)

SUM = Theorem(
    id="lipschitz.sum",
    title="sums and residual paths: moduli add",
    statement=(
        "f, g certified with one exponent c: f + g is certified by (P_f + P_g, c, f_0 + g_0); x + g(x) by 1 + P_g."
    ),
    hypotheses=("one exponent; lipschitz.lowering makes it so",),
    bound=Bound(Pf + Pg, Kind.UPPER, "fro", "all x, y"),
    steps=(
        TRIANGLE,
        Smt("sum", "each summand at its bound", (le(x, Pf * w), le(y, Pg * w), le(z, x + y)), le(z, (Pf + Pg) * w)),
        Identity("residual", "the identity has P = 1", (1 + Pg) * w, 1 * w + Pg * w),
    ),
    source=_SOURCE,
    uses=("lipschitz.lowering",),
)

SCALING = Theorem(
    id="lipschitz.scaling",
    title="scaling: everything is multiplied",
    statement="(P, c, g_0) certifies g: then (lambda P, c, lambda g_0) certifies the maps +-lambda g.",
    hypotheses=("lambda >= 0",),
    bound=Bound(lam * Pg, Kind.UPPER, "fro", "all x, y"),
    steps=(Smt("scale", "homogeneity of the norm", (le(x, Pg * w),), le(lam * x, lam * Pg * w)),),
    source=_SOURCE,
)

_A1, _A2, _, _ = A_BLOCKS
_B1, _B2, _, _ = B_BLOCKS

PRODUCT = Theorem(
    id="lipschitz.product",
    title="bilinear products: the product rule",
    statement=(
        "g, h certified with one exponent c and ||B(u, v)|| <= beta ||u|| ||v||: B(g, h) is certified by "
        "beta (G_g(s) P_h + G_h(t) P_g) and grows at most like beta G_g G_h. Entrywise products and matrix products "
        "have beta = 1."
    ),
    hypotheses=("B bilinear, ||B(u, v)|| <= beta ||u|| ||v||", "one exponent; lipschitz.lowering makes it so"),
    bound=Bound(beta * (Gg * Ph + Gh * Pg), Kind.UPPER, "fro", "G_g at s, G_h at t, moduli at (s, t)"),
    steps=(
        Identity(
            "product-rule",
            "B(g, h) - B(g', h') = B(g, h - h') + B(g - g', h')",
            _A1 * _B1 - _A2 * _B2,
            _A1 * (_B1 - _B2) + (_A1 - _A2) * _B2,
        ),
        Smt(
            "bound",
            "u <= beta G_g P_h w, v <= beta P_g w G_h",
            (le(x, u + v), le(u, beta * Gg * Ph * w), le(v, beta * Pg * Gh * w)),
            le(x, beta * (Gg * Ph + Gh * Pg) * w),
        ),
        CAUCHY,
        Smt(
            "entrywise",
            "sum a_j^2 b_j^2 <= (sum a_j^2)(sum b_j^2), one term more (x, y the sums, z the left side)",
            (le(0, x), le(0, y), le(z, x * y)),
            le(z + u**2 * v**2, (x + u**2) * (y + v**2)),
        ),
    ),
    source=_SOURCE,
    uses=("lipschitz.growth", "lipschitz.lowering"),
)

JACOBIAN = Theorem(
    id="lipschitz.jacobian",
    title="a polynomial bound of the Jacobian is a certificate",
    statement=(
        "||J(x)||_2 <= sum_k a_k ||x||^k wherever J exists, and g is differentiable everywhere, or locally "
        "Lipschitz: "
        "then g is certified with c = 1 and P(s, t) = a_0 + sum_{k>=1} a_k (s^k + t^k). Differentiability almost "
        "everywhere alone is not enough: Cantor's function has derivative 0 almost everywhere and rises from 0 to 1."
    ),
    hypotheses=("a_k >= 0", "g differentiable everywhere, or locally Lipschitz"),
    bound=Bound(Pg, Kind.UPPER, "fro", "P_g = a_0 + sum a_k (xi^k + zeta^k)"),
    steps=(
        Cited(
            "mean-value",
            "g differentiable on the segment: ||g(x) - g(y)|| <= sup ||J|| ||x - y|| over it",
            "Rudin, Principles of Mathematical Analysis, 3rd ed., Theorem 9.19",
        ),
        Cited(
            "almost-everywhere",
            "g locally Lipschitz: it is absolutely continuous on segments, on almost every parallel segment J exists "
            "almost everywhere and is its derivative there, and continuity carries the bound to the rest",
            "Evans and Gariepy, Measure Theory and Fine Properties of Functions, sections 3.1 and 4.9 "
            "(Rademacher, Fubini)",
        ),
        Smt(
            "segment",
            "a point of the segment has norm at most (1 - w) s + w t <= max(s, t)",
            (le(0, w), le(w, 1), le(x, z), le(y, z), le(u, (1 - w) * x + w * y)),
            le(u, z),
        ),
        MONOTONE_POWER,
        Smt("largest", "max(s, t)^k is s^k or t^k", (le((z - x) * (z - y), 0), le(0, x), le(0, y)), le(z, x + y)),
        Smt(
            "entries",
            "entrywise bounds suffice: ||J||_2^2 <= sum J_ij^2 <= (sum |J_ij|)^2 (x, y two parts of the sum)",
            (le(0, x), le(0, y), le(u, x**2), le(v, y**2)),
            le(u + v, (x + y) ** 2),
        ),
        Induction(
            "cantor",
            "after k stages Cantor's function rises on 2^k intervals of length 3^-k only, total length (2/3)^k",
            Identity("base", "one interval of length 1", sp.Integer(2) ** 0 * sp.Integer(3) ** 0, sp.Integer(1)),
            Identity(
                "step",
                "each keeps its outer thirds",
                2 * (sp.Rational(2, 3) ** k) / 3,
                sp.Rational(2, 3) ** (k + 1),
            ),
        ),
    ),
    source=_SOURCE,
)

COLLAPSE = Theorem(
    id="lipschitz.collapse",
    title="a majorant of three terms",
    statement="P of degree D with non-negative coefficients: P(s, t) <= P(1, 1)(1 + s^D + t^D) for s, t >= 0.",
    hypotheses=("P has non-negative coefficients",),
    bound=Bound(Pf * (1 + xi**k + zeta**k), Kind.UPPER, "fro", "P_f = P(1, 1), k = D"),
    steps=(
        Induction(
            "powers",
            "s, t <= m and m >= 1 give s^i t^j <= m^(i+j) (x = s^i t^j, y = m^(i+j), one factor more of either)",
            Smt("base", "no factor", (le(x, 1),), le(x, 1)),
            Smt("step", "one factor more", (le(0, x), le(x, y), le(0, u), le(u, v)), le(x * u, y * v)),
        ),
        LARGE_POWER,
        Smt(
            "largest",
            "m^D is 1, s^D or t^D, whichever is largest (y, z the last two)",
            (le((x - 1) * (x - y) * (x - z), 0), le(0, y), le(0, z)),
            le(x, 1 + y + z),
        ),
        Smt("sum", "term by term, the coefficients add to P(1, 1)", (le(0, t), le(u, v)), le(t * u, t * v)),
    ),
    source=_SOURCE,
)
