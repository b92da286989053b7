"""Distributions of random matrices, drawn on the device of a ``torch.Generator``, with what is known of their norms.

Nothing is thrown away here: an ensemble draws what it says. Where a function has no value at a sample,
``empirical.data`` counts the rejection. The bounds of norm and smallest singular value hold up to float64 rounding of
the products that form a matrix, a few 1e-15 of its norm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from theory.errors import BadInput

__all__ = ["KINDS", "Ensemble"]


@dataclass(frozen=True)
class Ensemble:
    """A distribution of real n×n matrices.

    Attributes:
        kind: One of ``KINDS``.
        n: Dimension, at least 1.
        scale: The largest size: half-width of entries, their standard deviation, or the largest |eigenvalue| or
            singular value, as the kind says.
        floor: The smallest |eigenvalue| or singular value, for the kinds that state one.
    """

    kind: str
    n: int
    scale: float = 5.0
    floor: float = 0.1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"no matrix ensemble {self.kind!r}; choose from {', '.join(KINDS)}")
        if self.n < 1:
            raise BadInput(f"matrices need a dimension of at least 1, not {self.n}")
        if not (0 < self.floor <= self.scale < math.inf):
            raise BadInput(f"an ensemble needs 0 < floor <= scale, not floor {self.floor} and scale {self.scale}")

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw ``count`` independent matrices: float64, shape (count, n, n), on the generator's device."""
        return KINDS[self.kind].draw(self, count, generator)

    @property
    def norm(self) -> float | None:
        """An upper bound of every sample's 2-norm; None where it is unbounded."""
        factor = KINDS[self.kind].norm
        return None if factor is None else factor(self)

    @property
    def sigma_min(self) -> float | None:
        """A positive lower bound of every sample's smallest singular value; None where there is none."""
        return self.floor if KINDS[self.kind].bounded_below else None


@dataclass(frozen=True)
class Kind:
    """How an ensemble is drawn and what its samples satisfy.

    Attributes:
        text: One line that defines it.
        draw: (ensemble, count, generator) -> matrices.
        norm: Ensemble -> bound of the 2-norm, or None.
        bounded_below: Whether ``floor`` bounds the smallest singular value from below.
    """

    text: str
    draw: Callable[[Ensemble, int, torch.Generator], Tensor]
    norm: Callable[[Ensemble], float] | None
    bounded_below: bool = False


def _random(shape: tuple[int, ...], generator: torch.Generator, low: float, high: float) -> Tensor:
    unit = torch.rand(shape, generator=generator, dtype=torch.float64, device=generator.device)
    return low + (high - low) * unit


def _normal_entries(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64, device=generator.device)


def _uniform(e: Ensemble, count: int, generator: torch.Generator) -> Tensor:
    return _random((count, e.n, e.n), generator, -e.scale, e.scale)


def _symmetric_uniform(e: Ensemble, count: int, generator: torch.Generator) -> Tensor:
    entries = _uniform(e, count, generator)
    return entries.triu() + entries.triu(1).mT


def _normal(e: Ensemble, count: int, generator: torch.Generator) -> Tensor:
    return e.scale * _normal_entries((count, e.n, e.n), generator)


def _abs_normal(e: Ensemble, count: int, generator: torch.Generator) -> Tensor:
    return _normal(e, count, generator).abs()


def _orthogonal(e: Ensemble, count: int, generator: torch.Generator) -> Tensor:
    """Haar-distributed: the factor Q of a Gaussian matrix with R's diagonal made positive."""
    q, r = torch.linalg.qr(_normal_entries((count, e.n, e.n), generator))
    return q * torch.where(r.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0)[:, None, :]


def _log_uniform(e: Ensemble, count: int, generator: torch.Generator) -> Tensor:
    return _random((count, e.n), generator, math.log(e.floor), math.log(e.scale)).exp().clamp(e.floor, e.scale)


def _signs(e: Ensemble, count: int, generator: torch.Generator) -> Tensor:
    return torch.where(_random((count, e.n), generator, -1, 1) < 0, -1.0, 1.0).to(torch.float64)


