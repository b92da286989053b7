"""The exponential attacked: frozen networks in exact arithmetic against balls, where errors are worst.

Theorems expm.scaling-squaring, expm.horner and expm.propagation (kind UPPER): the proved bound is never exceeded, and
the worst error found stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import reduce
from itertools import permutations, product
from random import Random

import pytest
import torch
from flint import arb, arb_mat, ctx
from torch import Tensor

from constructions import MatrixNetwork
from tests.naive.naive_stage import hidden_layers
from theory.counts import count_plan
from theory.evaluate import as_ball
from theory.objectives import Demand
from theory.problem import Box

Build = Callable[..., MatrixNetwork]
Rows = Sequence[Sequence[Fraction | float]]
CASES = [
    {"n": 1, "M": "1/3", "eps": "1e-3"},
    {"n": 1, "M": "1/3", "eps": "1e-6", "route": "horner"},
    {"n": 1, "M": "2", "eps": "1e-2", "norm": "max"},
    {"n": 2, "eps": "1e-2"},
    {"n": 2, "eps": "1e-2", "route": "horner"},
    {"n": 2, "eps": "1e-3", "norm": "inf"},
    {"n": 2, "eps": "1e-3", "norm": "max", "route": "horner"},
    {"n": 2, "eps": "1e-4", "norm": "2"},
    {"n": 2, "M": "2", "eps": "1e-1", "norm": "inf"},
    {"n": 3, "eps": "1e-2"},
    {"n": 3, "eps": "1e-1", "route": "horner", "norm": "max"},
    {"n": 2, "radius": "2", "eps": "1e-2"},
    {"n": 3, "radius": "1/2", "eps": "1e-3", "norm": "inf"},
    {"n": 3, "radius": "1", "eps": "1e-2", "norm": "2", "route": "horner"},
    {"n": 2, "eps": "1e-3", "route": "taylor-8"},
    {"n": 2, "eps": "1e-3", "route": "taylor-12"},
    {"n": 2, "M": "3", "eps": "1e-2", "route": "taylor-18"},
    {"n": 3, "radius": "3", "eps": "1e-2", "route": "taylor-12"},
    {"n": 2, "eps": "1e-2", "route": "paterson-stockmeyer"},
    {"n": 2, "eps": "1e-3", "norm": "inf", "demand": Demand(minimise="nonzeros")},  # outputs carried
    {"n": 3, "radius": "1", "eps": "1e-2", "demand": Demand(minimise="nonzeros", max_hidden_layers=12)},
]


def name(case: dict[str, object]) -> str:
    return " ".join(f"{key}={value}" for key, value in case.items())


def largest(values: Iterable[arb]) -> arb:
    return reduce(arb.max, values)


def size(difference: list[list[arb]], norm: str) -> arb:
    """The norm of a matrix of balls; for the 2-norm min(||E||_F, sqrt(||E||_1 ||E||_inf)) from above."""
    absolute = [[abs(entry) for entry in row] for row in difference]
    if norm == "max":
        return largest(entry for row in absolute for entry in row)
    rows = largest(sum(row, arb(0)) for row in absolute)
    if norm == "inf":
        return rows
    frobenius = sum((entry**2 for row in absolute for entry in row), arb(0)).sqrt()
    if norm == "fro":
        return frobenius
    columns = largest(sum(column, arb(0)) for column in zip(*absolute, strict=True))
    return frobenius.min((rows * columns).sqrt())


def error(net: MatrixNetwork, A: Rows) -> arb:
    """A ball around the frozen network's error at a matrix of the domain, by exact evaluation and ``arb_mat.exp``."""
    assert net.membership(A).inside
    with ctx.workprec(200):
        truth = arb_mat([[as_ball(Fraction(entry)) for entry in row] for row in A]).exp().tolist()
        value = [[as_ball(entry) for entry in row] for row in net.exact(A)]
        return size(
            [[v - t for v, t in zip(*rows, strict=True)] for rows in zip(value, truth, strict=True)], net.problem.norm
        )


def check(net: MatrixNetwork, matrices: Iterable[Rows]) -> arb:
    """Assert the bound at every matrix; return the worst error."""
    bound, worst = as_ball(net.bound), arb(0)
    for A in matrices:
        found = error(net, A)
        slack = float(bound / found) if found > 0 else float("inf")
        assert found < bound, f"error {found} above the bound {bound} (bound/error = {slack:.3g}) at {A}"
        worst = worst.max(found)
    return worst


