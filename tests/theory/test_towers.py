"""Towers and hinges as planned: branches that tile the interval, certified errors, gates that hold, and refusals."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.branches import Request, bumps, crossing, outline
from theory.interpolant import certify, gate_of, hinge_plan
from theory.parse import parse_formula
from theory.paths import directed
from theory.shapes import Hinges, Shape, Tower
from theory.smooth import Smooth
from theory.towers import tower_plan

ONE = Fraction(1)


def smooth(text: str) -> Smooth:
    return Smooth(parse_formula(text))


def by_nonzeros(shape: Shape) -> tuple[int, ...]:
    return (shape.nonzeros,)


def nothing(shape: Shape) -> None:
    return None


@settings(max_examples=20)
@given(st.sampled_from((0.2, 0.4, 0.6)), st.sampled_from((2, 3, 6, 12)), st.integers(50, 3000))
def test_bumps_tile_the_interval_and_their_errors_fit(share: float, pieces: int, inverse: int) -> None:
    g = directed(smooth("exp(x)"), -1.0, 1, 1)
    request = Request(g, 2.0, 1 / inverse, share, pieces)
    found = bumps(request)
    assert found is not None
    at, (value, slope) = 0.0, request.first_line
    for bump in found:
        assert at < bump.peak <= 2.0 + 1e-12
        assert 0 < bump.height <= pieces
        for i in range(13):  # line and parabola stay within the room around the shift
            x = at + (bump.peak - at) * i / 12
            smooth_part = value + slope * (x - at) + request.scale * (bump.height * (x - at) / (bump.peak - at)) ** 2
            assert abs(smooth_part - g(x)[0] - request.shift) <= request.room * (1 + 1e-9) + 1e-12
        if bump.valley is not None:
            at, slope = bump.valley, bump.slope
            value = g(at)[0] + request.shift
    assert (found[-1].valley or found[-1].peak) >= 2.0 - 1e-12
    # The estimate that ranks requests is about right: each bump has two branches.
    assert 0.3 < request.branches(outline(g, 2.0)) / (2 * len(found)) < 3


def test_no_room_no_bumps() -> None:
    assert bumps(Request(directed(smooth("exp(x)"), 0.0, 1, 1), 1.0, 0.01, 1.0, 4)) is None


def test_crossing_finds_a_value() -> None:
    assert crossing(directed(smooth("x**3"), 0.0, 1, 1), 2.0, 1.0) == pytest.approx(1.0)
    assert crossing(directed(smooth("x**3"), 0.0, 1, 1), 2.0, 9.0) == pytest.approx(2.0)


@pytest.mark.parametrize("text", ["exp(x)", "log(2 + x)", "1/(2 + x)"])
def test_towers_take_fewer_hinges_than_hinges_for_small_errors(text: str) -> None:
    f, eps = smooth(text), Fraction(1, 20_000)
    tower = tower_plan(f, -ONE, ONE, eps, by_nonzeros)
    hinges = hinge_plan(f, -ONE, ONE, eps, by_nonzeros)
    assert tower is not None
    assert hinges is not None
    assert isinstance(tower.shape.core, Tower)
    assert max(tower.error.bound, hinges.error.bound) <= eps
    assert len(tower.shape.core.kinks) < len(hinges.shape.core.kinks) / 2
    assert tower.shape.nonzeros < hinges.shape.nonzeros


def test_a_function_that_changes_its_bend_has_hinges_and_no_tower() -> None:
    f = smooth("sin(x) + x/2")
    assert tower_plan(f, -ONE, 2 * ONE, Fraction(1, 100), by_nonzeros) is None
    plan = hinge_plan(f, -ONE, 2 * ONE, Fraction(1, 100), by_nonzeros)
    assert plan is not None
    assert plan.error.bound <= Fraction(1, 100)


def test_what_is_not_wanted_is_not_planned() -> None:
    assert hinge_plan(smooth("exp(x)"), -ONE, ONE, Fraction(1, 100), nothing) is None
    assert tower_plan(smooth("exp(x)"), -ONE, ONE, Fraction(1, 100), nothing) is None


def test_no_parity_is_taken_on_trust() -> None:
    # Folded though it is not even: the certificate sees the left half too.
    f, core = smooth("exp(x)"), Hinges((Fraction(0),), (ONE,), (1,), ONE)
    folded = certify(f, Shape(core, "even", -ONE, ONE))
    assert folded.error.attained > Fraction(3, 2)  # 2 against 1/e at -1
    assert certify(f, Shape(core, "none", Fraction(0), ONE)).error.bound < 1


def test_a_gate_is_a_power_of_two_above_every_secant() -> None:
    core = Hinges((Fraction(0), Fraction(1, 2)), (ONE, Fraction(5)), (1, 1))
    gate = gate_of(core, ONE)
    assert gate == 4  # core(1) = 1 + 5/2
    assert Shape(core, "odd", -ONE, ONE, gate).half(ONE) <= gate


@pytest.mark.parametrize("pieces", [3, 7, 22])
def test_an_error_that_pieces_just_meet_is_planned(pieces: int) -> None:
    # 1/(8 P^2) is what P pieces of [0, 1] reach: floats may see one more piece, of no length, or need a little more.
    plan = hinge_plan(smooth("x**2"), Fraction(0), ONE, Fraction(1, 8 * pieces**2), by_nonzeros)
    assert plan is not None
    assert plan.error.bound <= Fraction(1, 8 * pieces**2)
    assert plan.shape.half.pieces in (pieces, pieces + 1)


@pytest.mark.parametrize("text", ["-x**2", "exp(x)", "x**2 + x", "cos(x)"])
@pytest.mark.parametrize("hi", [Fraction(1, 3), Fraction(7, 5)], ids=str)
def test_zigzags_stay_in_range_up_to_ends_that_are_no_floats(text: str, hi: Fraction) -> None:
    f, eps = smooth(text), Fraction(1, 1000)
    parity = f.parity(float(hi))
    plan = tower_plan(f, -hi, hi, eps, by_nonzeros, parity)
    assert plan is not None
    assert isinstance(plan.shape.core, Tower)
    start = Fraction(0) if parity != "none" else -hi
    assert all(0 <= t <= plan.shape.core.schedule.pieces for _, t, _ in plan.shape.core.corners(start, hi))
    assert plan.error.bound <= eps
