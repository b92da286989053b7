"""Theorems matmul.polarised, matmul.square and matmul.strassen against exact products."""

from __future__ import annotations

from fractions import Fraction
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.errors import BadInput
from theory.evaluate import exact
from theory.matmul import (
    POLARISED,
    PRODUCT_ERROR,
    SQUARE,
    STRASSEN,
    multiply,
    square,
    strassen_error_factor,
    strassen_squarers,
)
from theory.symbols import BL, BR, N, k, m, n, s

RADICES = st.lists(st.integers(1, 5), min_size=1, max_size=2)
Rows = list[list[Fraction]]


def rows_of(height: int, width: int) -> st.SearchStrategy[Rows]:
    entry = st.fractions(-1, 1, max_denominator=1000)
    return st.lists(st.lists(entry, min_size=width, max_size=width), min_size=height, max_size=height)


def exact_product(left: Rows, right: Rows) -> Rows:
    columns = list(zip(*right, strict=True))
    return [[sum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in left]


def errors(computed: Rows, left: Rows, right: Rows) -> list[Fraction]:
    truth = exact_product(left, right)
    return [x - y for row, true in zip(computed, truth, strict=True) for x, y in zip(row, true, strict=True)]


@settings(max_examples=30)
@given(RADICES, st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.data())
def test_matmul_polarised_holds(radices: list[int], height: int, inner: int, width: int, data: st.DataObject) -> None:
    left, right = data.draw(rows_of(height, inner)), data.draw(rows_of(inner, width))
    half_width = exact(POLARISED.bound.expression, {k: inner, BL: 1, BR: 1, N: prod(radices)})
    for error in errors(multiply(radices, left, right), left, right):
        assert abs(error - half_width / 3) <= half_width  # centred: [-1, 2] has its middle at 1/2 = (3/2)/3


@pytest.mark.parametrize("radices", [[2], [3], [5], [3, 2], [2, 2, 3]])
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 2), (3, 2, 4)])
def test_matmul_polarised_is_attained_in_all_entries_at_once(radices: list[int], shape: tuple[int, int, int]) -> None:
    height, inner, width = shape
    pieces = prod(radices)
    half_width = exact(POLARISED.bound.expression, {k: inner, BL: 1, BR: 1, N: pieces})
    for offset, end in ((Fraction(0), half_width), (Fraction(1, pieces), -half_width)):
        left = [[-1 + offset] * inner for _ in range(height)]
        right = [[-1 + offset + Fraction(2, pieces)] * width for _ in range(inner)]
        assert set(errors(multiply(radices, left, right), left, right)) == {end + half_width / 3}


def test_matmul_polarised_counts_pairs_and_entries() -> None:
    values = {n: 3, k: 4, m: 5}
    assert exact(POLARISED.formulas["squarers"], values) == 3 * 4 * 5 + 3 * 4 + 4 * 5


@settings(max_examples=30)
@given(RADICES, st.integers(1, 4), st.data())
def test_matmul_square_holds_with_n_cubed_squarers(radices: list[int], size: int, data: st.DataObject) -> None:
    matrix = data.draw(rows_of(size, size))
    computed, used = square(radices, matrix)
    assert used == size**3 == exact(SQUARE.formulas["squarers"], {n: size})
    half_width = exact(SQUARE.bound.expression, {n: size, BL: 1, N: prod(radices)})
    for error in errors(computed, matrix, matrix):
        assert abs(error - half_width / 3) <= half_width


@pytest.mark.parametrize("radices", [[2], [3], [2, 3]])
@pytest.mark.parametrize("size", [2, 3, 4])
def test_matmul_square_is_attained_off_the_diagonal(radices: list[int], size: int) -> None:
    pieces = prod(radices)
    half_width = exact(SQUARE.bound.expression, {n: size, BL: 1, N: pieces})
    low, high = -1 + Fraction(0), -1 + Fraction(2, pieces)
    for offset, end in ((Fraction(0), half_width), (Fraction(1, pieces), -half_width)):
        # Row 0 at a knot, the rest at the next (or half a cell on): every pair of entry (0, 1) is at its end.
        matrix = [[low + offset if i == 0 else high + offset for _ in range(size)] for i in range(size)]
        matrix[0][0] = high + offset
        computed, _ = square(radices, matrix)
        error = computed[0][1] - exact_product(matrix, matrix)[0][1]
        assert error == end + half_width / 3


def test_matmul_square_halves_two_by_two_and_saves_a_fifth_at_eight() -> None:
    assert [size**3 for size in (2, 8)] == [8, 512]
    assert [exact(POLARISED.formulas["squarers"], {n: size, k: size, m: size}) for size in (2, 8)] == [16, 640]


