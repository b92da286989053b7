"""Matrix programs for e^A - I: Horner's rule for the Taylor polynomial, and repeated squaring after scaling.

Variables are identity-free: Y = e^A - I squares as ``Y <- 2Y + Y^2``, so multiples of the identity, which are linear and
free, never enter a product.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial

from theory.program import Combination, Product, Program, Stage, combination

__all__ = ["horner_program", "scaling_and_squaring_program"]


def horner_program(degree: int, scalings: int = 0) -> Program:
    """Return ``T_q(A / 2^s)`` by Horner's rule in q - 1 products: ``H_k = c_k A + A H_{k+1}``, ``c_k = 2^(-sk)/k!``.

    Args:
        degree: q >= 1.
        scalings: s >= 0.
    """
    stages, result = _horner_stages(degree, scalings)
    return Program(tuple(stages), Combination(result.terms, Fraction(1)))


def _horner_stages(degree: int, scalings: int) -> tuple[list[Stage], Combination]:
    """Return the stages and ``T_q(A/2^s) - I`` as a combination of what is live after them.

    H_k is kept as ``2^(e_k) H_k`` with ``e_k = floor(log2(1/c_k))``, so that its coefficient on A stays near 1 and no
    weight grows with k!; powers of two are exact.
    """
    c = [Fraction(1, factorial(k) << (scalings * k)) for k in range(degree + 1)]
    A = combination({"A": 1})
    if degree == 1:
        return [], A.scaled(c[1])
    unit = [Fraction(1 << (1 / value).__floor__().bit_length() - 1) for value in c]
    # The innermost factor is A itself: H_{q-1} = c_{q-1} A + c_q A^2, a square.
    stages = []
    for k in range(degree - 1, 0, -1):
        first, last = k == degree - 1, k == 1
        right = A if first else combination({"H": 1})
        output = combination({"A": unit[k] * c[k], "P": unit[k] * (c[degree] if first else 1 / unit[k + 1])})
        kept = (("H", output),) if last else (("A", A), ("H", output))
        stages.append(Stage((Product("P", A, right),), kept))
    return stages, combination({"H": 1 / unit[1]})


def scaling_and_squaring_program(degree: int, scalings: int) -> Program:
    """Return ``T_q(A / 2^s)^(2^s)`` as ``Y_0 = T_q(A / 2^s) - I``, ``Y_{j+1} = 2 Y_j + Y_j^2``, output ``I + Y_s``.

    Source: scaling and squaring with the identity split off, derived here.
    """
    stages, current = _horner_stages(degree, scalings)
    for _ in range(scalings):
        # A square of Y = c V is c^2 V^2: keep the factor free of coefficients, so its scale stays short.
        ((name, c),) = current.terms
        factor = combination({name: 1})
        output = combination({name: 2 * c, "P": c * c})
        stages.append(Stage((Product("P", factor, factor),), (("Y", output),)))
        current = combination({"Y": 1})
    return Program(tuple(stages), Combination(current.terms, Fraction(1)))
