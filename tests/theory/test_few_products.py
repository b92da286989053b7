"""Degree 12 in four products, degree 18 in five: derived again, evaluated another way, and held against the routes.

Theorems: expm.degree-12, expm.degree-18.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial

import pytest
from flint import arb, arb_mat, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.analysis import majorants
from theory.catalogue import load
from theory.counts import count_plan
from theory.evaluate import as_ball
from theory.expm.few_products import (
    BITS,
    D3,
    ROOT_EIGHTEEN,
    few_products,
    newton_eighteen,
    remainder_eighteen,
    solution,
)
from theory.expm.few_products_theorems import RESIDUAL
from theory.expm.planner import plan_expm, replan_expm
from theory.expm.programs import scaling_and_squaring_program
from theory.expm.truncation import squared_tail
from theory.norm_model import NormModel
from theory.polynomials import coefficients_of, evaluated
from theory.problem import Box, Problem
from theory.program import Program
from theory.theorem import Verdict

PRODUCTS = {12: 4, 18: 5}


@pytest.mark.parametrize("theorem", ["expm.degree-12", "expm.degree-18"])
def test_every_step_is_proved(theorem: str) -> None:
    assert {step.name: step.run().verdict for step in load(theorem).steps if step.run().verdict != Verdict.PROVED} == {}


@pytest.mark.parametrize("degree", PRODUCTS)
@pytest.mark.parametrize("scalings", [0, 1, 3])
def test_coefficients_are_inverse_factorials(degree: int, scalings: int) -> None:
    program = few_products(degree, scalings)
    found = coefficients_of(program, scalings)
    assert len(found) == degree + 1
    assert found[0] == 0
    assert all(abs(c - Fraction(1, factorial(k))) <= RESIDUAL for k, c in enumerate(found) if k)
    assert Program(program.stages, program.result).products == PRODUCTS[degree]
    assert any(c != Fraction(1, factorial(k)) for k, c in enumerate(found) if k)  # stand-ins: the residual is real


def test_the_root_is_found_again_from_far_away() -> None:
    # Six digits of a start; the last of 128 bits may differ by the rounding of the quotients.
    again = newton_eighteen(Fraction(33498, 10**9), Fraction(-111485, 10**4))
    assert all(abs(new - old) <= 1 << 20 for new, old in zip(again, ROOT_EIGHTEEN, strict=True))
    d6, alpha = (Fraction(number, 1 << BITS) for number in ROOT_EIGHTEEN)
    here = max(map(abs, remainder_eighteen(d6, alpha)))
    nearby = max(map(abs, remainder_eighteen(d6, alpha + Fraction(1, 1 << 80))))
    assert 1000 * here < nearby


@given(st.fractions("1/200", "1/10", max_denominator=1000))
@settings(max_examples=20)
def test_degree_twelve_has_one_free_number(d3: Fraction) -> None:
    """The identities hold for every d3: B + alpha F + (F + D) F has the Taylor coefficients."""
    numbers = solution(12, d3)
    f = {
        k: sum(numbers.factors[0].get(i, 0) * numbers.factors[1].get(k - i, 0) for i in range(k + 1)) for k in range(7)
    }
    whole = {k: f[k] + numbers.rest.get(k, 0) for k in range(1, 7)}
    for k in range(1, 13):
        product = sum((whole[i] + numbers.shift.get(i, 0)) * whole.get(k - i, 0) for i in whole)
        c = numbers.linear.get(k, 0) + numbers.alpha * whole.get(k, 0) + product
        # Quotients are rounded at 2^-128 and divided by F_6 > 2^-15 and d3 >= 2^-8 a few times over.
        assert abs(c - Fraction(1, factorial(k))) < Fraction(1, 1 << 60)


def test_signs_are_as_stated() -> None:
    twelve, eighteen = solution(12), solution(18)
    assert twelve.shift[3] == D3
    assert all(value > 0 for part in (*twelve.factors, twelve.rest, twelve.shift) for value in part.values())
    assert twelve.alpha > 0 > eighteen.alpha


@pytest.mark.parametrize("degree", PRODUCTS)
def test_claims_tell_what_absolute_values_do_not_see(degree: int) -> None:
    """The claimed range of e^X - I is that of its Taylor polynomial; the parts' sum is larger."""
    theta = Fraction(2)
    claimed = Program(few_products(degree, 0, theta).stages, few_products(degree).result)
    bare = Program(few_products(degree).stages, few_products(degree).result)
    model = NormModel(2, Box(Fraction(1)))
    tight, loose = (majorants(program, model)["H"] for program in (claimed, bare))
    assert float(tight) == pytest.approx(sum(2.0**k / factorial(k) for k in range(1, degree + 1)), rel=1e-12)
    assert float(loose) > {12: 1.01, 18: 1.3}[degree] * float(tight)


