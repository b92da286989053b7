"""Polynomials with rational coefficients: nothing is truncated, and boxes serve as well as balls.

A power x^k alone is taken by squarings and products, one after the other or side by side; everything else by Horner's
rule or Paterson-Stockmeyer, in the largest power of x that all terms have in common.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from math import comb, gcd

import sympy as sp
from flint import arb

from theory.errors import BadInput
from theory.plan import Candidate
from theory.polynomials import PolynomialProgram, best_programs, horner, on_base
from theory.problem import CentredBall, Problem
from theory.program import Combination, Product, Program, Source, Stage, combination
from theory.rationals import parse_count, parse_rational
from theory.symbols import X

__all__ = [
    "HIGHEST",
    "about",
    "formula_of",
    "polynomial_candidates",
    "polynomial_of",
    "power_formula",
    "powers",
    "powers_side_by_side",
    "programs",
]

#: Largest degree that is multiplied out.
HIGHEST = 200


def power_formula(k: object) -> str:
    """Return the formula of the k-th power.

    Raises:
        BadInput: If k is no exponent from 1 to ``HIGHEST``.
    """
    exponent = parse_count(str(k), "k")
    if exponent > HIGHEST:
        raise BadInput(f"k = {exponent} is above {HIGHEST}, the highest power that is built")
    return f"x**{exponent}"


def formula_of(coefficients: str) -> str:
    """Return the formula of ``c0,c1,c2,...``, coefficients from the constant on.

    Raises:
        BadInput: If one cannot be read, there are too many, or the polynomial is constant.
    """
    values = [parse_rational(part.strip(), "coefficient") for part in str(coefficients).split(",")]
    while values and not values[-1]:
        values.pop()
    if len(values) < 2:
        raise BadInput("give coefficients c0,c1,... of a polynomial that is not constant, such as 1,0,1/2,-1/3")
    if len(values) > HIGHEST + 1:
        raise BadInput(f"the degree {len(values) - 1} is above {HIGHEST}, the highest that is built")
    first, *terms = [_term(value, k) for k, value in enumerate(values) if value]
    return first + "".join(f" - {term[1:]}" if term.startswith("-") else f" + {term}" for term in terms)


def _term(value: Fraction, degree: int) -> str:
    power = "" if degree == 0 else "x" if degree == 1 else f"x**{degree}"
    if not power or abs(value) != 1:
        return f"{value}*{power}" if power else str(value)
    return power if value > 0 else f"-{power}"


@cache
def polynomial_of(function: str) -> tuple[Fraction, ...] | None:
    """Return c_0, c_1, ... of a formula that is a polynomial with rational coefficients, of degree 1 to ``HIGHEST``.

    None for any other text: whether it is a formula at all is for ``parse_formula`` to say.
    """
    from theory.parse import parse_formula

    try:
        expression = parse_formula(function)
    except BadInput:
        return None
    if expression.free_symbols != {X} or not 1 <= _degree_at_most(expression) <= HIGHEST:
        return None
    coefficients = sp.Poly(expression, X).all_coeffs()[::-1]
    if len(coefficients) < 2 or not all(c.is_Rational for c in coefficients):
        return None
    return tuple(Fraction(int(c.p), int(c.q)) for c in coefficients)


def _degree_at_most(expression: sp.Expr) -> int:
    """Return a bound on the degree, without multiplying out; beyond ``HIGHEST`` for what is no polynomial."""
    beyond = HIGHEST + 1
    if not expression.has(X):
        return 0 if expression.is_Rational else beyond
    if expression == X:
        return 1
    degrees = [min(_degree_at_most(part), beyond) for part in expression.args]
    if isinstance(expression, sp.Add):
        return max(degrees)
    if isinstance(expression, sp.Mul):
        return min(sum(degrees), beyond)
    if isinstance(expression, sp.Pow) and expression.args[1].is_Integer and expression.args[1] > 0:
        return min(degrees[0] * int(expression.args[1]), beyond)
    return beyond


def powers(exponent: int) -> PolynomialProgram:
    """Return ``A^k`` one product after the other: H <- H^2 for every bit of k after the first, H <- A H if it is 1."""
    A, H = combination({"A": 1}), combination({"H": 1})
    bits, stages, current = bin(exponent)[3:], [], A
    for place, bit in enumerate(bits):
        keep = (("A", A),) if "1" in bits[place:] else ()
        stages.append(Stage((Product("P", current, current),), (*keep, ("H", combination({"P": 1})))))
        if bit == "1":
            keep = (("A", A),) if "1" in bits[place + 1 :] else ()
            stages.append(Stage((Product("P", A, H),), (*keep, ("H", combination({"P": 1})))))
        current = H
    return PolynomialProgram(tuple(stages), current)


def powers_side_by_side(exponent: int) -> PolynomialProgram:
    """Return ``A^k`` in ceil(log2 k) stages: S <- S^2 beside R <- R S for every bit of k that is 1, the last first."""
    S, R, stages = "A", "", []
    for bit in bin(exponent)[:2:-1]:
        square = combination({S: 1})
        products, outputs = [Product("P", square, square)], [("S", combination({"P": 1}))]
        if bit == "1" and R:
            products.append(Product("Q", combination({R: 1}), square))
            outputs.append(("R", combination({"Q": 1})))
        elif bit == "1" or R:
            outputs.append(("R", combination({R or S: 1})))
        stages.append(Stage(tuple(products), tuple(outputs)))
        S, R = "S", "R" if bit == "1" or R else ""
    if not R:
        return PolynomialProgram(tuple(stages), combination({S: 1}))
    last = Stage((Product("P", combination({R: 1}), combination({S: 1})),), (("H", combination({"P": 1})),))
    return PolynomialProgram((*stages, last), combination({"H": 1}))


def polynomial_candidates(problem: Problem, coefficients: Sequence[Fraction]) -> Iterator[Candidate]:
    """Yield programs for a polynomial about the centre of its domain: powers, Horner, Paterson-Stockmeyer."""
    centre = problem.domain.centre if isinstance(problem.domain, CentredBall) else Fraction(0)
    shifted = about(coefficients, centre)
    source = (Source("A", identity=-centre),)
    for name, polynomial in programs(shifted[1:]):
        output = Combination(polynomial.result.terms, shifted[0])
        parameters = (("degree", len(shifted) - 1), ("scheme", name))
        yield Candidate(
            "polynomial", "polynomial.exact", parameters, Program(polynomial.stages, output, source), arb(0)
        )


def about(coefficients: Sequence[Fraction], centre: Fraction) -> list[Fraction]:
    """Return the coefficients in powers of x - centre."""
    degree = len(coefficients) - 1
    return [
        sum((coefficients[k] * comb(k, j) * centre ** (k - j) for k in range(j, degree + 1)), Fraction(0))
        for j in range(degree + 1)
    ]


def programs(coefficients: Sequence[Fraction]) -> Iterator[tuple[str, PolynomialProgram]]:
    """Yield (name, program) for c_1, ..., c_q."""
    degree = len(coefficients)
    if not any(coefficients[:-1]):
        yield "powers", _times(powers(degree), coefficients[-1])
        if len(powers(degree).stages) > len(powers_side_by_side(degree).stages):
            yield "powers side by side", _times(powers_side_by_side(degree), coefficients[-1])
        return
    step = _step(coefficients)
    if step > 1:  # a polynomial in A^step
        inner = [coefficients[k - 1] for k in range(step, degree + 1, step)]
        for name, program in programs(inner):
            yield f"{name} in x^{step}", _after(powers(step), program)
    if degree > 2:
        yield "horner", horner(coefficients)
    for place, program in enumerate(best_programs(coefficients)):
        yield f"paterson-stockmeyer {place}", program


def _step(coefficients: Sequence[Fraction]) -> int:
    return gcd(*(k for k, c in enumerate(coefficients, start=1) if c))


def _times(program: PolynomialProgram, factor: Fraction) -> PolynomialProgram:
    return PolynomialProgram(program.stages, program.result.scaled(factor))


def _after(first: PolynomialProgram, second: PolynomialProgram) -> PolynomialProgram:
    """Return the second program on the result of the first, a single matrix made by its last stage."""
    *before, last = first.stages
    ((result, _),) = first.result.terms
    renamed = Stage(last.products, tuple(("B" if name == result else name, form) for name, form in last.outputs))
    on_it = on_base(second, "B")
    return PolynomialProgram((*before, renamed, *on_it.stages), on_it.result)
