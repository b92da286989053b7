"""Scalar plans: the four counts, theorems scalar.interpolant, .square, .product, .odd and .tower, limits, refusals."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.errors import BadInput, OutOfReach
from theory.evaluate import exact
from theory.objectives import Demand
from theory.problem import Ball, Box, CentredBall, KDelta, Problem
from theory.scalar import interval, scalar_function, scalar_plans, square_error
from theory.scalar_plan import ScalarPlan
from theory.scalar_product import ProductShape, product_shape
from theory.scalar_theorems import INTERPOLANT, ODD, PRODUCT, SQUARE, TOWER
from theory.schedule import Schedule
from theory.shapes import Hinges, Shape, Tower
from theory.symbols import M, N, gap, lam, u

MILLI = Fraction(1, 1000)


def problem(function: str, eps: Fraction = MILLI, radius: Fraction | int = 1, centre: Fraction | int = 0) -> Problem:
    return Problem(function, 1, CentredBall(Fraction(centre), Fraction(radius)), eps)


def best(function: str, eps: Fraction = MILLI, radius: Fraction | int = 1, route: str | None = None) -> ScalarPlan:
    return scalar_plans(problem(function, eps, radius), route)[0]


def test_the_four_counts() -> None:
    """Asked were 42, 84, 95 and 56 non-zeros at 1e-3; the errors are proved."""
    product = scalar_plans(Problem("product", 1, Box(Fraction(1)), MILLI))[0]
    plans = [best("x**2"), product, best("x**5"), best("exp(x)")]
    assert [plan.nonzeros for plan in plans] == [26, 60, 54, 38]
    assert all(plan.attained <= plan.error <= MILLI for plan in plans)
    # Nothing is rounded when the weights become float64.
    assert all(plan.freezing == 0 and plan.proved == plan.error for plan in plans)


@given(st.fractions(Fraction(1, 10), 10, max_denominator=20), st.integers(10, 10**9))
def test_scalar_square_and_product_are_within_eps_at_every_accuracy(radius: Fraction, inverse: int) -> None:
    eps = Fraction(1, inverse)
    plan = best("x**2", eps, radius, "squarer")
    assert plan.attained <= plan.error <= eps
    shape = product_shape(radius, eps)
    assert shape.attained <= shape.error <= eps


@pytest.mark.parametrize("pieces", [(2,), (3,), (2, 3), (1, 2, 2, 3)], ids=str)
def test_scalar_square_is_attained(pieces: tuple[int, ...]) -> None:
    schedule = Schedule(pieces)
    count = Fraction(schedule.pieces)
    core = Tower((Fraction(0),), (count,), (Fraction(0),), Fraction(0), 1 / count**2, -1 / (8 * count**2), schedule)
    error = square_error(core, Fraction(1))
    assert error.attained == error.bound == exact(SQUARE.bound.expression, {M: 1, N: schedule.pieces})
    function = core.function(Fraction(0), Fraction(1))
    worst = max(abs(function(x) - x**2) for x in (Fraction(i, 240) for i in range(241)))
    assert worst == error.bound  # all knots and middles are among these points
    assert abs(function(error.place) - error.place**2) == error.attained


def test_a_squarer_of_another_kind_has_no_square_error() -> None:
    core = Tower((Fraction(0),), (Fraction(3),), (Fraction(1),), Fraction(0), Fraction(1), Fraction(0), Schedule((2,)))
    with pytest.raises(ValueError, match="reads w"):
        square_error(core, Fraction(1, 2))


@given(st.integers(2, 12), st.fractions(-1, 1, max_denominator=30), st.fractions(-1, 1, max_denominator=30))
def test_scalar_product_holds_and_is_attained(count: int, x: Fraction, y: Fraction) -> None:
    weight = Fraction(count, 2)
    scale = 1 / Fraction(count) ** 2

    def squares(t: Fraction) -> Fraction:
        return floor(t) ** 2 + (2 * floor(t) + 1) * (t - floor(t))

    def product(x: Fraction, y: Fraction) -> Fraction:
        return scale * (squares(weight * abs(x + y)) - squares(weight * abs(x - y)))

    bound = exact(PRODUCT.bound.expression, {M: 1, N: count})
    assert abs(product(x, y) - x * y) <= bound
    assert product(x, Fraction(0)) == product(Fraction(0), y) == 0
    at = Fraction(1, 2 * count)
    assert product(at, at) - at * at == bound
    assert product(at, -at) + at * at == -bound


def test_a_product_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="stay in"):
        ProductShape(Fraction(2), Fraction(1), Fraction(1, 4), Schedule((2,)))
    with pytest.raises(ValueError, match="float64"):
        ProductShape(Fraction(1), Fraction(1, 3), Fraction(1, 4), Schedule((2,)))


def test_scalar_interpolant_is_the_best_with_its_pieces() -> None:
    """x^2 on [0, 1] with P pieces: 1/(8 P^2), so within eps exactly from P = ceil(1/sqrt(8 eps)) pieces on."""
    for inverse in (100, 1000, 3000):
        plan = scalar_plans(problem("x**2", Fraction(1, inverse), Fraction(1, 2), Fraction(1, 2)), "hinges")[0]
        assert plan.built.half.pieces == ceil(sqrt(inverse / 8))
        assert plan.error <= Fraction(1, inverse)
        pieces = plan.built.half.pieces
        # gap is (1/P)^2/4, and the search for the path balances it to 2^-10 or better.
        least = exact(INTERPOLANT.bound.expression, {gap: Fraction(1, 4 * pieces**2)})
        assert least * Fraction(1023, 1024) <= plan.error <= least * Fraction(1025, 1024)


def test_scalar_odd_halves_the_hinges() -> None:
    folded, plain = best("x**5", route="hinges"), scalar_plans(problem("x**5"), "hinges")[-1]
    assert folded.built.parity == "odd"
    assert plain.built.parity == "none"
    assert folded.nonzeros < plain.nonzeros
    half, whole = folded.built.half, folded.built.function()
    for x in (Fraction(1, 7), Fraction(2, 3), Fraction(1)):
        assert whole(x) == half(x) == -whole(-x)
        # ODD: 0 <= g(y) <= mu y, so the gate passes g on the right and -g on the left.
        assert 0 <= half(x) <= folded.built.gate * x
    assert ODD.bound.expression == u


def test_scalar_tower_bounds_its_own_plans() -> None:
    plan = best("exp(x)", route="tower")
    core = plan.built.core
    assert isinstance(core, Tower)
    # u + lambda/8 with u = 0 is what the squarer alone may add; the whole error is at least that share of it.
    assert exact(TOWER.bound.expression.subs(u, 0), {lam: core.scale}) <= plan.error
    corners = core.corners(Fraction(-1), Fraction(1))
    assert all(0 <= t <= core.schedule.pieces and s >= 0 for _, t, s in corners)
    assert all(a[0] < b[0] for a, b in pairwise(corners))


FUNCTIONS = st.sampled_from(
    ("exp({a}*x)", "sin({a}*x) + {b}", "{b}*x**3 + x**2", "cos({a}*x)", "1/(3 + {b}*x)", "{b}*x")
)


@settings(max_examples=12)
@given(FUNCTIONS, st.integers(1, 3), st.integers(1, 2), st.integers(20, 2000), st.integers(1, 9))
def test_every_plan_of_a_random_function_is_proved(form: str, a: int, b: int, inverse: int, tenths: int) -> None:
    text, eps = form.format(a=a, b=b), Fraction(1, inverse)
    plans = scalar_plans(problem(text, eps, Fraction(tenths, 10), Fraction(1, 10)))
    assert plans
    f = scalar_function(problem(text))
    for plan in plans:
        assert plan.attained <= plan.error <= eps
        function = plan.built.function()
        for i in range(41):  # the ends and points that are no knots: floats are off by less than 1e-12 here
            x = plan.built.lo + (plan.built.hi - plan.built.lo) * Fraction(i, 40)
            assert abs(f.floats(float(x))[0] - float(function(x))) <= float(plan.error) + 1e-12
    assert [plan.nonzeros for plan in plans] == sorted(plan.nonzeros for plan in plans)


@pytest.mark.parametrize(
    ("demand", "route"),
    [(Demand("hidden-layers"), "hinges"), (Demand("width"), "tower"), (Demand(max_hidden_layers=1), "hinges")],
    ids=str,
)
def test_what_is_minimised_decides(demand: Demand, route: str) -> None:
    plans = scalar_plans(problem("exp(x)"), demand=demand)
    assert plans[0].route == route
    if demand.max_hidden_layers:
        assert all(plan.hidden_layers <= 1 for plan in plans)
    if demand.minimise == "width":
        assert plans[0].architecture.width == min(plan.architecture.width for plan in plans) < 8


def test_a_width_no_shape_has_leaves_nothing() -> None:
    assert scalar_plans(problem("exp(x)"), demand=Demand(max_width=2)) == []


@pytest.mark.parametrize(
    ("text", "eps", "message"),
    [("1/x", "1e-3", "twice differentiable"), ("exp(x)", "1e-13", "at least 1e-12"), ("sign", "1e-3", "no smooth")],
)
def test_requests_out_of_reach_say_so(text: str, eps: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        scalar_plans(problem(text, Fraction(eps)))


def test_too_many_hinges_are_refused_before_they_are_placed() -> None:
    with pytest.raises(OutOfReach, match="more than 5000 pieces"):
        scalar_plans(problem("exp(x)", Fraction(1, 10**9)), "hinges")


def test_domains_as_intervals() -> None:
    assert interval(Problem("expm", 1, Box(Fraction(2)), MILLI)) == (-2, 2)
    assert interval(Problem("expm", 1, Ball(Fraction(1, 2)), MILLI)) == (-Fraction(1, 2), Fraction(1, 2))
    assert interval(problem("log", MILLI, Fraction(1, 2), 1)) == (Fraction(1, 2), Fraction(3, 2))
    with pytest.raises(BadInput, match="no interval"):
        interval(Problem("inverse", 1, KDelta(Fraction(1, 2), Fraction(2)), MILLI))
    with pytest.raises(BadInput, match="n = 1, not 2"):
        scalar_plans(Problem("expm", 2, Box(Fraction(1)), MILLI))
    with pytest.raises(BadInput, match="on boxes"):
        scalar_plans(Problem("product", 1, Ball(Fraction(1)), MILLI))


def test_ends_that_are_no_float64_are_covered() -> None:
    plans = scalar_plans(problem("1/x", Fraction(1, 100), Fraction(9, 20), Fraction(11, 20)))  # [1/10, 1]
    for plan in plans:
        assert isinstance(plan.built, Shape)
        assert plan.built.lo == Fraction(1, 10)
        if isinstance(plan.built.core, Hinges):
            assert all(Fraction(float(kink)) == kink for kink in plan.built.core.kinks)
