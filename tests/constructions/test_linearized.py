"""Networks around a matrix: matrices as promised, the seed's formula literally, bounds attacked, files, torch, CLI.

Theorems: inverse.linearized, inverse.box, inverse.width, freeze.affine.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from flint import arb, ctx, fmpq, fmpq_mat

from constructions import MatrixNetwork, build, load
from constructions.cli import main
from theory.command import run_command
from theory.counts import count_plan
from theory.errors import BadInput, OutOfReach
from theory.linearized_plan import FORMS, LinearizedPlan
from theory.neighbourhood import neighbourhood

Build = Callable[..., MatrixNetwork]
#: The inverse of ((1, -1), (-1, 2)) is ((2, 1), (1, 1)): floats, one sign. Theorem inverse.box is attained there.
EXACT = ((1, -1), (-1, 2))
PLAIN = ((2, 1), (1, 3))
THREE = ((3, 1, 0), (-1, 2, 1), (0, 1, -3))
CASES: list[dict[str, Any]] = [
    {"around": EXACT, "half_width": "1/20"},
    {"around": PLAIN, "half_width": "1/10", "route": "linearized-two-sided"},
    {"around": THREE, "half_width": "1/10", "norm": "max"},
    {"around": ((Fraction(1, 3),),), "half_width": "1/10", "route": "order-3"},
    {"around": PLAIN, "half_width": "1/10", "route": "order-2", "norm": "inf"},
    {"around": PLAIN, "half_width": "1/10", "eps": "1e-4"},
    {"around": EXACT, "half_width": "1/20", "route": "order-7", "norm": "max"},
    {"around": THREE, "half_width": "1/10", "eps": "1e-3", "norm": "2"},
]


def flint_matrix(rows: Any) -> fmpq_mat:
    return fmpq_mat([[fmpq(Fraction(e).numerator, Fraction(e).denominator) for e in row] for row in rows])


def exact_inverse(rows: Any) -> list[list[Fraction]]:
    return [[Fraction(int(e.p), int(e.q)) for e in row] for row in flint_matrix(rows).inv().tolist()]


def error_at(net: MatrixNetwork, A: Any) -> Fraction:
    """The exact error in the problem's norm, from below: the Frobenius norm over sqrt(n) for the 2-norm."""
    pairs = zip(net.exact(A), exact_inverse(A), strict=True)
    gaps = [[abs(a - b) for a, b in zip(row, line, strict=True)] for row, line in pairs]
    if net.problem.norm == "max":
        return max(max(row) for row in gaps)
    if net.problem.norm == "inf":
        return max(sum(row) for row in gaps)
    square = sum(e * e for row in gaps for e in row) / (net.n if net.problem.norm == "2" else 1)
    return Fraction(float(square) ** 0.5) * (1 - Fraction(1, 2**50))  # float and root err by less than 2^-51 each


def moved(net: MatrixNetwork, signs: Any) -> list[list[Fraction]]:
    domain = net.problem.domain
    pairs = zip(domain.centre, np.reshape(signs, (net.n, net.n)), strict=True)  # type: ignore[union-attr]
    return [[a + domain.half_width * Fraction(float(s)) for a, s in zip(row, line, strict=True)] for row, line in pairs]  # type: ignore[union-attr]


@pytest.mark.parametrize("case", CASES)
def test_promised_counts_are_those_of_the_matrices(build_once: Build, case: dict[str, Any]) -> None:
    net = build_once("inverse", **case)
    counts, measured = count_plan(net.plan), net.measured
    assert counts.architecture == measured.architecture
    assert counts.nonzeros == measured.nonzeros
    assert measured.largest_weight <= Fraction(float(counts.largest_weight.upper())) * Fraction(1 + 2**-40)
    assert net.bound <= net.problem.eps


@pytest.mark.parametrize("case", CASES)
def test_the_worst_corner_is_within_the_bound(build_once: Build, case: dict[str, Any]) -> None:
    net = build_once("inverse", **case)
    corners = list(product((-1, 1), repeat=net.n**2))[:: 1 if net.n < 3 else 7]
    worst = max(error_at(net, moved(net, signs)) for signs in corners)
    assert net.bound / 10 < worst <= net.bound


