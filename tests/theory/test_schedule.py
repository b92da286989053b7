"""Schedules of squarer layers: what they weigh, that the cheapest is the cheapest, and what is no schedule."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.schedule import GATHER, Schedule, Wires, cheapest


def every_schedule(pieces: int) -> Iterator[tuple[int, ...]]:
    """All schedules with exactly so many pieces, GATHER or not before every radix."""
    for radix in range(2, pieces + 1):
        if pieces % radix == 0:
            for rest in every_schedule(pieces // radix) if radix < pieces else [()]:
                yield (radix, *rest)
                yield (GATHER, radix, *rest)


@pytest.mark.parametrize("start", [Wires(2), Wires(1, 1, own=1), Wires(7, 3), Wires(4, 2, constant=True)], ids=str)
@pytest.mark.parametrize("least", [2, 3, 5, 9, 16, 30])
def test_no_schedule_with_as_many_pieces_is_cheaper(start: Wires, least: int) -> None:
    found = cheapest(start, least)
    assert found.pieces >= least
    # Radices up to 8 are tried, as the planner does, or one layer alone; a gathered single wire gathers nothing.
    others = [
        items
        for pieces in range(least, 2 * least + 2)
        for items in every_schedule(pieces)
        if max(items) <= 8 and (start.zigzag > 1 or items[0] != GATHER)
    ]
    assert found.nonzeros(start) <= min(Schedule(items).nonzeros(start) for items in [*others, (least,)])


@given(st.integers(2, 400), st.integers(2, 60))
def test_more_pieces_cost_at_least_as_much(least: int, more: int) -> None:
    start = Wires(2)
    assert cheapest(start, least).nonzeros(start) <= cheapest(start, least + more).nonzeros(start)


def test_a_layer_weighs_what_theorem_scalar_square_says() -> None:
    # q wires of t and s weights of the sum: q + (r - 1)(q + 1) + s; the last layer (r - 1)(q + 1), the row of S + t, r.
    start = Wires(2)
    assert Schedule((3,)).nonzeros(start) == 2 * 3 + 2 + 3
    assert Schedule((2, 3)).nonzeros(start) == (2 + 1 * 3) + (2 * 3 + 2) + 3
    assert Schedule((2, 2, 3)).nonzeros(start) == (2 + 3) + (2 + 3 + 1) + (2 * 3 + 2 + 1) + 3
    assert Schedule((2, 2, 3)).widths(start) == (2, 3, 3)


def test_the_largest_weight_is_among_the_weights_listed() -> None:
    weights = list(Schedule((2, 3)).weights([Fraction(6)] * 2, [], Fraction(0), Fraction(1, 36)))
    assert max(weights) == 10  # in the row of S + t the odd kink of the first layer counts 4 N_1 - 2
    assert max(Schedule((2, 2, 3)).weights([Fraction(6)] * 2, [], Fraction(0), Fraction(1, 36))) == 24  # 4 N_1
    assert Fraction(3) in weights  # the kink at N_1
    assert Fraction(1, 18) in weights  # the output reads every last kink twice


@pytest.mark.parametrize("items", [(), (2, GATHER), (GATHER,), (0, 2), (GATHER, GATHER, 2)], ids=str)
def test_what_is_no_schedule_is_refused(items: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"schedule|gathering"):
        Schedule(items)


def test_a_line_needs_no_schedule() -> None:
    with pytest.raises(ValueError, match="at least 2 pieces"):
        cheapest(Wires(2), 1)
