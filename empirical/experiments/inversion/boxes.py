"""Where matrices come from: boxes A0 + [-d, d]^(n×n) on which every matrix is invertible, and K_δ near singular ones.

The half-width d follows from ``reach`` = ‖A0⁻¹‖_∞ n d, which bounds ρ = ‖A0⁻¹(A - A0)‖_∞ on the box: below 1 the box
holds no singular matrix. How far the Neumann series is from the inverse there, theorem ``inverse.box`` says.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import torch
from torch import Tensor

from theory.errors import BadInput

__all__ = ["Box", "Shell", "box_around", "inverse_of", "sampled_centre"]

_Rows = tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True)
class Box:
    """The box A0 + [-d, d]^(n×n) with the uniform distribution.

    Attributes:
        name: What tables call it.
        centre: The rows of A0, exact.
        half_width: d.

    Raises:
        BadInput: If A0 is not square or is singular, or the box may hold a singular matrix (``reach`` not below 1).
    """

    name: str
    centre: _Rows
    half_width: float

    def __post_init__(self) -> None:
        if not (self.half_width > 0 and math.isfinite(self.half_width)):
            raise BadInput(f"the box {self.name} needs a positive half-width")
        if not self.reach < 1:
            raise BadInput(f"the box {self.name} may hold singular matrices: ‖A0⁻¹‖ n d must be below 1")

    @property
    def n(self) -> int:
        """The dimension of the matrices."""
        return len(self.centre)

    @cached_property
    def inverse(self) -> _Rows:
        """A0⁻¹, exact."""
        return inverse_of(self.centre)

    @cached_property
    def inverse_norm(self) -> Fraction:
        """‖A0⁻¹‖_∞ (induced), exact."""
        return max(sum(map(abs, row), Fraction(0)) for row in self.inverse)

    @property
    def reach(self) -> float:
        """A bound of ρ on the box: ‖A0⁻¹‖_∞ n d, rounded to the nearest float."""
        return float(self.inverse_norm * self.n * Fraction(self.half_width))

    @property
    def linear_bound(self) -> float:
        """Bounds every entry of the linear approximation's error on the box (UPPER): ``remainder(1)``."""
        return self.remainder(1)

    def remainder(self, order: int) -> float:
        """Return what the Neumann series around A0 leaves on the box after the term of some order, in every entry.

        d s^k/(1 - s) times the largest row sum and column sum of |A0⁻¹|, s = d Σ|(A0⁻¹)_ij| <= reach: theorem
        ``inverse.box``; attained at a corner if the signs of A0⁻¹ have rank one. Rounded to the nearest float (UPPER).
        """
        d = Fraction(self.half_width)
        rows = [sum(map(abs, row), Fraction(0)) for row in self.inverse]
        columns = [sum(map(abs, column), Fraction(0)) for column in zip(*self.inverse, strict=True)]
        s = d * sum(rows)
        return float(d * s**order / (1 - s) * max(rows) * max(columns))

    def centre_tensor(self, device: torch.device | str = "cpu") -> Tensor:
        """A0 in float64, shape (n, n)."""
        rows = [[float(entry) for entry in row] for row in self.centre]
        return torch.tensor(rows, dtype=torch.float64, device=device)

    def sample(self, count: int, generator: torch.Generator) -> tuple[Tensor, int]:
        """Draw uniform matrices: float64, (count, n, n), on the generator's device; and how many were drawn."""
        shape, device = (count, self.n, self.n), generator.device
        unit = torch.rand(shape, generator=generator, dtype=torch.float64, device=device)
        return self.centre_tensor(device) + self.half_width * (2 * unit - 1), count

    def definition(self) -> dict[str, object]:
        """Return what decides which matrices are drawn."""
        centre = [[float(entry) for entry in row] for row in self.centre]
        return {"name": self.name, "centre": centre, "half_width": self.half_width}

    def as_record(self) -> dict[str, object]:
        """Return what a reader needs to draw from the same box, and what is known of it."""
        return self.definition() | {
            "inverse_norm": float(self.inverse_norm),
            "reach": self.reach,
            "linear_bound": self.linear_bound,
        }


