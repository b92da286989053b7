"""Theorems limits.pieces, limits.square and limits.expm, attacked by networks and by best piecewise affine maps."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import pytest
from flint import arb, arb_mat, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.errors import BadInput
from theory.evaluate import as_ball, ball, exact
from theory.limits import EXPM, PIECES, SQUARE, lower_bound_bits
from theory.squaring import interpolate
from theory.symbols import M, N, R, eps, m, n, w

Line = tuple[Fraction, Fraction]  # slope and value at 0 on one cell
WEIGHT = st.integers(-9, 9)


def layer_of(inputs: int, width: int) -> st.SearchStrategy[list[list[int]]]:
    return st.lists(st.lists(WEIGHT, min_size=inputs + 1, max_size=inputs + 1), min_size=width, max_size=width)


@st.composite
def networks(draw: st.DrawFn) -> list[list[list[int]]]:
    widths = [1, *draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)), 1]
    return [draw(layer_of(inputs, width)) for inputs, width in pairwise(widths)]


def run(network: list[list[list[int]]], x: Fraction) -> Fraction:
    """The network's value, neuron by neuron."""
    values = [x]
    for index, layer in enumerate(network):
        values = [sum(c * v for c, v in zip(row, values, strict=False)) + row[-1] for row in layer]
        if index < len(network) - 1:
            values = [max(v, Fraction(0)) for v in values]
    return values[0]


def cells(network: list[list[list[int]]], start: Fraction, end: Fraction) -> list[Fraction]:
    """Cut points of [start, end] such that every neuron is affine between neighbours, found layer by layer."""
    cuts, lines = [start, end], [[(Fraction(1), Fraction(0))]]  # per cell, the line of every value
    for layer in network[:-1]:
        new_cuts, new_lines = [start], []
        for left, right, values in zip(cuts, cuts[1:], lines, strict=False):
            rows = [
                (
                    sum((c * slope for c, (slope, _) in zip(row, values, strict=False)), Fraction(0)),
                    sum((c * value for c, (_, value) in zip(row, values, strict=False)), Fraction(row[-1])),
                )
                for row in layer
            ]
            zeros = sorted({-value / slope for slope, value in rows if slope and left < -value / slope < right})
            for low, high in zip([left, *zeros], [*zeros, right], strict=True):
                middle = (low + high) / 2
                new_cuts.append(high)
                new_lines.append([(a, b) if a * middle + b > 0 else (Fraction(0), Fraction(0)) for a, b in rows])
        cuts, lines = new_cuts, new_lines
    return cuts


@given(networks())
def test_limits_pieces_holds(network: list[list[list[int]]]) -> None:
    cuts = cells(network, Fraction(-2), Fraction(2))
    assert len(cuts) - 1 <= math.prod(len(layer) + 1 for layer in network[:-1])
    for left, right in pairwise(cuts):  # the cells are right: the network is affine on each
        assert run(network, (2 * left + right) / 3) == (2 * run(network, left) + run(network, right)) / 3


@pytest.mark.parametrize(("width", "layers"), [(2, 1), (2, 3), (3, 2)])
def test_limits_pieces_is_reached_by_zigzags(width: int, layers: int) -> None:
    # A zigzag with w + 1 pieces from w kinks needs its linear part too: relu(X) never vanishes inside [0, 1].
    radix = width + 1
    first = [[radix, -kink] for kink in range(radix)]
    combined = [radix] + [2 * radix * (-1) ** kink for kink in range(1, radix)]
    network = [first, *([[[*combined, -kink] for kink in range(radix)]] * (layers - 1)), [[*combined, 0]]]
    cuts = cells(network, Fraction(0), Fraction(1))
    assert len(cuts) - 1 == exact(PIECES.bound.expression, {w: width, m: layers})


@given(st.lists(st.fractions(0, 1, max_denominator=500), max_size=6, unique=True), st.data())
def test_limits_square_holds_for_any_knots_and_values(inner: list[Fraction], data: st.DataObject) -> None:
    knots = sorted({Fraction(0), Fraction(1), *inner})
    values = [x**2 + data.draw(st.fractions(-1, 1, max_denominator=500)) / 20 for x in knots]
    worst = Fraction(0)
    for left, right, p, q in zip(knots, knots[1:], values, values[1:], strict=False):
        middle = (left + right) / 2  # a line's error against a parabola is largest at an end or where slopes agree
        worst = max(worst, abs(p - left**2), abs(q - right**2), abs((p + q) / 2 - middle**2))
    assert worst >= exact(SQUARE.bound.expression, {N: len(knots) - 1})


@pytest.mark.parametrize("radices", [[3], [2, 2], [5, 3]])
def test_limits_square_is_attained_by_the_centred_interpolant(radices: list[int]) -> None:
    pieces = math.prod(radices)
    bound = exact(SQUARE.bound.expression, {N: pieces})
    errors = [interpolate(radices, x) - bound - x**2 for x in (Fraction(i, 2 * pieces) for i in range(2 * pieces + 1))]
    assert {abs(error) for error in errors} == {bound}