def _symmetrized(q: Tensor, eigenvalues: Tensor) -> Tensor:
    product = (q * eigenvalues[:, None, :]) @ q.mT
    return (product + product.mT) / 2


def _positive_definite(e: Ensemble, count: int, generator: torch.Generator) -> Tensor:
    return _symmetrized(_orthogonal(e, count, generator), _log_uniform(e, count, generator))


def _symmetric_spectrum(e: Ensemble, count: int, generator: torch.Generator) -> Tensor:
    eigenvalues = _random((count, e.n), generator, e.floor, e.scale) * _signs(e, count, generator)
    return _symmetrized(_orthogonal(e, count, generator), eigenvalues)


def _real_spectrum(e: Ensemble, count: int, generator: torch.Generator) -> Tensor:
    """S diag(l) S^-1 with S = U diag(s) V^T, s between 1 and 2, so that cond(S) <= 2."""
    eigenvalues = _random((count, e.n), generator, e.floor, e.scale) * _signs(e, count, generator)
    stretch = _random((count, e.n), generator, 1, 2)
    u, v = _orthogonal(e, count, generator), _orthogonal(e, count, generator)
    left, right = (u * stretch[:, None, :]) @ v.mT, (v / stretch[:, None, :]) @ u.mT
    return (left * eigenvalues[:, None, :]) @ right


def _near_singular(e: Ensemble, count: int, generator: torch.Generator) -> Tensor:
    values = _log_uniform(e, count, generator)
    values[:, 0] = e.floor
    u, v = _orthogonal(e, count, generator), _orthogonal(e, count, generator)
    return (u * values[:, None, :]) @ v.mT


def _permuted(matrices: Tensor, generator: torch.Generator) -> Tensor:
    """PAP^T for a random permutation each: exact, so that nilpotent stays nilpotent."""
    count, n, _ = matrices.shape
    order = torch.rand((count, n), generator=generator, device=generator.device).argsort(-1)
    rows = torch.gather(matrices, 1, order[:, :, None].expand_as(matrices))
    return torch.gather(rows, 2, order[:, None, :].expand_as(matrices))


def _nilpotent(e: Ensemble, count: int, generator: torch.Generator) -> Tensor:
    return _permuted(_uniform(e, count, generator).triu(1), generator)


def _defective(e: Ensemble, count: int, generator: torch.Generator) -> Tensor:
    eigenvalue = _random((count, 1, 1), generator, e.floor, e.scale)
    identity = torch.eye(e.n, dtype=torch.float64, device=generator.device)
    return _permuted(_uniform(e, count, generator).triu(1) + eigenvalue * identity, generator)


def _box(e: Ensemble) -> float:
    return e.n * e.scale


def _top(e: Ensemble) -> float:
    return e.scale


#: Name -> kind, in the order the help lists them.
KINDS: dict[str, Kind] = {
    "uniform": Kind("entries uniform on [-scale, scale]", _uniform, _box),
    "symmetric_uniform": Kind("symmetric, entries uniform on [-scale, scale]", _symmetric_uniform, _box),
    "normal": Kind("entries normal, standard deviation scale", _normal, None),
    "abs_normal": Kind("absolute values of normal entries, standard deviation scale", _abs_normal, None),
    "positive_definite": Kind(
        "symmetric, random eigenvectors, eigenvalues log-uniform on [floor, scale]", _positive_definite, _top, True
    ),
    "symmetric_spectrum": Kind(
        "symmetric, random eigenvectors, |eigenvalues| uniform on [floor, scale], random signs",
        _symmetric_spectrum,
        _top,
        True,
    ),
    "real_spectrum": Kind(
        "S diag(l) S^-1, |l| uniform on [floor, scale], random signs, cond(S) at most 2",
        _real_spectrum,
        lambda e: 2 * e.scale,
    ),
    "near_singular": Kind(
        "random singular vectors, smallest singular value floor, the others log-uniform on [floor, scale]",
        _near_singular,
        _top,
        True,
    ),
    "nilpotent": Kind("strictly triangular in a random order, entries uniform on [-scale, scale]", _nilpotent, _box),
    "defective": Kind("one eigenvalue, uniform on [floor, scale], plus a nilpotent matrix", _defective, _box),
}
