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
from typing import TYPE_CHECKING

import scipy.sparse as sps
import torch
from torch import Tensor, nn

from theory.errors import BadInput
from theory.network_plan import ProductPlan, StagePlan
from theory.program import Combination, Source

if TYPE_CHECKING:
    from constructions.matrix_network import MatrixNetwork

__all__ = ["BlockNetwork", "CsrNetwork", "dense_sequential", "torch_module"]


def torch_module(net: MatrixNetwork, mode: str) -> nn.Module:
    """Return the module; the block form is offered only for matrices that are, weight by weight, the plan's.

    Raises:
        BadInput: If there is no such mode.
    """
    if mode == "blocks":
        return BlockNetwork(net) if net.matches_plan else CsrNetwork(net)
    if mode == "csr":
        return CsrNetwork(net)
    if mode == "dense":
        return _Flattened(dense_sequential(net), net.n)
    raise BadInput(f"no torch mode {mode!r}; choose from blocks, csr, dense")


class _Product(nn.Module):
    """One matrix product with the errors of its squarers."""

    scale: Tensor
    half_pieces: Tensor
    weight: Tensor

    def __init__(self, plan: ProductPlan, n: int) -> None:
        super().__init__()
        self.square = plan.product.is_square
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
        if self.square:
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

    def __init__(self, net: MatrixNetwork) -> None:
        super().__init__()
        self.n = net.n
        self.stages = nn.ModuleList(_Stage(stage, net.n) for stage in net.plan.stages)
        self.sources = net.plan.program.sources
        self.output = net.plan.program.output
        self.register_buffer("eye", torch.eye(net.n, dtype=torch.float64))

    def _source(self, source: Source, A: Tensor) -> Tensor:
        value = A.mT if source.transpose else A
        value = value if source.factor == 1 else float(source.factor) * value
        return value if not source.identity else value + float(source.identity) * self.get_buffer("eye")

    def forward(self, A: Tensor) -> Tensor:
        """Map (..., n, n) to (..., n, n)."""
        _check(A, self.n, self.get_buffer("eye").dtype)
        live = {source.name: self._source(source, A) for source in self.sources}
        for stage in self.stages:
            live = stage(live)
        return combined(self.output, live, self.get_buffer("eye"))


class CsrNetwork(nn.Module):
    """The network on its sparse matrices, layer by layer."""

    def __init__(self, net: MatrixNetwork) -> None:
        super().__init__()
        self.n, self.depth = net.n, len(net.network.maps)
        for i, affine in enumerate(net.network.maps):
            csr = affine.augmented.floats()
            self.register_buffer(f"weight_{i}", _sparse(csr[:, :-1].tocsr()))
            self.register_buffer(f"bias_{i}", torch.from_numpy(csr[:, [-1]].toarray()))

    def forward(self, A: Tensor) -> Tensor:
        """Map (..., n, n) to (..., n, n)."""
        _check(A, self.n, self.get_buffer("bias_0").dtype)
        values = _flattened(A).T
        for i in range(self.depth):
            values = self.get_buffer(f"weight_{i}") @ values + self.get_buffer(f"bias_{i}")
            if i < self.depth - 1:
                values = torch.relu(values)
        return values.T.reshape(A.shape)


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
    def __init__(self, chain: nn.Sequential, n: int) -> None:
        super().__init__()
        self.chain, self.n = chain, n

    def forward(self, A: Tensor) -> Tensor:
        _check(A, self.n, next(self.chain.parameters()).dtype)
        return self.chain(_flattened(A)).reshape(A.shape)


def _flattened(A: Tensor) -> Tensor:
    """Return matrices row by row, one a row: (batch, n^2), also for an empty batch, where -1 would be ambiguous."""
    return A.reshape(A.shape[:-2].numel(), A.shape[-2] * A.shape[-1])


def _check(A: Tensor, n: int, dtype: torch.dtype) -> None:
    if A.ndim < 2 or A.shape[-2:] != (n, n):
        raise BadInput(f"the network takes tensors of shape (..., {n}, {n}), not {tuple(A.shape)}")
    if A.dtype != dtype:
        raise BadInput(f"the network is of {dtype} and the input of {A.dtype}: bring both to one with .to(dtype)")