def gap(length: float) -> float:
    """Largest distance of the chord of e^s over [0, length] from it: where the derivative is the chord's slope."""
    slope = math.expm1(length) / length
    return 1 + slope * math.log(slope) - slope


def fewest_pieces(theta: float, tolerance: float) -> int:
    """Pieces of the best piecewise affine approximation of e^s on [-theta, theta], each as long as it can be."""
    pieces, end = 0, theta
    while end > -theta:
        low, high = 0.0, 2 * theta + 1
        for _ in range(60):  # best affine error on [end - h, end] is half the gap, e^{end - h} gap(h)
            middle = (low + high) / 2
            low, high = (middle, high) if math.exp(end - middle) * gap(middle) <= 2 * tolerance else (low, middle)
        pieces, end = pieces + 1, end - low
    return pieces


@pytest.mark.parametrize("theta", [0.5, 2.0, 8.0])
@pytest.mark.parametrize("tolerance", [1e-1, 1e-3, 1e-5])
def test_limits_expm_holds_for_the_best_approximation_and_is_close_to_it(theta: float, tolerance: float) -> None:
    pieces = fewest_pieces(theta, tolerance)
    bits = lower_bound_bits("box", Fraction(theta), 1, Fraction(tolerance), "fro")
    # Float bisection moves a piece's end by 1e-12; the bound lies below the optimum by far more than that.
    assert bits <= math.log2(pieces)
    # As the pieces get short the gap in the middle becomes the largest gap, so the bound is sharp up to the last piece;
    # here the shares lost to longer pieces stay below 1e-4 of them.
    assert pieces <= 1 + 1.0001 * 2 ** float(bits)


@settings(max_examples=25)
@given(st.integers(1, 5), st.fractions(-2, 2, max_denominator=50))
def test_limits_expm_test_functionals(size: int, t: Fraction) -> None:
    ones = arb_mat(size, size, [as_ball(t)] * size**2).exp()
    mean = sum((ones[i, j] for i in range(size) for j in range(size)), arb(0)) / size
    assert mean.overlaps((as_ball(t) * size).exp())
    single = arb_mat(size, size, [as_ball(t)] + [arb(0)] * (size**2 - 1)).exp()
    assert single[0, 0].overlaps(as_ball(t).exp())


@given(
    st.sampled_from(["box", "ball"]),
    st.fractions(Fraction(1, 100), 100, max_denominator=100),
    st.integers(1, 30),
    st.fractions(Fraction(1, 10**6), 1, max_denominator=10**6),
    st.sampled_from(["fro", "2", "inf", "max"]),
)
def test_limits_expm_bits_are_the_theorem_rounded_down(
    kind: str, theta: Fraction, size: int, tolerance: Fraction, norm: str
) -> None:
    formula = EXPM.formulas["ball"] if kind == "ball" else EXPM.bound.expression
    if kind == "box" and norm == "max":
        formula = EXPM.formulas["max-entry"]
    bits = lower_bound_bits(kind, theta, size, tolerance, norm)
    with ctx.workprec(300):
        value = ball(formula, {n: size, M: theta / size, R: theta, eps: tolerance})
        assert bits == 0 or as_ball(bits) <= value
        # 53 bits kept: short of the value by at most 2^-51 of it.
        assert value <= 0 or as_ball(bits) >= value * (1 - arb(2) ** -51)
    assert Fraction(float(bits)) == bits


def test_limits_expm_at_the_named_case() -> None:
    # log2 sinh 4 + log2(1000)/2 = 4.7703... + 4.9828...
    assert float(lower_bound_bits("box", Fraction(8), 8, Fraction(1, 1000), "inf")) == pytest.approx(9.7532, abs=1e-4)


@pytest.mark.parametrize("theta", [10**6, 10**12, 10**300])
def test_limits_expm_never_overflows(theta: int) -> None:
    bits = lower_bound_bits("ball", Fraction(theta), 3, Fraction(1, 10), "2")
    # log2 sinh(x) = x/ln 2 - 1 + o(1); 1/(2 ln 2) = 0.7213475204444817...
    assert bits / theta == pytest.approx(0.7213475204444817, rel=1e-5)


def test_limits_expm_tiny_domains_say_nothing() -> None:
    assert lower_bound_bits("ball", Fraction(1, 10**12), 3, Fraction(1, 10), "2") == 0
    assert lower_bound_bits("ball", Fraction(1, 10**12), 3, Fraction(1, 10**40), "2") > 25


@pytest.mark.parametrize(
    ("kind", "norm", "theta"), [("disc", "fro", 1), ("box", "frobenius", 1), ("box", "fro", 0), ("ball", "2", -1)]
)
def test_limits_expm_refuses_what_it_does_not_know(kind: str, norm: str, theta: int) -> None:
    with pytest.raises(BadInput):
        lower_bound_bits(kind, Fraction(theta), 2, Fraction(1, 10), norm)
