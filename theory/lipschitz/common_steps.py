"""Steps that several proofs share: powers, monotone polynomials, the Cauchy-Schwarz inequality, sums of pieces."""

from __future__ import annotations

import sympy as sp

from theory.steps import Identity, Induction, Smt, le
from theory.symbols import a, b, gap, mu, nu, rho, tau, u, v, x, xi, y, z, zeta

__all__ = ["CAUCHY", "LARGE_POWER", "MONOMIAL", "MONOTONE_POWER", "POWER", "SMALL_POWER", "TRIANGLE"]

# Exponents are rationals c = p/q: with v = s^(1/q) the claims below are about integer powers of v.
SMALL_POWER = Induction(
    "power-small",
    "0 <= v <= 1 gives v^(j+p) <= v^p for all natural j, p; with p = 0: v^j <= 1",
    Smt("base", "j = 0", (le(0, x),), le(x, x + 0)),
    Smt("step", "one factor more", (le(0, y), le(y, x), le(0, v), le(v, 1)), le(y * v, x)),
)
LARGE_POWER = Induction(
    "power-large",
    "v >= 1 gives v^p <= v^(p+j) for all natural j, p",
    Smt("base", "j = 0", (le(0, x),), le(x, x + 0)),
    Smt("step", "one factor more", (le(0, x), le(x, y), le(1, v)), le(x, y * v)),
)
#: s^c <= 1 + s for s >= 0 and 0 < c <= 1: the power is at most 1 below s = 1 and at most s above.
POWER = Smt(
    "power",
    "x = s^c is at most 1 where s <= 1 and at most s where s >= 1: s^c <= 1 + s",
    (le(0, x), le((x - 1) * (x - xi), 0)),
    le(x, 1 + xi),
)
MONOTONE_POWER = Induction(
    "monotone-power",
    "0 <= x <= y gives x^p <= y^p (and so, read backwards with strict signs, roots are monotone)",
    Smt("base", "p = 1", (le(0, x), le(x, y)), le(x, y)),
    Smt("step", "one factor more", (le(0, x), le(x, y), le(0, u), le(u, v)), le(u * x, v * y)),
)
#: P(s, t) with non-negative coefficients increases in s and in t.
MONOMIAL = Smt(
    "monotone-polynomial",
    "a term a*u*v with a, u, v >= 0 grows with u = s^i and v = t^j, and so does a sum of such terms",
    (le(0, a), le(0, u), le(0, v), le(u, x), le(v, y)),
    le(a * u * v, a * x * y),
)
TRIANGLE = Smt(
    "triangle",
    "||x - y|| <= ||x|| + ||y||, by squares: the inner product b is at least -||x|| ||y||",
    (le(gap**2, xi**2 + zeta**2 - 2 * b), le(-xi * zeta, b)),
    le(gap, xi + zeta),
)
CAUCHY = Induction(
    "cauchy-schwarz",
    "(sum a_j b_j)^2 <= (sum a_j^2)(sum b_j^2), term by term",
    Identity("base", "one term", (a * b) ** 2, a**2 * b**2),
    Smt("step", "one term more", (le(0, x), le(0, y), le(z**2, x * y)), le((z + a * b) ** 2, (x + a**2) * (y + b**2))),
)


def power_of_product() -> Identity:
    """Return the step (P d^c)^e = P^e d^(ce)."""
    return Identity(
        "powers",
        "(P_g d^(c_g))^(c_f) = P_g^(c_f) d^(c_f c_g)",
        sp.powdenest((rho * tau**nu) ** mu),
        rho**mu * tau ** (mu * nu),
    )