@pytest.mark.parametrize("case", CASES)
def test_a_climb_stays_within_the_bound(build_once: Build, case: dict[str, Any]) -> None:
    net = build_once("inverse", **case)
    generator = np.random.default_rng(3)
    here = generator.uniform(-1, 1, net.n**2)
    worst = error_at(net, moved(net, here))
    for step in range(40):
        there = np.clip(here + generator.normal(0, 0.9**step, net.n**2), -1, 1)
        error = error_at(net, moved(net, there))
        here, worst = (there, error) if error > worst else (here, worst)
    assert 0 < worst <= net.bound


@pytest.mark.parametrize("route", FORMS)
def test_the_seed_formula_literally(build_once: Build, route: str) -> None:
    # A0^-1 - A0^-1 (A - A0) A0^-1 in rationals: frozen weights are off by the freezing term, here 0 (integers).
    net = build_once("inverse", around=EXACT, half_width="1/16", route=route, norm="max")
    V = flint_matrix(EXACT).inv()
    for signs in ((1, 0, -1, 0.5), (-1, -1, -1, -1), (0, 0, 0, 0)):
        A = moved(net, signs)
        formula = V - V * (flint_matrix(A) - flint_matrix(EXACT)) * V
        assert net.exact(A) == [[Fraction(int(e.p), int(e.q)) for e in row] for row in formula.tolist()]


def test_inverse_box_is_attained_by_the_network(build_once: Build) -> None:
    net = build_once("inverse", around=EXACT, half_width="1/16", norm="max")
    worst = max(error_at(net, moved(net, signs)) for signs in product((-1, 1), repeat=4))
    # TIGHT: integers throughout, so the bound is attained but for rounding up to 64 bits, six times.
    assert worst <= net.plan.error <= worst * (1 + Fraction(6, 2**63))


def test_two_sided_holds_everywhere_and_shifted_on_the_box_alone(build_once: Build) -> None:
    far = [[Fraction(100), Fraction(-7)], [Fraction(3), Fraction(50)]]
    V = flint_matrix(EXACT).inv()
    formula = V - V * (flint_matrix(far) - flint_matrix(EXACT)) * V
    expected = [[Fraction(int(e.p), int(e.q)) for e in row] for row in formula.tolist()]
    both = [build_once("inverse", around=EXACT, half_width="1/16", route=route, norm="max") for route in FORMS]
    assert both[1].exact(far) == expected
    low = [[-e for e in row] for row in far]
    assert both[0].exact(low) != both[1].exact(low)  # units are silent left of the box
    assert not both[0].membership(far).inside


@pytest.mark.parametrize("case", CASES[:3])
def test_units_are_n_squared_and_twice_that(build_once: Build, case: dict[str, Any]) -> None:
    net = build_once("inverse", **case)
    twice = case.get("route") == "linearized-two-sided"
    assert net.measured.architecture.width == net.n**2 * (2 if twice else 1)
    assert net.measured.architecture.hidden_layers == 1


@pytest.mark.parametrize("case", CASES)
def test_files_balls_and_torch_agree(build_once: Build, tmp_path: Path, case: dict[str, Any]) -> None:
    net = build_once("inverse", **case)
    net.save(tmp_path / "net")
    again = load(tmp_path / "net")
    assert again.matches_plan
    assert again.bound == net.bound
    signs = np.linspace(-1, 1, net.n**2)
    A = moved(net, signs)
    value = net.exact(A)
    assert again.exact(A) == value
    with ctx.workprec(128):
        for row, line in zip(net.balls(A), value, strict=True):
            assert all(ball.contains(arb(fmpq(e.numerator, e.denominator))) for ball, e in zip(row, line, strict=True))
    floats = torch.tensor([[float(e) for e in row] for row in A], dtype=torch.float64)
    expected = torch.tensor([[float(e) for e in row] for row in value], dtype=torch.float64)
    # Squarers' kinks amplify one rounding of A by at most N^2 2^-53 < 2^-13 of a piece's error, itself below the bound.
    for mode in ("blocks", "csr", "dense"):
        assert torch.allclose(net.torch(mode)(floats), expected, rtol=0, atol=1e-12)


