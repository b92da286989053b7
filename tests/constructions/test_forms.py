"""Theorems matmul.polarised and matmul.square as matrices: with exact squares they are the product, in rationals."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from constructions.forms import product_forms
from constructions.network import port_columns
from tests.naive.naive_networks import dense, multiply
from theory.dyadic import Dyadic
from theory.layout import product_accumulators, squarers
from theory.network_plan import ProductPlan
from theory.program import Combination, Product, combination
from theory.radices import Radices

NAMES = ("A", "B", "C")
Dense = list[list[Fraction]]
COEFFICIENTS = st.fractions(-2, 2, max_denominator=3)
FACTORS = st.dictionaries(st.sampled_from(NAMES), COEFFICIENTS.filter(bool), min_size=1).map(combination)
ZERO = Dyadic(0, 0)


def plan_of(
    left: Combination, right: Combination, alphas: tuple[Dyadic, Dyadic], inner: tuple[int, int] | None = None
) -> ProductPlan:
    return ProductPlan(Product("P", left, right, inner), Radices.of([2]), *alphas, ZERO, ZERO, ZERO)


def value(factor: Combination, matrices: Mapping[str, Dense], n: int) -> Dense:
    return [[sum((c * matrices[v][i][j] for v, c in factor.terms), Fraction(0)) for j in range(n)] for i in range(n)]


def flat(matrix: Dense) -> list[Fraction]:
    return [entry for row in matrix for entry in row]


def check(plan: ProductPlan, matrices: Mapping[str, Dense], n: int) -> None:
    """Square every form exactly: the entries are those of left @ right, identically."""
    columns = port_columns(tuple((name, n * n) for name in NAMES))
    parts = product_forms(plan, columns, len(NAMES) * n * n, n)
    assert parts.forms.shape[0] == squarers(plan.product, n)
    assert parts.sums.shape[0] == product_accumulators(plan.product, n)
    x = [[entry] for name in NAMES for entry in flat(matrices[name])]
    squares = [[form**2] for (form,) in multiply(dense(parts.forms), x)]
    entries = multiply(dense(parts.entries), multiply(dense(parts.sums), squares))
    start, stop = plan.product.inner or (0, n)
    left = [row[start:stop] for row in value(plan.product.left, matrices, n)]
    expected = multiply(left, value(plan.product.right, matrices, n)[start:stop])
    assert [entry for (entry,) in entries] == flat(expected)


def drawn(data: st.DataObject, n: int) -> dict[str, Dense]:
    entries = st.lists(st.lists(st.fractions(-4, 4, max_denominator=9), min_size=n, max_size=n), min_size=n, max_size=n)
    return {name: data.draw(entries) for name in NAMES}


@settings(max_examples=25)
@given(FACTORS, FACTORS, st.integers(1, 3), st.data())
def test_the_forms_of_a_product_give_it_exactly(
    left: Combination, right: Combination, n: int, data: st.DataObject
) -> None:
    assume(left != right)
    check(plan_of(left, right, (Dyadic(3, -4), Dyadic(5, -2))), drawn(data, n), n)


@settings(max_examples=25)
@given(FACTORS, FACTORS, st.integers(2, 4), st.data())
def test_a_part_of_the_inner_sum_is_a_product_of_its_own(
    left: Combination, right: Combination, n: int, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, n - 1))
    inner = (start, data.draw(st.integers(start + 1, n)))
    check(plan_of(left, right, (Dyadic(3, -4), Dyadic(5, -2)), inner), drawn(data, n), n)


@settings(max_examples=25)
@given(FACTORS, st.integers(1, 4), st.data())
def test_the_shared_forms_of_a_square_give_it_exactly(factor: Combination, n: int, data: st.DataObject) -> None:
    check(plan_of(factor, factor, (Dyadic(3, -4), Dyadic(3, -4))), drawn(data, n), n)


@pytest.mark.parametrize("square", [True, False])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_forms_stay_in_the_unit_interval(square: bool, n: int) -> None:
    """The sum of |coefficient| of a form times the bound 1/alpha of the factor's entries is at most 1."""
    left = combination({"A": 1})
    plan = plan_of(left, left if square else combination({"B": 1}), (Dyadic(1, -2), Dyadic(1, -2)))
    columns = port_columns(tuple((name, n * n) for name in NAMES))
    forms = dense(product_forms(plan, columns, len(NAMES) * n * n, n).forms)
    assert {sum(abs(c) for c in form) / plan.alpha_left.fraction for form in forms} == {1}


def test_no_form_is_squared_twice() -> None:
    """Sharing is complete: the n^3 forms of a square are pairwise different."""
    n, A = 4, combination({"A": 1})
    columns = port_columns((("A", n * n),))
    forms = dense(product_forms(plan_of(A, A, (Dyadic(1, 0), Dyadic(1, 0))), columns, n * n, n).forms)
    assert len({tuple(form) for form in forms}) == len(forms) == n**3