def strassen(radices: list[int], left: Rows, right: Rows, ranges: tuple[int, int], levels: int) -> Rows:
    """Strassen's product with polarised, centred leaves; ``ranges`` bound the entries and scale the leaves."""
    size = len(left)
    if levels == 0:
        scaled = [[[x / bound for x in row] for row in rows] for rows, bound in zip((left, right), ranges, strict=True)]
        centre = Fraction(size, 2 * prod(radices) ** 2)
        return [[ranges[0] * ranges[1] * (x - centre) for x in row] for row in multiply(radices, *scaled)]
    half = size // 2

    def block(rows: Rows, i: int, j: int) -> Rows:
        return [row[j * half : (j + 1) * half] for row in rows[i * half : (i + 1) * half]]

    def add(first: Rows, second: Rows, sign: int = 1) -> Rows:
        return [[x + sign * y for x, y in zip(p, q, strict=True)] for p, q in zip(first, second, strict=True)]

    a, b = ([[block(rows, i, j) for j in (0, 1)] for i in (0, 1)] for rows in (left, right))
    wide = (2 * ranges[0], 2 * ranges[1])

    def times(first: Rows, second: Rows, bounds: tuple[int, int]) -> Rows:
        return strassen(radices, first, second, bounds, levels - 1)

    m1 = times(add(a[0][0], a[1][1]), add(b[0][0], b[1][1]), wide)
    m2 = times(add(a[1][0], a[1][1]), b[0][0], (wide[0], ranges[1]))
    m3 = times(a[0][0], add(b[0][1], b[1][1], -1), (ranges[0], wide[1]))
    m4 = times(a[1][1], add(b[1][0], b[0][0], -1), (ranges[0], wide[1]))
    m5 = times(add(a[0][0], a[0][1]), b[1][1], (wide[0], ranges[1]))
    m6 = times(add(a[1][0], a[0][0], -1), add(b[0][0], b[0][1]), wide)
    m7 = times(add(a[0][1], a[1][1], -1), add(b[1][0], b[1][1]), wide)
    top = zip(add(add(m1, m4), add(m7, m5, -1)), add(m3, m5), strict=True)
    bottom = zip(add(m2, m4), add(add(m1, m2, -1), add(m3, m6)), strict=True)
    return [x + y for x, y in top] + [x + y for x, y in bottom]


@settings(max_examples=15)
@given(st.sampled_from([[2], [3], [2, 3]]), st.sampled_from([(2, 1), (4, 1), (4, 2)]), st.data())
def test_matmul_strassen_error_holds(radices: list[int], shape: tuple[int, int], data: st.DataObject) -> None:
    size, levels = shape
    left, right = data.draw(rows_of(size, size)), data.draw(rows_of(size, size))
    bound = exact(STRASSEN.formulas["error"], {s: levels, n: size, BL: 1, BR: 1, N: prod(radices)})
    assert bound == strassen_error_factor(levels) * exact(PRODUCT_ERROR, {n: size, BL: 1, BR: 1, N: prod(radices)})
    assert max(map(abs, errors(strassen(radices, left, right, (1, 1), levels), left, right))) <= bound


def test_matmul_strassen_error_factor_is_hardly_loose() -> None:
    # A witness found by search at n = 2, radix 3: 5.5 times the plain product's bound, of the 6 that are proved.
    numbers = [Fraction(i, 36) for i in (30, -18, 24, 24, 6, -25, 6, -12)]
    left, right = [numbers[0:2], numbers[2:4]], [numbers[4:6], numbers[6:8]]
    worst = max(map(abs, errors(strassen([3], left, right, (1, 1), 1), left, right)))
    assert worst == Fraction(11, 2) * exact(PRODUCT_ERROR, {n: 2, BL: 1, BR: 1, N: 3})


@pytest.mark.parametrize(("size", "levels", "plain", "counted"), [(16, 4, 4608, 4802), (32, 5, 34816, 33614)])
def test_matmul_strassen_counts(size: int, levels: int, plain: int, counted: int) -> None:
    assert strassen_squarers(size, levels) == counted
    assert strassen_squarers(size, 0) == plain == exact(STRASSEN.formulas["plain"], {n: size})
    assert counted <= exact(STRASSEN.bound.expression, {n: size, s: levels})


def test_matmul_strassen_one_level_is_fewest_at_sixteen() -> None:
    # All the way down costs more than the plain product there; a single level costs less, at six times the error.
    assert min(range(5), key=lambda levels: strassen_squarers(16, levels)) == 1
    assert strassen_squarers(16, 1) == 4480


def test_matmul_strassen_refuses_odd_sizes() -> None:
    with pytest.raises(BadInput, match="12 is not divisible by 2\\^3"):
        strassen_squarers(12, 3)