def test_every_range_claimed_holds(build_once: Build) -> None:
    for case in CASES[:2]:
        net = build_once("inverse", **case)
        weights = net.network.maps[0].augmented.floats()
        for signs in product((-1, 1), repeat=net.n**2):
            flat = np.array([[float(e)] for row in moved(net, signs) for e in row])
            hidden = np.maximum(weights[:, :-1] @ flat + weights[:, [-1]].toarray(), 0)
            for block in net.network.blocks:
                # A rounding of the sum, relative to the largest of its parts.
                assert hidden[block.start : block.stop].max() <= float(block.hi) * (1 + 2**-50)


def test_the_certifier_reads_it_and_confirms_the_bound(build_once: Build, tmp_path: Path) -> None:
    from empirical.certify.crew import Crew
    from empirical.certify.inverse import InverseTarget
    from empirical.certify.reading import read_relu_chain
    from empirical.certify.region import Region
    from empirical.certify.search import Options, certify

    net = build_once("inverse", around=PLAIN, half_width="1/10", norm="max")
    torch.save(net.torch("dense").chain.state_dict(), tmp_path / "net.pt")  # type: ignore[union-attr]
    region = Region(np.array(PLAIN, dtype=float), Fraction(1, 10))
    options = Options("max", Fraction(1, 20), 20.0, 0)
    certificate = certify(read_relu_chain(tmp_path / "net.pt"), InverseTarget(2), region, options, Crew(None))
    assert certificate.lower <= float(net.bound)
    assert certificate.upper <= 1.06 * certificate.lower


def test_the_order_is_chosen_for_the_accuracy() -> None:
    assert isinstance(build("inverse", eps="1e-1", around=PLAIN, half_width="1/10").plan, LinearizedPlan)
    orders = [
        dict(build("inverse", eps=eps, around=PLAIN, half_width="1/10").plan.parameters)["order"]
        for eps in ("1e-2", "1e-4", "1e-6")
    ]
    assert orders == sorted(set(orders))


def test_without_an_accuracy_the_order_reaches_what_it_can(build_once: Build) -> None:
    net = build_once("inverse", around=PLAIN, half_width="1/10", route="order-3")
    tail = neighbourhood(net.problem.domain).error(3, "fro")  # type: ignore[arg-type]
    assert tail is not None
    # Twice the truncation, rounded up to three digits: at most one in a hundred more.
    assert 2 * tail <= net.problem.eps <= 2 * tail * Fraction(101, 100)
    tiny = build("inverse", around=PLAIN, half_width="1e-30", route="order-3")
    assert tiny.bound <= tiny.problem.eps < Fraction(1, 10**11)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"eps": "1e-4", "route": "linearized"}, "order 1 errs by up to 0.016279"),
        ({"eps": "1e-4", "route": "order-2"}, "order 2 is only within 0.0022791"),
        ({"eps": "1e-300"}, "below what float64 weights hold"),
        ({"route": "neumann"}, "--order k, or --eps"),
        ({"eps": "1e-4", "route": "coupled"}, "no route 'coupled'"),
        ({"n": 3}, "leave out --n"),
        ({"delta": "1/2"}, "takes no --delta"),
        ({"route": "order-x"}, "positive integer"),
        ({"relative": True}, "for expm alone"),
    ],
)
def test_what_cannot_be_had_is_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises((BadInput, OutOfReach)) as caught:
        build("inverse", around=PLAIN, half_width="1/10", **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    centre, out = tmp_path / "A0.npy", tmp_path / "net"
    np.save(centre, np.array(PLAIN, dtype=float))
    ask = ["build", "inverse", "--around", str(centre), "--half-width", "1/10"]
    assert run_command(main, [*ask, "--out", str(out)]) == 0
    assert "linearized (order 1)" in capsys.readouterr().out
    assert run_command(main, ["eval", str(out), "--matrix", str(centre)]) == 0
    assert "in the domain: every entry is within 1/10" in capsys.readouterr().out
    np.save(centre, np.array(PLAIN) + 0.5)
    assert run_command(main, ["eval", str(out), "--matrix", str(centre)]) == 0
    assert "LOST            ||network - inverse(A)||_fro <= 0.0162791 is not claimed" in capsys.readouterr().out
    assert run_command(main, [*ask, "--order", "2", "--route", "coupled", "--dry-run"]) == 2
    assert run_command(main, ["build", "inverse", "--order", "2", "--n", "2", "--eps", "1", "--dry-run"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert "--order belongs to --around" in errors[1]
