"""The exact check of a network of one variable: break points, distance, and what it refuses."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constructions.exact import ExactMatrix
from constructions.network import Affine, Network
from constructions.univariate import along, break_points, certify_univariate
from theory.errors import BadInput
from theory.parse import parse_formula

WEIGHT = st.integers(-3, 3)


def network_of(layers: list[list[list[int]]]) -> Network:
    """A network from rows of weights with the bias last."""
    maps = []
    for rows in layers:
        batches = [
            (np.array([i]), np.array([j]), Fraction(weight))
            for i, row in enumerate(rows)
            for j, weight in enumerate(row)
        ]
        maps.append(Affine(ExactMatrix.from_batches((len(rows), len(rows[0])), batches)))
    return Network(tuple(maps), (("x", maps[0].inputs),), (("f", maps[-1].outputs),))


@st.composite
def networks(draw: st.DrawFn) -> Network:
    widths = [1, *draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)), 1]
    rows = [st.lists(WEIGHT, min_size=size + 1, max_size=size + 1) for size in widths[:-1]]
    return network_of([[draw(row) for _ in range(size)] for row, size in zip(rows, widths[1:], strict=True)])


@settings(max_examples=40)
@given(networks(), st.fractions(0, 1, max_denominator=101))
def test_between_break_points_a_network_is_a_line(network: Network, share: Fraction) -> None:
    points = break_points(network, Fraction(-3), Fraction(4))
    assert (points[0][0], points[-1][0]) == (-3, 4)
    for (a, u), (b, v) in pairwise(points):
        assert a < b
        assert network([a]) == [u]
        assert network([a + share * (b - a)]) == [u + share * (v - u)]


def test_the_distance_of_a_hat_from_a_parabola() -> None:
    hat = network_of([[[1, 0], [2, -1]], [[1, -1, 0]]])  # x on [0, 1/2], then 1 - x
    found = certify_univariate(hat, parse_formula("x - x**2"), 0, 1)
    # x^2 on [0, 1/2], (1 - x)^2 beyond: largest at 1/2.
    assert found.attained <= Fraction(1, 4) <= found.bound <= Fraction(1, 4) + Fraction(1, 10**8)
    assert found.place == Fraction(1, 2)
    assert found.pieces == 2


def test_along_a_line_a_network_of_two_is_one_of_one() -> None:
    two = network_of([[[1, 1, 0], [-1, -1, 0]], [[1, 1, 0]]])  # |x + y|
    one = along(two, [Fraction(1, 2), Fraction(0)], [Fraction(1), Fraction(2)])
    for t in (Fraction(-1), Fraction(0), Fraction(1, 3)):
        assert one([t]) == [abs(Fraction(1, 2) + 3 * t)]


def test_what_cannot_be_checked_is_refused() -> None:
    two = network_of([[[1, 1, 0]], [[1, 0]]])
    with pytest.raises(BadInput, match="only a network of one variable"):
        break_points(two, Fraction(0), Fraction(1))
    one = network_of([[[1, 0]], [[1, 0]]])
    with pytest.raises(BadInput, match="no finite second derivative near"):
        certify_univariate(one, parse_formula("sqrt(x)"), 0, 1)
