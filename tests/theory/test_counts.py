"""Three sides meet: what a plan promises, composed and counted from the theorems, is what the matrices hold."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from constructions.measure import measure
from constructions.program_network import ideal_network
from theory.counts import count_plan
from theory.expm.planner import BUILT_ROUTES, plan_expm
from theory.plan import Limits
from theory.problem import NORMS, Ball, Box, Problem

RADII = st.sampled_from([Fraction(1, 3), Fraction(1, 2), Fraction(1), Fraction(3, 2)])
DOMAINS = st.one_of(st.builds(Box, RADII), st.builds(Ball, RADII))
PROBLEMS = st.builds(
    Problem,
    st.just("expm"),
    st.integers(1, 3),
    DOMAINS,
    st.sampled_from([Fraction(1, 5), Fraction(1, 100), Fraction(1, 10**4)]),
    st.sampled_from(NORMS),
)


@settings(max_examples=15)
@given(PROBLEMS, st.sampled_from(BUILT_ROUTES), st.sampled_from([2, 3, 5, 8]), st.sampled_from([None, 1, 2]))
def test_promised_counts_are_measured(problem: Problem, route: str, squarer_width: int, chunk: int | None) -> None:
    plan = plan_expm(problem, route, Limits(10**9, squarer_width, chunk))
    counts, measured = count_plan(plan), measure(ideal_network(plan).freeze())
    assert plan.proved <= problem.eps
    assert counts.architecture == measured.architecture
    assert measured.nonzeros <= counts.nonzeros <= 1.05 * measured.nonzeros
    # The promise is a ball's upper end, a hair above the exact largest weight; freezing rounds that once (2^-53).
    largest = float(counts.largest_weight)
    assert float(measured.largest_weight) <= largest * (1 + 2**-50)
    assert largest <= 1.05 * float(measured.largest_weight)
