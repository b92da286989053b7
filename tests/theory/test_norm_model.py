"""How a domain measures matrices: the norms' inequalities on exact matrices."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from theory.evaluate import upper
from theory.norm_model import NormModel
from theory.problem import NORMS, Ball, Box, CentredBall, Norm

Rows = list[list[Fraction]]
SMALL = st.fractions(-3, 3, max_denominator=20)


def pairs(size: int) -> st.SearchStrategy[tuple[Rows, Rows]]:
    rows = st.lists(st.lists(SMALL, min_size=size, max_size=size), min_size=size, max_size=size)
    return st.tuples(rows, rows)


def multiply(left: Rows, right: Rows) -> Rows:
    columns = list(zip(*right, strict=True))
    return [[sum((a * b for a, b in zip(row, column, strict=True)), Fraction(0)) for column in columns] for row in left]


def nu(rows: Rows) -> Fraction:
    return len(rows) * max(abs(entry) for row in rows for entry in row)


def squared(rows: Rows, norm: Norm) -> Fraction:
    """The square of a norm; for the 2-norm a bound from above, min of Frobenius and ||.||_1 ||.||_inf."""
    fro = sum((entry**2 for row in rows for entry in row), Fraction(0))
    inf = max(sum(abs(entry) for entry in row) for row in rows)
    one = max(sum(abs(entry) for entry in column) for column in zip(*rows, strict=True))
    return {"fro": fro, "max": max(abs(e) for row in rows for e in row) ** 2, "inf": inf**2, "2": min(fro, inf * one)}[
        norm
    ]


@given(st.integers(1, 4).flatmap(pairs))
def test_nu_is_submultiplicative_and_the_identity_has_norm_n(matrices: tuple[Rows, Rows]) -> None:
    left, right = matrices
    assert nu(multiply(left, right)) <= nu(left) * nu(right)
    assert NormModel(len(left), Box(Fraction(1))).identity == len(left)


@pytest.mark.parametrize("norm", NORMS)
@given(st.integers(1, 4).flatmap(pairs))
def test_on_the_box_nu_bounds_every_norm(norm: Norm, matrices: tuple[Rows, Rows]) -> None:
    error = matrices[0]
    model = NormModel(len(error), Box(Fraction(1)))
    bound = upper(model.in_norm(arb(1), norm))  # 1 or 1/n; 1/3 is rounded up
    assert squared(error, norm) <= (bound * nu(error)) ** 2


@pytest.mark.parametrize("norm", NORMS)
@given(st.integers(1, 4).flatmap(pairs))
def test_on_the_ball_frobenius_bounds_every_norm(norm: Norm, matrices: tuple[Rows, Rows]) -> None:
    error = matrices[0]
    model = NormModel(len(error), Ball(Fraction(1)))
    with ctx.workprec(128):
        frobenius = arb(squared(error, "fro").numerator) / squared(error, "fro").denominator
        bound = model.in_norm(frobenius.sqrt(), norm)
        size = arb(squared(error, norm).numerator) / squared(error, norm).denominator
        # Both sides are balls of relative radius 2^-120: equality may only be seen up to that.
        assert not size > bound**2 * (1 + arb((1, -100)))


@given(st.integers(1, 6), st.fractions(Fraction(1, 9), 9, max_denominator=30))
def test_the_radius_of_a_domain(n: int, radius: Fraction) -> None:
    with ctx.workprec(128):
        exact = arb(radius.numerator) / radius.denominator
        assert NormModel(n, Box(radius)).theta.overlaps(n * exact)
        assert NormModel(n, Ball(radius)).theta.overlaps(exact)
        for model in (NormModel(n, Box(radius)), NormModel(n, Ball(radius))):
            assert model.entry(model.theta).overlaps(exact)
            assert model.input_entry.overlaps(exact)


def test_entries_of_a_matrix_near_a_centre_reach_further_than_the_radius() -> None:
    model = NormModel(3, CentredBall(Fraction(-2), Fraction(1, 2)))
    assert model.theta == arb((1, -1))
    assert model.input_entry == arb((5, -1))


@given(st.integers(1, 4).flatmap(pairs))
def test_an_entrywise_error_of_d_is_at_most_n_d(matrices: tuple[Rows, Rows]) -> None:
    error, n = matrices[0], len(matrices[0])
    largest = max(abs(entry) for row in error for entry in row)
    assert nu(error) == n * largest
    assert squared(error, "fro") <= (n * largest) ** 2
