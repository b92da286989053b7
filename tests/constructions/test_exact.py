"""ExactMatrix against dense Fractions: the limbs, the canonical form, the rounding."""

from __future__ import annotations

from fractions import Fraction
from math import gcd

import numpy as np
import pytest
import scipy.sparse as sps
from hypothesis import given
from hypothesis import strategies as st

from constructions.exact import ExactMatrix, common_unit, vstack
from tests.naive.naive_networks import dense, from_dense, multiply

#: Small values that collide and cancel, and ones of many limbs (20 bits each), negative and with odd denominators.
SMALL = st.sampled_from([Fraction(0), Fraction(1), Fraction(-1), Fraction(1, 2), Fraction(-1, 2), Fraction(2, 3)])
HUGE = st.builds(
    lambda sign, bits, low, down: sign * Fraction((1 << bits) + low, down),
    st.sampled_from((1, -1)),
    st.integers(0, 300),
    st.integers(0, 10**12),
    st.sampled_from((1, 3, 7**20, 2**90)),
)
VALUES = SMALL | HUGE
ENTRIES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), VALUES), max_size=12)


def matrices(rows: int, columns: int) -> st.SearchStrategy[list[list[Fraction]]]:
    return st.lists(st.lists(VALUES, min_size=columns, max_size=columns), min_size=rows, max_size=rows)


def batched(entries: list[tuple[int, int, Fraction]]) -> ExactMatrix:
    return ExactMatrix.from_batches((4, 5), [(np.array([i]), np.array([j]), v) for i, j, v in entries])


@given(ENTRIES)
def test_entries_at_one_place_add_up_and_zeros_vanish(entries: list[tuple[int, int, Fraction]]) -> None:
    expected = [[sum((v for i, j, v in entries if (i, j) == (r, c)), Fraction(0)) for c in range(5)] for r in range(4)]
    matrix = batched(entries)
    assert dense(matrix) == expected
    assert matrix.nnz == sum(value != 0 for row in expected for value in row)


@given(ENTRIES)
def test_the_form_is_canonical_whatever_the_order(entries: list[tuple[int, int, Fraction]]) -> None:
    matrix, again = batched(entries), batched(entries[::-1])
    assert matrix.equals(again)
    assert list(matrix.table) == sorted(set(matrix.table))
    assert sorted(set(matrix.codes.tolist())) == list(range(len(matrix.table)))
    for row in range(4):
        columns = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]].tolist()
        assert columns == sorted(set(columns))
    assert matrix.equals(ExactMatrix.from_batches((4, 5), matrix.batches()))


@given(matrices(3, 4), matrices(4, 2))
def test_products(left: list[list[Fraction]], right: list[list[Fraction]]) -> None:
    assert dense(from_dense(left, 4) @ from_dense(right, 2)) == multiply(left, right)


@given(matrices(3, 4), matrices(3, 4))
def test_sums_and_their_cancellation(left: list[list[Fraction]], right: list[list[Fraction]]) -> None:
    one, two = from_dense(left, 4), from_dense(right, 4)
    assert dense(one + two) == [[a + b for a, b in zip(r, s, strict=True)] for r, s in zip(left, right, strict=True)]
    assert (one + one.scaled(-1)).nnz == 0
    assert (one + two + two.scaled(Fraction(-1))).equals(one)


@given(matrices(2, 3), VALUES)
def test_multiples(rows: list[list[Fraction]], factor: Fraction) -> None:
    scaled = from_dense(rows, 3).scaled(factor)
    assert scaled.equals(from_dense([[factor * v for v in row] for row in rows], 3))


@given(matrices(2, 3), matrices(3, 3), st.permutations(range(3)))
def test_stacking_taking_columns_and_the_identity(
    top: list[list[Fraction]], bottom: list[list[Fraction]], order: list[int]
) -> None:
    one, two = from_dense(top, 3), from_dense(bottom, 3)
    assert dense(vstack([one, two])) == top + bottom
    picked = one.take_rows(np.array([0, 0]))
    assert dense(picked) == [top[0], top[0]]
    assert picked.equals(vstack([one.take_rows(np.array([0]))] * 2))  # canonical: no value without an entry
    assert dense(two.take_columns(np.array(order[:2]))) == [[row[order[0]], row[order[1]]] for row in bottom]
    assert (two @ ExactMatrix.identity(3)).equals(two)
    assert (ExactMatrix.identity(2) @ one).equals(one)