def shapes(net: MatrixNetwork) -> list[Rows]:
    """Matrices with a reputation: zero, +-ones, diagonal, nilpotent, rotation-like, all on the domain's edge."""
    n, domain = net.n, net.problem.domain
    one, zero = Fraction(1), Fraction(0)
    J = [[one] * n for _ in range(n)]
    eye = [[one if i == j else zero for j in range(n)] for i in range(n)]
    shift = [[one if j == i + 1 else zero for j in range(n)] for i in range(n)]
    upper = [[one if j > i else zero for j in range(n)] for i in range(n)]
    turn = [[Fraction((j > i) - (j < i)) for j in range(n)] for i in range(n)]
    found = []
    for pattern in (J, eye, shift, upper, turn):
        # Largest 2-norms: n for J and, from above, for triangles and turns; 1 for the identity and shifts.
        edge = domain.M if isinstance(domain, Box) else domain.radius / (1 if pattern in (eye, shift) else n)
        found += [[[sign * edge * entry for entry in row] for row in pattern] for sign in (1, -1)]
    return [*found, [[zero] * n for _ in range(n)]]


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_bound_holds_at_matrices_with_a_reputation_and_without(build_once: Build, case: dict[str, str]) -> None:
    net = build_once("expm", **case)
    check(net, [*shapes(net), *scattered(net, 5)])


def scattered(net: MatrixNetwork, count: int) -> list[Rows]:
    """Uniform entries, scaled into the ball where the domain is one."""
    generator, n, domain = Random(0), net.n, net.problem.domain
    edge = domain.M if isinstance(domain, Box) else domain.radius / n
    return [
        [[edge * Fraction(generator.randint(-(2**20), 2**20), 2**20) for _ in range(n)] for _ in range(n)]
        for _ in range(count)
    ]


@pytest.mark.parametrize("case", CASES[:6], ids=name)
def test_ranges_claimed_hold_of_the_frozen_network(build_once: Build, case: dict[str, str]) -> None:
    """Every neuron of the whole network in one block; nothing carried is clipped; all below the claimed top."""
    net = build_once("expm", **case)
    widths = list(net.measured.architecture.widths())[1:-1]
    for layer, width in enumerate(widths):
        covered = sorted((b.start, b.stop) for b in net.network.blocks if b.layer == layer)
        assert [start for start, _ in covered] == [0, *(stop for _, stop in covered[:-1])]
        assert covered[-1][1] == width
    for A in [*shapes(net)[:4], *scattered(net, 2)]:
        for layer, before in enumerate(hidden_layers(net.network, [entry for row in A for entry in row])):
            for block in (b for b in net.network.blocks if b.layer == layer):
                values = before[block.start : block.stop]
                assert max(values) <= block.hi
                if block.kind not in ("squarer", "hinge"):
                    assert min(values) >= block.lo == 0


@pytest.mark.parametrize("case", [c for c in CASES if "radius" not in c and c["n"] in (1, 2)], ids=name)
def test_the_bound_holds_at_every_corner_of_small_boxes(build_once: Build, case: dict[str, str]) -> None:
    net = build_once("expm", **case)
    check(net, corners(net))


def renamed(A: Rows, order: Sequence[int]) -> list[list[Fraction | float]]:
    """The same matrix with rows and columns in another order."""
    return [[A[i][j] for j in order] for i in order]


def test_renaming_indices_renames_the_result(build_once: Build) -> None:
    """net(P A P^T) = P net(A) P^T, exactly: what holds at one corner of an orbit holds at all of it."""
    net = build_once("expm", n=3, eps="1e-2")
    A = [[Fraction(7 * i + 3 * j - 9, 13) for j in range(3)] for i in range(3)]
    value = net.exact(A)
    for order in permutations(range(3)):
        assert net.exact(renamed(A, order)) == renamed(value, order)


def test_the_bound_holds_at_all_512_corners_for_three_by_three(build_once: Build) -> None:
    """One corner of every orbit under renaming, 104 in all; the Frobenius norm does not see the order."""
    net = build_once("expm", n=3, eps="1e-2")
    orbits = {min(str(renamed(A, order)) for order in permutations(range(3))): A for A in corners(net)}
    assert len(orbits) == 104
    check(net, orbits.values())