@dataclass(frozen=True)
class Shell:
    """K_δ = {σ_min(A) >= δ, ‖A‖_F <= R} in 2×2 matrices, with the uniform distribution.

    Attributes:
        name: What tables call it.
        delta: δ.
        radius: R; K_δ is not empty for R > √2 δ.

    Raises:
        BadInput: If K_δ is empty or next to empty.
    """

    name: str
    delta: float
    radius: float

    def __post_init__(self) -> None:
        if not 0 < 2 * self.delta <= self.radius < math.inf:
            raise BadInput(f"K_delta needs 0 < delta <= R/2, not delta = {self.delta}, R = {self.radius}")

    @property
    def n(self) -> int:
        """The dimension of the matrices."""
        return 2

    def sample(self, count: int, generator: torch.Generator) -> tuple[Tensor, int]:
        """Draw uniform matrices by rejection from the ball; also return how many were drawn up to the last one kept."""
        kept: list[Tensor] = []
        have = drawn = 0
        while have < count:
            matrices = self._ball(2 * (count - have) + 64, generator)
            inside = _least_singular_value(matrices) >= self.delta
            order = inside.cumsum(0)
            if int(order[-1]) > count - have:
                used = int((order < count - have).sum()) + 1
                matrices, inside = matrices[:used], inside[:used]
            kept.append(matrices[inside])
            have += len(kept[-1])
            drawn += len(matrices)
        return torch.cat(kept), drawn

    def _ball(self, count: int, generator: torch.Generator) -> Tensor:
        normal = torch.randn((count, 4), generator=generator, dtype=torch.float64, device=generator.device)
        size = torch.rand((count, 1), generator=generator, dtype=torch.float64, device=generator.device) ** 0.25
        flat = self.radius * size * normal / normal.norm(dim=1, keepdim=True)
        return flat.reshape(count, 2, 2)

    def hard_matrices(self, count: int) -> Tensor:
        """Return diag(t, δ) for both signs of t and δ <= |t| <= r, r² = R² - δ², dense near δ: (2 count, 2, 2).

        This is the path on which theorem ``inverse.bits`` finds an error whatever the network.
        """
        end = math.sqrt(self.radius**2 - self.delta**2)
        # Equal steps of t^(-1/2) carry equal shares of the bound's drop.
        steps = torch.linspace(self.delta**-0.5, end**-0.5, count, dtype=torch.float64) ** -2
        t = torch.cat([steps, -steps])
        return torch.diag_embed(torch.stack([t, torch.full_like(t, self.delta)], 1))

    def definition(self) -> dict[str, object]:
        """Return what decides which matrices are drawn."""
        return {"name": self.name, "delta": self.delta, "radius": self.radius}

    def as_record(self) -> dict[str, object]:
        """Return what a reader needs to draw from the same set."""
        return self.definition()


def _least_singular_value(matrices: Tensor) -> Tensor:
    """σ_min of 2×2 matrices: |det| / σ_max, where σ_max = (√(‖A‖² + 2|det|) + √(‖A‖² - 2|det|))/2."""
    (a, b), (c, d) = matrices[:, 0].unbind(1), matrices[:, 1].unbind(1)
    det = (a * d - b * c).abs()
    square = matrices.square().sum((1, 2))
    return 2 * det / ((square + 2 * det).sqrt() + (square - 2 * det).clamp(min=0).sqrt())


def inverse_of(rows: _Rows) -> _Rows:
    """Invert a rational matrix exactly, by Gauss and Jordan.

    Raises:
        BadInput: If it is not square, or singular.
    """
    n = len(rows)
    if n == 0 or any(len(row) != n for row in rows):
        raise BadInput("a centre must be a square matrix")
    work = [[*row, *(Fraction(int(i == j)) for j in range(n))] for i, row in enumerate(rows)]
    for column in range(n):
        pivot = next((row for row in range(column, n) if work[row][column] != 0), None)
        if pivot is None:
            raise BadInput("a centre must be invertible; choose another")
        work[column], work[pivot] = work[pivot], work[column]
        scale = work[column][column]
        work[column] = [entry / scale for entry in work[column]]
        for row in range(n):
            if row != column and work[row][column] != 0:
                factor = work[row][column]
                work[row] = [x - factor * y for x, y in zip(work[row], work[column], strict=True)]
    return tuple(tuple(row[n:]) for row in work)


def box_around(name: str, entries: Sequence[int | Fraction], reach: float) -> Box:
    """Return the box around a centre given row by row, with the half-width for which ‖A0⁻¹‖_∞ n d = reach.

    Raises:
        BadInput: If the entries are not those of an invertible square matrix, or reach is not between 0 and 1.
    """
    n = math.isqrt(len(entries))
    if n * n != len(entries):
        raise BadInput(f"the centre {name} has {len(entries)} entries, which is no square number")
    if not 0 < reach < 1:
        raise BadInput(f"reach must be above 0 and below 1, not {reach}")
    rows = tuple(tuple(Fraction(entry) for entry in entries[i * n : (i + 1) * n]) for i in range(n))
    norm = max(sum(map(abs, row), Fraction(0)) for row in inverse_of(rows))
    return Box(name, rows, float(Fraction(reach) / (n * norm)))


def sampled_centre(n: int, seed: int) -> tuple[Fraction, ...]:
    """Return n² entries drawn uniformly from the multiples of 1/1024 in [-1, 1], row by row."""
    generator = random.Random(seed)
    return tuple(Fraction(generator.randint(-1024, 1024), 1024) for _ in range(n * n))
