from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from empirical.exact_lp import maximise

WHOLE = st.integers(-4, 4)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.integers(1, 4), st.integers(0, 5))
def test_the_maximum_is_attained_and_agrees_with_highs(data, variables, count):
    # Small whole numbers make ties and degenerate vertices common; a box keeps the maximum finite.
    cost = data.draw(st.lists(WHOLE, min_size=variables, max_size=variables))
    rows = [data.draw(st.lists(WHOLE, min_size=variables, max_size=variables)) for _ in range(count)]
    limits = data.draw(st.lists(st.integers(0, 4), min_size=count, max_size=count))
    rows += [[int(i == j) for i in range(variables)] for j in range(variables)]
    limits += [3] * variables
    exact = [[Fraction(x) for x in row] for row in rows]
    value, vertex = maximise([Fraction(c) for c in cost], exact, [Fraction(x) for x in limits])
    assert sum(c * x for c, x in zip(cost, vertex, strict=True)) == value
    assert all(x >= 0 for x in vertex)
    for row, limit in zip(rows, limits, strict=True):
        assert sum(a * x for a, x in zip(row, vertex, strict=True)) <= limit
    floats = linprog([-c for c in cost], A_ub=rows, b_ub=limits, bounds=[(0, None)] * variables)
    assert float(value) == pytest.approx(-floats.fun, abs=1e-7)  # the solver's own tolerance


def test_what_has_no_answer_is_refused():
    with pytest.raises(ValueError, match="infinite"):
        maximise([Fraction(1)], [[Fraction(-1)]], [Fraction(0)])
    with pytest.raises(ValueError, match="start"):
        maximise([Fraction(1)], [[Fraction(1)]], [Fraction(-1)])
