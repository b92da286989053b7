"""The monomial network: trees over index paths, copied; counts, its bound, files, refusals. Theorem: expm.monomial."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import factorial
from pathlib import Path
from random import Random

import pytest
import torch
from flint import arb, arb_mat, ctx

from constructions import MatrixNetwork, build, load
from constructions.cli import main
from tests.naive.naive_stage import hidden_layers
from theory.counts import count_plan
from theory.errors import BadInput, OutOfReach
from theory.evaluate import as_ball
from theory.expm.monomial import monomial_route
from theory.expm.monomial_plan import MonomialPlan, plan_monomial, prototype, replan_monomial
from theory.objectives import Demand
from theory.problem import Box, Problem

Build = Callable[..., MatrixNetwork]
CASES = [
    {"n": 2, "M": "1/4", "eps": "1e-1"},
    {"n": 2, "M": "1/3", "eps": "1e-3", "norm": "inf"},
    {"n": 2, "M": "1", "eps": "1e-1", "norm": "max"},
    {"n": 2, "radius": "1/2", "eps": "1e-2"},
    {"n": 3, "M": "1/3", "eps": "1e-1", "norm": "2"},
    {"n": 2, "M": "1/9", "eps": "1/2"},  # degree 1: I + A, no layer at all
]


def case_id(case: dict[str, object]) -> str:
    return " ".join(f"{key}={value}" for key, value in case.items())


@pytest.fixture
def built(build_once: Build) -> Build:
    return lambda **case: build_once("expm", route="monomial", **case)


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_counts_are_those_promised_and_those_in_closed_form(built: Build, case: dict[str, str]) -> None:
    net = built(**case)
    promised, measured, closed = count_plan(net.plan), net.measured, monomial_route(net.problem)
    assert promised.architecture == measured.architecture
    assert promised.nonzeros == measured.nonzeros
    assert float(promised.largest_weight) == pytest.approx(float(measured.largest_weight), rel=1e-12)
    assert (closed.hidden_layers, closed.width) == (net.plan.hidden_layers, measured.architecture.width)
    assert isinstance(closed.nonzeros, int)
    assert measured.nonzeros <= closed.nonzeros  # UPPER: every factor as if it read a product


def test_trees_are_as_many_as_index_paths(built: Build) -> None:
    plan = built(**CASES[2]).plan
    assert isinstance(plan, MonomialPlan)
    for k, copies in enumerate(plan.copies, start=1):
        assert copies == len(list(product(range(2), repeat=k + 1)))
    # One squarer of a half sum and one of a half difference for each of k - 1 products a tree.
    squarers = sum(copies * 2 * (k - 1) for k, copies in enumerate(plan.copies, start=1))
    levels = zip(plan.stages, range(99), strict=False)
    counted = sum(
        copies * 2 * len(parts[place].products)
        for _, place in levels
        for parts, copies in zip(plan.parts, plan.copies, strict=True)
    )
    assert counted == squarers


def test_the_prototype_multiplies_its_entries() -> None:
    """Every tree of degree k takes k - 1 products on ceil(log2 k) levels, over 1/k!."""
    program = prototype(9)
    assert len(program.stages) == 4
    assert program.products == sum(k - 1 for k in range(1, 10))
    assert [c for _, c in program.output.terms] == [Fraction(1, factorial(k)) for k in range(1, 10)]


def errors(net: MatrixNetwork, A: list[list[Fraction]]) -> arb:
    """An enclosure of the Frobenius error, which is at least the 2-norm's and the max-entry's."""
    with ctx.workprec(160):
        truth = arb_mat([[as_ball(entry) for entry in row] for row in A]).exp().tolist()
        E = [[as_ball(v) - t for v, t in zip(*rows, strict=True)] for rows in zip(net.exact(A), truth, strict=True)]
        if net.problem.norm == "max":
            return max((abs(e) for row in E for e in row), key=float)
        if net.problem.norm == "inf":
            return max((sum((abs(e) for e in row), arb(0)) for row in E), key=float)
        return sum((e * e for row in E for e in row), arb(0)).sqrt()


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_the_bound_holds_where_a_search_climbs(built: Build, case: dict[str, str]) -> None:
    net, generator = built(**case), Random(0)
    n, domain = net.n, net.problem.domain
    edge = domain.M if isinstance(domain, Box) else domain.radius / n
    starts = [[[edge * s] * n for _ in range(n)] for s in (1, -1)]
    starts += [[[edge * Fraction(generator.randint(-99, 99), 99) for _ in range(n)] for _ in range(n)] for _ in "abc"]
    worst, A = max(((errors(net, A), A) for A in starts), key=lambda item: float(item[0]))
    for _ in range(12):
        trial = [row[:] for row in A]
        i, j = generator.randrange(n), generator.randrange(n)
        trial[i][j] = max(-edge, min(edge, trial[i][j] + edge * Fraction(generator.randint(-20, 20), 60)))
        found = errors(net, trial)
        if float(found) > float(worst):
            worst, A = found, trial
    if net.problem.norm == "2":  # the Frobenius error is at most sqrt(n) times it
        worst = worst / arb(n).sqrt()
    assert worst < as_ball(net.bound)
    assert net.bound <= net.problem.eps
    assert float(net.bound) < 20 * float(worst)  # all signs one way: the truncation is nearly attained


@pytest.mark.parametrize(("case", "signs"), [(CASES[0], (1, -1, 0)), (CASES[3], (1, -1))], ids=["box", "ball"])
def test_nothing_carried_is_clipped(built: Build, case: dict[str, str], signs: tuple[int, ...]) -> None:
    net, edge = built(**case), Fraction(1, 4)  # M, or half the radius: all entries at it have 2-norm R
    for corner in product(signs, repeat=4):
        for layer, before in enumerate(hidden_layers(net.network, [s * edge for s in corner])):
            covered = sorted((b.start, b.stop) for b in net.network.blocks if b.layer == layer)
            assert [start for start, _ in covered] == [0, *(stop for _, stop in covered[:-1])]
            assert covered[-1][1] == len(before)
            for block in (b for b in net.network.blocks if b.layer == layer):
                values = before[block.start : block.stop]
                assert max(values) <= block.hi
                if block.kind != "squarer":
                    assert min(values) >= block.lo == 0


def test_torch_runs_on_the_matrices(built: Build) -> None:
    net = built(**CASES[0])
    A = torch.tensor([[0.1, -0.2], [0.25, 0.0]], dtype=torch.float64)
    exact = torch.tensor([[float(e) for e in row] for row in net.exact(A.numpy())], dtype=torch.float64)
    assert (net.torch()(A) - exact).abs().max() < 1e-13  # one layer of 52 neurons, values below 2


def test_a_file_is_checked_against_the_trees(built: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "monomial.safetensors"
    arguments = ["build", "expm", "--n", "2", "--M", "1/4", "--eps", "1e-1", "--route", "monomial", "--out", str(file)]
    assert main(arguments) == 0
    assert "theorem expm.monomial" in capsys.readouterr().out
    net = load(file)
    assert net.matches_plan
    assert net.bound == built(**CASES[0]).bound
    recipe = net.plan.recipe()
    for odd in ({"parameters": {"degree": 3}}, {"radices": [["3"], ["3"]]}, {"radices": [["x"]]}):
        with pytest.raises(BadInput):
            replan_monomial(net.problem, {**recipe, **odd})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 8, "eps": "1e-3"}, "trees of products"),
        ({"n": 3, "M": 1, "eps": "1e-3"}, "GiB"),
        ({"n": 2, "M": "1/4", "eps": "1e-1", "demand": Demand(max_width=10)}, "narrowest found is 52 wide"),
        ({"n": 2, "M": 800, "eps": "1e-1"}, "outside float64"),
        ({"n": 2, "M": "1/4", "eps": "1e-30"}, "trees of products"),
    ],
)
def test_what_is_too_large_is_refused_in_one_line(options: dict[str, object], message: str) -> None:
    with pytest.raises(OutOfReach, match=message) as refusal:
        build("expm", route="monomial", **options)
    assert "\n" not in str(refusal.value)


def test_a_demand_below_the_floor_is_refused() -> None:
    with pytest.raises(OutOfReach, match="floor"):
        plan_monomial(Problem("expm", 1, Box(Fraction(1)), Fraction(1, 10**17)))
