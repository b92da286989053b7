"""The exponential's theorems hold where they can be computed another way.

Theorems: expm.truncation, expm.paterson-stockmeyer, expm.degree-8, expm.monomial, freeze.stage.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial

import pytest
from flint import arb, ctx

from constructions.evaluate import evaluate_exact
from constructions.program_network import ideal_network
from theory.expm.monomial import monomial_route
from theory.expm.planner import plan_expm
from theory.expm.truncation import squared_tail, taylor_tail
from theory.ledger import status_of
from theory.polynomials import coefficients_of, degree_eight, horner, paterson_stockmeyer
from theory.problem import Ball, Box, Problem

IDS = ("expm.truncation", "expm.paterson-stockmeyer", "expm.degree-8", "expm.monomial", "freeze.stage")


@pytest.mark.parametrize("theorem_id", IDS)
def test_nothing_is_left_open(theorem_id: str) -> None:
    assert status_of(theorem_id) in ("PROVED", "CITED")


@pytest.mark.parametrize("degree", [1, 3, 8, 20])
@pytest.mark.parametrize("theta", [Fraction(1, 4), Fraction(1), Fraction(7, 2)])
def test_expm_truncation(theta: Fraction, degree: int) -> None:
    with ctx.workprec(300):
        point = arb(theta.numerator) / theta.denominator
        partial = sum((point**k / factorial(k) for k in range(degree + 1)), arb(0))
        if theta < degree + 2:
            assert point.exp() - partial < taylor_tail(point, degree)
        for scalings in (0, 2):
            small = point / 2**scalings
            polynomial = sum((small**k / factorial(k) for k in range(degree + 1)), arb(0))
            tail = squared_tail(point, degree, scalings)
            assert not tail.is_finite() or point.exp() - polynomial ** (2**scalings) < tail


@pytest.mark.parametrize("degree", range(1, 21))
def test_expm_paterson_stockmeyer(degree: int) -> None:
    coefficients = [Fraction(1, factorial(k)) for k in range(1, degree + 1)]
    assert coefficients_of(horner(coefficients, 2), 2) == [0, *coefficients]
    for block in range(1, 6):
        assert coefficients_of(paterson_stockmeyer(coefficients, 2, block), 2)[1:] == coefficients


def test_expm_degree_8() -> None:
    found = coefficients_of(degree_eight())
    # sqrt(177) to 80 bits: the coefficients are polynomials in it with derivatives below 1, so they are right to 2^-79.
    deviations = [abs(c - Fraction(1, factorial(k))) for k, c in enumerate(found) if k]
    assert len(found) == 9
    assert max(deviations) < Fraction(1, 2**79)


def test_expm_monomial_tree_error_is_its_recursion() -> None:
    for n in (1, 2, 3):
        report = monomial_route(Problem("expm", n, Box(Fraction(1)), Fraction(1, 1000)))
        one = Fraction(1)
        for _ in range(report.levels):
            one = one**2 * (1 + Fraction(1, report.radices.pieces**2))
        growth = sum(Fraction(n**k, factorial(k)) for k in range(1, 40))
        tail = sum(Fraction(n**k, factorial(k)) for k in range(report.degree + 1, 40))
        with ctx.workprec(200):
            exact = growth * (one - 1) + tail
            assert arb(exact.numerator) / exact.denominator < report.error
            assert report.error < arb(1) / 1000


@pytest.mark.parametrize("domain", [Box(Fraction(1)), Box(Fraction(1, 3)), Ball(Fraction(1, 2))])
@pytest.mark.parametrize("n", [1, 2])
def test_freeze_stage(domain: Box | Ball, n: int) -> None:
    plan = plan_expm(Problem("expm", n, domain, Fraction(1, 1000)))
    ideal = ideal_network(plan)
    frozen = ideal.freeze()
    size = domain.M if isinstance(domain, Box) else domain.radius / n
    for signs in range(2 ** (n * n)):
        point = [size * (1 if signs >> i & 1 else -1) for i in range(n * n)]
        exact, rounded = evaluate_exact(ideal, point), evaluate_exact(frozen, point)
        assert sum((a - b) ** 2 for a, b in zip(exact, rounded, strict=True)) <= plan.freezing**2
