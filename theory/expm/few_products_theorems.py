"""The Taylor polynomials of degree 12 in four products and 18 in five, with proofs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import factorial

import sympy as sp

from theory.expm.few_products import BITS, ROOT_EIGHTEEN, few_products, remainder_eighteen
from theory.polynomials import coefficients_of, evaluated
from theory.steps import Exhaustive, Identity, Smt, le
from theory.symbols import MATRICES, a, b, m, n, u, v, w, x, y, z
from theory.theorem import Bound, Kind, Step, Theorem

__all__ = ["DEGREE_EIGHTEEN", "DEGREE_TWELVE", "RESIDUAL"]

#: No coefficient of the polynomials that are built is further than this from 1/k!.
RESIDUAL = Fraction(1, 1 << (BITS - 10))
_F, _D, _B = MATRICES[:3]


def _close(degree: int) -> bool:
    """Every scaling up to 3: coefficients within ``RESIDUAL`` of 1/k!, none beyond the degree, no constant."""
    for scalings in range(4):
        found = coefficients_of(few_products(degree, scalings), scalings)
        if len(found) != degree + 1 or found[0]:
            return False
        if any(abs(c - Fraction(1, factorial(k))) > RESIDUAL for k, c in enumerate(found) if k):
            return False
    return True


def _claims_hold(degree: int) -> bool:
    """Theta 1, 8 and 1/3, scalings 0 and 2: every claim is at least the majorant of the matrix it is about."""
    for theta in (Fraction(1), Fraction(8), Fraction(1, 3)):
        for scalings in (0, 2):
            program = few_products(degree, scalings, theta)
            for stage, outputs in zip(program.stages, evaluated(program), strict=True):
                for name, claim in stage.claims:
                    if claim < sum(abs(c) * theta**k for k, c in enumerate(outputs[name])):
                        return False
    return True


def _root_found() -> bool:
    """The two equations left over miss 0 by less than 2^-100 at the stored root."""
    d6, alpha = (Fraction(number, 1 << BITS) for number in ROOT_EIGHTEEN)
    return all(abs(value) < Fraction(1, 1 << 100) for value in remainder_eighteen(d6, alpha))


def _shared(degree: int, products: int) -> Iterator[Step]:
    """Yield the steps both schemes share."""
    yield Identity(
        "shape",
        "(F + D) F = S^2 - D^2/4 with S = F + D/2, powers of one matrix commute",
        (x + y) * x,
        (x + y / 2) ** 2 - y**2 / 4,
    )
    yield Identity(
        "identity-apart",
        "(a I + F)(b I + G) = ab I + a G + b F + F G: multiples of the identity are linear",
        sp.expand((a + _F) * (b + _D)),
        sp.expand(a * b + a * _D + b * _F + _F * _D),
    )
    yield Identity(
        "output",
        "W + G F with W = B + alpha F and G = F + D",
        sp.expand((_B + u * _F) + (_F + _D) * _F),
        sp.expand(_B + u * _F + _F * _F + _D * _F),
    )
    yield Identity(
        "top",
        "coefficient q/2 + k of S^2 is 2 s_top s_k and terms above k: one equation for s_k, from the top down",
        sp.expand((v * x**m + w * x**n) ** 2),
        sp.expand(v**2 * x ** (2 * m) + 2 * v * w * x ** (m + n) + w**2 * x ** (2 * n)),
    )
    yield Smt(
        "claims",
        "||sum c_k A^k|| <= sum |c_k| theta^k: one more term x, |x| <= u <= w",
        (le(-u, x), le(x, u), le(u, w), le(-y, z), le(z, y)),
        le((x + z) ** 2, (w + y) ** 2),
    )
    yield Exhaustive(
        "coefficients",
        f"what is built is T_{degree} - I up to {degree}, coefficients within 2^-{BITS - 10} of 1/k!, scalings 0 to 3",
        lambda: _close(degree),
    )
    yield Exhaustive(
        "claimed",
        f"claims are at least the majorants of the polynomials, degree {degree}",
        lambda: _claims_hold(degree),
    )
    yield Exhaustive(
        "products",
        f"{products} products for degree {degree}",
        lambda: sum(len(stage.products) for stage in few_products(degree).stages) == products,
    )


DEGREE_TWELVE = Theorem(
    id="expm.degree-12",
    title="the Taylor polynomial of degree 12 in four products",
    statement=(
        "With X^2, X^3 = X^2 X, F = E + (f1 X + f2 X^2 + f3 X^3)^2 and D, E, B in X, X^2, X^3: T_12 - I = B + alpha F "
        "+ (F + D) F, four products. Degrees 12 to 4 determine everything but d3, the coefficient of X^3 in D: it "
        "is 1/64, where all coefficients of F and D are positive. What is built has rational stand-ins: coefficients "
        "miss 1/k! by at most 2^-118, which is part of the truncation (theorem expm.scaling-squaring). Matrices that "
        "are polynomials in A are within their own majorants sum |c_k| theta^k."
    ),
    hypotheses=("exact real arithmetic", "theta bounds A in a submultiplicative norm, for the claims"),
    bound=Bound(sp.Integer(4), Kind.UPPER, "products", "degree 12"),
    steps=tuple(_shared(12, 4)),
    source="shape from Bader, Blanes, Casas, Mathematics 7 (2019) 1174; coefficients derived here",
    formulas={"residual": sp.Rational(1, 2 ** (BITS - 10))},
)

DEGREE_EIGHTEEN = Theorem(
    id="expm.degree-18",
    title="the Taylor polynomial of degree 18 in five products",
    statement=(
        "With X^2, X^3 = X^2 X, X^6 = (X^3)^2, F = E + P Q of degree 9, P in X, X^2, X^3, Q in X, X^2, X^6, and D, E, "
        "B in X, X^2, X^3, X^6: T_18 - I = B + alpha F + (F + D) F, five products. Degrees 18 to 7 give all from "
        "d6 and alpha, degrees 5 and 4 are two equations for those, with six real solutions found; the one with the "
        "smallest ranges is built. Its alpha is negative, so claims matter: a matrix that is a polynomial in A is "
        "within sum |c_k| theta^k. Coefficients miss 1/k! by at most 2^-118, part of the truncation."
    ),
    hypotheses=("exact real arithmetic", "theta bounds A in a submultiplicative norm, for the claims"),
    bound=Bound(sp.Integer(5), Kind.UPPER, "products", "degree 18"),
    steps=(
        *_shared(18, 5),
        Exhaustive("root", "the equations of degrees 5 and 4 hold within 2^-100 at the stored d6, alpha", _root_found),
    ),
    source="shape from Bader, Blanes, Casas, Mathematics 7 (2019) 1174; coefficients derived here",
    formulas={"residual": sp.Rational(1, 2 ** (BITS - 10))},
)
