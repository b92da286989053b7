"""Scalar networks as matrices: promised counts, exact functions, errors certified off the weights and attacked."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from constructions import MatrixNetwork, build, load
from constructions.builder import file_bytes
from constructions.cli import main
from constructions.scalar import scalar_network
from constructions.univariate import along, certify_univariate
from theory.counts import count_plan
from theory.evaluate import as_ball
from theory.parse import parse_formula
from theory.problem import Box, CentredBall, Problem
from theory.scalar import interval, scalar_function, scalar_plans
from theory.scalar_plan import ScalarPlan

ONE, MILLI = Fraction(1), Fraction(1, 1000)
#: function, radius, centre, eps: every route, fold and way to read the input occurs.
CASES = (
    ("x**2", "1", "0", "1e-3"), ("x**2", "3/7", "0", "1e-4"), ("x**5", "1", "0", "1e-3"), ("exp(x)", "1", "0", "1e-3"),
    ("exp(x)", "2", "0", "1e-1"), ("cos(x)", "1", "0", "1e-3"), ("sin(x)", "3", "0", "1e-2"),
    ("1/x", "9/20", "11/20", "1e-2"), ("log(x)", "1/2", "1", "1e-3"), ("x**3 - x", "1", "0", "1e-2"),
    ("exp(-x**2)", "2", "0", "1e-2"),
)  # fmt: skip


def plans(function: str, radius: str, centre: str, eps: str) -> list[ScalarPlan]:
    problem = Problem(function, 1, CentredBall(Fraction(centre), Fraction(radius)), Fraction(eps))
    found = scalar_plans(problem)
    found += [plan for plan in scalar_plans(problem, "hinges") if plan not in found]
    return found


def check_counts(plan: ScalarPlan) -> MatrixNetwork:
    """What is promised is what is measured; every weight is a float64; blocks cover the neurons."""
    net = MatrixNetwork(scalar_network(plan).freeze(), plan)
    measured, counts = net.measured, count_plan(plan)
    assert net.network.is_frozen
    assert net.matches_plan
    assert counts.architecture == plan.architecture == measured.architecture
    assert counts.nonzeros == measured.nonzeros
    assert counts.largest_weight == as_ball(plan.largest_weight)
    assert plan.largest_weight == max(abs(w) for layer in net.network.maps for w in layer.augmented.table)
    biases = sum(bool(b) for layer in net.network.maps for b in layer.weight_and_bias()[1])
    assert counts.biases == biases
    for depth, width in enumerate(list(measured.architecture.widths())[1:-1]):
        spans = sorted((b.start, b.stop) for b in net.network.blocks if b.layer == depth)
        assert [start for start, _ in spans] == [0, *(stop for _, stop in spans[:-1])]
        assert spans[-1][1] == width
    return net


@pytest.mark.parametrize(("function", "radius", "centre", "eps"), CASES)
def test_networks_are_their_plans_and_certified_off_the_matrices(
    function: str, radius: str, centre: str, eps: str
) -> None:
    for plan in plans(function, radius, centre, eps):
        net = check_counts(plan)
        lo, hi = interval(plan.problem)
        whole = plan.built.function()
        for i in range(0, 31):
            x = lo + (hi - lo) * Fraction(i, 30)
            assert net.network([x]) == [whole(x)]
        found = certify_univariate(net.network, scalar_function(plan.problem), lo, hi)
        # Two bounds of one error, each within 2^-29 of it, found in different ways.
        assert abs(found.bound - plan.error) <= plan.error / 2**28
        assert found.attained <= Fraction(eps)
        assert found.pieces == whole.pieces


def climb(net: MatrixNetwork, lo: float, hi: float, starts: int = 7) -> Fraction:
    """The worst error that a search finds by halving steps uphill, in balls at its last points."""
    f = scalar_function(net.problem)

    def error(x: float) -> float:
        return abs(float(net.network([Fraction(x)])[0]) - f.floats(x)[0])

    worst = Fraction(0)
    for i in range(starts):
        x, step = lo + (hi - lo) * (i + 0.5) / starts, (hi - lo) / starts
        while step > 1e-9 * (hi - lo):
            x, _, moved = max(
                ((y, error(y), y != x) for y in (x, max(lo, x - step), min(hi, x + step))), key=lambda p: p[1]
            )
            step = step if moved else step / 2
        with ctx.workprec(128):
            ball = abs(f.value(Fraction(x)) - as_ball(net.network([Fraction(x)])[0]))
            worst = max(worst, Fraction(float(arb(ball.lower()))))
    return worst


@pytest.mark.parametrize(
    ("options", "most"),
    [
        ({"function": "x**2", "radius": "1"}, 42),
        ({"function": "x**5", "radius": "1"}, 95),
        ({"function": "expm"}, 56),
        ({"function": "exp(x)", "radius": "1"}, 56),
    ],
    ids=str,
)
def test_what_was_asked_is_built_by_default_and_withstands_a_search(options: dict[str, str], most: int) -> None:
    net = build(n=1, eps="1e-3", **options)  # type: ignore[arg-type]
    assert net.measured.nonzeros <= most
    found = climb(net, -1.0, 1.0)
    assert found <= net.bound <= MILLI
    assert found >= net.bound * Fraction(3, 5)  # the bound is attained somewhere: a search comes close


def test_the_product_of_two_numbers() -> None:
    net = build("product", 1, "1e-3", M="1")
    assert (net.measured.nonzeros, net.plan.theorem) == (60, "scalar.product")
    assert check_counts(net.plan).bound <= MILLI  # type: ignore[arg-type]
    # Along x = y it is x^2, along x = -y its negative, along y = 1/3 a line; exact zero on the axes.
    for direction, text in (((1, 1), "x**2"), ((1, -1), "-x**2")):
        line = along(net.network, [Fraction(0)] * 2, [Fraction(d) for d in direction])
        found = certify_univariate(line, parse_formula(text), -1, 1)
        assert net.plan.attained <= found.bound * (1 + Fraction(1, 2**28))  # type: ignore[attr-defined]
        assert found.attained <= net.bound
    for x in (Fraction(-1), Fraction(2, 7), ONE):
        assert net.exact([[x]], [[0]]) == net.exact([[0]], [[x]]) == [[0]]


@given(st.fractions(-2, 2, max_denominator=1000), st.fractions(-2, 2, max_denominator=1000))
def test_the_product_holds_everywhere_in_its_box(x: Fraction, y: Fraction) -> None:
    (plan,) = scalar_plans(Problem("product", 1, Box(Fraction(2)), Fraction(1, 100)))
    (value,) = scalar_network(plan)([x, y])
    assert abs(value - x * y) <= plan.error <= Fraction(1, 100)


@settings(max_examples=5)
@given(
    st.integers(1, 4),
    st.integers(-3, 3),
    st.integers(10, 900),
    st.sampled_from(("exp({a}*x/2) + {b}*x**2", "sin({a}*x+{b})")),
)
def test_random_functions_are_built_as_promised(a: int, b: int, inverse: int, form: str) -> None:
    problem = Problem(form.format(a=a, b=b), 1, CentredBall(Fraction(0), ONE), Fraction(1, inverse))
    plan = scalar_plans(problem)[0]
    net = check_counts(plan)
    assert certify_univariate(net.network, scalar_function(problem), -1, 1).attained <= problem.eps


@pytest.mark.parametrize("case", [("exp(x)", {}), ("x**2", {}), ("x**5", {}), ("product", {"M": "1/3"})], ids=str)
def test_files_go_out_and_back(case: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    function, options = case
    net = build(function, 1, "1e-2", **(options or {"radius": "1"}))
    net.save(tmp_path / "net")
    again = load(tmp_path / "net")
    assert again.matches_plan
    assert again.plan == net.plan
    real = (tmp_path / "net").stat().st_size
    # The header's text is estimated: within 100 bytes fixed, 30 a map or block, and the shape in full.
    assert abs(file_bytes(net.plan, count_plan(net.plan)) - real) < 100 + 30 * (
        len(net.network.maps) + len(net.network.blocks)
    )


def test_a_changed_weight_is_seen(tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.numpy import save_file

    net = build("exp(x)", 1, "1e-2", radius="1")
    net.save(tmp_path / "net")
    with safe_open(tmp_path / "net", "numpy") as archive:
        metadata = archive.metadata()
        tensors = {name: archive.get_tensor(name).copy() for name in archive.keys()}  # noqa: SIM118
    tensors["1.weight.data"][0] *= 1.0000001
    save_file(tensors, tmp_path / "net", metadata)
    assert not load(tmp_path / "net").matches_plan


def test_torch_and_numpy_agree_with_the_rationals() -> None:
    net = build("expm", 1, "1e-3")
    x = np.linspace(-1, 1, 11).reshape(11, 1, 1)
    exact = np.array([[[float(net.exact([[v]])[0][0])]] for v in x.reshape(-1)])
    # Weights are below 2^8 and each of 3 layers sums fewer than 16 of them: rounding stays below 2^-53 2^8 2^4 3 8.
    tolerance = 2.0**-36
    for mode in ("blocks", "csr", "dense"):
        assert np.allclose(net.torch(mode)(torch.from_numpy(x)).detach().numpy(), exact, rtol=0, atol=tolerance)
    assert np.allclose(net(x), exact, rtol=0, atol=tolerance)


def test_the_command_line_builds_tells_and_evaluates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "f.safetensors"
    assert main(["build", "x**2", "--n", "1", "--radius", "1", "--eps", "1e-3", "--out", str(target), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["route"] == "squarer"
    assert document["promised"]["nonzeros"] == document["measured"]["nonzeros"] == 26
    assert main(["info", str(target), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["matches_plan"]
    np.save(tmp_path / "A.npy", np.array([[0.3]]))
    assert main(["eval", str(target), "--matrix", str(tmp_path / "A.npy"), "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["in_domain"]
    assert abs(value["value"][0][0] - 0.09) <= 1e-3
    np.save(tmp_path / "B.npy", np.array([[1.5]]))
    assert main(["eval", str(target), "--matrix", str(tmp_path / "B.npy"), "--json"]) == 0
    assert "not claimed" in json.loads(capsys.readouterr().out)["lost"]


def test_the_dry_run_names_limits_that_no_network_keeps(capsys: pytest.CaptureFixture[str]) -> None:
    demand = ["--n", "1", "--radius", "1", "--eps", "1e-3", "--dry-run", "--json"]
    assert main(["build", "exp(x)", *demand, "--max-hidden-layers", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["promised"]["hidden_layers"] == 1
