"""The inverse on K_delta by the coupled, Chebyshev-scaled Newton iteration: one product deep a step.

With R = I - XA and t = 2 / (2 - rho^2), ||R|| <= rho:  X <- t (I + R) X,  R <- (1 - t) I + t R^2. From X_0 = c A^T,
where R_0 = I - c A^T A is symmetric with spectrum in [-rho_0, rho_0], every R_k is a polynomial in A^T A,
symmetric, and I - X_{k+1} A = I - t (I + R_k)(I - R_k) = R_{k+1}. So ||R_{k+1}|| <= max(t - 1, 1 - t + t rho_k^2), and
||X_K - A^-1|| = ||R_K A^-1|| <= rho_K / delta (theorem inverse.coupled). c and t are short dyadics near their optima.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from flint import arb

from theory.dyadic import dyadic_below
from theory.evaluate import as_ball, upper
from theory.functions.candidates import tolerance
from theory.norm_model import NormModel
from theory.plan import Candidate
from theory.problem import KDelta, Problem
from theory.program import Product, Program, Source, Stage, combination

__all__ = ["coupled_candidates", "coupled_scalings", "coupled_start"]

_BITS = 12
_MOST_STEPS = 64


def coupled_start(delta: Fraction, radius: Fraction) -> tuple[Fraction, Fraction]:
    """Return (c, rho_0): the scale of A^T and the bound on ||I - c A^T A||."""
    c = dyadic_below(Fraction(2) / (radius**2 + delta**2), _BITS).fraction
    return c, max(1 - c * delta**2, c * radius**2 - 1)


def coupled_scalings(rho: Fraction, steps: int) -> list[tuple[Fraction, Fraction]]:
    """Return (t_k, bound on ||R_{k+1}||) for every step, exact rationals rounded up to 53 bits."""
    result = []
    for _ in range(steps):
        t = dyadic_below(2 / (2 - rho**2), _BITS).fraction
        rho = upper(max(t - 1, 1 - t + t * rho**2), 53)
        result.append((t, rho))
    return result


def _program(domain: KDelta, steps: int) -> tuple[Program, Fraction]:
    """Return the program with ``steps`` steps and the bound on ||R_K||."""
    c, rho = coupled_start(domain.delta, domain.radius)
    scalings = coupled_scalings(rho, steps)
    At, A = combination({"At": 1}), combination({"A": 1})
    size = c * domain.radius
    stages = [
        Stage(
            (Product("P", At, A),),
            (("R", combination({"P": -c}, 1)), ("X", combination({"At": c}))),
            (("R", rho), ("X", size)),
        )
    ]
    R, X = combination({"R": 1}), combination({"X": 1})
    for step, (t, following) in enumerate(scalings):
        # X_k = (I - R_k) A^-1 is at most (1 + rho_k) / delta, and grows by at most t (1 + rho) a step.
        size = upper(min(t * (1 + rho) * size, (1 + following) / domain.delta), 53)
        products = [Product("P", R, X)]
        outputs = [("X", combination({"X": t, "P": t}))]
        claims = [("X", size)]
        if step < steps - 1:
            products.append(Product("V", R, R))
            outputs.insert(0, ("R", combination({"V": t}, 1 - t)))
            claims.append(("R", following))
        stages.append(Stage(tuple(products), tuple(outputs), tuple(claims)))
        rho = following
    sources = (Source("A"), Source("At", transpose=True))
    return Program(tuple(stages), X, sources), rho


def coupled_candidates(problem: Problem) -> Iterator[Candidate]:
    """Yield the iteration with the fewest steps that fit, and one more."""
    assert isinstance(problem.domain, KDelta)
    model = NormModel(problem.n, problem.domain)
    target, found = tolerance(problem, model), 0
    for steps in range(1, _MOST_STEPS):
        program, rho = _program(problem.domain, steps)
        error = as_ball(rho / problem.domain.delta) * model.truncation_factor
        if error < target:
            yield Candidate("coupled", "inverse.coupled", (("steps", steps),), program, arb(error.upper()))
            found += 1
        if found == 3:
            return
