"""Modules along the blocks, on the matrices and dense: one function, its gradients, and what a module must do.

The closed form the blocks use is that of theorem square.interpolant; products are those of matmul.polarised, .square.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import prod

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from constructions import MatrixNetwork
from constructions.evaluate import evaluate_exact
from constructions.matrix_network import MatrixNetwork as Shell
from constructions.network import Affine, Network
from constructions.program_network import ideal_network
from constructions.torch_module import BlockNetwork, CsrNetwork
from tests.naive.naive_stage import naive_network
from theory.errors import BadInput
from theory.network_plan import NetworkPlan
from theory.objectives import Demand
from theory.problem import Ball, Box, KDelta, SignDomain
from theory.program import Combination
from theory.squaring import interpolate_symmetric

Build = Callable[..., MatrixNetwork]
CASES = [
    {"function": "expm", "n": 1, "M": "1/3", "eps": "1e-3", "route": "scaling-and-squaring"},
    {"function": "expm", "n": 2, "eps": "1e-2"},
    {"function": "expm", "n": 2, "eps": "1e-2", "route": "horner"},
    {"function": "expm", "n": 3, "radius": "1/2", "eps": "1e-3"},
    {"function": "inverse", "n": 2, "delta": "1/2", "radius": "3/2", "eps": "1e-2"},
    {"function": "sign", "n": 2, "eps": "1e-1"},
    {"function": "expm", "n": 2, "eps": "1e-2", "demand": Demand(minimise="nonzeros")},
]


def inside(net: MatrixNetwork, count: int, seed: int) -> Tensor:
    """Matrices of the domain: outside, the blocks and the clipped matrices part ways."""
    generator, n, domain = np.random.default_rng(seed), net.n, net.problem.domain
    found = generator.uniform(-1, 1, (count, n, n))
    match domain:
        case Box(M):
            found *= float(M)
        case Ball(radius):
            found *= float(radius) / n
        case KDelta(delta, radius):
            u, _, v = np.linalg.svd(found)
            s = generator.uniform(1.01 * float(delta), 0.99 * float(radius) / n**0.5, (count, n))
            found = u * s[:, None] @ v
        case SignDomain(rho, _):
            q, _ = np.linalg.qr(found)
            near = 1 + generator.uniform(-0.99, 0.99, (count, n)) * float(rho)
            s = generator.choice([-1, 1], (count, n)) * np.sqrt(near)
            found = q * s[:, None] @ q.swapaxes(1, 2)
    assert all(net.membership(A).inside for A in found)
    return torch.from_numpy(found)


def exactly(A: Tensor) -> list[list[Fraction]]:
    return [[Fraction(float(v)) for v in row] for row in A]


@given(st.lists(st.integers(2, 6), min_size=1, max_size=4), st.fractions(-1, 1, max_denominator=10**6))
def test_the_closed_form_is_the_interpolant(radices: list[int], u: Fraction) -> None:
    pieces = prod(radices)
    position = (u + 1) * pieces / 2
    between = position - position.__floor__()
    assert interpolate_symmetric(radices, u) == u**2 + Fraction(4, pieces**2) * between * (1 - between)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_matrices_are_the_stages_in_rationals(build_once: Build, case: dict[str, str]) -> None:
    """Ideal matrices, composed and merged, against the plan transcribed stage by stage: equal, not close."""
    net = build_once(**case)
    ideal, A = ideal_network(net.plan), exactly(inside(net, 1, seed=1)[0])
    expected = [entry for row in naive_network(net.plan, A) for entry in row]
    assert evaluate_exact(ideal, [entry for row in A for entry in row]) == expected


class Running:
    """A running error analysis of the block module in floats with unit roundoff u, entrywise maxima b and errors e.

    Sums of k terms in any order: at most (k + 2) u times the sum of absolute values (Higham, section 3.1, doubled to
    1.01 for the higher orders). A squarer's defect r(1 - r) is continuous across knots with slope at most 1 in the
    position (form + 1) N/2, so an error t there moves it by at most t, plus 2u for its own product.
    """

    def __init__(self, unit: Fraction) -> None:
        self.u = Fraction(101, 100) * unit

    def combination(self, form: Combination, known: dict[str, tuple[Fraction, Fraction]]) -> tuple[Fraction, Fraction]:
        mass = sum((abs(c) * (known[v][0] + known[v][1]) for v, c in form.terms), abs(form.identity))
        carried = sum((abs(c) * known[v][1] for v, c in form.terms), Fraction(0))
        return mass, carried + (len(form.terms) + 3) * self.u * mass

    def bound(self, plan: NetworkPlan, A: list[list[Fraction]]) -> Fraction:
        n, start = len(A), max(abs(v) for row in A for v in row)
        known: dict[str, tuple[Fraction, Fraction]] = {}
        for source in plan.program.sources:
            size = abs(source.factor) * start + abs(source.identity)
            known[source.name] = (size, 3 * self.u * size)
        for stage in plan.stages:
            # Entries of live matrices keep the ranges the stage's carriers are built for.
            known = {v: (min(known[v][0], bound.fraction), known[v][1]) for v, bound in stage.bounds}
            inside = dict(known)
            for product in stage.products:
                left = self.combination(product.product.left, known)
                right = self.combination(product.product.right, known)
                alpha = max(product.alpha_left.fraction, product.alpha_right.fraction)
                form = max(product.alpha_left.fraction * left[1], product.alpha_right.fraction * right[1])
                form += 6 * self.u * max(Fraction(1), alpha * max(left[0], right[0]))
                pieces = product.radices.pieces
                defect = Fraction(pieces, 2) * (form + 6 * self.u) + 2 * self.u
                # At most 3n squarers' weights an entry; defects are at most 1/4; scale is 4 B_L B_R / N^2.
                scale = 4 * product.scale / pieces**2
                error = n * (left[0] * right[1] + left[1] * right[0] + left[1] * right[1])
                error += (n + 2) * self.u * n * (left[0] + left[1]) * (right[0] + right[1])
                error += scale * 3 * n * (defect + (3 * n + 6) * self.u / 4) + 3 * self.u * product.centre.fraction
                mass = n * (left[0] + left[1]) * (right[0] + right[1]) + 3 * n * scale + product.centre.fraction
                inside[product.product.name] = (mass, error + 3 * self.u * mass)
            known = {name: self.combination(output, inside) for name, output in stage.stage.outputs}
        return self.combination(plan.program.output, known)[1]


@pytest.mark.parametrize(("dtype", "unit"), [(torch.float64, 53), (torch.float32, 24)])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_blocks_are_the_matrices_up_to_derived_rounding(
    build_once: Build, case: dict[str, str], dtype: torch.dtype, unit: int
) -> None:
    net = build_once(**case)
    module = net.torch().to(dtype)
    assert isinstance(module, BlockNetwork)
    for drawn in inside(net, 4, seed=2).to(dtype):
        A = exactly(drawn)
        got, expected = module(drawn), naive_network(net.plan, A)
        assert got.dtype == dtype
        allowed = Running(Fraction(1, 2**unit)).bound(net.plan, A)
        # The tolerance is worth something: far below the proved error for float64.
        assert unit == 24 or allowed < net.bound / 100
        for i in range(net.n):
            for j in range(net.n):
                assert abs(Fraction(float(got[i, j])) - expected[i][j]) <= allowed


@pytest.mark.parametrize("case", CASES, ids=str)
def test_three_modules_are_one_function_with_one_gradient(build_once: Build, case: dict[str, str]) -> None:
    """A wrong cell would move a slope by 4/N at least (N < 10^4 here): far above what rounding does to gradients."""
    net = build_once(**case)
    A, weight = inside(net, 5, seed=3), torch.linspace(-1, 2, net.n**2, dtype=torch.float64).reshape(net.n, net.n)
    values, gradients = [], []
    for mode in ("blocks", "csr", "dense"):
        point = A.clone().requires_grad_()
        value = net.torch(mode)(point)
        (value * weight).sum().backward()
        values.append(value.detach())
        gradients.append(point.grad)
    reference = torch.from_numpy(net(A.numpy()))
    # Frozen and ideal weights differ by 2^-53 each; both run through at most 10^4-fold amplification here.
    for value in values:
        assert torch.allclose(value, reference, rtol=0, atol=1e-10 * float(1 + reference.abs().max()))
    for gradient in gradients:
        assert torch.allclose(gradient, gradients[0], rtol=0, atol=1e-7 * float(gradients[0].abs().max()))
    assert gradients[0].abs().min() > 0 or case["function"] != "expm"


@pytest.mark.parametrize("mode", ["blocks", "csr", "dense"])
def test_batch_shapes(build_once: Build, mode: str) -> None:
    net = build_once("expm", n=2, eps="1e-2")
    module = net.torch(mode)
    A = torch.linspace(-1, 1, 24, dtype=torch.float64).reshape(3, 2, 2, 2)
    out = module(A)
    assert out.shape == A.shape
    # Sparse and dense products sum in an order that may depend on the batch: rounding, not more.
    assert torch.allclose(module(A[2, 1]), out[2, 1], rtol=0, atol=1e-12)
    assert torch.allclose(module(A[:, 0].mT), module(A[:, 0].mT.contiguous()), rtol=0, atol=1e-12)
    for shape in ((0, 2, 2), (4, 0, 2, 2)):
        empty = module(torch.zeros(shape, dtype=torch.float64))
        assert empty.shape == shape


@pytest.mark.parametrize("mode", ["blocks", "csr", "dense"])
def test_wrong_input_is_named(build_once: Build, mode: str) -> None:
    module = build_once("expm", n=2, eps="1e-2").torch(mode)
    for shape in ((2,), (4,), (3, 3), (2, 3), (1, 4), ()):
        with pytest.raises(BadInput, match=r"shape \(\.\.\., 2, 2\)"):
            module(torch.zeros(shape, dtype=torch.float64))
    for dtype in (torch.float32, torch.int64, torch.complex128):
        with pytest.raises(BadInput, match=r"\.to\(dtype\)"):
            module(torch.zeros(2, 2, dtype=dtype))


def test_an_unknown_mode_is_named(build_once: Build) -> None:
    with pytest.raises(BadInput, match="choose from blocks, csr, dense"):
        build_once("expm", n=2, eps="1e-2").torch("sparse")


@pytest.mark.parametrize("mode", ["blocks", "csr", "dense"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_state_goes_out_and_back(build_once: Build, mode: str, dtype: torch.dtype) -> None:
    net = build_once("expm", n=2, eps="1e-2")
    one, two = net.torch(mode).to(dtype), net.torch(mode).to(dtype)
    A = torch.full((2, 2), 0.3, dtype=dtype)
    with torch.no_grad():
        for tensor in (*two.parameters(), *two.buffers()):
            (tensor.values() if tensor.layout == torch.sparse_csr else tensor).mul_(0.5)
    assert not torch.equal(one(A), two(A))
    two.load_state_dict(one.state_dict())
    assert torch.equal(one(A), two(A))
    assert one(A).dtype == dtype


def test_nothing_is_trained(build_once: Build) -> None:
    for mode in ("blocks", "csr", "dense"):
        assert not any(p.requires_grad for p in build_once("expm", n=2, eps="1e-2").torch(mode).parameters())


def test_weights_that_are_not_the_plans_get_no_blocks(build_once: Build) -> None:
    """Blocks know the plan, not the weights: for other weights the matrices themselves are run."""
    net = build_once("expm", n=2, eps="1e-2")
    last = net.network.maps[-1].augmented
    doubled = Network((*net.network.maps[:-1], Affine(last.scaled(2))), net.network.inputs, net.network.outputs)
    tampered = Shell(doubled, net.plan)
    assert not tampered.matches_plan
    module = tampered.torch()
    assert isinstance(module, CsrNetwork)
    A = torch.full((2, 2), 0.25, dtype=torch.float64)
    # Scaling by two is exact in every rounding.
    assert torch.equal(module(A), 2 * net.torch("csr")(A))
