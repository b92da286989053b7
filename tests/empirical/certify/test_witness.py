"""Errors at one matrix: the ball's ends enclose the exact rational value."""

from __future__ import annotations

from fractions import Fraction

import flint
import numpy as np
import pytest

from empirical.certify.chain import Budget, ReluChain
from empirical.certify.expm import ExpmTarget
from empirical.certify.inverse import InverseTarget
from empirical.certify.piece import Problem
from empirical.certify.witness import Witness, determinant_sign


def _problem(seed: int, norm: str = "max", hidden: int = 5) -> Problem:
    generator = np.random.default_rng(seed)
    weights = (generator.normal(size=(hidden, 4)), generator.normal(size=(4, hidden)))
    chain = ReluChain(weights, (generator.normal(size=hidden), generator.normal(size=4)))
    return Problem(chain, InverseTarget(2), norm, Budget.of(chain, -np.ones(4), np.ones(4)))


def _exact_errors(problem: Problem, point: np.ndarray) -> list[Fraction]:
    values = [Fraction(float(x)) for x in point]
    a, b, c, d = values
    determinant = a * d - b * c
    for index, (weight, bias) in enumerate(zip(problem.chain.weights, problem.chain.biases, strict=True)):
        values = [max(value, Fraction(0)) for value in values] if index else values
        values = [
            sum((Fraction(float(w)) * x for w, x in zip(row, values, strict=True)), Fraction(float(shift)))
            for row, shift in zip(weight, bias, strict=True)
        ]
    inverse = [d / determinant, -b / determinant, -c / determinant, a / determinant]
    return [value - entry for value, entry in zip(values, inverse, strict=True)]


@pytest.mark.parametrize("seed", range(6))
def test_both_ends_enclose_the_exact_error_as_tightly_as_floats_can(seed: int) -> None:
    problem = _problem(seed)
    point = np.random.default_rng(seed + 100).normal(size=4)
    exact = max(abs(error) for error in _exact_errors(problem, point))
    low, high = Witness(problem).bounds(point)
    assert Fraction(low) <= exact <= Fraction(high)
    assert high <= np.nextafter(low, np.inf)


def test_row_sums_too() -> None:
    problem = _problem(3, "inf")
    point = np.array([0.3, 0.8, -0.7, 0.2])
    errors = [abs(error) for error in _exact_errors(problem, point)]
    low, high = Witness(problem).bounds(point)
    assert Fraction(low) <= max(errors[0] + errors[1], errors[2] + errors[3]) <= Fraction(high)


def test_at_a_singular_matrix_nothing_is_claimed() -> None:
    assert Witness(_problem(0)).bounds(np.array([1.0, 2.0, 2.0, 4.0])) == (0.0, np.inf)


def test_the_exponential_of_a_diagonal_matrix() -> None:
    chain = ReluChain((np.zeros((4, 4)),), (np.zeros(4),))
    problem = Problem(chain, ExpmTarget(2, 4.0), "max", Budget.of(chain, -np.ones(4), np.ones(4)))
    low, high = Witness(problem).bounds(np.array([2.0, 0.0, 0.0, 1.0]))
    with flint.ctx.workprec(200):
        assert flint.arb(low) <= flint.arb(2).exp() <= flint.arb(high)


def test_determinant_signs_are_exact() -> None:
    tiny = np.array([[1.0, 1.0], [1.0, np.nextafter(1.0, 2)]])
    assert determinant_sign(tiny) == 1
    assert determinant_sign(tiny[::-1]) == -1
    # 0.1 * 0.3 and 0.3 * 0.1 are the same product: exactly singular although no entry is a short rational.
    assert determinant_sign(np.array([[0.1, 0.3], [0.1, 0.3]])) == 0
