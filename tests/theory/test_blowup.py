"""Theorems inverse.blowup, inverse.lipschitz and inverse.bits, with the further bit attacked by spanning pieces."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx, fmpq, fmpq_mat
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from theory.blowup import BITS, BLOWUP, LIPSCHITZ, inversion_block
from theory.errors import BadInput
from theory.evaluate import as_ball, ball, exact
from theory.symbols import R, delta, eps, n

POSITIVE = st.fractions(Fraction(1, 1000), 10, max_denominator=1000)


def two_norm(rows: list[list[Fraction]]) -> float:
    return float(np.linalg.norm(np.array([[float(x) for x in row] for row in rows]), 2))


def inverse(rows: list[list[Fraction]]) -> list[list[Fraction]]:
    size = len(rows)
    flat = fmpq_mat(size, size, [fmpq(x.numerator, x.denominator) for row in rows for x in row]).inv()
    return [[Fraction(int(flat[i, j].p), int(flat[i, j].q)) for j in range(size)] for i in range(size)]


def matrix(size: int) -> st.SearchStrategy[list[list[Fraction]]]:
    row = st.lists(st.integers(-5, 5).map(Fraction), min_size=size, max_size=size)
    return st.lists(row, min_size=size, max_size=size)


@settings(max_examples=40)
@given(st.integers(1, 4), st.data())
def test_inverse_blowup_holds_for_singular_matrices_of_every_rank(size: int, data: st.DataObject) -> None:
    a = data.draw(matrix(size))
    rank = data.draw(st.integers(0, size - 1))
    factors = data.draw(matrix(size)), data.draw(matrix(size))
    singular = [[sum((p[q] * r[q] for q in range(rank)), Fraction(0)) for r in factors[1]] for p in factors[0]]
    assume(abs(np.linalg.det(np.array(a, dtype=float))) > 0.5)  # integer matrices: invertible
    difference = [[x - y for x, y in zip(p, q, strict=True)] for p, q in zip(a, singular, strict=True)]
    # Float singular values are right to 1e-13 of the norm, and the norms here are below 10^5.
    assert two_norm(inverse(a)) * two_norm(difference) >= 1 - 1e-8


@given(st.lists(POSITIVE, min_size=1, max_size=5), st.lists(st.booleans(), min_size=5, max_size=5))
def test_inverse_blowup_is_attained_at_a_nearest_singular_matrix(values: list[Fraction], signs: list[bool]) -> None:
    diagonal = [value if positive else -value for value, positive in zip(values, signs, strict=False)]
    least = min(map(abs, diagonal))
    # A - S = least * E_kk, so ||A - S||_2 = least; ||A^-1||_2 is the largest of the inverted entries.
    assert max(abs(1 / value) for value in diagonal) == exact(BLOWUP.bound.expression, {delta: least})


@given(POSITIVE, POSITIVE, st.fractions(-1, 1), st.fractions(-1, 1))
def test_inverse_lipschitz_holds_for_any_values_within_eps(d: Fraction, e: Fraction, s: Fraction, t: Fraction) -> None:
    # Only the component along E_11 of g(A+) - g(A-) can come closer; |component| <= every norm of the error.
    plus, minus = 1 / d + s * e, -1 / d + t * e
    assert abs(plus - minus) / (2 * d) >= exact(LIPSCHITZ.bound.expression, {delta: d, eps: e})


@given(POSITIVE, st.fractions(0, 1))
def test_inverse_lipschitz_is_attained(d: Fraction, share: Fraction) -> None:
    e = share / d
    plus, minus = 1 / d - e, -1 / d + e
    assert (plus - minus) / (2 * d) == exact(LIPSCHITZ.bound.expression, {delta: d, eps: e})


@given(st.integers(1, 6), POSITIVE, POSITIVE)
def test_inverse_lipschitz_witnesses_lie_in_k_delta(size: int, d: Fraction, radius: Fraction) -> None:
    block = inversion_block(size, d, Fraction(1, 100), radius)
    assert (block.lipschitz is not None) == (size * d**2 <= radius**2)
    if d <= 1 and radius**2 >= d**2 + size - 1:  # the witness with ones
        assert block.lipschitz is not None


def drop(left: float, right: float) -> float:
    return left**-0.5 - right**-0.5


@given(st.floats(0.01, 1), st.floats(1.001, 100))
def test_inverse_bits_best_affine_error_of_one_over_t(left: float, ratio: float) -> None:
    right = left * ratio
    # The chord lowered by half its largest gap equioscillates at left, sqrt(left right), right: best by Chebyshev.
    slope, middle = -1 / (left * right), math.sqrt(left * right)
    gap = 1 / left + slope * (middle - left) - 1 / middle
    assert gap / 2 == pytest.approx(drop(left, right) ** 2 / 2, rel=1e-6, abs=1e-9 / left)
    grid = np.linspace(left, right, 200)
    assert np.abs(1 / grid - (1 / left + slope * (grid - left) - gap / 2)).max() <= gap / 2 + 1e-9 / left


def span_saving(slope: Fraction, height: Fraction, eta: Fraction) -> float | None:
    """What a piece slope*t + height within eta of 1/t at 1 and -1 saves, reaching as far on both sides as it may."""
    if abs(slope + height - 1) > eta or abs(-slope + height + 1) > eta:
        return None
    total = 0.0
    for side in (height, -height):  # to the right of 1; to the left of -1, mirrored
        # slope x + side <= 1/x + eta: x up to the larger root of slope x^2 + (side - eta) x - 1 = 0.
        linear = float(side - eta)
        reach = (-linear + math.sqrt(linear**2 + 4 * float(slope))) / (2 * float(slope))
        total += 1 - max(reach, 1.0) ** -0.5
    return total


@settings(max_examples=300)
@given(st.fractions(Fraction(1, 10**4), Fraction(1, 2)), st.fractions(-1, 1), st.fractions(-1, 1))
def test_inverse_bits_further_bit_no_spanning_piece_saves_more(eta: Fraction, s: Fraction, t: Fraction) -> None:
    # Values at 1 and -1 anywhere within eta.
    plus, minus = 1 + s * eta, -1 + t * eta
    saving = span_saving((plus - minus) / 2, (plus + minus) / 2, eta)
    assert saving is not None
    assert saving <= math.sqrt(2 * eta) + 1e-12  # float roots of numbers of order 1


def test_inverse_bits_further_bit_under_a_climb() -> None:
    worst = 0.0
    for eta in (Fraction(1, 2), Fraction(1, 10), Fraction(1, 1000)):
        s, t, step = Fraction(0), Fraction(0), Fraction(1, 2)
        while step > Fraction(1, 1000):
            around = [(s + i * step, t + j * step) for i in (-1, 0, 1) for j in (-1, 0, 1)]
            inside = [(p, q) for p, q in around if abs(p) <= 1 and abs(q) <= 1]

            def saved(point: tuple[Fraction, Fraction], eta: Fraction = eta) -> float:
                plus, minus = 1 + point[0] * eta, -1 + point[1] * eta
                return span_saving((plus - minus) / 2, (plus + minus) / 2, eta) or 0.0

            best = max(inside, key=saved)
            if best == (s, t):
                step /= 2
            s, t = best
        worst = max(worst, saved(best) / math.sqrt(2 * eta))
    assert worst <= 1


def test_inverse_bits_further_bit_fails_for_large_errors() -> None:
    # eps delta = 1, r/delta = 100: the zero function, one piece, is within eps; twice the one-sided count exceeds it.
    one_sided = (1 - 0.1) / math.sqrt(2)
    assert 2 * one_sided > 1
    block = inversion_block(1, Fraction(1, 100), Fraction(100), Fraction(1))
    assert block.bits == 0


@given(
    st.integers(1, 50),
    st.fractions(Fraction(1, 1000), 2, max_denominator=1000),
    st.fractions(Fraction(1, 10**6), 1, max_denominator=10**6),
    st.none() | st.fractions(1, 20, max_denominator=10),
)
def test_inverse_bits_block_is_the_theorem(size: int, d: Fraction, e: Fraction, radius: Fraction | None) -> None:
    block = inversion_block(size, d, e, radius)
    assert block.blow_up == 1 / d
    assert block.radius_squared == (size if radius is None else radius**2)
    if size * d**2 > block.radius_squared:
        assert block.lipschitz is None
        assert block.bits is None
        assert "empty" in block.reason
        return
    assert block.reason == ""
    assert block.lipschitz == max(0, exact(LIPSCHITZ.bound.expression, {delta: d, eps: e}))
    if size * d**2 == block.radius_squared:
        assert block.bits == 0
        return
    formula = BITS.formulas["both signs"] if e * d <= Fraction(1, 2) else BITS.bound.expression
    with ctx.workprec(400):
        root = as_ball(block.radius_squared).sqrt()
        value = ball(formula, {n: size, R: root, delta: d, eps: e})
        assert block.bits == 0 or as_ball(block.bits) <= value
        assert value <= 0 or as_ball(block.bits) >= value * (1 - arb(2) ** -51)


@pytest.mark.parametrize("arguments", [(0, 1, 1, None), (2, 0, 1, None), (2, 1, -1, None), (2, 1, 1, 0)])
def test_inversion_block_refuses_what_is_not_positive(arguments: tuple[int, int, int, int | None]) -> None:
    size, d, e, radius = arguments
    with pytest.raises(BadInput):
        inversion_block(size, Fraction(d), Fraction(e), None if radius is None else Fraction(radius))


def test_inversion_block_at_one_by_one_and_at_a_million() -> None:
    scalar = inversion_block(1, Fraction(1, 100), Fraction(1, 1000))
    assert scalar.lipschitz == Fraction(99999, 10)
    # (10 - 1)/sqrt(2/1000) = 201.2..., one bit more for both signs.
    assert float(scalar.bits or 0) == pytest.approx(math.log2(9 / math.sqrt(0.002)) + 1, rel=1e-12)
    assert inversion_block(10**6, Fraction(1, 100), Fraction(1, 1000)).bits > scalar.bits  # type: ignore[operator]
