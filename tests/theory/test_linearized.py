"""Neumann series around a matrix: bounds attained, never exceeded, and what fewer units than n^2 must cost.

Theorems: inverse.linearized, inverse.box, inverse.width.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import assume, given
from hypothesis import strategies as st

from theory.errors import BadInput
from theory.evaluate import exact
from theory.linearized import BOX, LINEARIZED, WIDTH, _corner_attains
from theory.neighbourhood import Neighbourhood, matrix_norm, neighbourhood
from theory.problem import Around
from theory.symbols import R, gap, k, mu, n, rho, xi, zeta

Rows = tuple[tuple[Fraction, ...], ...]
TENTH = Fraction(1, 10)


def to_flint(rows: Rows) -> fmpq_mat:
    return fmpq_mat([[fmpq(Fraction(e).numerator, Fraction(e).denominator) for e in row] for row in rows])


def to_rows(matrix: fmpq_mat) -> Rows:
    return tuple(tuple(Fraction(int(e.p), int(e.q)) for e in row) for row in matrix.tolist())


def inverse(rows: Rows) -> Rows:
    return to_rows(to_flint(rows).inv())


def series_error(A: Rows, V: Rows, order: int) -> Rows:
    """|A^-1 - sum_{j<=k} (I - VA)^j V|, literally."""
    C = to_flint(tuple(tuple(Fraction(i == j) for j in range(len(V))) for i in range(len(V)))) - to_flint(V) * to_flint(
        A
    )
    term = total = to_flint(V)
    for _ in range(order):
        term = C * term
        total = total + term
    return tuple(tuple(abs(e) for e in row) for row in to_rows(to_flint(A).inv() - total))


def shifted(A0: Rows, signs: Rows, d: Fraction) -> Rows:
    return tuple(tuple(a + d * s for a, s in zip(row, line, strict=True)) for row, line in zip(A0, signs, strict=True))


def small_matrices(size: int) -> st.SearchStrategy[Rows]:
    entry = st.integers(-4, 4).map(Fraction)
    return st.tuples(*[st.tuples(*[entry] * size)] * size)


@pytest.mark.parametrize("order", [1, 2, 5])
def test_inverse_linearized_is_attained_on_a_multiple_of_the_centre(order: int) -> None:
    A0: Rows = ((Fraction(2), Fraction(1)), (Fraction(0), Fraction(1)))
    V, ratio = inverse(A0), Fraction(1, 3)
    A = tuple(tuple(e * (1 - ratio) for e in row) for row in A0)
    # In the max norm, say: the error is a multiple of V, and so is the bound's V.
    norm_v = max(abs(e) for row in V for e in row)
    bound = exact(LINEARIZED.bound.expression, {mu: norm_v, rho: ratio, k: order})
    assert max(max(row) for row in series_error(A, V, order)) == bound


@given(small_matrices(2), st.lists(st.sampled_from([-1, 1]), min_size=4, max_size=4), st.integers(1, 4))
def test_inverse_box_is_met_at_a_corner_exactly(size: Rows, signs: list[int], order: int) -> None:
    left, right = signs[:2], signs[2:]
    V = tuple(
        tuple(x * (abs(e) + 1) * y for e, y in zip(row, right, strict=True)) for x, row in zip(left, size, strict=True)
    )
    assume(V[0][0] * V[1][1] != V[0][1] * V[1][0])
    total = sum(abs(e) for row in V for e in row)
    d = Fraction(1, 3) / total
    corner = tuple(tuple(Fraction(-y * x) for x in left) for y in right)
    error = series_error(shifted(inverse(V), corner, d), V, order)
    for i, row in enumerate(error):
        for j, entry in enumerate(row):
            values = {
                gap: d,
                rho: d * total,
                k: order,
                xi: sum(abs(e) for e in V[i]),
                zeta: sum(abs(line[j]) for line in V),
            }
            assert entry == exact(BOX.bound.expression, values)


@given(small_matrices(3), st.lists(st.sampled_from([-1, 0, 1]), min_size=9, max_size=9), st.integers(1, 3))
def test_no_matrix_of_the_box_exceeds_the_bound(A0: Rows, signs: list[int], order: int) -> None:
    assume(to_flint(A0).det() != 0)
    V = inverse(A0)
    d = Fraction(9, 10) / sum(abs(e) for row in V for e in row)
    around = neighbourhood(Around(A0, d))
    rows = tuple(tuple(Fraction(s) for s in signs[3 * i : 3 * i + 3]) for i in range(3))
    error = series_error(shifted(A0, rows, d), around.V, order)
    entries = around.tail(order)
    assert entries is not None
    assert all(e <= bound for row, line in zip(error, entries, strict=True) for e, bound in zip(row, line, strict=True))
    for norm in ("max", "inf", "fro", "2"):
        bound = around.error(order, norm)
        assert bound is not None
        if norm != "2":  # the largest entry is at most the 2-norm, the Frobenius norm at least
            assert matrix_norm(error, norm) <= bound * (1 + Fraction(1, 2**60))
        else:
            assert max(max(row) for row in error) <= bound


def test_every_corner_of_a_three_by_three_box_stays_below() -> None:
    # Signs of rank 3: the bound is not attained, and the worst corner shows by how little.
    A0: Rows = tuple(tuple(Fraction(e) for e in row) for row in ((3, 1, 0), (-1, 2, 1), (0, 1, -3)))
    around = neighbourhood(Around(A0, TENTH))
    bound, worst = around.error(1, "max"), Fraction(0)
    assert bound is not None
    for signs in product((-1, 1), repeat=9):
        rows = tuple(tuple(Fraction(s) for s in signs[3 * i : 3 * i + 3]) for i in range(3))
        worst = max(worst, *(e for row in series_error(shifted(A0, rows, TENTH), around.V, 1) for e in row))
    assert bound / 3 < worst <= bound


@pytest.mark.parametrize("short", [False, True])
def test_a_rounded_inverse_is_accounted_for(short: bool) -> None:
    # A0^-1 = [[0.6, -0.2], [-0.2, 0.4]] has no float entry; the error at A0 itself is then not zero, and is bounded.
    A0: Rows = ((Fraction(2), Fraction(1)), (Fraction(1), Fraction(3)))
    tiny = Around(A0, Fraction(1, 2**200))
    around = neighbourhood(tiny, short=short)
    error, bound = series_error(A0, around.V, 1), around.error(1, "max")
    worst = max(max(row) for row in error)
    assert bound is not None
    assert 0 < worst <= bound < 16 * worst


def test_a_crude_inverse_is_no_inverse_and_still_bounded() -> None:
    # Theorem inverse.linearized asks nothing of V: here it is 1/8 off.
    A0: Rows = ((Fraction(2), Fraction(1)), (Fraction(1), Fraction(3)))
    V = tuple(tuple(Fraction(round(e * 8), 8) for e in row) for row in inverse(A0))
    around = Neighbourhood(Around(A0, Fraction(1, 100)), V)
    bound, error = around.error(2, "max"), series_error(shifted(A0, ((1, -1), (1, 1)), Fraction(1, 100)), V, 2)  # type: ignore[arg-type]
    assert bound is not None
    assert 0 < max(max(row) for row in error) <= bound


def test_the_spectral_bound_is_the_better_one_where_signs_disagree() -> None:
    # Hadamard: sum |v_ij| = 4, n ||V||_2 = 2 sqrt 2; at d = 0.3 only the second is below 1 / d.
    half = Fraction(1, 2)
    A0: Rows = ((Fraction(1), Fraction(1)), (Fraction(1), Fraction(-1)))
    around = neighbourhood(Around(A0, Fraction(3, 5)))
    assert ((half, half), (half, -half)) == around.V
    assert around.tail(1) is None
    bound, worst = around.error(3, "2"), Fraction(0)
    assert bound is not None
    for signs in product((-1, 1), repeat=4):
        rows = (tuple(map(Fraction, signs[:2])), tuple(map(Fraction, signs[2:])))
        worst = max(worst, matrix_norm(series_error(shifted(A0, rows, Fraction(3, 5)), around.V, 3), "max"))
    assert 0 < worst <= bound


@pytest.mark.parametrize(
    ("A0", "d", "message"),
    [
        (((1, 2), (2, 4)), "1/10", "is singular"),
        (((0,),), "1/10", "is singular"),
        (((2, 1), (1, 3)), "5/7", r"contains a singular matrix, 0\.71429 from the centre.*below 0\.7142"),
        (((1, 1), (1, -1)), "99/100", r"may contain a singular matrix.*below 0\.7070"),
        (((Fraction(1, 2**1060),),), Fraction(1, 2**1062), "float64's range"),
    ],
)
def test_boxes_without_a_bound_are_refused(A0: Rows, d: str | Fraction, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        neighbourhood(Around(tuple(tuple(Fraction(e) for e in row) for row in A0), Fraction(d)))


def test_the_named_distance_is_that_of_a_singular_matrix() -> None:
    # One row past 5/7 in every entry is singular: A0 - (5/7) signs; nothing nearer is, the bound holds up to there.
    A0: Rows = ((Fraction(2), Fraction(1)), (Fraction(1), Fraction(3)))
    singular = [
        signs
        for signs in product((-1, 1), repeat=4)
        if to_flint(shifted(A0, (signs[:2], signs[2:]), Fraction(5, 7))).det() == 0  # type: ignore[arg-type]
    ]
    assert singular
    assert neighbourhood(Around(A0, Fraction(5, 7) - Fraction(1, 10**6))).error(1, "max") is not None


def test_inverse_width_counts_the_rank() -> None:
    assert exact(WIDTH.bound.expression, {n: 3}) == 9
    V = inverse(((Fraction(2), Fraction(1)), (Fraction(1), Fraction(3))))
    sandwich = [[V[i][a] * V[b][j] for a in range(2) for b in range(2)] for i in range(2) for j in range(2)]
    assert to_flint(tuple(map(tuple, sandwich))).rank() == 4


@given(small_matrices(2), st.lists(st.integers(-3, 3), min_size=4, max_size=4), st.sampled_from([3, 10, 100]))
def test_a_blind_direction_costs_what_inverse_width_says(A0: Rows, direction: list[int], parts: int) -> None:
    # Any direction H, scaled to largest entry d, can be the kernel of a layer of n^2 - 1 units; search them all.
    assume(to_flint(A0).det() != 0)
    assume(any(direction))
    V = inverse(A0)
    total = sum(abs(e) for row in V for e in row)
    d, top = Fraction(1, parts) / total, max(map(abs, direction))
    H = (tuple(Fraction(e, top) for e in direction[:2]), tuple(Fraction(e, top) for e in direction[2:]))
    plus, minus = inverse(shifted(A0, H, d)), inverse(shifted(A0, H, -d))
    gap_between = max(abs(a - b) for r, s in zip(plus, minus, strict=True) for a, b in zip(r, s, strict=True))
    least = exact(
        WIDTH.formulas["narrow"],
        {
            gap: d,
            R: max(sum(abs(e) for e in row) for row in A0),
            mu: max(sum(abs(e) for e in column) for column in zip(*A0, strict=True)),
            rho: d * total,
            xi: max(sum(abs(e) for e in row) for row in V),
            zeta: max(sum(abs(e) for e in column) for column in zip(*V, strict=True)),
        },
    )
    assert gap_between / 2 >= least


def test_narrow_networks_lose_to_the_linearised_inverse_on_small_boxes() -> None:
    # A0 = I: both norms 1, r = c = 1, s = 2d; the lower bound passes the upper bound d s/(1 - s) at d = 1/10.
    values = {gap: TENTH, R: Fraction(1), mu: Fraction(1), rho: 2 * TENTH, xi: Fraction(1), zeta: Fraction(1)}
    assert exact(WIDTH.formulas["narrow"], values) > exact(BOX.bound.expression, values | {k: 1})


def test_the_exhaustive_step_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    import theory.linearized as module

    assert _corner_attains()
    claimed = module._claimed
    monkeypatch.setattr(module, "_claimed", lambda V, d, order: claimed(V, d, order + 1))
    assert not _corner_attains()