def corners(net: MatrixNetwork) -> Iterable[Rows]:
    assert isinstance(net.problem.domain, Box)
    n, M = net.n, net.problem.domain.M
    for signs in product((-1, 1), repeat=n * n):
        yield [[signs[i * n + j] * M for j in range(n)] for i in range(n)]


def hunt(net: MatrixNetwork, rounds: int = 120, chains: int = 256) -> list[Rows]:
    """Climb the error in float64 from random points and corners, three kinds of steps; return the worst few.

    Kept are steps that make the error larger: along the sign of its gradient, a random direction, or one entry anew.
    """
    generator = torch.Generator().manual_seed(0)
    module, n, norm = net.torch(), net.n, net.problem.norm

    def random(*shape: int) -> Tensor:
        return 2 * torch.rand(*shape, dtype=torch.float64, generator=generator) - 1

    def errors(A: Tensor) -> Tensor:
        difference = module(A) - torch.matrix_exp(A)
        if norm == "max":
            return difference.abs().amax((-2, -1))
        if norm == "inf":
            return difference.abs().sum(-1).amax(-1)
        return torch.linalg.matrix_norm(difference, 2 if norm == "2" else "fro")

    def project(A: Tensor) -> Tensor:
        domain = net.problem.domain
        if isinstance(domain, Box):
            return A.clamp(-float(domain.M), float(domain.M))
        inside = float(domain.radius) * (1 - 1e-12)  # rounding must not put a matrix outside
        return A * (inside / torch.linalg.matrix_norm(A, 2).clamp_min(1e-300)).clamp_max(1.0)[:, None, None]

    scale = float(net.problem.domain.M if isinstance(net.problem.domain, Box) else net.problem.domain.radius)
    here = scale * random(chains, n, n)
    here[: chains // 2] = here[: chains // 2].sign() * scale
    here = project(here)
    best = errors(here).detach()
    for step in range(rounds):
        reach = scale * 0.5 * 0.95**step
        if step % 3 == 0:
            point = here.clone().requires_grad_()
            errors(point).sum().backward()
            assert point.grad is not None
            there = here + reach * point.grad.sign() * torch.rand(
                chains, 1, 1, dtype=torch.float64, generator=generator
            )
        elif step % 3 == 1:
            there = here + reach * random(chains, n, n)
        else:
            there = here.clone().reshape(chains, n * n)
            place = torch.randint(n * n, (chains,), generator=generator)
            there[torch.arange(chains), place] = scale * random(chains)
            there = there.reshape(chains, n, n)
        with torch.no_grad():
            there = project(there)
            found = errors(there)
        better = found > best
        here = torch.where(better[:, None, None], there, here)
        best = torch.where(better, found, best)
    return [here[i].tolist() for i in best.argsort(descending=True)[:5]]


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_bound_holds_where_a_search_climbs(build_once: Build, case: dict[str, str]) -> None:
    """Hunted in floats along the blocks, confirmed in exact arithmetic and balls; bound over worst was 1.4 to 3.1."""
    net = build_once("expm", **case)
    worst = check(net, hunt(net))
    slack = float(as_ball(net.bound) / worst)
    # An attack that comes nowhere near the bound tests nothing.
    assert slack < 6, f"{name(case)}: proved {float(net.bound):.3e}, worst found {float(worst):.3e}, slack {slack:.2f}"


def test_eight_by_eight_is_small_and_as_promised(build_once: Build) -> None:
    """At most 110 hidden layers and the width of a folded base-2 stage, 4(n^3 + 2n^2) + 6n^2 + 8 = 2952."""
    net = build_once("expm", n=8, eps="1e-3", norm="inf")
    counts, measured = count_plan(net.plan), net.measured
    assert measured.architecture == counts.architecture
    assert measured.architecture.hidden_layers <= 110
    assert measured.architecture.width <= 2952 == 4 * (8**3 + 2 * 8**2) + 6 * 8**2 + 8
    assert measured.nonzeros <= counts.nonzeros <= 1.05 * measured.nonzeros
    assert float(measured.largest_weight) <= float(counts.largest_weight) * (1 + 2**-40)
    assert float(counts.largest_weight) <= 1.05 * float(measured.largest_weight)
    assert net.bound <= Fraction(1, 1000)
    ones = [[Fraction(1)] * 8] * 8
    check(net, [ones, [[-entry for entry in row] for row in ones]])
