"""Networks for A⁻¹ on a box that nobody trains: affine, the same as ReLU networks, and a refined one of second order.

With V = A0⁻¹, E = A - A0 and Y = VE: A⁻¹ = (I + Y)⁻¹V = V - YV + Y²V - …, and what stopping behind order k leaves is
bounded by theorem ``inverse.box``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise, product

import torch
from torch import Tensor, nn

from empirical.experiments.inversion.boxes import Box
from theory.errors import BadInput

__all__ = [
    "AffineMap",
    "Refined",
    "constant_map",
    "least_squares_map",
    "linear_map",
    "linearised_network",
    "newton_step",
    "refined",
    "refined_units",
]


@dataclass(frozen=True)
class AffineMap:
    """x ↦ slope·x + offset on matrices row by row.

    Attributes:
        slope: float64, shape (n², n²).
        offset: float64, shape (n²,).
    """

    slope: Tensor
    offset: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Return the values at a batch, shape (batch, n²)."""
        return x @ self.slope.T + self.offset


def constant_map(box: Box) -> AffineMap:
    """Return the map that always answers A0⁻¹: what a network must beat."""
    inverse = _inverse(box)
    return AffineMap(inverse.new_zeros(box.n**2, box.n**2), inverse.flatten())


def linear_map(box: Box) -> AffineMap:
    """Return A ↦ V - V(A - A0)V = 2V - VAV, the paper's linear approximation (its formula 12)."""
    inverse = _inverse(box)
    # Row by row, vec(VAV) = (V ⊗ Vᵀ) vec(A).
    return AffineMap(-torch.kron(inverse, inverse.T.contiguous()), 2 * inverse.flatten())


def least_squares_map(inputs: Tensor, targets: Tensor) -> AffineMap:
    """Return the affine map with the least mean squared error on samples, each of shape (count, n²)."""
    middle = inputs.mean(0)
    ones = inputs.new_ones(len(inputs), 1)
    found = torch.linalg.lstsq(torch.cat([inputs - middle, ones], 1), targets).solution
    slope = found[:-1].T
    return AffineMap(slope, found[-1] - slope @ middle)


def linearised_network(box: Box, *, shifted: bool) -> nn.Sequential:
    """Return the linear approximation as a ReLU network with one hidden layer, in float64 (the seed's section 4.2).

    Args:
        box: Where it is meant to hold.
        shifted: n² hidden units relu(a_ij - l_ij), l the box's lower corner, right on the box alone; else 2n² units
            relu(a_ij) and relu(-a_ij), right everywhere.
    """
    affine = linear_map(box)
    identity = torch.eye(box.n**2, dtype=torch.float64)
    if not shifted:
        first = torch.cat([identity, -identity])
        return _network(first, first.new_zeros(len(first)), affine.slope @ first.T, affine.offset)
    lower = box.centre_tensor().flatten() - box.half_width
    return _network(identity, -lower, affine.slope, affine(lower[None])[0])


def newton_step(matrices: Tensor, guesses: Tensor) -> Tensor:
    """Return X(2I - AX) for guesses X of A⁻¹: an error F of X becomes -FAF, so errors below 1/‖A‖ shrink.

    Args:
        matrices: A row by row, shape (count, n²).
        guesses: X, of the same shape.
    """
    n = math.isqrt(matrices.shape[1])
    a, x = matrices.reshape(-1, n, n), guesses.reshape(-1, n, n)
    return (2 * x - x @ (a @ x)).flatten(1)


@dataclass(frozen=True)
class Refined:
    """The network of second order and what is known of it.

    Attributes:
        network: One hidden layer, float64.
        bound: Bounds every entry's error on the box in real arithmetic (UPPER), evaluated in floats.
    """

    network: nn.Sequential
    bound: float


def refined_units(n: int, pieces: int) -> int:
    """Return how many hidden units ``refined`` has: n² and ``pieces`` - 1 for each of n(2n² - 3n + 2) squares."""
    return n * n + (pieces - 1) * n * (2 * n * n - 3 * n + 2)


