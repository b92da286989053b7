"""Shapes: their functions against a naive transcription, and what is no shape."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.schedule import Schedule
from theory.shapes import Hinges, Shape, Tower

DYADIC = st.integers(-40, 40).map(lambda i: Fraction(i, 8))
PLACE = st.fractions(-4, 4, max_denominator=60)
ONE, ZERO = Fraction(1), Fraction(0)


def relu(x: Fraction) -> Fraction:
    return max(x, ZERO)


@given(
    st.lists(st.tuples(DYADIC, DYADIC.filter(bool), st.sampled_from((1, -1))), min_size=1, max_size=6), DYADIC, PLACE
)
def test_hinges_are_the_sum_of_their_hinges(
    parts: list[tuple[Fraction, Fraction, int]], c: Fraction, x: Fraction
) -> None:
    kinks, jumps, sides = zip(*parts, strict=True)
    function = Hinges(kinks, jumps, sides, c).function(Fraction(-4), Fraction(4))
    assert function(x) == c + sum(jump * relu(side * (x - kink)) for kink, jump, side in parts)


def squares(t: Fraction) -> Fraction:
    below = floor(t)
    return below**2 + (2 * below + 1) * (t - below)


@st.composite
def towers(draw: st.DrawFn) -> Tower:
    """Zigzags between 0 and N through random knots, S a sum of hinges that open upwards."""
    pieces = draw(st.sampled_from(((2,), (3,), (2, 3), (1, 4))))
    count = Schedule(pieces).pieces
    knots = sorted(draw(st.sets(st.integers(-16, 16), min_size=2, max_size=5)))
    heights = [0, *(draw(st.integers(0, count)) for _ in knots)]
    kinks, weights, before = [], [], ZERO
    for left, right, low, high in zip(knots, [*knots[1:], 40], heights, heights[1:], strict=False):
        slope = Fraction(high - low, right - left)
        if slope != before:
            kinks.append(Fraction(left))
            weights.append(slope - before)
            before = slope
    if not kinks:
        kinks, weights = [Fraction(knots[0])], [Fraction(1, 64)]
    direct = tuple(Fraction(draw(st.integers(0, 3))) for _ in kinks)
    constant = Fraction(draw(st.integers(0, 1))) if any(direct) else ZERO
    return Tower(tuple(kinks), tuple(weights), direct, constant, Fraction(-1, 2), Fraction(1, 4), Schedule(pieces))


@given(towers(), st.fractions(-20, 38, max_denominator=50))
def test_towers_are_what_they_say(tower: Tower, x: Fraction) -> None:
    t = sum((w * relu(x - k) for k, w in zip(tower.kinks, tower.zigzag, strict=True)), ZERO)
    s = tower.constant + sum((w * relu(x - k) for k, w in zip(tower.kinks, tower.direct, strict=True)), ZERO)
    lo, hi = Fraction(-20), Fraction(38)
    assert tower.function(lo, hi)(x) == tower.offset + tower.scale * (s + squares(t))
    assert tower.highest_sum(lo, hi) >= s


def test_a_zigzag_that_leaves_its_range_is_refused() -> None:
    tower = Tower((ZERO,), (ONE,), (ZERO,), ZERO, ONE, ZERO, Schedule((2,)))
    assert tower.function(ZERO, Fraction(2))(Fraction(3, 2)) == Fraction(5, 2)
    with pytest.raises(ValueError, match=r"stays in \[0, N\]"):
        tower.function(ZERO, Fraction(3))
    with pytest.raises(ValueError, match="not negative"):
        replace(tower, direct=(-ONE,)).function(ZERO, ONE)


def test_folded_shapes_mirror_their_core() -> None:
    core = Hinges((ZERO, ONE), (ONE, ONE), (1, 1))
    even = Shape(core, "even", Fraction(-2), Fraction(2)).function()
    odd = Shape(core, "odd", Fraction(-2), Fraction(2), Fraction(2)).function()
    for x in (Fraction(1, 3), Fraction(3, 2)):
        assert even(x) == even(-x) == odd(x) == -odd(-x)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lo": Fraction(-1)}, "symmetric"),
        ({"gate": ONE}, "0 <= core"),
        ({"core": Hinges((ZERO,), (Fraction(1, 3),), (1,))}, "float64"),
        ({"core": Hinges((ZERO,), (ONE,), (1,), ONE)}, "0 <= core"),
    ],
    ids=str,
)
def test_what_is_no_shape_is_refused(change: dict[str, object], message: str) -> None:
    shape = Shape(Hinges((ZERO, ONE), (ONE, ONE), (1, 1)), "odd", Fraction(-2), Fraction(2), Fraction(2))
    with pytest.raises(ValueError, match=message):
        replace(shape, **change)


@pytest.mark.parametrize(
    "parts", [((), (), ()), ((ZERO,), (ZERO,), (1,)), ((ZERO,), (ONE,), (2,)), ((ZERO,), (), (1,))], ids=str
)
def test_what_is_no_hinge_is_refused(parts: tuple[tuple[Fraction, ...], ...]) -> None:
    with pytest.raises(ValueError, match="hinge"):
        Hinges(*parts)  # type: ignore[arg-type]


def test_what_is_no_tower_is_refused() -> None:
    good = Tower((ZERO,), (ONE,), (ONE,), ZERO, ONE, ZERO, Schedule((2,)))
    for change in ({"zigzag": (ZERO,)}, {"kinks": (ONE, ZERO)}, {"direct": (ZERO,), "constant": ONE}, {"scale": ZERO}):
        with pytest.raises(ValueError, match=r"tower|kinks|offset"):
            replace(good, **change)
