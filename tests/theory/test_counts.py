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


LIMITS = st.builds(
    Limits, st.just(10**9), st.sampled_from([2, 3, 5, 8, 40]), st.sampled_from([None, 1, 2]), st.booleans()
)


@settings(max_examples=15)
@given(PROBLEMS, st.sampled_from(BUILT_ROUTES), LIMITS)
def test_promised_counts_are_measured(problem: Problem, route: str, limits: Limits) -> None:
    plan = plan_expm(problem, route, limits)
    counts, measured = count_plan(plan), measure(ideal_network(plan).freeze())
    assert plan.proved <= problem.eps
    assert counts.architecture == measured.architecture
    if limits.chunk is None or limits.chunk >= problem.n:
        assert counts.nonzeros == measured.nonzeros
    else:
        # Parts of sums: a row's own indices count as if they were (or were not) among the part's, whichever is more.
        # That is a carrier or two a row; rows with several matrices in a factor have one for each of them.
        neurons = sum(width * times for width, times in counts.architecture.runs)
        assert measured.nonzeros <= counts.nonzeros <= 1.05 * measured.nonzeros + 2 * neurons
    # The promise is a ball's upper end, a hair above the exact largest weight; freezing rounds that once (2^-53).
    largest = float(counts.largest_weight)
    assert float(measured.largest_weight) <= largest * (1 + 2**-50)
    assert largest <= 1.05 * float(measured.largest_weight)
