"""Polynomials and powers are computed without truncation, with proof."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp

from theory.functions.polynomials import about, powers, powers_side_by_side, programs
from theory.polynomials import coefficients_of
from theory.steps import Exhaustive, Identity, Induction
from theory.symbols import BL, BR, DL, DR, MATRICES, a, delta, j, k, m, n, x
from theory.theorem import Bound, Kind, Theorem

__all__ = ["EXACT"]

_A, _B = MATRICES[:2]


def _powers_listed() -> bool:
    """Exponents to 40, both ways: A^k and nothing else; side by side ceil(log2 k) stages."""
    for exponent in range(1, 41):
        expected = [Fraction(0)] * exponent + [Fraction(1)]
        if any(coefficients_of(program) != expected for program in (powers(exponent), powers_side_by_side(exponent))):
            return False
        if len(powers_side_by_side(exponent).stages) != (exponent - 1).bit_length():
            return False
    return True


def _polynomials_listed() -> bool:
    """All polynomials of degrees 1 to 6 with coefficients 0 or (2k+1)/(k+3): every program computes them."""
    for degree in range(1, 7):
        for mask in range(1 << (degree - 1), 1 << degree):
            wanted = [Fraction(2 * i + 1, i + 3) if mask >> i & 1 else Fraction(0) for i in range(degree)]
            for _, program in programs(wanted):
                found = coefficients_of(program)
                if found[0] or found[1 : degree + 1] != wanted or any(found[degree + 1 :]):
                    return False
    return True


def _recentred() -> bool:
    """Degrees to 6, centres -1, 1/2 and 3: the coefficients about a centre give the same values at 8 points."""
    for degree in range(1, 7):
        wanted = [Fraction((-1) ** i, i + 1) for i in range(degree + 1)]
        for centre in (Fraction(-1), Fraction(1, 2), Fraction(3)):
            moved = about(wanted, centre)
            for point in map(Fraction, range(8)):
                here = sum(c * point**i for i, c in enumerate(wanted))
                if here != sum(c * (point - centre) ** i for i, c in enumerate(moved)):
                    return False
    return True


EXACT = Theorem(
    id="polynomial.exact",
    title="powers and polynomials with given coefficients",
    statement=(
        "A^k by H <- H^2 and H <- A H along the bits of k, or by S <- S^2 beside R <- R S in ceil(log2 k) stages; "
        "sum c_k A^k by Horner's rule or Paterson-Stockmeyer in the largest power all terms have in common, about the "
        "centre of the domain. Nothing is truncated: the network misses the polynomial by what its products add "
        "(theorem expm.propagation), with ranges sum |c_k| theta^k."
    ),
    hypotheses=("theta bounds A - cI in the analysis norm", "those of expm.propagation for every product"),
    bound=Bound(BL * DR + DL * BR + DL * DR + n * delta, Kind.UPPER, "fro", "every product, as in expm.propagation"),
    steps=(
        Induction(
            "bits",
            "H = A^m: H^2 = A^(2m) and A H^2 = A^(2m+1), the next bit of k",
            Identity("base", "the first bit: A", _A**1, _A),
            Identity("step", "m -> 2m + 1", sp.expand(_A * (_A**m * _A**m)), _A ** (2 * m + 1)),
        ),
        Induction(
            "side-by-side",
            "R = A^m, S = A^(2^j) with m = k mod 2^j: R S = A^(m + 2^j), S^2 = A^(2^(j+1))",
            Identity("base", "S = A", _A ** (2**0), _A),
            Identity("step", "the product", _A**m * _A ** (2**j), _A ** (m + 2**j)),
        ),
        Identity("doubling", "S^2 = A^(2^(j+1))", sp.powsimp(_A ** (2**j) * _A ** (2**j)), _A ** (2 ** (j + 1))),
        Identity("common", "sum c_k (A^m)^k", (_A**m) ** k, _A ** (m * k)),
        Identity(
            "centre",
            "x^2 = c^2 + 2c (x - c) + (x - c)^2, and so on by the binomial theorem",
            x**2,
            a**2 + 2 * a * (x - a) + (x - a) ** 2,
        ),
        Exhaustive("powers", "the listed programs are A^k, exponents to 40, both ways", _powers_listed),
        Exhaustive(
            "polynomials",
            "the listed programs are the polynomials, degrees to 6, every pattern of zeros",
            _polynomials_listed,
        ),
        Exhaustive("recentred", "coefficients about a centre give the same polynomial, degrees to 6", _recentred),
    ),
    source="derived here",
    uses=("expm.propagation", "expm.horner", "expm.paterson-stockmeyer", "matmul.square"),
    formulas={"stages of A^k": sp.ceiling(sp.log(k) / sp.log(2))},
)
