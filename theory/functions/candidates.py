"""Candidate programs for every function: series cut at several degrees, iterations with as many steps as needed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from flint import arb

from theory.evaluate import as_ball, lower
from theory.functions.series import SERIES, Series
from theory.norm_model import NormModel
from theory.plan import Candidate
from theory.polynomials import PolynomialProgram, best_programs, carrying, on_base
from theory.problem import CentredBall, Problem, SignDomain
from theory.program import Combination, Product, Program, Source, Stage, combination

__all__ = [
    "cosine_candidates",
    "formula_candidates",
    "neumann_candidates",
    "neumann_product",
    "series_candidates",
    "series_degrees",
    "sign_candidates",
    "sine_candidates",
    "tolerance",
]

#: How many degrees beyond the least are worth a look: one that fills its Paterson-Stockmeyer rectangle is free.
_DEGREES = 4
_HIGHEST = 4000


def tolerance(problem: Problem, model: NormModel) -> arb:
    """Return eps in the norm errors are measured in."""
    return as_ball(problem.eps) / model.in_norm(arb(1), problem.norm)


def series_degrees(series: Series, radius: arb, target: arb) -> Iterator[tuple[int, arb]]:
    """Yield (degree, tail) from the least degree whose tail is below the target."""
    low, high = 0, 1
    while not series.tail(radius, high) < target:
        low, high = high, 2 * high
        if high > _HIGHEST:
            return
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if series.tail(radius, middle) < target else (middle, high)
    found = 0
    for degree in range(high, high + 4 * _DEGREES):
        if series.coefficient(degree) and found < _DEGREES:
            found += 1
            yield degree, series.tail(radius, degree)


def series_candidates(problem: Problem, name: str, centre: Fraction) -> Iterator[Candidate]:
    """Yield truncations of ``f(cI + B)``, B = A - cI, by Paterson-Stockmeyer."""
    model, series = NormModel(problem.n, problem.domain), SERIES[name]
    source = (Source("A", identity=-centre),)
    target = tolerance(problem, model) / model.truncation_factor
    for degree, tail in series_degrees(series, model.theta, target):
        for place, polynomial in enumerate(best_programs(series.coefficients(degree))):
            output = Combination(polynomial.result.terms, series.coefficient(0))
            yield Candidate(
                "series",
                "series.tail",
                (("series", name), ("degree", degree), ("variant", place)),
                Program(polynomial.stages, output, source),
                tail * model.truncation_factor,
            )


def formula_candidates(problem: Problem) -> Iterator[Candidate]:
    """Yield truncations of a user's formula about the centre of its ball; analyticity is proved first.

    Raises:
        BadInput: If the formula cannot be read or has a singularity in the way.
    """
    from theory.analytic import analytic_plan, series
    from theory.parse import parse_formula

    assert isinstance(problem.domain, CentredBall)
    model, domain = NormModel(problem.n, problem.domain), problem.domain
    expression = parse_formula(problem.function)
    target = lower(tolerance(problem, model) / model.truncation_factor / 2, 53)
    least = analytic_plan(expression, domain.centre, domain.radius, target)
    for degree in range(max(1, least.degree), max(1, least.degree) + _DEGREES):
        cut = series(expression, domain.centre, domain.radius, degree)
        coefficients = list(cut.coefficients)
        while len(coefficients) > 2 and coefficients[-1] == 0:
            coefficients.pop()
        if len(coefficients) < 2 or coefficients[-1] == 0:
            continue  # a constant needs no products
        for place, polynomial in enumerate(best_programs(coefficients[1:])):
            yield Candidate(
                "series",
                "analytic.cauchy-tail",
                (("degree", degree), ("variant", place)),
                Program(
                    polynomial.stages,
                    Combination(polynomial.result.terms, coefficients[0]),
                    (Source("A", identity=-domain.centre),),
                ),
                as_ball(cut.tail) * model.truncation_factor,
            )


def neumann_candidates(problem: Problem) -> Iterator[Candidate]:
    """Yield ``A^-1 = prod_j (I + B^(2^j))``, B = I - A, and the series by Paterson-Stockmeyer."""
    assert isinstance(problem.domain, CentredBall)
    model = NormModel(problem.n, problem.domain)
    source = (Source("A", factor=Fraction(-1), identity=Fraction(1)),)
    target = tolerance(problem, model) / model.truncation_factor
    geometric = SERIES["geometric"]
    for factors in range(1, 40):
        degree = 2**factors - 1
        tail = geometric.tail(model.theta, degree)
        if tail < target:
            yield Candidate(
                "neumann-product",
                "inverse.neumann",
                (("factors", factors),),
                Program(*neumann_product(factors), source),
                tail * model.truncation_factor,
            )
            break
    for degree, tail in series_degrees(geometric, model.theta, target):
        for place, polynomial in enumerate(best_programs(geometric.coefficients(degree))):
            yield Candidate(
                "neumann-series",
                "inverse.neumann",
                (("degree", degree), ("variant", place)),
                Program(polynomial.stages, Combination(polynomial.result.terms, Fraction(1)), source),
                tail * model.truncation_factor,
            )


def neumann_product(factors: int) -> tuple[tuple[Stage, ...], Combination]:
    """Return S = sum_{1 <= k < 2^J} B^k by ``S <- S + Q + S Q, Q <- Q^2`` with both products of a step in parallel."""
    A = combination({"A": 1})
    if factors == 1:
        return (), Combination(A.terms, Fraction(1))
    stages = [Stage((Product("P", A, A),), (("Q", combination({"P": 1})), ("S", A)))]
    for step in range(1, factors):
        S, Q = combination({"S": 1}), combination({"Q": 1})
        output = ("S", combination({"S": 1, "Q": 1, "P": 1}))
        if step == factors - 1:
            stages.append(Stage((Product("P", S, Q),), (output,)))
        else:
            stages.append(Stage((Product("P", S, Q), Product("V", Q, Q)), (("Q", combination({"V": 1})), output)))
    return tuple(stages), combination({"S": 1}, 1)


def sign_candidates(problem: Problem) -> Iterator[Candidate]:
    """Yield ``sign A = A (I - E)^(-1/2)``, E = I - A^2 with ||E|| <= rho, as A + A r(E), r by Paterson-Stockmeyer."""
    assert isinstance(problem.domain, SignDomain)
    model, series = NormModel(problem.n, problem.domain), SERIES["inverse-sqrt"]
    rho, nu = as_ball(problem.domain.rho), model.theta
    target = tolerance(problem, model) / model.truncation_factor / nu
    A = combination({"A": 1})
    first = Stage((Product("P", A, A),), (("A", A), ("E", combination({"P": -1}, 1))), (("E", problem.domain.rho),))
    for degree, tail in series_degrees(series, rho, target):
        for place, polynomial in enumerate(best_programs(series.coefficients(degree))):
            inner = carrying(_apart(polynomial, "E"), "A")
            result = inner.result
            last = Stage((Product("P", A, result),), (("Y", combination({"A": 1, "P": 1})),))
            yield Candidate(
                "series",
                "sign.series",
                (("degree", degree), ("variant", place)),
                Program((first, *inner.stages, last), combination({"Y": 1})),
                tail * nu * model.truncation_factor,
            )


def _apart(polynomial: PolynomialProgram, base: str) -> PolynomialProgram:
    """Return the program on another base (its powers X1, X2, ... and H keep their names)."""
    return on_base(polynomial, base)


def cosine_candidates(problem: Problem) -> Iterator[Candidate]:
    """Yield cos(A/2^s) - I as a polynomial in (A/2^s)^2, then s doublings ``C <- 4C + 2C^2`` of C = cos - I."""
    model = NormModel(problem.n, problem.domain)
    target = tolerance(problem, model)
    for scalings in range(0, 2 + max(0, int(float(model.theta.log().mid()) / 0.69) + 2)):
        radius = model.theta / 2**scalings
        # |C| <= cosh - 1: a doubling multiplies errors by at most 4 cosh(theta_j), squares of errors are carried along.
        growth = arb(1)
        for j in range(scalings):
            growth *= 4 * (radius * 2**j).cosh()
        # The second-order terms at most double errors that end below 1 (theorem cos.doubling).
        least = target.min(arb(1)) / growth / 2 / model.truncation_factor
        for degree, tail in series_degrees(SERIES["cos"], radius, least):
            total = 2 * growth * tail * model.truncation_factor
            for place, polynomial in enumerate(best_programs(_even(SERIES["cos"], degree))):
                inner = on_base(polynomial, "Z")
                stages, current = [_square_stage(scalings, ()), *inner.stages], inner.result
                for _ in range(scalings):
                    ((name, c),) = current.terms
                    factor = combination({name: 1})
                    stages.append(
                        Stage((Product("P", factor, factor),), (("C", combination({name: 4 * c, "P": 2 * c * c})),))
                    )
                    current = combination({"C": 1})
                if scalings and len(inner.result.terms) != 1:
                    continue
                yield Candidate(
                    "series",
                    "cos.doubling",
                    (("degree", degree), ("scalings", scalings), ("variant", place)),
                    Program(tuple(stages), Combination(current.terms, Fraction(1))),
                    total,
                )


def sine_candidates(problem: Problem) -> Iterator[Candidate]:
    """Yield sin A = A + A r(A^2), r by Paterson-Stockmeyer."""
    model = NormModel(problem.n, problem.domain)
    target = tolerance(problem, model) / model.truncation_factor
    A = combination({"A": 1})
    for degree, tail in series_degrees(SERIES["sin"], model.theta, target):
        coefficients = [SERIES["sin"].coefficient(k) for k in range(3, degree + 1, 2)]
        if not coefficients:
            continue
        for place, polynomial in enumerate(best_programs(coefficients)):
            inner = carrying(on_base(polynomial, "Z"), "A")
            last = Stage((Product("P", A, inner.result),), (("Y", combination({"A": 1, "P": 1})),))
            first = _square_stage(0, (("A", A),))
            yield Candidate(
                "series",
                "series.tail",
                (("degree", degree), ("variant", place)),
                Program((first, *inner.stages, last), combination({"Y": 1})),
                tail * model.truncation_factor,
            )


def _square_stage(scalings: int, kept: tuple[tuple[str, Combination], ...]) -> Stage:
    A = combination({"A": 1})
    return Stage((Product("P", A, A),), (*kept, ("Z", combination({"P": Fraction(1, 4**scalings)}))))


def _even(series: Series, degree: int) -> list[Fraction]:
    return [series.coefficient(k) for k in range(2, degree + 1, 2)]
