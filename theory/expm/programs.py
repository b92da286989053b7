"""Matrix programs for e^A: a Taylor polynomial of A / 2^s, then s squarings.

Variables are identity-free: Y = e^A - I squares as ``Y <- 2Y + Y^2``, so multiples of the identity, which are
linear and free, never enter a product.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import factorial

from theory.expm.few_products import few_products
from theory.polynomials import PolynomialProgram, degree_eight, horner, paterson_stockmeyer
from theory.program import Combination, Product, Program, Stage, combination

__all__ = ["FIXED_DEGREES", "SCHEMES", "horner_program", "scaling_and_squaring_program", "squarings", "taylor_scheme"]

#: How a Taylor polynomial may be evaluated.
SCHEMES = ("horner", "paterson-stockmeyer", "degree-8", "degree-12", "degree-18")
#: Schemes of one degree: degree and products.
FIXED_DEGREES = {"degree-8": (8, 3), "degree-12": (12, 4), "degree-18": (18, 5)}


def taylor_scheme(scheme: str, degree: int, scalings: int, theta: Fraction | None = None) -> PolynomialProgram:
    """Return ``T_q(A / 2^s) - I`` by a scheme; ``theta`` bounds A, for schemes that claim ranges by it.

    Raises:
        ValueError: If there is no such scheme, or it has another degree.
    """
    coefficients = [Fraction(1, factorial(k)) for k in range(1, degree + 1)]
    if scheme == "horner":
        return horner(coefficients, scalings)
    if scheme == "paterson-stockmeyer":
        return paterson_stockmeyer(coefficients, scalings)
    if (scheme, degree) == ("degree-8", 8):
        return degree_eight(scalings)
    if (scheme, degree) in (("degree-12", 12), ("degree-18", 18)):
        return few_products(degree, scalings, theta)
    raise ValueError(f"no scheme {scheme!r} of degree {degree}")


def horner_program(degree: int) -> Program:
    """Return ``T_q(A)`` by Horner's rule in q - 1 products."""
    polynomial = taylor_scheme("horner", degree, 0)
    return Program(polynomial.stages, Combination(polynomial.result.terms, Fraction(1)))


@lru_cache(maxsize=256)
def scaling_and_squaring_program(scheme: str, degree: int, scalings: int, theta: Fraction | None = None) -> Program:
    """Return ``T_q(A / 2^s)^(2^s)`` as ``Y_0 = T_q(A / 2^s) - I``, ``Y_{j+1} = 2 Y_j + Y_j^2``, output ``I + Y_s``.

    Source: scaling and squaring with the identity split off, derived here (theorem expm.scaling-squaring).
    """
    return squarings(taylor_scheme(scheme, degree, scalings, theta), scalings)


def squarings(polynomial: PolynomialProgram, scalings: int) -> Program:
    """Return ``(I + p)^(2^s)`` for a program that computes p: s steps ``Y <- 2Y + Y^2``."""
    stages, current = list(polynomial.stages), polynomial.result
    for _ in range(scalings):
        # A square of Y = c V is c^2 V^2: keep the factor free of coefficients, so its scale stays short.
        ((name, c),) = current.terms
        factor = combination({name: 1})
        output = combination({name: 2 * c, "P": c * c})
        stages.append(Stage((Product("P", factor, factor),), (("Y", output),)))
        current = combination({"Y": 1})
    return Program(tuple(stages), Combination(current.terms, Fraction(1)))
