"""Domains decide exactly whether a matrix is in them, on their boundary too; problems read back what they wrote."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.errors import BadInput
from theory.problem import (
    NORMS,
    Ball,
    Box,
    CentredBall,
    Domain,
    KDelta,
    Problem,
    SignDomain,
    domain_from_json,
    is_positive_semidefinite,
)

Rows = list[list[Fraction]]
SMALL = st.fractions(-3, 3, max_denominator=20)
RADIUS = st.fractions(Fraction(1, 9), 5, max_denominator=30)
TINY = Fraction(1, 10**30)


def square(size: int) -> st.SearchStrategy[Rows]:
    return st.lists(st.lists(SMALL, min_size=size, max_size=size), min_size=size, max_size=size)


def multiply(left: Rows, right: Rows) -> Rows:
    columns = list(zip(*right, strict=True))
    return [[sum((a * b for a, b in zip(row, column, strict=True)), Fraction(0)) for column in columns] for row in left]


def scaled(rows: Rows, factor: Fraction) -> Rows:
    return [[factor * entry for entry in row] for row in rows]


def rotation(m: int, n: int) -> Rows:
    """A rational rotation from a Pythagorean triple: orthogonal, exactly."""
    c, s, h = Fraction(m * m - n * n), Fraction(2 * m * n), Fraction(m * m + n * n)
    return [[c / h, -s / h], [s / h, c / h]]


def with_norm(norm: Fraction, m: int, n: int, share: Fraction) -> Rows:
    """U diag(norm, share norm) V with rational rotations: ||.||_2 is exactly ``norm``."""
    return multiply(multiply(rotation(m, n), [[norm, Fraction(0)], [Fraction(0), share * norm]]), rotation(n + m, m))


def determinant(rows: Sequence[Sequence[Fraction]]) -> Fraction:
    total = Fraction(0)
    for order in permutations(range(len(rows))):
        sign = (-1) ** sum(order[i] > order[j] for i in range(len(order)) for j in range(i + 1, len(order)))
        product = Fraction(sign)
        for i, j in enumerate(order):
            product *= rows[i][j]
        total += product
    return total


@given(st.integers(1, 3).flatmap(square), RADIUS)
def test_the_box_is_what_it_says(rows: Rows, bound: Fraction) -> None:
    membership = Box(bound).membership(rows)
    assert membership.inside == all(abs(entry) <= bound for row in rows for entry in row)
    if not membership.inside:
        assert "> M" in membership.reason


@given(RADIUS, st.integers(2, 9), st.integers(1, 8), st.fractions(-1, 1, max_denominator=9))
def test_the_ball_is_decided_to_the_last_digit(radius: Fraction, m: int, n: int, share: Fraction) -> None:
    matrix = with_norm(radius, m, n, share)
    ball = Ball(radius)
    assert ball.membership(matrix).inside
    assert not ball.membership(scaled(matrix, 1 + TINY)).inside
    assert ball.membership(scaled(matrix, 1 - TINY)).inside


@given(st.integers(1, 3).flatmap(square), RADIUS)
def test_the_ball_lies_between_frobenius_and_largest_entry(rows: Rows, radius: Fraction) -> None:
    inside = Ball(radius).membership(rows).inside
    if sum(entry**2 for row in rows for entry in row) <= radius**2:
        assert inside
    if any(abs(entry) > radius for row in rows for entry in row):
        assert not inside


@given(st.integers(1, 3).flatmap(square))
def test_semidefinite_means_no_negative_principal_minor(rows: Rows) -> None:
    size = range(len(rows))
    symmetric = [[rows[i][j] + rows[j][i] for j in size] for i in size]
    minors = [
        determinant([[symmetric[i][j] for j in kept] for i in kept])
        for count in range(1, len(rows) + 1)
        for kept in combinations(size, count)
    ]
    assert is_positive_semidefinite(symmetric) == all(minor >= 0 for minor in minors)


@given(st.integers(1, 3).flatmap(square))
def test_gram_matrices_are_semidefinite(rows: Rows) -> None:
    gram = multiply([list(column) for column in zip(*rows, strict=True)], rows)
    assert is_positive_semidefinite(gram)
    gram[0][0] -= gram[0][0] + TINY
    assert not is_positive_semidefinite(gram)


@given(st.integers(1, 3).flatmap(square), SMALL, RADIUS)
def test_a_centred_ball_is_the_ball_moved(rows: Rows, centre: Fraction, radius: Fraction) -> None:
    moved = [[entry + (centre if i == j else 0) for j, entry in enumerate(row)] for i, row in enumerate(rows)]
    assert CentredBall(centre, radius).membership(moved).inside == Ball(radius).membership(rows).inside


@given(RADIUS, st.integers(2, 9), st.integers(1, 8), st.fractions(Fraction(1, 9), 1, max_denominator=9))
def test_k_delta_is_decided_to_the_last_digit(norm: Fraction, m: int, n: int, share: Fraction) -> None:
    matrix = with_norm(norm, m, n, share)  # singular values norm and share norm
    wide = 2 * norm
    assert KDelta(share * norm, wide).membership(matrix).inside
    assert not KDelta(share * norm * (1 + TINY), wide).membership(matrix).inside
    assert "||A||_F" in KDelta(share * norm, norm).membership(scaled(matrix, Fraction(2))).reason


@pytest.mark.parametrize("t", [0, 1, 5])
def test_the_sign_domain_needs_both_clauses(t: int) -> None:
    # [[1, t], [0, -1]] squares to I for every t: only the clause on ||A|| shuts it out.
    rows = [[Fraction(1), Fraction(t)], [Fraction(0), Fraction(-1)]]
    membership = SignDomain(Fraction(1, 2), Fraction(2)).membership(rows)
    assert membership.inside == (t <= 1)
    if t > 1:
        assert "||A||_2 > 2" in membership.reason


def test_the_sign_domain_is_decided_to_the_last_digit() -> None:
    domain = SignDomain(Fraction(1, 2), Fraction(3, 2))
    entry = Fraction(3, 4)  # 1 - 9/16 = 7/16 <= 1/2, and 1 - (7/10)^2 = 51/100 > 1/2
    assert domain.membership([[entry, Fraction(0)], [Fraction(0), -entry]]).inside
    assert not domain.membership([[Fraction(7, 10), Fraction(0)], [Fraction(0), Fraction(1)]]).inside


DOMAINS: list[Domain] = [
    Box(Fraction(1, 3)),
    Ball(Fraction(7, 2)),
    CentredBall(Fraction(-1, 2), Fraction(2)),
    SignDomain(Fraction(1, 2), Fraction(3, 2)),
    KDelta(Fraction(1, 10), Fraction(3)),
]


@pytest.mark.parametrize("domain", DOMAINS)
def test_domains_read_back_what_they_wrote(domain: Domain) -> None:
    assert domain_from_json(domain.json()) == domain
    assert domain.describe()


@pytest.mark.parametrize("norm", NORMS)
@given(st.integers(1, 10**18), st.fractions(Fraction(1, 10**40), 10**40))
def test_problems_read_back_what_they_wrote(norm: str, n: int, eps: Fraction) -> None:
    problem = Problem("expm", n, Box(Fraction(1, 3)), eps, norm)  # type: ignore[arg-type]
    assert Problem.from_json(problem.json()) == problem


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Box(Fraction(0)),
        lambda: Ball(Fraction(-1)),
        lambda: CentredBall(Fraction(1), Fraction(0)),
        lambda: KDelta(Fraction(2), Fraction(1)),
        lambda: SignDomain(Fraction(1), Fraction(2)),
        lambda: SignDomain(Fraction(1, 10), Fraction(1, 10)),
        lambda: Problem("expm", 0, Box(Fraction(1)), Fraction(1)),
        lambda: Problem("expm", 2, Box(Fraction(1)), Fraction(0)),
        lambda: Problem("expm", 2, Box(Fraction(1)), Fraction(1), "1"),  # type: ignore[arg-type]
        lambda: domain_from_json({"kind": "cube", "M": "1"}),
        lambda: Problem.from_json({"function": "expm", "n": 2}),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: object) -> None:
    with pytest.raises(BadInput):
        wrong()  # type: ignore[operator]
