"""Plans for functions beside the exponential: counts equal the matrices, claims hold, limits are kept.

Theorems: series.tail, inverse.coupled, inverse.neumann, sign.series, cos.doubling.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx

from constructions.measure import measure
from constructions.program_network import ideal_network
from theory.counts import count_plan
from theory.errors import BadInput, OutOfReach
from theory.functions.inverse import coupled_scalings, coupled_start
from theory.functions.planner import plan_function, replan_function, routes_of
from theory.functions.series import SERIES
from theory.objectives import Demand, frontier, plan_for
from theory.plan import Limits
from theory.problem import Ball, Box, CentredBall, KDelta, Problem, SignDomain
from theory.requests import make_problem

HALF, ONE = Fraction(1, 2), Fraction(1)
EPS = Fraction(1, 1000)
CASES = [
    ("inverse", KDelta(HALF, Fraction(2))),
    ("inverse", CentredBall(ONE, HALF)),
    ("sign", SignDomain(HALF, Fraction(3, 2))),
    ("sqrt", CentredBall(ONE, HALF)),
    ("log", CentredBall(ONE, HALF)),
    ("sin", Box(ONE)),
    ("cos", Box(ONE)),
    ("sin", Ball(Fraction(2))),
    ("cos", Ball(Fraction(4))),
]


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(("function", "domain"), CASES)
def test_promised_counts_are_those_of_the_matrices(function: str, domain: object, n: int) -> None:
    plan = plan_function(Problem(function, n, domain, EPS))  # type: ignore[arg-type]
    counts, measured = count_plan(plan), measure(ideal_network(plan).freeze())
    assert plan.proved <= EPS
    assert counts.architecture == measured.architecture
    assert counts.architecture.hidden_layers == plan.hidden_layers
    assert measured.nonzeros <= counts.nonzeros <= 1.05 * measured.nonzeros
    assert measured.largest_weight <= Fraction(float(counts.largest_weight.upper())) * Fraction(1 + 2**-40)
    assert float(counts.largest_weight) <= 1.05 * float(measured.largest_weight)


@pytest.mark.parametrize(("name", "value"), [("sqrt", lambda z: (1 + z).sqrt()), ("log", lambda z: (1 + z).log())])
@pytest.mark.parametrize("z", [Fraction(1, 2), Fraction(-1, 2), Fraction(1, 3)])
def test_series_tail_bounds_what_is_cut(name: str, value: object, z: Fraction) -> None:
    series = SERIES[name]
    with ctx.workprec(200):
        point = arb(z.numerator) / z.denominator
        for degree in (1, 3, 8):
            partial = sum(
                (arb(c.numerator) / c.denominator * point**k for k, c in enumerate(_all(series, degree))), arb(0)
            )
            error = abs(value(point) - partial)  # type: ignore[operator]
            assert error < series.tail(abs(point), degree)


def _all(series, degree: int) -> list[Fraction]:
    return [series.coefficient(0), *series.coefficients(degree)]


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_factorial_tails_hold_at_large_radius(name: str) -> None:
    series = SERIES[name]
    with ctx.workprec(200):
        for radius in (1, 4, 9):
            point = arb(radius)
            for degree in (9, 12, 21):
                tail = series.tail(point, degree)
                partial = sum(
                    (arb(c.numerator) / c.denominator * point**k for k, c in enumerate(_all(series, degree))), arb(0)
                )
                assert abs(getattr(point, name)() - partial) < tail or not tail.is_finite()


@pytest.mark.parametrize("kappa", [1, 2, 10, 100])
def test_coupled_scalings_bound_the_residual_polynomial(kappa: int) -> None:
    delta, radius = Fraction(1, kappa), ONE
    c, rho = coupled_start(delta, radius)
    sigma = [delta + (radius - delta) * Fraction(i, 200) for i in range(201)]
    residual = [1 - c * s * s for s in sigma]
    assert max(abs(r) for r in residual) <= rho < 1
    for t, following in coupled_scalings(rho, 12):
        # Exact rationals grow without end: round each residual outward to 80 bits before the next step.
        residual = [_short((1 - t) + t * r * r) for r in residual]
        assert max(abs(r) for r in residual) <= following + Fraction(1, 2**70)
        assert following < rho or rho < Fraction(1, 2**10)
        rho = following


def _short(value: Fraction) -> Fraction:
    return Fraction(round(value * 2**80), 2**80)


def test_sqrt_network_squares_to_its_argument() -> None:
    # |Y - A^(1/2)|_F <= eps gives |Y^2 - A|_F <= (2 |A^(1/2)|_2 + eps) eps, and |A^(1/2)|_2 <= sqrt(3/2) here.
    from constructions import build

    net = build("sqrt", 3, "1e-4")
    generator = np.random.default_rng(0)
    for _ in range(20):
        b = generator.normal(size=(3, 3))
        a = np.eye(3) + b * (0.499 / np.linalg.norm(b, 2))
        y = net(a)
        assert np.linalg.norm(y @ y - a) <= (2 * 1.5**0.5 + 1e-4) * float(net.bound) + 1e-12


@pytest.mark.parametrize("route", ["coupled", "neumann"])
def test_inverse_against_exact_inverse(route: str) -> None:
    from flint import fmpq, fmpq_mat

    from constructions import build

    domain = {"delta": "1/2", "radius": 2} if route == "coupled" else {"delta": "1/2"}
    net = build("inverse", 2, "1e-3", route=route, **domain)
    points = [
        [[1, 0], [0, 1]],
        [[Fraction(3, 4), Fraction(1, 4)], [Fraction(-1, 4), Fraction(3, 4)]],
        [[1, Fraction(1, 2)], [0, 1]],
    ]
    if route == "coupled":
        points += [[[HALF, 0], [0, -HALF]], [[0, HALF], [HALF, 0]], [[Fraction(-3, 2), 0], [0, 1]]]
    for rows in points:
        assert net.membership(rows).inside
        inverse = fmpq_mat(
            2, 2, [fmpq(Fraction(e).numerator, Fraction(e).denominator) for row in rows for e in row]
        ).inv()
        value = net.exact(rows)
        error = sum(
            (value[i][j] - Fraction(int(inverse[i, j].p), int(inverse[i, j].q))) ** 2
            for i in range(2)
            for j in range(2)
        )
        assert error <= net.bound**2


def test_a_recipe_plans_the_same_network_again() -> None:
    plan = plan_function(Problem("log", 2, CentredBall(ONE, HALF), EPS))
    again = replan_function(plan.problem, plan.recipe(), plan.hidden_layers)
    assert again.stages == plan.stages
    assert again.proved == plan.proved
    with pytest.raises(BadInput, match="does not fit"):
        replan_function(plan.problem, plan.recipe(), plan.hidden_layers + 1)


def test_limits_are_kept_and_named() -> None:
    problem = Problem("sqrt", 3, CentredBall(ONE, HALF), EPS)

    def once(limits: Limits):
        return plan_function(problem, "series", limits)

    narrow = plan_for(once, 3, Demand(max_width=120))
    assert count_plan(narrow).architecture.width <= 120
    lean = plan_for(once, 3, Demand(squarer_width=2))
    assert all(r <= 3 for stage in lean.stages for p in stage.products for r in p.radices)
    fewest = plan_for(once, 3, Demand(minimise="nonzeros"))
    assert count_plan(fewest).nonzeros <= count_plan(narrow).nonzeros
    with pytest.raises(OutOfReach, match="hidden layers at most 1"):
        plan_for(once, 3, Demand(max_hidden_layers=1))
    points = [(c.architecture.hidden_layers, c.architecture.width) for _, c in frontier(once, 3, Demand())]
    assert points == sorted(points, key=lambda point: (-point[0], point[1]))


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        ("sqrt", {"M": "1"}, "takes no --M"),
        ("inverse", {"radius": "1"}, "needs --delta"),
        ("inverse", {"delta": "2", "radius": "1"}, "exceeds the radius"),
        ("sign", {"rho": "1"}, "below 1"),
        ("sign", {"nu": "1/10"}, "leaves no matrix"),
        ("log", {"rho": "1"}, "branch point"),
        ("expm", {"M": "1", "radius": "1"}, "not both"),
        ("expm", {"M": ""}, "empty"),
    ],
)
def test_requests_that_make_no_sense_are_named(function: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        make_problem(function, {"n": 2, "eps": "1e-3", **options})


def test_relative_error_is_the_domain_s_maximum() -> None:
    problem = make_problem("expm", {"n": 8, "eps": "1e-3", "relative": True})
    assert abs(float(problem.eps) - 1e-3 * np.exp(8.0)) < 1e-9
    with pytest.raises(BadInput, match="expm alone"):
        make_problem("sqrt", {"n": 2, "eps": "1e-3", "relative": True})


def test_domains_decide_membership_exactly() -> None:
    involution = [[ONE, Fraction(1, 4)], [Fraction(0), -ONE]]
    assert SignDomain(HALF, Fraction(3, 2)).membership(involution).inside
    assert not SignDomain(HALF, Fraction(3, 2)).membership([[ONE, Fraction(9)], [Fraction(0), -ONE]]).inside
    assert KDelta(HALF, Fraction(2)).membership([[HALF, Fraction(0)], [Fraction(0), ONE]]).inside
    nearly = [[HALF - Fraction(1, 10**30), Fraction(0)], [Fraction(0), ONE]]
    assert not KDelta(HALF, Fraction(2)).membership(nearly).inside
    assert CentredBall(ONE, HALF).membership([[Fraction(3, 2), Fraction(0)], [Fraction(0), HALF]]).inside
    assert not CentredBall(ONE, HALF).membership([[Fraction(3, 2), Fraction(1, 10**20)], [Fraction(0), HALF]]).inside


def test_routes_follow_the_domain() -> None:
    assert routes_of(Problem("inverse", 2, KDelta(HALF, ONE), EPS)) == ("coupled", "newton-schulz")
    assert routes_of(Problem("inverse", 2, CentredBall(ONE, HALF), EPS)) == ("neumann",)
    with pytest.raises(BadInput, match="no route"):
        plan_function(Problem("sqrt", 2, CentredBall(ONE, HALF), EPS), "coupled")


def test_inversion_target_size() -> None:
    plan = plan_function(Problem("inverse", 4, KDelta(Fraction(1, 10), Fraction(3)), EPS))
    assert plan.hidden_layers <= 110
    assert plan.proved <= EPS
