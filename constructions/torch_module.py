"""A network as an ``nn.Module``: along its blocks (fast), on its sparse matrices, or as a dense chain.

A squarer with N pieces is the piecewise linear interpolant of u^2 at N + 1 equidistant knots of [-1, 1] (theorem
square.interpolant), that is ``u^2 + (2/N)^2 r (1 - r)`` with r the position of u between its two knots. A product of
matrices is then the product itself plus the interpolation errors of its squarers, summed as theorem matmul.polarised
(matmul.square) says: on the problem's domain this is the same function as the matrices', at a fraction of the work.
Outside, where nothing is claimed, the matrices clip what leaves its range and the blocks do not. Derivatives are those
of the piecewise linear function (floor has derivative 0); they are not certified.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import scipy.sparse as sps
import torch
from torch import Tensor, nn

from theory.errors import BadInput
from theory.network_plan import ProductPlan, StagePlan
from theory.program import Combination, Rows, Source
from theory.scalar_plan import ScalarPlan

if TYPE_CHECKING:
    from constructions.matrix_network import MatrixNetwork

__all__ = ["BlockNetwork", "CsrNetwork", "dense_sequential", "torch_module"]


def torch_module(net: MatrixNetwork, mode: str) -> nn.Module:
    """Return the module; the block form is offered only for matrices that are, weight by weight, the plan's.

    A scalar network is a few small layers: its fast form is the dense chain.

    Raises:
        BadInput: If there is no such mode.
    """
    if mode == "blocks" and isinstance(net.plan, ScalarPlan):
        mode = "dense"
    if mode == "blocks" and net.plan.route == "monomial":
        mode = "csr"
    if mode == "blocks":
        return BlockNetwork(net) if net.matches_plan else CsrNetwork(net)
    if mode == "csr":
        return CsrNetwork(net)
    if mode == "dense":
        return _Flattened(dense_sequential(net), net.n, len(net.problem.inputs))
    raise BadInput(f"no torch mode {mode!r}; choose from blocks, csr, dense")


class _Product(nn.Module):
    """One matrix product with the errors of its squarers."""

    scale: Tensor
    half_pieces: Tensor
    weight: Tensor

    def __init__(self, plan: ProductPlan, n: int) -> None:
        super().__init__()
        self.square, self.how = plan.product.is_square, plan.product.how
        self.inner = slice(*(plan.product.inner or (0, n)))
        self.n = n
        pieces = plan.radices.pieces
        self.alpha = (float(plan.alpha_left.fraction), float(plan.alpha_right.fraction))
        self.register_buffer("half_pieces", torch.tensor(pieces / 2, dtype=torch.float64))
        # error of a squarer: (2/N)^2 r (1 - r), times B_L B_R
        self.register_buffer("scale", torch.tensor(float(plan.scale * 4 / pieces**2), dtype=torch.float64))
        self.centre = float(plan.centre.fraction)
        mask = torch.full((n, n, n), 2.0, dtype=torch.float64)
        if self.square:
            i = torch.arange(n)
            mask[i, i, :] = 0.0  # k = i, and
            mask[:, i, i] = 0.0  # k = j: covered by the merged square, or (i = j) by the entry's own
        self.register_buffer("weight", mask)

    def _defect(self, form: Tensor) -> Tensor:
        position = (form + 1) * self.half_pieces
        between = position - torch.floor(position)
        return between * (1 - between)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        left, right = left[..., :, self.inner], right[..., self.inner, :]
        x, y = self.alpha[0] * left, self.alpha[1] * right
        triples = self._defect((x.unsqueeze(-1) + y.unsqueeze(-3)) / 2)  # (..., i, k, j)
        if self.how == "difference":
            errors = triples.sum(-2) - self._defect((x.unsqueeze(-1) - y.unsqueeze(-3)) / 2).sum(-2)
        elif self.square:
            errors = torch.einsum("...ikj,ikj->...ij", triples, self.weight) + self._square_errors(x)
        else:
            entries_left, entries_right = self._defect(x), self._defect(y)
            errors = (
                2 * triples.sum(-2) - entries_left.sum(-1, keepdim=True) / 2 - entries_right.sum(-2, keepdim=True) / 2
            )
        return left @ right + self.scale * errors - self.centre

    def _square_errors(self, x: Tensor) -> Tensor:
        entries = self._defect(x)
        diagonal = torch.diagonal(x, dim1=-2, dim2=-1)
        own = torch.diag_embed(torch.diagonal(entries, dim1=-2, dim2=-1))
        if self.n == 1:
            return entries
        off = entries - own
        pair = (diagonal.unsqueeze(-1) + diagonal.unsqueeze(-2)) / 2
        merged = 4 * self._defect((x + pair) / 2) - self._defect(pair)
        merged = merged - torch.diag_embed(torch.diagonal(merged, dim1=-2, dim2=-1))
        return own + merged - off.sum(-1, keepdim=True) / 2 - off.sum(-2, keepdim=True) / 2


class _Stage(nn.Module):
    """One stage: its products in parallel, then its outputs."""

    def __init__(self, plan: StagePlan, n: int) -> None:
        super().__init__()
        self.products = nn.ModuleList(_Product(product, n) for product in plan.products)
        self.factors = [(p.product.name, p.product.left, p.product.right) for p in plan.products]
        self.outputs = plan.stage.outputs
        self.register_buffer("eye", torch.eye(n, dtype=torch.float64))

    def forward(self, live: dict[str, Tensor]) -> dict[str, Tensor]:
        known = dict(live)
        for module, (name, left, right) in zip(self.products, self.factors, strict=True):
            known[name] = module(combined(left, live, None), combined(right, live, None))
        return {name: combined(output, known, self.get_buffer("eye")) for name, output in self.outputs}


def combined(form: Combination, values: dict[str, Tensor], eye: Tensor | None) -> Tensor:
    """Return a linear combination of matrices, the identity included where one is given."""
    (first, c), *rest = form.terms
    total = values[first] if c == 1 else float(c) * values[first]
    for name, c in rest:
        total = torch.add(total, values[name], alpha=float(c))
    return total if eye is None or not form.identity else total + float(form.identity) * eye


class BlockNetwork(nn.Module):
    """The network along its recorded blocks, on (..., n, n) tensors of any float dtype and device."""

    right: Tensor | None

    def __init__(self, net: MatrixNetwork) -> None:
        super().__init__()
        self.n, self.side, self.inputs = net.n, net.plan.side, net.problem.inputs
        self.stages = nn.ModuleList(_Stage(stage, self.side) for stage in net.plan.stages)
        self.sources = net.plan.program.sources
        self.results, self.grid = net.plan.program.results, net.plan.program.grid
        for place, source in enumerate(self.sources):
            if source.left is not None:
                self.register_buffer(f"left_{place}", _constant(source.left))
        right = net.plan.program.right
        self.register_buffer("right", None if right is None else _constant(right))
        self.register_buffer("eye", torch.eye(self.side, dtype=torch.float64))

    def _source(self, place: int, source: Source, matrices: Sequence[Tensor]) -> Tensor:
        A = matrices[self.inputs.index(source.of)]
        if self.grid > 1:
            rows, columns = (slice(index * self.side, (index + 1) * self.side) for index in source.block)
            A = A[..., rows, columns]
        value = A.mT if source.transpose else A
        if source.left is not None:
            value = self.get_buffer(f"left_{place}") @ value
        value = value if source.factor == 1 else float(source.factor) * value
        return value if not source.identity else value + float(source.identity) * self.get_buffer("eye")

    def forward(self, *matrices: Tensor) -> Tensor:
        """Map (..., n, n), one for every input, to (..., n, n)."""
        _check(matrices, self.n, self.get_buffer("eye").dtype, len(self.inputs))
        live = {source.name: self._source(place, source, matrices) for place, source in enumerate(self.sources)}
        for stage in self.stages:
            live = stage(live)
        blocks = [combined(result, live, self.get_buffer("eye")) for result in self.results]
        lines = [torch.cat(blocks[i : i + self.grid], dim=-1) for i in range(0, len(blocks), self.grid)]
        result = blocks[0] if self.grid == 1 else torch.cat(lines, dim=-2)
        right = self.right
        return result if right is None else result @ right


def _constant(rows: Rows) -> Tensor:
    return torch.tensor([[float(entry) for entry in row] for row in rows], dtype=torch.float64)


class CsrNetwork(nn.Module):
    """The network on its sparse matrices, layer by layer."""

    def __init__(self, net: MatrixNetwork) -> None:
        super().__init__()
        self.n, self.depth, self.inputs = net.n, len(net.network.maps), len(net.problem.inputs)
        for i, affine in enumerate(net.network.maps):
            csr = affine.augmented.floats()
            self.register_buffer(f"weight_{i}", _sparse(csr[:, :-1].tocsr()))
            self.register_buffer(f"bias_{i}", torch.from_numpy(csr[:, [-1]].toarray()))

    def forward(self, *matrices: Tensor) -> Tensor:
        """Map (..., n, n), one for every input, to (..., n, n)."""
        _check(matrices, self.n, self.get_buffer("bias_0").dtype, self.inputs)
        batch = torch.broadcast_shapes(*(A.shape for A in matrices))
        values = _flattened(matrices, batch).T
        for i in range(self.depth):
            values = self.get_buffer(f"weight_{i}") @ values + self.get_buffer(f"bias_{i}")
            if i < self.depth - 1:
                values = torch.relu(values)
        return values.T.reshape(batch)


def _sparse(weight: sps.csr_array) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "beta state": what is used here is tested against the matrices
        return torch.sparse_csr_tensor(
            torch.from_numpy(weight.indptr.astype("int64")),
            torch.from_numpy(weight.indices.astype("int64")),
            torch.from_numpy(weight.data),
            size=weight.shape,
        )


def dense_sequential(net: MatrixNetwork) -> nn.Sequential:
    """Return the network as a plain ``nn.Sequential`` of ``Linear`` and ``ReLU`` in float64, matrices flattened."""
    layers: list[nn.Module] = []
    for affine in net.network.maps:
        dense = torch.from_numpy(affine.augmented.floats().toarray())
        linear = nn.Linear(dense.shape[1] - 1, dense.shape[0], dtype=torch.float64, device="meta")
        linear.weight = nn.Parameter(dense[:, :-1].contiguous(), requires_grad=False)
        linear.bias = nn.Parameter(dense[:, -1].contiguous(), requires_grad=False)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class _Flattened(nn.Module):
    def __init__(self, chain: nn.Sequential, n: int, inputs: int = 1) -> None:
        super().__init__()
        self.chain, self.n, self.inputs = chain, n, inputs

    def forward(self, *matrices: Tensor) -> Tensor:
        _check(matrices, self.n, next(self.chain.parameters()).dtype, self.inputs)
        batch = torch.broadcast_shapes(*(A.shape for A in matrices))
        return self.chain(_flattened(matrices, batch)).reshape(batch)


def _flattened(matrices: Sequence[Tensor], batch: torch.Size) -> Tensor:
    """Return matrices row by row, one a row: (batch, n^2), also for an empty batch, where -1 would be ambiguous."""
    count, size = batch[:-2].numel(), batch[-2] * batch[-1]
    flat = [A.expand(batch).reshape(count, size) for A in matrices]
    return flat[0] if len(flat) == 1 else torch.cat(flat, dim=-1)


def _check(matrices: Sequence[Tensor], n: int, dtype: torch.dtype, inputs: int) -> None:
    if len(matrices) != inputs:
        raise BadInput(f"the network takes {inputs} matrices, not {len(matrices)}")
    for A in matrices:
        _check_one(A, n, dtype)


def _check_one(A: Tensor, n: int, dtype: torch.dtype) -> None:
    if A.ndim < 2 or A.shape[-2:] != (n, n):
        raise BadInput(f"the network takes tensors of shape (..., {n}, {n}), not {tuple(A.shape)}")
    if A.dtype != dtype:
        raise BadInput(f"the network is of {dtype} and the input of {A.dtype}: bring both to one with .to(dtype)")
