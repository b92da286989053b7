"""Matrix products as networks with two inputs: counts, exactness, the worst inputs, files and the command line.

Theorems: matmul.polarised, product.difference, product.polarised, matmul.strassen (kinds TIGHT and UPPER).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product as cartesian
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from constructions import MatrixNetwork, load
from constructions.cli import main
from tests.naive.naive_stage import hidden_layers
from theory.counts import count_plan
from theory.errors import BadInput
from theory.functions.planner import plan_function
from theory.matmul import strassen_error_factor, strassen_squarers
from theory.plan import Limits
from theory.problem import Box, Problem

Build = Callable[..., MatrixNetwork]
Rows = list[list[Fraction]]
CASES = [
    {"n": 2, "eps": "1e-2", "route": "polarised"},
    {"n": 2, "eps": "1e-2", "route": "difference"},
    {"n": 2, "eps": "1e-2", "route": "usual", "M": "1/3"},
    {"n": 3, "eps": "1e-1", "route": "difference", "M": "5", "norm": "max"},
    {"n": 3, "eps": "1e-3", "route": "polarised", "M": "1/3", "norm": "inf"},
    {"n": 2, "eps": "1e-2", "route": "strassen"},
    {"n": 4, "eps": "1e-1", "route": "strassen", "M": "1/3"},
    {"n": 4, "eps": "1e-1", "route": "strassen-2"},
]


def case_id(case: dict[str, object]) -> str:
    return " ".join(f"{key}={value}" for key, value in case.items())


def times(left: Rows, right: Rows) -> Rows:
    columns = list(zip(*right, strict=True))
    return [[sum((a * b for a, b in zip(row, c, strict=True)), Fraction(0)) for c in columns] for row in left]


def error(net: MatrixNetwork, X: Rows, Y: Rows) -> float:
    """The error in the problem's norm, entries exact."""
    value, truth = net.exact(X, Y), times(X, Y)
    E = np.array([[float(v - t) for v, t in zip(*rows, strict=True)] for rows in zip(value, truth, strict=True)])
    return {"fro": np.linalg.norm(E), "max": abs(E).max(), "inf": abs(E).sum(axis=1).max()}[net.problem.norm]


def scattered(net: MatrixNetwork, count: int, seed: int) -> list[tuple[Rows, Rows]]:
    generator, n, M = Random(seed), net.n, net.problem.domain.M

    def entry() -> Fraction:
        return M * Fraction(generator.randint(-(2**30), 2**30), 2**30)

    return [tuple([[entry() for _ in range(n)] for _ in range(n)] for _ in "XY") for _ in range(count)]  # type: ignore[misc]


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_counts_are_those_promised(build_once: Build, case: dict[str, str]) -> None:
    net = build_once("product", **case)
    promised, measured = count_plan(net.plan), net.measured
    assert promised.architecture == measured.architecture
    assert promised.nonzeros == measured.nonzeros
    assert float(promised.largest_weight) == pytest.approx(float(measured.largest_weight), rel=1e-12)
    assert net.network.inputs == (("X", net.n**2), ("Y", net.n**2))


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_the_bound_holds_where_a_search_climbs(build_once: Build, case: dict[str, str]) -> None:
    """Corners, knots and a climb from the worst of them by steps of one cell and less, in exact arithmetic."""
    net, generator = build_once("product", **case), Random(1)
    M, n = net.problem.domain.M, net.n
    cell = M / net.plan.stages[0].products[0].radices.pieces
    starts = [*scattered(net, 4, 0), ([[M] * n] * n, [[-M] * n] * n), ([[cell] * n] * n, [[cell] * n] * n)]
    starts.append(([[cell * 2 - M] * n] * n, [[cell * 4 - M] * n] * n))
    worst, X, Y = max(((error(net, X, Y), X, Y) for X, Y in starts), key=lambda item: item[0])
    for _ in range(60):
        trial = [[row[:] for row in A] for A in (X, Y)]
        for _ in range(generator.randint(1, n)):
            A, i, j = trial[generator.randrange(2)], generator.randrange(n), generator.randrange(n)
            A[i][j] = max(-M, min(M, A[i][j] + cell * Fraction(generator.randint(-8, 8), 4)))
        found = error(net, *trial)
        if found > worst:
            worst, (X, Y) = found, trial
    assert 0 < worst <= float(net.bound) <= float(net.problem.eps)


@pytest.mark.parametrize(("route", "share"), [("polarised", Fraction(3, 2)), ("difference", Fraction(1))])
def test_the_constant_is_attained_in_every_entry_at_once(build_once: Build, route: str, share: Fraction) -> None:
    """TIGHT: polarised 3/2 n/N^2 centred, differences n/N^2; equal up to the centre's 12 bits and freezing."""
    net = build_once("product", n=2, eps="1e-2", route=route)
    plan = net.plan.stages[0].products[0]
    N = plan.radices.pieces
    knots = [Fraction(2 * i, N) - 1 for i in range(N + 1)]
    best = Fraction(0)
    for x, y in cartesian(knots + [k + Fraction(1, 2 * N) for k in knots[:-1]], repeat=2):
        E = net.exact([[x] * 2] * 2, [[y] * 2] * 2)
        errors = {abs(value - 2 * x * y) for row in E for value in row}
        assert len(errors) == 1  # all entries alike
        best = max(best, *errors)
    short = abs(plan.centre.fraction - Fraction(2, 2 * N**2)) if route == "polarised" else Fraction(0)
    assert abs(best - share * 2 / N**2) <= short + net.plan.freezing < Fraction(1, 1000) * best


