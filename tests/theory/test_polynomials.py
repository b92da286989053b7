"""Schemes for polynomials: every block, every scaling computes the coefficients it was given."""

from __future__ import annotations

from fractions import Fraction
from math import factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.polynomials import (
    ROOT,
    PolynomialProgram,
    best_programs,
    carrying,
    coefficients_of,
    degree_eight,
    horner,
    on_base,
    paterson_stockmeyer,
)
from theory.program import Program

NONZERO = st.fractions(-4, 4, max_denominator=30).filter(bool)
LISTS = st.tuples(st.lists(st.fractions(-4, 4, max_denominator=30), max_size=12), NONZERO).map(lambda t: [*t[0], t[1]])


def closed(program: PolynomialProgram) -> Program:
    """The program as a whole: this checks that every stage reads only what the one before gives."""
    return Program(program.stages, program.result)


@given(LISTS, st.integers(0, 3))
def test_horner_computes_its_coefficients(coefficients: list[Fraction], scalings: int) -> None:
    program = horner(coefficients, scalings)
    assert coefficients_of(program, scalings) == [Fraction(0), *coefficients]
    assert closed(program).products == len(coefficients) - 1


@given(LISTS, st.integers(0, 3), st.data())
def test_paterson_stockmeyer_computes_its_coefficients(
    coefficients: list[Fraction], scalings: int, data: st.DataObject
) -> None:
    degree = len(coefficients)
    block = data.draw(st.integers(1, degree))
    program = paterson_stockmeyer(coefficients, scalings, block)
    found = coefficients_of(program, scalings)
    assert found[: degree + 1] == [Fraction(0), *coefficients]
    assert not any(found[degree + 1 :])
    closed(program)
    if degree > 2 and block < degree:
        assert closed(program).products == (block - 1) + -(-degree // block) - 1


@pytest.mark.parametrize("degree", range(1, 40))
def test_the_best_block_takes_about_two_roots_of_products(degree: int) -> None:
    coefficients = [Fraction(1, factorial(k)) for k in range(1, degree + 1)]
    products = closed(paterson_stockmeyer(coefficients)).products
    assert products == min(b + -(-degree // b) - 2 for b in range(1, degree + 1))
    assert all(coefficients_of(p)[: degree + 1] == [0, *coefficients] for p in best_programs(coefficients))


@pytest.mark.parametrize("scalings", [0, 1, 4])
def test_three_products_reach_degree_eight(scalings: int) -> None:
    found = coefficients_of(degree_eight(scalings), scalings)
    assert len(found) == 9
    # sqrt(177) is 2^-80 off at most; the coefficients move by less than twice that.
    assert all(abs(c - Fraction(1, factorial(k))) < Fraction(1, 2**79) for k, c in enumerate(found) if k)
    assert ROOT**2 <= 177 < (ROOT + Fraction(1, 2**80)) ** 2
    assert closed(degree_eight(scalings)).products == 3


@given(LISTS.filter(lambda c: len(c) > 2))
def test_weights_stay_near_one_whatever_the_factorials(coefficients: list[Fraction]) -> None:
    tiny = [c / factorial(60 + k) for k, c in enumerate(coefficients)]
    for program in (horner(tiny), paterson_stockmeyer(tiny, 0, 2)):
        # Stages keep H times a power of two u <= 1/|c| < 2u: weights are ratios of two coefficients, times 2 at most,
        # or of a coefficient and itself; never 1/60! alone (8e81), whatever coefficients are missing.
        sizes = [abs(c) for stage in program.stages for _, output in stage.outputs for _, c in output.terms]
        assert max(sizes) <= 2 * max(abs(a / b) for a in tiny for b in tiny if b)


def test_on_another_base_with_the_input_carried_along() -> None:
    program = carrying(on_base(paterson_stockmeyer([Fraction(k) for k in range(1, 6)]), "E"), "A")
    assert all("A" in dict(stage.outputs) for stage in program.stages)
    assert all("A" not in stage.products[0].left.names for stage in program.stages)
    assert program.stages[0].live == ("A", "E")
