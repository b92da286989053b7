"""Powers and polynomials with given coefficients: no truncation, boxes and balls. Theorem: polynomial.exact."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random

import pytest
from flint import arb, arb_mat, ctx
from hypothesis import given
from hypothesis import strategies as st

from theory.analysis import majorants
from theory.catalogue import load
from theory.counts import count_plan
from theory.errors import BadInput
from theory.functions.planner import plan_function, replan_function
from theory.functions.polynomials import (
    formula_of,
    polynomial_candidates,
    polynomial_of,
    power_formula,
    powers,
    powers_side_by_side,
    programs,
)
from theory.norm_model import NormModel
from theory.polynomials import coefficients_of
from theory.problem import Ball, Box, CentredBall, Problem
from theory.requests import make_problem
from theory.theorem import Verdict

COEFFICIENTS = st.lists(st.fractions(-3, 3, max_denominator=12), min_size=1, max_size=8).filter(lambda c: bool(c[-1]))


def test_every_step_is_proved() -> None:
    assert all(step.run().verdict == Verdict.PROVED for step in load("polynomial.exact").steps)


@given(COEFFICIENTS)
def test_every_program_computes_the_polynomial(wanted: list[Fraction]) -> None:
    found = [coefficients_of(program) for _, program in programs(wanted)]
    assert found
    for coefficients in found:
        assert coefficients[: len(wanted) + 1] == [Fraction(0), *wanted]
        assert not any(coefficients[len(wanted) + 1 :])


@given(COEFFICIENTS, st.fractions(-2, 2, max_denominator=6))
def test_a_formula_reads_back_its_coefficients(wanted: list[Fraction], constant: Fraction) -> None:
    text = formula_of(",".join(map(str, [constant, *wanted])))
    assert polynomial_of(text) == (constant, *wanted)


@pytest.mark.parametrize("exponent", [1, 2, 3, 5, 7, 16, 23, 100])
def test_powers_take_the_stages_stated(exponent: int) -> None:
    expected = [Fraction(0)] * exponent + [Fraction(1)]
    one, beside = powers(exponent), powers_side_by_side(exponent)
    assert coefficients_of(one) == coefficients_of(beside) == expected
    assert len(one.stages) == exponent.bit_length() + exponent.bit_count() - 2
    assert len(beside.stages) == (exponent - 1).bit_length()


@pytest.mark.parametrize(
    "text", ["x**1000", "sin(x)", "pi*x", "1/x", "2", "x - x", "x**", "x**(1/2)", "((1+x)**99)**9"]
)
def test_what_is_no_polynomial_of_moderate_degree_is_left_to_the_series(text: str) -> None:
    assert polynomial_of(text) is None


@pytest.mark.parametrize("domain", [Box(Fraction(1)), CentredBall(Fraction(1, 2), Fraction(3, 2))], ids=["box", "ball"])
@pytest.mark.parametrize("text", ["x**2", "x**5", "1 + x**2/2 - x**3/3", "x**3 + 5*x**6"])
def test_plans_meet_their_bound_and_plan_again(domain: Box | CentredBall, text: str) -> None:
    problem = Problem(text, 3, domain, Fraction(1, 1000))
    plan = plan_function(problem)
    assert plan.proved <= problem.eps
    assert plan.theorem == "polynomial.exact"
    again = replan_function(problem, plan.recipe(), plan.hidden_layers)
    assert (again.program, again.proved) == (plan.program, plan.proved)
    assert count_plan(plan).architecture.hidden_layers == plan.hidden_layers


def test_ranges_are_those_of_absolute_coefficients() -> None:
    problem = make_problem("polynomial", {"coefficients": "1,0,1/2,-1/3", "n": 2, "eps": "1e-2", "M": "1/2"})
    model = NormModel(2, problem.domain)
    coefficients = polynomial_of(problem.function)
    assert coefficients is not None
    assert list(map(str, coefficients)) == ["1", "0", "1/2", "-1/3"]
    for candidate in polynomial_candidates(problem, coefficients):
        ((name, c),) = candidate.program.output.terms
        # theta = nM = 1: 1/2 + 1/3 besides the constant.
        assert float(majorants(candidate.program, model)[name] * abs(arb(float(c)))) == pytest.approx(5 / 6)
        assert candidate.program.output.identity == 1


def test_a_square_of_four_by_four_takes_64_squarers() -> None:
    plan = plan_function(Problem("x**2", 4, Box(Fraction(1)), Fraction(1, 1000)))
    (product,) = plan.stages[0].products
    assert product.product.is_square


def test_the_network_is_within_its_bound_in_balls(build_fifth: Callable[[], object]) -> None:
    net = build_fifth()
    generator, worst = Random(3), 0.0
    for _ in range(20):
        A = [[Fraction(generator.choice((-1, 1))) * Fraction(generator.randint(0, 64), 64) for _ in "ab"] for _ in "ab"]
        with ctx.workprec(128):
            power = arb_mat([[arb(float(entry)) for entry in row] for row in A]) ** 5
            value = net.exact(A)  # type: ignore[attr-defined]
            E = [
                [abs(arb(float(v)) - p) for v, p in zip(*rows, strict=True)]
                for rows in zip(value, power.tolist(), strict=True)
            ]
            worst = max(worst, float(sum((e**2 for row in E for e in row), arb(0)).sqrt()))
    assert 0 < worst <= float(net.bound)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def build_fifth() -> Callable[[], object]:
    from constructions import build

    net = build("power", n=2, eps="1e-2", k=5, M=1)
    return lambda: net


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        ("power", {"M": 1}, "needs --k"),
        ("power", {"M": 1, "k": 0}, "k"),
        ("power", {"M": 1, "k": 999}, "highest power"),
        ("power", {"k": 3}, "needs --M .* or --radius"),
        ("polynomial", {"M": 1}, "needs --coefficients"),
        ("polynomial", {"M": 1, "coefficients": "1"}, "not constant"),
        ("polynomial", {"M": 1, "coefficients": "1,,2"}, "coefficient"),
        ("x**3", {"M": 1, "radius": 1}, "not both"),
        ("exp(x)", {"M": 1}, "takes no --M"),
        ("expm", {"k": 2}, "takes no --k"),
    ],
)
def test_odd_requests_get_one_line(function: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        make_problem(function, {"n": 2, "eps": "1e-3", **options})


def test_a_ball_about_zero_of_the_exponential_is_no_domain_of_a_polynomial() -> None:
    with pytest.raises(BadInput, match="not planned on"):
        plan_function(Problem("x**2", 2, Ball(Fraction(1)), Fraction(1, 10)))


def test_power_formula_names_its_exponent() -> None:
    assert power_formula("5") == "x**5"