def test_strassen_errs_more_and_takes_fewer_squarers() -> None:
    """At radix 3, n = 16: 6 s levels of 7 products against one of n^3 + 2n^2 squarers (theorem matmul.strassen)."""
    problem = Problem("product", 16, Box(Fraction(1)), Fraction(10**6), "max")
    limits = Limits(10**9, squarer_width=2)
    plain = plan_function(problem, "polarised", limits)
    for levels in (1, 2):
        plan = plan_function(problem, f"strassen-{levels}", limits)
        assert sum(_squarers(plan)) == strassen_squarers(16, levels)
        assert plan.stages[0].layers == plain.stages[0].layers == 1
        ratio = plan.error / plain.error
        assert ratio == pytest.approx(strassen_error_factor(levels), rel=1e-3)  # scales and centres of 12 bits


def _squarers(plan) -> list[int]:  # type: ignore[no-untyped-def]
    from theory.layout import squarers

    return [squarers(product.product, plan.side) for product in plan.stages[0].products]


@pytest.mark.parametrize("case", [CASES[0], CASES[3], CASES[6]], ids=case_id)
def test_torch_and_numpy_agree_with_exact_arithmetic(build_once: Build, case: dict[str, str]) -> None:
    net = build_once("product", **case)
    pairs = scattered(net, 3, 5)
    X, Y = (np.array([[[float(e) for e in row] for row in pair[side]] for pair in pairs]) for side in (0, 1))
    exact = np.array([[[float(e) for e in row] for row in net.exact(X[i], Y[i])] for i in range(3)])
    # A few hundred operations on numbers up to n M^2 B: rounding far below 1e-10 of them.
    room = 1e-10 * float(net.problem.domain.M) ** 2
    assert np.abs(net(X, Y) - exact).max() < room
    for mode in ("blocks", "csr", "dense"):
        assert np.abs(net.torch(mode)(torch.tensor(X), torch.tensor(Y)).numpy() - exact).max() < room
    with pytest.raises(BadInput, match="X and Y"):
        net.exact(X[0])
    outside = net.membership(X[0], [[100] * net.n] * net.n)
    assert not outside.inside
    assert outside.reason.startswith("Y is out")


@pytest.mark.parametrize("case", [CASES[1], CASES[2], CASES[5]], ids=case_id)
def test_nothing_carried_is_clipped(build_once: Build, case: dict[str, str]) -> None:
    """Every block stays inside the range claimed for it: negative squares beside positive ones included."""
    net = build_once("product", **case)
    M, n = net.problem.domain.M, net.n
    corners = [([[s * M] * n] * n, [[t * M] * n] * n) for s, t in cartesian((1, -1, 0), repeat=2)]
    for X, Y in [*corners, *scattered(net, 2, 9)]:
        point = [entry for A in (X, Y) for row in A for entry in row]
        for layer, before in enumerate(hidden_layers(net.network, point)):
            for block in (b for b in net.network.blocks if b.layer == layer):
                values = before[block.start : block.stop]
                assert max(values) <= block.hi
                if block.kind != "squarer":
                    assert min(values) >= block.lo == 0


def test_a_file_with_two_inputs_from_build_to_eval(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "product.safetensors"
    assert main(["build", "product", "--n", "4", "--eps", "1e-3", "--out", str(file), "--route", "strassen"]) == 0
    assert "theorem matmul.strassen" in capsys.readouterr().out
    net = load(file)
    assert net.matches_plan
    paths = [tmp_path / "X.npy", tmp_path / "Y.npy"]
    A = np.array([[(i * j % 3 - 1) / 2 for j in range(4)] for i in range(4)])
    np.save(paths[0], A)
    np.save(paths[1], A.T)
    out = tmp_path / "Z.npy"
    assert main(["eval", str(file), "--matrix", *map(str, paths), "--out", str(out)]) == 0
    assert "proved" in capsys.readouterr().out
    assert np.abs(np.load(out) - A @ A.T).max() <= 1e-3
    with pytest.raises(BadInput, match="give 2 files"):
        main(["eval", str(file), "--matrix", str(paths[0])])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--n", "3", "--route", "strassen"], "divisible by 2"),
        (["--n", "4", "--route", "strassen", "--levels", "9"], "1 to 4 levels"),
        (["--n", "4", "--route", "difference", "--levels", "1"], "--levels belongs to --route strassen"),
        (["--n", "4", "--route", "nonsense"], "choose from polarised, difference, usual, strassen"),
        (["--n", "4", "--radius", "1"], "takes no --radius"),
    ],
)
def test_odd_requests_get_one_line(options: list[str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        main(["build", "product", "--eps", "1e-3", "--dry-run", *options])
