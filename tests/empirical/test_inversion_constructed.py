"""Networks that nobody trains: equal to the maps they stand for, within the bounds that are proved of them."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from empirical.experiments.inversion.boxes import box_around, inverse_of, sampled_centre
from empirical.experiments.inversion.constructed import (
    constant_map,
    least_squares_map,
    linear_map,
    linearised_network,
    newton_step,
    refined,
    refined_units,
)
from empirical.experiments.inversion.sweeps import ErrorsSettings, hard_matrices, law, places
from empirical.experiments.inversion.tables4to7 import linear_functions
from theory.errors import BadInput

ENTRIES = st.integers(-4, 4)


@st.composite
def boxes(draw, sizes=(2, 2, 3)):
    n = draw(st.sampled_from(sizes))
    entries = draw(st.lists(ENTRIES, min_size=n * n, max_size=n * n))
    rows = torch.tensor(entries, dtype=torch.float64).reshape(n, n)
    assume(abs(float(torch.linalg.det(rows))) > 0.5)  # whole numbers: singular or at least 1
    return box_around("box", entries, draw(st.sampled_from([1 / 16, 1 / 4, 1 / 2, 3 / 4])))


def points_of(box, count=200) -> torch.Tensor:
    """Uniform points and corners, where errors are largest."""
    generator = torch.Generator().manual_seed(0)
    inside, _ = box.sample(count, generator)
    signs = torch.randint(0, 2, inside.shape, generator=generator).double() * 2 - 1
    return torch.cat([inside, box.centre_tensor() + box.half_width * signs]).flatten(1)


def errors(function, box) -> torch.Tensor:
    points = points_of(box)
    inverses = torch.linalg.inv(points.reshape(-1, box.n, box.n)).flatten(1)
    with torch.no_grad():
        return (function(points) - inverses).abs()


@settings(max_examples=40, deadline=None)
@given(boxes())
def test_errors_stay_below_what_is_proved(box):
    # Slack for float64: conditions below 1e3 here, so inverses and networks are right to 1e-12 of ‖A0⁻¹‖ <= 100.
    slack = 1e-10
    assert float(errors(linear_map(box), box).max()) <= box.linear_bound + slack
    for pieces in (2, 5):
        found = refined(box, pieces)
        assert float(errors(found.network, box).max()) <= found.bound + slack


@settings(max_examples=30, deadline=None)
@given(boxes(sizes=(2,)))
def test_a_corner_attains_the_bound_where_the_signs_of_the_inverse_have_rank_one(box):
    inverse = torch.linalg.inv(box.centre_tensor())
    assume(float(inverse[0, 0] * inverse[1, 1] * inverse[0, 1] * inverse[1, 0]) >= 0)
    corners = hard_matrices(box)
    worst = (linear_map(box)(corners) - torch.linalg.inv(corners.reshape(-1, 2, 2)).flatten(1)).abs().max()
    # Conditions below 1e3: inverses right to 1e-12 of at most 100, errors down to 1e-4 of those.
    assert float(worst) == pytest.approx(box.linear_bound, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(boxes())
def test_a_newton_step_turns_an_error_into_its_square(box):
    points = points_of(box, 50)
    a = points.reshape(-1, box.n, box.n)
    inverses = torch.linalg.inv(a)
    wrong = 0.1 * torch.randn(inverses.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    stepped = newton_step(points, (inverses + wrong).flatten(1)).reshape(a.shape)
    expected = inverses - wrong @ a @ wrong
    # Products of at most 3 terms of inverses up to 100 and matrices up to 10, in float64.
    assert float((stepped - expected).abs().max()) <= 1e-11 * max(1.0, float(inverses.abs().max()))


@settings(max_examples=30, deadline=None)
@given(boxes())
def test_the_linearised_networks_are_the_linear_map(box):
    points, affine = points_of(box), linear_map(box)
    size = float(affine.slope.abs().sum() * points.abs().max() + affine.offset.abs().max())
    for shifted, hidden in ((False, 2 * box.n**2), (True, box.n**2)):
        network = linearised_network(box, shifted=shifted)
        assert network[0].weight.shape == (hidden, box.n**2)
        # Sums of at most 2n² terms of total size `size`, in float64.
        assert float((network(points) - affine(points)).detach().abs().max()) <= 1e-13 * size


def test_off_the_box_the_shifted_network_is_wrong_and_the_other_is_not():
    box = box_around("box", (2, 1, 1, 2), 0.25)
    outside = (box.centre_tensor() - 2 * box.half_width).flatten()[None]
    right = linear_map(box)(outside)
    assert float((linearised_network(box, shifted=False)(outside) - right).detach().abs().max()) < 1e-12
    assert float((linearised_network(box, shifted=True)(outside) - right).detach().abs().max()) > 0.01


@settings(max_examples=25, deadline=None)
@given(boxes())
def test_the_linear_map_is_the_derivative_of_inversion(box):
    centre = box.centre_tensor()
    affine = linear_map(box)
    jacobian = torch.func.jacrev(lambda x: torch.linalg.inv(x.reshape(box.n, box.n)).flatten())(centre.flatten())
    scale = float(jacobian.abs().max())
    assert float((affine.slope - jacobian).abs().max()) <= 1e-9 * max(scale, 1.0)  # conditions below 1e3
    exact = linear_functions(box)
    for row, function in enumerate(exact):
        assert [float(a) for a in function.slope] == pytest.approx(affine.slope[row].tolist(), rel=1e-12, abs=1e-12)
        at_centre = function([entry for entries in box.centre for entry in entries])
        assert at_centre == box.inverse[row // box.n][row % box.n]


def test_second_order_gains_an_order():
    # Halving the box divides the first order's error by 4 and the second's by 8, squares being fine enough.
    coarse, fine = (box_around("box", (1, 2, 3, -1), reach) for reach in (1 / 8, 1 / 16))
    first = [float(errors(linear_map(box), box).max()) for box in (coarse, fine)]
    second = [float(errors(refined(box, 256).network, box).max()) for box in (coarse, fine)]
    assert 3.5 < first[0] / first[1] < 4.5
    assert 7 < second[0] / second[1] < 9
    squares = [refined(coarse, pieces).bound - refined(coarse, 2 * pieces).bound for pieces in (8, 16)]
    assert squares[0] / squares[1] == pytest.approx(4)  # squares with twice the pieces err by a quarter
    with pytest.raises(BadInput):
        refined(coarse, 1)


def test_a_network_no_wider_than_the_trained_one_is_of_second_order():
    network = refined(box_around("box", (2, 1, 1, 2), 0.25), 4).network
    assert network[0].weight.shape == (28, 4)
    assert len(network) == 3


@pytest.mark.parametrize("entries", [(3,), (2, 1, 1, 2), (2, 1, 0, 0, 2, 1, 1, 0, 2), sampled_centre(4, 1)])
def test_the_units_of_a_network_of_second_order_are_counted(entries):
    box = box_around("box", entries, 0.25)
    for pieces in (2, 5):
        assert len(refined(box, pieces).network[0].weight) == refined_units(box.n, pieces)


def test_least_squares_beats_every_affine_map_on_its_samples():
    box = box_around("box", (2, 1, 1, 2), 0.25)
    points = points_of(box, 400)
    targets = torch.linalg.inv(points.reshape(-1, 2, 2)).flatten(1)
    fitted = least_squares_map(points, targets)
    best = float((fitted(points) - targets).square().mean())
    for other in (constant_map(box), linear_map(box)):
        assert best < float((other(points) - targets).square().mean())
    # The residual is orthogonal to all affine functions: 800 products of numbers below 1, in float64.
    residual = fitted(points) - targets
    assert float((residual.T @ torch.cat([points, torch.ones(800, 1, dtype=torch.float64)], 1)).abs().max()) < 1e-9


@settings(max_examples=25, deadline=None)
@given(st.lists(ENTRIES, min_size=9, max_size=9))
def test_exact_inverses_are_exact(entries):
    rows = tuple(tuple(Fraction(x) for x in entries[i : i + 3]) for i in (0, 3, 6))
    determinant = sum(
        rows[0][i] * (rows[1][(i + 1) % 3] * rows[2][(i + 2) % 3] - rows[1][(i + 2) % 3] * rows[2][(i + 1) % 3])
        for i in range(3)
    )
    if determinant == 0:
        with pytest.raises(BadInput):
            inverse_of(rows)
        return
    inverse = inverse_of(rows)
    for i in range(3):
        for j in range(3):
            assert sum(rows[i][k] * inverse[k][j] for k in range(3)) == (i == j)


def test_the_floor_near_singular_matrices_is_below_what_can_be_had():
    # The interpolant of 1/t at 16 good knots on each side has at most 32 kinks: a network with one hidden layer of 32
    # units equals it on the path, so the floor for such networks must not exceed its error. It is not far below.
    shell = places(ErrorsSettings(), "delta")[-1].matrices
    floor = law(shell, (32,))
    assert floor is not None
    t = hard_matrices(shell)[:, 0].contiguous()
    side = torch.linspace(shell.delta**-0.5, float(t.max()) ** -0.5, 16, dtype=torch.float64) ** -2
    knots = torch.cat([-side.flip(0), side])
    place = torch.searchsorted(knots, t).clamp(1, len(knots) - 1)
    low, high = knots[place - 1], knots[place]
    interpolated = 1 / low + (t - low) / (high - low) * (1 / high - 1 / low)
    error = float((interpolated - 1 / t).abs().max())
    assert floor <= error < 10 * floor


SIGNS = st.lists(st.sampled_from([-1, 0, 1]), min_size=3, max_size=3)


@settings(max_examples=40, deadline=None)
@given(boxes(), SIGNS, SIGNS, st.sampled_from([1, 2, 5]))
def test_the_floor_on_a_box_is_what_the_best_broken_line_leaves_on_its_worst_path(box, u, v, pieces):
    # Along A0 + t u vᵀ the values at equal steps of (1/q + t)^(-1/2) cut every entry into arcs of equal error; half of
    # what lies between such an arc and its chord is the error of the best broken line, which no path can have above
    # the floor, and the worst path has at the floor.
    u, v = torch.tensor(u[: box.n]).double(), torch.tensor(v[: box.n]).double()
    inverse = torch.linalg.inv(box.centre_tensor())
    q = float(v @ inverse @ u)
    assume(q > 1e-9)
    d = box.half_width
    ends = [(1 / q - d) ** -0.5, (1 / q + d) ** -0.5]
    knots = torch.linspace(*ends, pieces + 1, dtype=torch.float64) ** -2 - 1 / q
    worst = 0.0
    for low, high in pairwise(knots.tolist()):
        t = torch.linspace(low, high, 201, dtype=torch.float64)
        values = torch.linalg.inv(box.centre_tensor() + t[:, None, None] * torch.outer(u, v)).flatten(1)
        share = ((t - low) / (high - low))[:, None]
        worst = max(worst, float((values[0] + share * (values[-1] - values[0]) - values).abs().max()) / 2)
    # 201 points miss the top of a smooth arc by at most (1/200)² of it; arcs below 1e-12 drown in rounding.
    assert worst <= law(box, (pieces - 1,)) * (1 + 1e-3) + 1e-12


def test_the_floor_of_a_box_by_hand():
    # u = v = (1, -1): V u = u, q = 2, 1/q ± d = 3/8, 5/8, and the factor in front of 1/(t + 1/2) is 1/4.
    box = box_around("box", (2, 1, 1, 2), 0.25)
    expected = ((0.375**-0.5 - 0.625**-0.5) ** 2) / 8
    assert law(box, ()) == pytest.approx(expected, rel=1e-12)
    assert law(box, (3, 4)) == pytest.approx(expected / 20**2, rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(boxes(sizes=(2,)))
def test_no_affine_map_and_no_constructed_network_beats_the_floor(box):
    corners = hard_matrices(box)
    points = torch.cat([points_of(box, 300), corners])
    targets = torch.linalg.inv(points.reshape(-1, 2, 2)).flatten(1)
    # The worst path's ends are corners of the box or of one of its faces, and between them the error is sampled.
    for signs in product((-1, 0, 1), repeat=4):
        along = torch.tensor(signs).double() * box.half_width
        points = torch.cat([points, box.centre_tensor().flatten() + torch.linspace(-1, 1, 9).double()[:, None] * along])
    inverses = torch.linalg.inv(points.reshape(-1, 2, 2)).flatten(1)
    for function in (constant_map(box), linear_map(box), least_squares_map(points[: len(targets)], targets)):
        # 9 points miss the top of an arc by at most (1/8)² of it.
        assert float((function(points) - inverses).abs().max()) >= law(box, ()) * (1 - 1 / 64)
    found = refined(box, 4)
    assert found.bound >= law(box, (28,))
