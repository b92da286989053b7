"""Architectures obey the laws of the network algebra, however they are run-length coded."""

from __future__ import annotations

from math import prod

import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from theory.architecture import Architecture
from theory.evaluate import as_ball

WIDTHS = st.lists(st.integers(1, 6), min_size=2, max_size=9)


@given(WIDTHS)
def test_runs_and_widths_are_the_same_thing(widths: list[int]) -> None:
    coded = Architecture.of(widths)
    assert list(coded.widths()) == widths
    assert (coded.inputs, coded.outputs, coded.hidden_layers) == (widths[0], widths[-1], len(widths) - 2)
    assert coded.width == max(widths[1:-1], default=0)
    assert [width for width, times in coded.hidden_runs for _ in range(times)] == widths[1:-1]


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), min_size=2, max_size=8))
def test_runs_merge_and_empty_runs_fall_away(runs: list[tuple[int, int]]) -> None:
    widths = [width for width, times in runs for _ in range(times)]
    if len(widths) < 2:
        with pytest.raises(ValueError, match="an input and an output"):
            Architecture.of_runs(runs)
    else:
        assert Architecture.of_runs(runs) == Architecture.of(widths)


@given(WIDTHS, WIDTHS)
def test_composition_merges_the_touching_maps(first: list[int], second: list[int]) -> None:
    second[0] = first[-1]
    composed = Architecture.of(second).compose(Architecture.of(first))
    assert list(composed.widths()) == first[:-1] + second[1:]
    assert composed.hidden_layers == len(first) + len(second) - 4


@given(WIDTHS, WIDTHS, WIDTHS)
def test_composition_is_associative_with_identities(a: list[int], b: list[int], c: list[int]) -> None:
    b[0], c[0] = a[-1], b[-1]
    first, second, third = (Architecture.of(widths) for widths in (a, b, c))
    assert third.compose(second.compose(first)) == third.compose(second).compose(first)
    assert first.compose(Architecture(((a[0], 2),))) == first == Architecture(((a[-1], 2),)).compose(first)


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=2, max_size=8))
def test_side_by_side_widths_add(pairs: list[tuple[int, int]]) -> None:
    left, right = (Architecture.of(pair[i] for pair in pairs) for i in (0, 1))
    assert list(left.parallel(right).widths()) == [a + b for a, b in pairs]


@given(WIDTHS, st.integers(0, 5))
def test_carrying_repeats_the_outputs(widths: list[int], layers: int) -> None:
    assert list(Architecture.of(widths).extend(layers).widths()) == widths + [widths[-1]] * layers


@given(WIDTHS, st.integers(1, 9))
def test_selecting_outputs_changes_the_last_width_alone(widths: list[int], outputs: int) -> None:
    assert list(Architecture.of(widths).select(outputs).widths()) == [*widths[:-1], outputs]


@given(WIDTHS)
def test_bits_round_the_logarithm_up(widths: list[int]) -> None:
    pieces = prod(width + 1 for width in widths[1:-1])
    bits = Architecture.of(widths).bits
    with ctx.workprec(200):
        exact = arb(pieces).log() / arb.const_log2()
        # Up to 64 significant bits, rounded up: at least the logarithm, and above it by less than 2^-63 of it.
        assert exact.lower() <= as_ball(bits)
        assert as_ball(bits) <= (exact * (1 + arb((1, -63)))).upper()


def test_powers_of_two_have_whole_bits() -> None:
    assert Architecture.of([5, 3, 7, 1, 2]).bits == 2 + 3 + 1


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot compose: 3 outputs into 2 inputs"):
        Architecture.of([2, 5, 1]).compose(Architecture.of([4, 3]))
    with pytest.raises(ValueError, match="equal depth"):
        Architecture.of([2, 1]).parallel(Architecture.of([2, 3, 1]))
    with pytest.raises(ValueError, match="one run"):
        Architecture(((2, 1), (2, 1)))
    with pytest.raises(ValueError, match="at least 1"):
        Architecture(((2, 1), (0, 1)))
    with pytest.raises(ValueError, match="at least 1"):
        Architecture(((2, 0), (1, 2)))
