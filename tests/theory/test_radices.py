"""Radices, run-length coded, are the list they stand for."""

from __future__ import annotations

from math import prod

import pytest
from flint import ctx
from hypothesis import given
from hypothesis import strategies as st

from theory.radices import Radices

RADIX_LISTS = st.lists(st.integers(2, 6), min_size=1, max_size=9)


@given(RADIX_LISTS)
def test_radices_are_their_list(radices: list[int]) -> None:
    coded = Radices.of(radices)
    assert list(coded) == radices
    assert (coded.layers, coded.first, coded.last) == (len(radices), radices[0], radices[-1])
    assert coded.pieces == prod(radices)
    with ctx.workprec(128):
        assert coded.pieces_ball == prod(radices)
    assert [radix for radix, times in coded.middle_runs for _ in range(times)] == radices[1:-1]
    if len(radices) > 1:
        assert coded.second == radices[1]


@given(RADIX_LISTS)
def test_text_reads_back(radices: list[int]) -> None:
    coded = Radices.of(radices)
    assert Radices.from_text(coded.text()) == coded


@given(st.integers(2, 5), st.integers(2, 5), st.integers(2, 5), st.integers(1, 7))
def test_lean_is_first_middles_last(first: int, middle: int, last: int, layers: int) -> None:
    expected = [first] if layers == 1 else [first, *[middle] * (layers - 2), last]
    assert list(Radices.lean(first, middle, last, layers)) == expected


@given(st.integers(2, 5), st.integers(1, 10**6))
def test_a_million_equal_layers_stay_one_run(radix: int, layers: int) -> None:
    coded = Radices.lean(radix, radix, radix, layers)
    assert coded.runs == ((radix, layers),)
    with ctx.workprec(64):
        assert coded.pieces_ball.log().overlaps(layers * Radices.of([radix]).pieces_ball.log())


@pytest.mark.parametrize("runs", [(), ((1, 2),), ((3, 0),), ((2, 1), (2, 3))])
def test_what_is_no_radices_is_refused(runs: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match="radi"):
        Radices(runs)


@pytest.mark.parametrize("text", ["", "5*", "x", "2^", "1", "2*2", "3^-1"])
def test_text_that_is_no_radices_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|radi"):
        Radices.from_text(text)
