"""Four evaluations of one network: exact against the definition, balls around it, floats within derived rounding."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from constructions.evaluate import evaluate_balls, evaluate_exact, evaluate_floats
from constructions.network import Affine, Network
from tests.naive.naive_networks import dense, from_dense, networks, points, realise
from theory.evaluate import as_ball, fraction

X, Y = (("x", 3),), (("y", 2),)
UNIT = Fraction(1, 2**53)


def inside(ball: arb, value: Fraction) -> bool:
    return fraction(ball.lower()) <= value <= fraction(ball.upper())


@given(networks(X, Y), points(3))
def test_exact_evaluation_is_the_definition(f: Network, x: list[Fraction]) -> None:
    assert evaluate_exact(f, x) == realise(f, x)[-1]


@given(networks(X, Y), points(3), st.integers(-20, 20))
def test_exact_evaluation_of_frozen_networks_reduces_powers_of_two(f: Network, x: list[Fraction], shift: int) -> None:
    frozen = f.freeze()
    scaled = [value * Fraction(2) ** shift for value in x]
    assert evaluate_exact(frozen, scaled) == realise(frozen, scaled)[-1]


def test_numpy_numbers_are_taken_as_they_are() -> None:
    """An int64 that is not turned into a Python int overflows silently: 3^60 does not fit."""
    row = from_dense([[Fraction(3**40), Fraction(0)]], 2)
    network = Network((Affine(row),), (("x", 1),), (("y", 1),))
    assert evaluate_exact(network, np.array([3**20])) == [Fraction(3**60)]
    assert evaluate_exact(network, np.array([0.1])) == [3**40 * Fraction(0.1)]


@given(networks(X, Y), points(3), st.integers(20, 200))
def test_balls_contain_the_exact_value(f: Network, x: list[Fraction], precision: int) -> None:
    balls = evaluate_balls(f, [as_ball(value) for value in x], precision)
    assert all(inside(ball, v) for ball, v in zip(balls, realise(f, x)[-1], strict=True))


@given(networks(X, Y), points(3), points(3))
def test_balls_contain_the_values_of_all_their_points(f: Network, x: list[Fraction], y: list[Fraction]) -> None:
    """One ball from x to y an entry: it holds the values at both, at the middle and at mixed corners."""
    hull = [as_ball(a).union(as_ball(b)) for a, b in zip(x, y, strict=True)]
    balls = evaluate_balls(f, hull)
    middle = [(a + b) / 2 for a, b in zip(x, y, strict=True)]
    for point in (x, y, middle, [x[0], y[1], x[2]]):
        assert all(inside(ball, v) for ball, v in zip(balls, realise(f, point)[-1], strict=True))


def test_numbers_beside_balls_are_points_not_truncated() -> None:
    network = Network((Affine(from_dense([[Fraction(1), Fraction(1), Fraction(0)]], 3)),), (("x", 2),), (("y", 1),))
    (ball,) = evaluate_balls(network, [arb(1), 0.5])
    assert inside(ball, Fraction(3, 2))


def rounding(f: Network, x: list[Fraction]) -> list[Fraction]:
    """A bound on what float64 evaluation adds, by the standard model, row after row.

    A row of k terms and a bias, each weight rounded once, summed in any order: every term suffers at most k + 2
    roundings, (1 + u)^(k+2) - 1 <= 1.01 (k + 2) u for so few; errors of the inputs enter by |w|; ReLU adds none.
    """
    errors, values = [abs(v) * UNIT for v in x], list(x)
    for position, affine in enumerate(f.maps):
        matrix, following = dense(affine.augmented), []
        for row in matrix:
            sizes = [abs(v) + e for v, e in zip(values, errors, strict=True)]
            mass = sum(abs(w) * size for w, size in zip(row, [*sizes, Fraction(1)], strict=True))
            carried = sum(abs(w) * e for w, e in zip(row, errors, strict=False))
            following.append(carried + Fraction(101, 100) * (len(row) + 2) * UNIT * mass)
        errors, values = following, realise(f, x)[position]
    return errors


@given(networks(X, Y), st.lists(points(3), max_size=3))
def test_floats_are_within_the_rounding_the_standard_model_allows(f: Network, batch: list[list[Fraction]]) -> None:
    array = np.array([[float(v) for v in x] for x in batch]).reshape(len(batch), 3)
    out = evaluate_floats(f, array)
    assert out.shape == (len(batch), 2)
    for x, row in zip(batch, out, strict=True):
        for got, expected, allowed in zip(row, realise(f, x)[-1], rounding(f, x), strict=True):
            assert abs(Fraction(float(got)) - expected) <= allowed


@given(networks(X, Y))
def test_floats_keep_batch_shapes(f: Network) -> None:
    points_ = np.linspace(-1, 1, 2 * 4 * 3).reshape(2, 4, 3)
    out = evaluate_floats(f, points_)
    assert out.shape == (2, 4, 2)
    assert np.array_equal(evaluate_floats(f, points_[1, 2]), out[1, 2])


@pytest.mark.parametrize("shape", [(2,), (3, 2), (6,), (), (3, 1)])
def test_wrong_dimensions_are_named(shape: tuple[int, ...]) -> None:
    f = Network((Affine(from_dense([[Fraction(1)] * 4], 4)),), X, (("y", 1),))
    with pytest.raises(ValueError, match=r"takes points of shape \(\.\.\., 3\)"):
        evaluate_floats(f, np.zeros(shape))
    with pytest.raises(ValueError, match="takes 3 numbers, not 2"):
        evaluate_exact(f, [Fraction(0)] * 2)
    with pytest.raises(ValueError, match="takes 3 numbers, not 2"):
        evaluate_balls(f, [arb(0)] * 2)
