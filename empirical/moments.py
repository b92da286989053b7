"""Moments of ‖A⁻¹‖₂ over K_δ as δ -> 0: Monte Carlo beside the rates of theorem ``inversion.moments.rate``.

A is uniform on {‖A‖_F <= R, σ >= δ}, σ the least singular value, ‖A⁻¹‖₂ = 1/σ. Plain sampling meets σ < 10⁻⁴ about
once in 10⁴ draws and knows little of what happens there. Given everything but the distance h of the last column from
the span of the others, h is uniform on [0, H]; half of the draws here take it log-uniform instead, and are weighted
by the ratio of the densities (at most 2), so that every decade of δ is met equally often. Nothing is thrown away.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from theory.errors import BadInput

__all__ = ["MomentCurve", "moment_curves", "sample_least_singular_values"]

Floats = NDArray[np.float64]

_CHUNK = 50_000


@dataclass(frozen=True)
class MomentCurve:
    """E‖A⁻¹‖₂^k over K_δ for falling δ.

    Attributes:
        n: Size of the matrices.
        order: k.
        radius: R.
        deltas: The values of δ, falling, shape (m,).
        estimates: Monte Carlo estimates, shape (m,).
        errors: Their standard errors, shape (m,).
        theory: k > 1: p·δ^(1-k)/(k-1); k = 1: p·log(1/δ); k < 1: the bound C^k/(1-k). Shape (m,).
        claim: What ``theory`` is: ``leading term`` or ``upper bound``.
        density: p, the limit of P(σ < d)/d.
        measured_rate: Between the last two δ: growth per factor e of 1/δ for k = 1, the exponent of 1/δ else.
        stated_rate: What that rate tends to: p for k = 1, k - 1 for k > 1, 0 for k < 1.
    """

    n: int
    order: Fraction
    radius: float
    deltas: Floats
    estimates: Floats
    errors: Floats
    theory: Floats
    claim: str
    density: float
    measured_rate: float
    stated_rate: float


def moment_curves(
    n: int,
    orders: Sequence[Fraction],
    deltas: Sequence[float],
    *,
    samples: int = 200_000,
    seed: int = 0,
    radius: float = 1.0,
) -> list[MomentCurve]:
    """Return one curve an order, all from the same draws.

    Args:
        n: Size of the matrices, at least 2.
        orders: Positive orders k.
        deltas: At least two values of δ, falling, all below ``radius/√n`` (K_δ is empty beyond).
        samples: Number of draws.
        seed: Seed of the draws.
        radius: R.

    Raises:
        BadInput: If an argument is out of range.
    """
    cuts = np.asarray(deltas, dtype=np.float64)
    if n < 2 or samples < 100 or radius <= 0:
        raise BadInput("moments need n >= 2, at least 100 samples and a positive radius")
    if cuts.size < 2 or (np.diff(cuts) >= 0).any() or cuts[-1] <= 0 or cuts[0] >= radius / math.sqrt(n):
        raise BadInput(
            f"deltas must fall, be positive and stay below R/sqrt(n) = {radius / math.sqrt(n):.4g}; give two or more"
        )
    if any(order <= 0 for order in orders):
        raise BadInput("orders must be positive")
    sums = _Sums(len(orders), cuts.size)
    for sigma, weight in sample_least_singular_values(n, samples, seed=seed, radius=radius, floor=float(cuts[-1])):
        sums.add(sigma, weight, [float(order) for order in orders], cuts)
    return [_curve(n, order, radius, cuts, *sums.result(i)) for i, order in enumerate(orders)]


def sample_least_singular_values(
    n: int, samples: int, *, seed: int, radius: float, floor: float
) -> Iterator[tuple[Floats, Floats]]:
    """Yield chunks of least singular values and weights: weighted, they are those of the uniform law on ‖A‖_F <= R.

    Args:
        n: Size of the matrices.
        samples: Number of draws.
        seed: Seed.
        radius: R.
        floor: Where the log-uniform half begins; matrices with σ below it are still drawn, by the uniform half.
    """
    for chunk, start in enumerate(range(0, samples, _CHUNK)):
        generator = np.random.default_rng([seed, n, chunk])
        count = min(_CHUNK, samples - start)
        flat = generator.standard_normal((count, n * n))
        flat *= (radius * generator.random(count) ** (1 / n**2) / np.linalg.norm(flat, axis=1))[:, None]
        matrices = flat.reshape(count, n, n)
        normal = np.linalg.qr(matrices[:, :, :-1], mode="complete").Q[:, :, -1]
        height = np.einsum("ki,ki->k", normal, matrices[:, :, -1])
        rest = np.maximum(radius**2 - np.sum(flat**2, axis=1) + height**2, 0.0)
        top = np.sqrt(rest)
        drawn, weight = _heights(generator, top, floor)
        matrices[:, :, -1] += (drawn - height)[:, None] * normal
        yield np.asarray(np.linalg.svd(matrices, compute_uv=False)[:, -1], dtype=np.float64), weight


def _heights(generator: np.random.Generator, top: Floats, floor: float) -> tuple[Floats, Floats]:
    """Draw h by the mixture of uniform and log-uniform laws, with the weight that makes it uniform on [0, top]."""
    spread = np.log(np.maximum(top / floor, 1.0))
    choose = generator.random(top.size) < 0.5
    position = generator.random(top.size)
    logarithmic = choose & (spread > 0)
    drawn = np.where(logarithmic, floor * np.exp(position * spread), position * top)
    # Densities relative to the uniform one: the log-uniform law has 1/(h·spread) on [floor, top] where there is room.
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((spread > 0) & (drawn >= floor), top / (drawn * spread), 0.0)
    return drawn, np.where(spread > 0, 2.0 / (1.0 + ratio), 1.0)


class _Sums:
    """Sums over all draws, for the ratio estimate of a conditional mean and its standard error."""

    def __init__(self, orders: int, deltas: int) -> None:
        self.count = 0
        self.mass = np.zeros((2, deltas))  # Σ w, Σ w² over σ >= δ
        self.value = np.zeros((3, orders, deltas))  # Σ wf, Σ (wf)², Σ w·wf

    def add(self, sigma: Floats, weight: Floats, orders: Sequence[float], deltas: Floats) -> None:
        self.count += sigma.size
        inside = sigma[:, None] >= deltas[None, :]
        kept = weight[:, None] * inside
        self.mass += np.stack([kept.sum(axis=0), np.square(kept).sum(axis=0)])
        for i, order in enumerate(orders):
            power = np.where(inside, kept * np.maximum(sigma, deltas[-1])[:, None] ** -order, 0.0)
            self.value[:, i] += np.stack([power.sum(axis=0), np.square(power).sum(axis=0), (kept * power).sum(axis=0)])

    def result(self, index: int) -> tuple[Floats, Floats]:
        """Return estimates Σwf/Σw and standard errors √(Σ (wf - estimate·w)²)/Σw."""
        first, second, mixed = self.value[:, index]
        estimate = first / self.mass[0]
        spread = second - 2 * estimate * mixed + estimate**2 * self.mass[1]
        return estimate, np.sqrt(np.maximum(spread, 0.0)) / self.mass[0]


def _curve(n: int, order: Fraction, radius: float, deltas: Floats, estimates: Floats, errors: Floats) -> MomentCurve:
    density, theory, claim = _stated(n, order, radius, deltas)
    logs = np.log(1 / deltas)
    if order == 1:
        measured, stated = float((estimates[-1] - estimates[-2]) / (logs[-1] - logs[-2])), density
    else:
        measured = float(np.log(estimates[-1] / estimates[-2]) / (logs[-1] - logs[-2]))
        stated = max(float(order) - 1, 0.0)
    return MomentCurve(n, order, radius, deltas, estimates, errors, theory, claim, density, measured, stated)


def _stated(n: int, order: Fraction, radius: float, deltas: Floats) -> tuple[float, Floats, str]:
    """Evaluate the theorems' formulas in balls; floats to 15 digits come back."""
    from flint import ctx

    from theory import symbols
    from theory.evaluate import ball
    from theory.lipschitz.moments import FINITE, RATE, TAIL
    from theory.lipschitz.volume import unit_ball_below

    size, reach = {symbols.n: n}, Fraction(radius)
    with ctx.workprec(128):
        density = float(ball(RATE.formulas["density_at_zero"], {**size, symbols.R: reach}).mid())
        if order >= 1:
            name = "order_1" if order == 1 else "order_above_1"
            values = {**size, symbols.R: reach, symbols.mu: order}
            stated = [
                float(ball(RATE.formulas[name], {**values, symbols.delta: Fraction(float(d))}).mid()) for d in deltas
            ]
            return density, np.array(stated), "leading term"
        highest = 1 / (unit_ball_below(n * n) * reach ** (n * n))
        at = {**size, symbols.R: reach, symbols.M: highest, symbols.tau: Fraction(1)}
        slope = ball(TAIL.bound.expression, at)
        bound = float(ball(FINITE.bound.expression, {symbols.rho: slope, symbols.mu: order}).upper())
    return density, np.full(deltas.size, bound), "upper bound"
