"""Theorems scalar.pieces and scalar.nonzeros, attacked: by plans, by random networks, by the exact optimum for x^2."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import ceil, log2, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.evaluate import exact
from theory.fewest_nonzeros import fewest_nonzeros, most_pieces
from theory.parse import parse_formula
from theory.problem import Box, CentredBall, KDelta, Problem
from theory.scalar import scalar_plans
from theory.scalar_limits import NONZEROS, PIECES
from theory.scalar_needs import _by_curvature, needed_pieces, needs_of, violates
from theory.smooth import Smooth
from theory.symbols import P, k

ONE = Fraction(1)


def smooth(text: str) -> Smooth:
    return Smooth(parse_formula(text))


@pytest.mark.parametrize("inverse", [10, 100, 999, 1000, 1001, 4000])
def test_scalar_pieces_is_sharp_for_squares(inverse: int) -> None:
    """P pieces of [0, 1] reach 1/(8 P^2) and no better, so ceil(1/sqrt(8 eps)) are needed."""
    eps = Fraction(1, inverse)
    assert needed_pieces(smooth("x**2"), Fraction(0), ONE, eps) == ceil(sqrt(inverse / 8))
    assert exact(PIECES.bound.expression, {k: 3}) == 4


@pytest.mark.parametrize("text", ["exp(x)", "sin(3*x)", "x**5", "cos(2*x)", "1/(2+x)"])
@pytest.mark.parametrize("eps", [Fraction(1, 30), Fraction(1, 1000)], ids=str)
def test_no_plan_has_fewer_pieces_than_needed(text: str, eps: Fraction) -> None:
    problem = Problem(text, 1, CentredBall(Fraction(0), ONE), eps)
    needs = needs_of(problem)
    assert needs is not None
    for plan in scalar_plans(problem):
        assert plan.built.function().pieces >= needs.pieces
        assert plan.architecture.bits >= needs.bits
        assert plan.nonzeros >= needs.nonzeros
    # The best line on every piece, ends free: greedy hinges cannot need more than one piece beyond the bound a change
    # of curvature, of which there are at most four here.
    fewest = min(plan.built.function().pieces for plan in scalar_plans(problem, "hinges"))
    assert fewest <= needs.pieces + 5


def test_curvature_counts_no_more_than_the_intervals_found() -> None:
    for text, eps in (("exp(x)", Fraction(1, 10**6)), ("x**2", Fraction(1, 10**6)), ("sin(x)", Fraction(1, 10**6))):
        f = smooth(text)
        least = _by_curvature(f, -ONE, ONE, eps)
        assert least <= needed_pieces(f, -ONE, ONE, eps)
    # x^2, eps = 10^-10: 1/sqrt(2 eps) pieces of [-1, 1]; each of 2000 cells loses at most one and a bit.
    assert (
        1 / sqrt(2e-10) - 2 * 2000
        <= _by_curvature(smooth("x**2"), -ONE, ONE, Fraction(1, 10**10))
        <= 1 / sqrt(2e-10) + 1
    )
    assert needed_pieces(smooth("x**2"), -ONE, ONE, Fraction(1, 10**10)) > 1500


def test_three_points_refute_a_line_only_beyond_two_eps() -> None:
    f, triple = smooth("x**2"), (-ONE, Fraction(0), ONE)
    assert violates(f, triple, Fraction(49, 100))
    assert not violates(f, triple, Fraction(1, 2))


def bends(network: list[list[list[int]]]) -> tuple[int, int]:
    """Pieces of a network of one input on the real line (right of and left of everything included), and non-zeros."""
    cuts: list[Fraction] = [Fraction(-(10**9)), Fraction(10**9)]

    def values(x: Fraction, depth: int) -> list[Fraction]:
        out = [x]
        for layer in network[:depth]:
            out = [
                max(sum((c * v for c, v in zip(row, out, strict=False)), Fraction(row[-1])), Fraction(0))
                for row in layer
            ]
        return out

    def before(x: Fraction, depth: int) -> list[Fraction]:
        out = values(x, depth)
        return [sum((c * v for c, v in zip(row, out, strict=False)), Fraction(row[-1])) for row in network[depth]]

    for depth in range(len(network) - 1):
        new = set(cuts)
        for a, b in pairwise(cuts):
            for low, high in zip(before(a, depth), before(b, depth), strict=True):
                if low * high < 0:
                    new.add(a + (b - a) * low / (low - high))
        cuts = sorted(new)
    outputs = [before(x, len(network) - 1)[0] for x in cuts]
    slopes = [(v - u) / (b - a) for (a, u), (b, v) in pairwise(zip(cuts, outputs, strict=True))]
    pieces = 1 + sum(s != t for s, t in pairwise(slopes))
    return pieces, sum(c != 0 for layer in network for row in layer for c in row)


SPARSE = st.one_of(st.just(0), st.integers(-3, 3))


@st.composite
def networks(draw: st.DrawFn) -> list[list[list[int]]]:
    widths = [1, *draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)), 1]
    row = [st.lists(SPARSE, min_size=size + 1, max_size=size + 1) for size in widths[:-1]]
    return [[draw(rows) for _ in range(size)] for rows, size in zip(row, widths[1:], strict=True)]


@settings(max_examples=300)
@given(networks())
def test_scalar_nonzeros_holds_for_random_sparse_networks(network: list[list[list[int]]]) -> None:
    pieces, nonzeros = bends(network)
    assert nonzeros >= fewest_nonzeros(pieces)
    assert float(NONZEROS.bound.expression.subs(P, pieces)) <= fewest_nonzeros(pieces) + 1e-9


def test_non_zeros_needed_are_reached_where_few() -> None:
    # relu(x); then cut off at 1; then four pieces from a third neuron that reads both: the bound says 2, 4 and 6.
    reached = ([[[1, 0]], [[1, 0]]], [[[1, 0]], [[-1, 1]], [[1, 0]]], [[[1, 0], [1, -1]], [[1, -2, 0]], [[1, 0]]])
    for network, pieces in zip(reached, (2, 3, 4), strict=True):
        assert bends(network) == (pieces, fewest_nonzeros(pieces))
    assert [fewest_nonzeros(pieces) for pieces in (1, 2, 3, 4, 17, 23, 29)] == [0, 2, 4, 6, 13, 14, 15]
    assert all(fewest_nonzeros(pieces) >= 2 * log2(pieces) for pieces in range(1, 200))
    assert fewest_nonzeros(2**100) == 200  # beyond the search
    assert 64 < fewest_nonzeros(most_pieces(64)[-1] + 1) <= 66


def naive_most(nonzeros: int) -> int:
    """The recurrence of the theorem by brute force, over every sequence of layers, none left out as useless."""
    best = 1

    def extend(cost: int, width: int, p: int, q: int) -> None:
        nonlocal best
        if cost + width - 1 <= nonzeros:
            best = max(best, q)
        for dear in range(nonzeros // 3 + 1 if width > 1 else 1):
            for cheap in range(nonzeros // 2 + 1):
                for idle in range(3):
                    wide, price = cheap + dear + idle, max(2 * cheap + 3 * dear + idle, width)
                    if not wide or cost + price > nonzeros or (width == 1 and not cheap):
                        continue
                    grown = (1 + dear) * q + cheap * p
                    if width == wide == 1:
                        extend(cost + price, 1, p, min(grown, 3 * p))
                    else:
                        extend(cost + price, wide, q, grown)

    extend(0, 1, 1, 1)
    return best


@pytest.mark.parametrize("nonzeros", [1, 2, 5, 8, 11, 13])
def test_the_search_leaves_no_sequence_of_layers_out(nonzeros: int) -> None:
    assert most_pieces(nonzeros)[-1] == naive_most(nonzeros)


def test_a_product_needs_what_its_diagonal_needs() -> None:
    eps = Fraction(1, 1000)
    product = needs_of(Problem("product", 1, Box(ONE), eps))
    assert product == needs_of(Problem("x**2", 1, CentredBall(Fraction(0), ONE), eps))
    assert product is not None
    assert product.pieces == 23


def test_where_nothing_is_known_there_are_no_needs() -> None:
    assert needs_of(Problem("inverse", 1, KDelta(Fraction(1, 2), Fraction(2)), Fraction(1, 1000))) is None
    assert needs_of(Problem("1/x", 1, CentredBall(Fraction(0), ONE), Fraction(1, 1000))) is None
