"""Three ways to make inversion harder: a larger box, a centre nearer to the singular matrices, K_δ with falling δ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import torch
from torch import Tensor

from empirical.experiments.inversion.boxes import Box, Shell, box_around
from empirical.experiments.inversion.settings import TrainingSettings
from theory.errors import BadInput

__all__ = ["ErrorsSettings", "Place", "hard_matrices", "law", "places"]

SWEEPS = ("radius", "sigma_min", "delta")


@dataclass(frozen=True)
class ErrorsSettings(TrainingSettings):
    """What is varied; 2×2 throughout, trained as in Table 1.

    Attributes:
        sweeps: ``radius``: the reach of the box around ``first``. ``sigma_min``: the smallest singular value s of the
            centre ½[[1+s, 1-s], [1-s, 1+s]] (the other is 1), with a fixed half-width. ``delta``: K_δ with R = √2.
        reaches: Values of ‖A0⁻¹‖_∞ n d.
        sigmas: Values of s.
        half_width: d in the second sweep.
        deltas: Values of δ.
        kinds: Networks.
    """

    sweeps: tuple[str, ...] = SWEEPS
    reaches: tuple[float, ...] = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4)
    sigmas: tuple[float, ...] = (1.0, 0.5, 0.25, 0.125, 0.0625)
    half_width: float = 1 / 64
    deltas: tuple[float, ...] = (0.5, 0.35, 0.25, 0.18, 0.125, 0.09, 0.0625)
    kinds: tuple[str, ...] = ("2fc", "3fc")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.sweeps or set(self.sweeps) - set(SWEEPS):
            raise BadInput(f"choose sweeps from {', '.join(SWEEPS)}")
        if not 0 < 2 * self.half_width < min(self.sigmas):
            raise BadInput("half_width must be above 0 and below half of the smallest of sigmas")


@dataclass(frozen=True)
class Place:
    """One point of a sweep.

    Attributes:
        sweep: Which.
        value: Of what is varied.
        matrices: The box or K_δ.
    """

    sweep: str
    value: float
    matrices: Box | Shell


def places(settings: ErrorsSettings, sweep: str) -> list[Place]:
    """Return the points of a sweep."""
    if sweep == "radius":
        return [Place(sweep, x, box_around(f"reach-{x:g}", settings.first, x)) for x in settings.reaches]
    if sweep == "sigma_min":
        return [Place(sweep, s, _tilted(s, settings.half_width)) for s in settings.sigmas]
    return [Place(sweep, x, Shell(f"delta-{x:g}", x, math.sqrt(2))) for x in settings.deltas]


def _tilted(sigma: float, half_width: float) -> Box:
    """The box around ½[[1+s, 1-s], [1-s, 1+s]]: eigenvalues 1 and s, ‖A0⁻¹‖_∞ = 1/s."""
    s = Fraction(sigma)
    diagonal, other = (1 + s) / 2, (1 - s) / 2
    return Box(f"sigma-{sigma:g}", ((diagonal, other), (other, diagonal)), half_width)


def hard_matrices(matrices: Box | Shell) -> Tensor:
    """Return matrices at which errors tend to be largest, (count, n²): a box's corners, K_δ's path to the edge."""
    if isinstance(matrices, Shell):
        return matrices.hard_matrices(2_000).flatten(1)
    entries = matrices.n**2
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * entries)
    return matrices.centre_tensor().flatten() + matrices.half_width * signs


def law(matrices: Box | Shell, hidden: tuple[int, ...]) -> float | None:
    """Return a lower bound of the largest error, max-entry norm, of every network with these hidden widths.

    On K_δ from theorem ``inverse.bits``. On a box from ``inverse.box.floor``, along the lines A0 + t u vᵀ, |t| <= d,
    for u and v with entries -1, 0, 1; matrices are meant to be small, there are 9^n pairs.

    Returns:
        The bound; None for K_δ where python-flint is not installed.
    """
    pieces = math.prod(width + 1 for width in hidden)
    if isinstance(matrices, Box):
        return max(_steepness(matrices.inverse, *path, matrices.half_width) for path in _paths(matrices.n)) / pieces**2
    try:
        from theory.blowup import inversion_block
    except ImportError:
        return None
    # The theorem bounds bits below by B - log2(eps)/2 as long as eps δ <= 1/2: solved for eps at the network's bits.
    probe = 40
    block = inversion_block(2, Fraction(matrices.delta), Fraction(1, 2**probe))
    if block.bits is None:
        return None
    return min(4.0 ** (float(block.bits) - probe / 2) / pieces**2, 1 / (2 * matrices.delta))


def _paths(n: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return pairs u, v with entries -1, 0, 1: the box holds A0 + t u vᵀ for |t| <= d."""
    vectors = list(product((-1, 0, 1), repeat=n))
    return list(product(vectors, vectors))


def _steepness(inverse: Sequence[Sequence[Fraction]], u: Sequence[int], v: Sequence[int], d: float) -> float:
    """Return m/(2q²) ((1/q - d)^(-1/2) - (1/q + d)^(-1/2))², q = vᵀVu, m the largest |(Vu)_i (vᵀV)_j|; 0 for q <= 0."""
    column = [sum((x * y for x, y in zip(row, u, strict=True)), Fraction(0)) for row in inverse]
    row = [sum((x * y for x, y in zip(entries, v, strict=True)), Fraction(0)) for entries in zip(*inverse, strict=True)]
    q = float(sum((x * y for x, y in zip(column, v, strict=True)), Fraction(0)))
    if q <= 0:
        return 0.0
    # reach < 1 keeps q d below 1.
    drop = (1 / q - d) ** -0.5 - (1 / q + d) ** -0.5
    return float(max(map(abs, column)) * max(map(abs, row))) / q**2 * drop**2 / 2