@given(matrices(2, 3))
def test_floats_are_nearest_and_rounded_is_their_exact_value(rows: list[list[Fraction]]) -> None:
    matrix = from_dense(rows, 3)
    assert np.array_equal(matrix.floats().toarray(), [[float(v) for v in row] for row in rows])
    assert dense(matrix.rounded()) == [[Fraction(float(v)) for v in row] for row in rows]
    assert matrix.rounded().equals(ExactMatrix.from_floats(matrix.floats()))
    assert matrix.rounded().rounded().equals(matrix.rounded())


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=6, max_size=6))
def test_every_float_is_taken_exactly(values: list[float]) -> None:
    array = np.array(values).reshape(2, 3)
    matrix = ExactMatrix.from_floats(sps.csr_array(array))
    assert dense(matrix) == [[Fraction(float(v)) for v in row] for row in array]
    assert np.array_equal(matrix.floats().toarray(), array)


def test_long_rows_of_many_limbs_multiply_exactly() -> None:
    """2000 terms of 61 bits: limb sums near 2000 * 3 * 2^40, far past what float64 or one int64 product would hold."""
    size, value = 2000, Fraction(2**61 - 1)
    row = ExactMatrix.from_batches((1, size), [(np.zeros(size, np.int64), np.arange(size), value)])
    column = ExactMatrix.from_batches((size, 1), [(np.arange(size), np.zeros(size, np.int64), -value)])
    assert dense(row @ column) == [[-size * value**2]]


def test_sums_that_could_leave_int64_are_refused() -> None:
    """41 limb pairs of 2^40 each in 110,000 terms: above 2^62."""
    size, value = 110_000, Fraction(2**800)
    many, one, first = np.arange(1, size), np.array([0]), np.array([0])
    none = np.zeros_like(many)
    row = ExactMatrix.from_batches((1, size), [(none, many, value), (first, one, Fraction(1))])
    column = ExactMatrix.from_batches((size, 1), [(many, none, value), (one, first, Fraction(1))])
    with pytest.raises(OverflowError, match="limb sums"):
        row @ column


@given(st.lists(VALUES, max_size=6))
def test_common_unit(values: list[Fraction]) -> None:
    unit, integers = common_unit(values)
    assert [unit * k for k in integers] == values
    assert unit > 0
    assert all(isinstance(k, int) for k in integers)
    assert gcd(*integers) == (1 if any(values) else 0)


def raw(indptr: list[int], indices: list[int], codes: list[int], table: tuple[Fraction, ...]) -> ExactMatrix:
    arrays = (np.array(part, dtype=np.int64) for part in (indptr, indices, codes))
    return ExactMatrix((2, 2), *arrays, table)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (lambda: raw([0, 1], [0], [0], (Fraction(1),)), "do not fit together"),
        (lambda: raw([0, 1, 2], [0], [0], (Fraction(1),)), "do not fit together"),
        (lambda: raw([0, 1, 1], [0], [0, 0], (Fraction(1),)), "do not fit together"),
        (lambda: raw([0, 1, 1], [2], [0], (Fraction(1),)), "column index"),
        (lambda: raw([0, 1, 1], [-1], [0], (Fraction(1),)), "column index"),
        (lambda: raw([0, 1, 1], [0], [1], (Fraction(1),)), "code is out of range"),
        (lambda: raw([0, 1, 1], [0], [0], (Fraction(0),)), "zeros are not stored"),
        (lambda: ExactMatrix.identity(2) @ ExactMatrix.identity(3), "cannot multiply"),
        (lambda: ExactMatrix.identity(2) + ExactMatrix.identity(3), "cannot add"),
        (lambda: ExactMatrix.from_batches((2, 2), [(np.array([0]), np.array([2]), Fraction(1))]), "outside the shape"),
        (lambda: ExactMatrix.from_batches((2, 2), [(np.array([2]), np.array([0]), Fraction(1))]), "outside the shape"),
        (lambda: ExactMatrix.from_batches((2, 2), [(np.array([-1]), np.array([0]), Fraction(1))]), "outside the shape"),
    ],
)
def test_validators_fire(wrong: object, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        wrong()  # type: ignore[operator]
