"""Paths inside a tube: inside it, as few pieces as the closed form says, horizontal where that was asked."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import ceil, pi, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.parse import parse_formula
from theory.paths import Path, Tube, convex_path, directed, flat_path, pieces_near, reach, signs, touching
from theory.smooth import Smooth


def smooth(text: str) -> Smooth:
    return Smooth(parse_formula(text))


def worst(f: Smooth, path: Path, samples: int = 40) -> float:
    errors = []
    for (a, u), (b, v) in pairwise(path.points):
        errors += [abs(u + (v - u) * i / samples - f.floats(a + (b - a) * i / samples)[0]) for i in range(samples + 1)]
    return max(errors)


@given(st.integers(3, 5000))
def test_a_parabola_takes_pieces_of_length_four_roots_of_eps_over_the_bend(inverse: int) -> None:
    error = 1 / inverse
    points = convex_path(directed(smooth("x**2"), 0.0, 1, 1), 1.0, error)
    # (b - a)^2/8 = eps: all pieces but the last are 2 sqrt(2 eps) long, found to 1e-9 of the error.
    lengths = [b - a for (a, _), (b, _) in pairwise(points)]
    assert all(abs(length / sqrt(8 * error) - 1) < 1e-6 for length in lengths[:-1])
    assert len(lengths) in (ceil(1 / sqrt(8 * error) - 1e-6), ceil(1 / sqrt(8 * error) + 1e-6))
    assert abs(pieces_near(smooth("x**2"), (Fraction(0), Fraction(1)), error) - 1 / sqrt(8 * error)) < 1e-6


@settings(max_examples=15)
@given(st.sampled_from(("sin(3*x)", "x**3 - x", "exp(-x**2)", "cos(x)*exp(x)")), st.integers(10, 1000))
def test_paths_stay_in_their_tube(text: str, inverse: int) -> None:
    f, error = smooth(text), 1 / inverse
    path = Tube(f, -1.5, 1.5, error).path(error)
    assert (path.points[0][0], path.points[-1][0]) == (-1.5, 1.5)
    # The tube is known on samples, 48 to a piece: between them it is missed by less than 1/48^2 of its height, doubled.
    assert worst(f, path) <= error * (1 + 2 / 48)


def test_a_flat_piece_lies_around_the_minimum() -> None:
    f = smooth("exp(x) - x")
    path = flat_path(f, -1.0, 1.0, 0.01, 1)
    assert path is not None
    assert path.flat is not None
    (a, u), (b, v) = path.points[path.flat : path.flat + 2]
    assert a < 0 < b
    assert u == v == pytest.approx(1.01)
    assert worst(f, path) <= 0.01 * (1 + 1e-6)
    assert flat_path(smooth("exp(x)"), -1.0, 1.0, 0.01, 1) is None


def test_signs_change_at_the_zeros_of_the_second_derivative() -> None:
    found = signs(smooth("sin(x)"), -1.0, 7.0)
    assert [sign for _, _, sign in found] == [1, -1, 1, -1]
    assert [end for _, end, _ in found[:-1]] == pytest.approx([0, pi, 2 * pi], abs=1e-9)
    assert signs(smooth("x"), 0.0, 1.0) == [(0.0, 1.0, 0)]


def test_touching_and_reach_on_a_parabola() -> None:
    g = directed(smooth("x**2"), 0.0, 1, 1)
    assert touching(g, 0.0, 1.0, 1.0) == pytest.approx(0.5)
    # From (0, -e) the line to (b, b^2 - e) is b x - e: above x^2 + e by b^2/4 - 2e at most.
    assert reach(g, 0.0, -0.01, 0.01, 1.0) == pytest.approx(sqrt(0.08))
    assert reach(g, 0.0, -0.2, 0.2, 1.0) == 1.0


def test_pieces_too_short_for_floats_are_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        convex_path(directed(smooth("x**2"), 0.0, 1, 1), 1e9, 1e-12)