@pytest.mark.parametrize("degree", PRODUCTS)
def test_claims_hold_at_the_worst_matrix(degree: int) -> None:
    """nu of every matrix at A = +-M (all ones), evaluated as a polynomial: at most the claim."""
    theta = Fraction(3)
    program = few_products(degree, 1, theta)
    for stage, outputs in zip(program.stages, evaluated(program), strict=True):
        for name, claim in stage.claims:
            for point in (theta, -theta):
                assert abs(sum((c * point**k for k, c in enumerate(outputs[name])), Fraction(0))) <= claim


@pytest.mark.parametrize(("scheme", "degree"), [("degree-12", 12), ("degree-18", 18)])
@pytest.mark.parametrize("scalings", [0, 2])
def test_truncation_holds_residuals_included(scheme: str, degree: int, scalings: int) -> None:
    """The exact program at J/2 (theta = 1) against e^A in balls: within the bound, and no less than a tenth."""
    program = scaling_and_squaring_program(scheme, degree, scalings, Fraction(1))
    with ctx.workprec(400):
        A = arb_mat([[as_ball(Fraction(1, 2))] * 2] * 2)
        values = {"A": A}
        for stage in program.stages:
            have = dict(values)
            for product in stage.products:
                left, right = (_combined(form, values) for form in (product.left, product.right))
                have[product.name] = left * right
            values = {name: _combined(form, have) for name, form in stage.outputs}
        difference = (_combined(program.output, values) - A.exp()).tolist()
        error = 2 * max((abs(entry) for row in difference for entry in row), key=float)
        bound = squared_tail(arb(1), degree, scalings, scheme)
        assert error < bound
        assert error * 10 > bound  # along J the estimate is the truth up to its geometric series


def _combined(form: object, values: dict[str, arb_mat]) -> arb_mat:
    total = arb_mat(2, 2)
    for name, c in form.terms:  # type: ignore[attr-defined]
        total = total + values[name] * as_ball(c)
    return total + arb_mat([[1, 0], [0, 1]]) * as_ball(form.identity)  # type: ignore[attr-defined]


def test_eighteen_wins_at_eight_and_sixteen_and_the_planner_finds_it() -> None:
    """Hidden layers on |a_ij| <= 1, eps = 1e-3 in the inf-norm, reference width: the route without a scheme is best."""
    for n, expected in ((8, 18), (16, 18)):
        problem = Problem("expm", n, Box(Fraction(1)), Fraction(1, 1000), "inf")
        layers = {route: plan_expm(problem, route).hidden_layers for route in ("taylor-8", "taylor-12", "taylor-18")}
        best = plan_expm(problem)
        assert dict(best.parameters)["degree"] == expected
        assert best.hidden_layers == layers["taylor-18"] < layers["taylor-12"] < layers["taylor-8"]


@pytest.mark.parametrize("route", ["taylor-8", "taylor-12", "taylor-18", "paterson-stockmeyer"])
def test_recipes_plan_the_same_again(route: str) -> None:
    problem = Problem("expm", 2, Box(Fraction(1)), Fraction(1, 100), "fro")
    plan = plan_expm(problem, route)
    again = replan_expm(problem, plan.recipe(), plan.hidden_layers)
    assert (again.program, again.stages) == (plan.program, plan.stages)
    assert again.proved == plan.proved <= problem.eps
    assert count_plan(again).architecture.hidden_layers == plan.hidden_layers