def refined(box: Box, pieces: int) -> Refined:
    """Return V - YV + Y²V with every square in Y² interpolated by ``pieces`` linear pieces.

    Products are differences of squares of linear forms in A, so that one hidden layer suffices: n² units carry A and
    each square takes ``pieces`` - 1. A square of range r errs by at most r²/(2 pieces²) when centred.

    Args:
        box: Where it is to hold.
        pieces: Pieces a square, at least 2.

    Raises:
        BadInput: If there are fewer.
    """
    if pieces < 2:
        raise BadInput("a refined network needs at least 2 pieces a square")
    n, inverse = box.n, _inverse(box)
    centre = box.centre_tensor().flatten()
    # Y as forms in the entries of E: Y_ij = Σ_k V_ik E_kj.
    forms = torch.einsum("ik,jl->ijkl", inverse, torch.eye(n, dtype=torch.float64)).reshape(n, n, n * n)
    linear = linear_map(box)
    slope, offset = linear.slope.clone(), linear.offset.clone()
    rows, shifts, columns = [], [], []
    wrong = torch.zeros(n, n, dtype=torch.float64)
    for square in _squares(forms):
        form, add_to = square.form, square.add_to
        reach = float(box.half_width * form.abs().sum())
        knots = torch.linspace(-reach, reach, pieces + 1, dtype=torch.float64)
        weights = (add_to.reshape(n, n) @ inverse).flatten()
        # The interpolant of u² at the knots: r² + (t₀ + t₁)(u + r) + Σ 4r/pieces·relu(u - t_i), less half its error.
        first = float(knots[0] + knots[1])
        slope.addr_(weights, first * form)
        offset += weights * (reach**2 + first * reach - first * float(form @ centre) - reach**2 / (2 * pieces**2))
        rows.append(form.expand(pieces - 1, -1))
        shifts.append(-knots[1:-1] - form @ centre)
        columns.append((4 * reach / pieces * weights).expand(pieces - 1, -1))
        wrong += add_to.reshape(n, n).abs() * reach**2 / (2 * pieces**2)
    lower = centre - box.half_width
    first_layer = torch.cat([torch.eye(n * n, dtype=torch.float64), *rows])
    bias = torch.cat([-lower, *shifts])
    second = torch.cat([slope, torch.cat(columns).T], 1)
    bound = float((wrong @ inverse.abs()).max()) + box.remainder(2)
    return Refined(_network(first_layer, bias, second, offset + slope @ lower), bound)


@dataclass(frozen=True)
class _Square:
    """A square of a linear form, and what of it goes into each entry of Y²: shapes (n²,) both."""

    form: Tensor
    add_to: Tensor


def _squares(forms: Tensor) -> list[_Square]:
    """Write Y² in squares: n³ of them for 2×2, with shared products y_ik y_ki and merged y_ij(y_ii + y_jj)."""
    n = len(forms)
    found: list[_Square] = []

    def entry(*places: tuple[int, int]) -> Tensor:
        added = torch.zeros(n, n, dtype=torch.float64)
        for place in places:
            added[place] = 1
        return added.flatten()

    def add_product(x: Tensor, y: Tensor, added: Tensor) -> None:
        # xy = u² - v² with u, v = (x/s ± ys)/2; s makes both factors equally large, which makes u and v smallest.
        scale = math.sqrt(float(x.abs().sum() / y.abs().sum()))
        found.append(_Square((x / scale + y * scale) / 2, added))
        found.append(_Square((x / scale - y * scale) / 2, -added))

    for i, j in product(range(n), repeat=2):
        if i == j:
            found.append(_Square(forms[i, i], entry((i, i))))
            continue
        if i < j:
            add_product(forms[i, j], forms[j, i], entry((i, i), (j, j)))
        add_product(forms[i, j], forms[i, i] + forms[j, j], entry((i, j)))
        for k in range(n):
            if k not in (i, j):
                add_product(forms[i, k], forms[k, j], entry((i, j)))
    return found


def _inverse(box: Box) -> Tensor:
    return torch.tensor([[float(entry) for entry in row] for row in box.inverse], dtype=torch.float64)


def _network(*parts: Tensor) -> nn.Sequential:
    """Return Linear, ReLU, Linear from weight, bias, weight, bias, in float64."""
    weights = list(zip(parts[::2], parts[1::2], strict=True))
    layers: list[nn.Module] = []
    for weight, bias in weights:
        linear = nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(weight)
            linear.bias.copy_(bias)
        layers += [linear, nn.ReLU()]
    assert all(a[0].shape[0] == b[0].shape[1] for a, b in pairwise(weights))
    return nn.Sequential(*layers[:-1])
