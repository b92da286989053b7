"""One unit of work of the search: bound a batch of boxes, drop what cannot matter, split the rest; pure, picklable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from empirical.certify.chain import Budget, ReluChain
from empirical.certify.expansion import Target
from empirical.certify.norms import NORMS
from empirical.certify.relaxation import Relaxation, relax
from empirical.certify.residual import Residual, residual_bounds, tilt
from empirical.certify.rounding import Floats, above, below

__all__ = ["Findings", "Problem", "examine"]

# Memory of the largest array of one batch, in float64 numbers: stays within a core's cache for small networks.
_BATCH_FLOATS = 1 << 19


@dataclass(frozen=True)
class Problem:
    """The worst error of a chain against a target in a norm, with the rounding budget of the root box."""

    chain: ReluChain
    target: Target
    norm: str
    budget: Budget

    @property
    def batch(self) -> int:
        """How many boxes to bound at once."""
        widths = self.chain.architecture
        largest = max(2 * widths[i] * max(widths[i - 1], widths[0]) for i in range(1, len(widths)))
        return max(1, min(1024, _BATCH_FLOATS // largest))

    def errors(self, points: Floats) -> Floats:
        """N - f in plain float64 at (batch, n^2) points, as a stack (batch, n, n)."""
        n = self.target.n
        return (self.chain.values(points) - self.target.values(points)).reshape(len(points), n, n)


@dataclass(frozen=True)
class Findings:
    """What became of a batch of boxes.

    Args:
        low: Lowest corners of the boxes still open, (open, n^2).
        high: Highest corners.
        bound: A proved upper bound of the error on each of them.
        settled: A proved upper bound of the error on everything else in the batch (-inf if there is nothing else).
        found: Largest float error met.
        point: Where, (n^2,).
    """

    low: Floats
    high: Floats
    bound: Floats
    settled: float
    found: float
    point: Floats


def examine(problem: Problem, low: Floats, high: Floats, threshold: float) -> Findings:
    """Bound the error over the boxes [low, high] (batch, n^2); keep the parts where it may exceed ``threshold``."""
    centre = low + (high - low) / 2
    # Rounded up, so the boxes centre +- radius hold [low, high].
    radius = above(np.maximum(high - centre, centre - low))
    relaxation = relax(problem.chain, problem.budget, centre, radius)
    expansion = problem.target.expand(centre, radius)
    residual = residual_bounds(problem.chain, problem.budget, relaxation, expansion, centre, radius)
    largest_entry = problem.norm == "max"
    residual = tilt(residual, expansion, radius, residual.bound > threshold if largest_entry else residual.bound > 0)
    bound = _norm_bounds(problem, residual)
    found, point = _best_corner(problem, residual, low, high)
    open_ = bound > threshold
    settled = float(bound[~open_].max(initial=-np.inf))
    residual = Residual(*(part[open_] for part in (residual.linear, residual.bound, residual.slope, residual.bend)))
    low, high, centre, radius, bound = low[open_], high[open_], centre[open_], radius[open_], bound[open_]
    score = _scores(problem, relaxation, residual, radius, open_)
    if largest_entry and len(bound):
        lowest, highest = residual.keep(radius, threshold)
        tight_low, tight_high = np.maximum(low, below(centre + lowest)), np.minimum(high, above(centre + highest))
        if ((tight_low > low) | (tight_high < high)).any():
            settled = max(settled, threshold)
        score = score * (tight_high - tight_low) / np.maximum(high - low, 1e-300)
        low, high = np.minimum(tight_low, tight_high), tight_high
    return _split(low, high, bound, score, settled, found, point)


def _norm_bounds(problem: Problem, residual: Residual) -> Floats:
    """Proved bounds of the norm of N - f on each box."""
    entries = residual.bound.shape[1] // 2
    size = np.maximum(np.maximum(residual.bound[:, :entries], residual.bound[:, entries:]), 0)
    with np.errstate(invalid="ignore", over="ignore"):
        bound = NORMS[problem.norm].above(size.reshape(-1, problem.target.n, problem.target.n))
    return np.where(np.isnan(bound), np.inf, bound)


def _best_corner(problem: Problem, residual: Residual, low: Floats, high: Floats) -> tuple[float, Floats]:
    """The largest float error where the worst row's linear bound peaks, and at the boxes' middles."""
    rows = np.arange(len(low))
    slope = residual.slope[rows, residual.bound.argmax(axis=1)]
    points = np.concatenate([np.where(slope > 0, high, low), low + (high - low) / 2])
    errors = NORMS[problem.norm].of(problem.errors(points))
    errors = np.where(np.isfinite(errors), errors, -np.inf)
    best = int(errors.argmax())
    return float(errors[best]), points[best]


def _scores(
    problem: Problem, relaxation: Relaxation, residual: Residual, radius: Floats, open_: npt.NDArray[np.bool_]
) -> Floats:
    """How much of the worst row's looseness each input causes, (batch, inputs).

    A neuron with bounding lines a distance t apart, met with coefficient c, loosens the bound by about |c| t; the
    inputs share the blame as they move its pre-activation. The quadratic part is shared as sum_j |G_ij| r_i r_j.
    """
    rows = np.arange(len(radius))
    entries = residual.bound.shape[1] // 2
    worst = residual.bound.argmax(axis=1) if len(rows) else rows
    score = residual.bend[rows, worst].copy()
    weight = problem.chain.weights[-1]
    coefficient = np.where(worst < entries, 1.0, -1.0)[:, None] * weight[worst % entries]
    for layer in reversed(range(len(relaxation.lines))):
        line = relaxation.lines[layer]
        positive = np.maximum(coefficient, 0)
        moved = np.abs(relaxation.slopes[layer][open_]) * radius[:, None, :]
        share = moved / np.maximum(moved.sum(axis=2, keepdims=True), 1e-300)
        blame = np.abs(coefficient) * line.shift[open_]
        score += (blame[:, None, :] @ share)[:, 0]
        coefficient = positive * line.upper[open_] + (coefficient - positive) * line.lower[open_]
        coefficient = coefficient @ problem.chain.weights[layer]
    # Nothing proved yet, or nothing to blame: the widest input.
    usable = np.isfinite(residual.bound[rows, worst]) & np.isfinite(score).all(axis=1) & (score > 0).any(axis=1)
    return np.where(usable[:, None], score, radius)


def _split(
    low: Floats, high: Floats, bound: Floats, score: Floats, settled: float, found: float, point: Floats
) -> Findings:
    """Halve every box across its best-scoring input; a box too thin to halve is settled with its own bound."""
    middle = low + (high - low) / 2
    splittable = (middle > low) & (middle < high)
    stuck = ~splittable.any(axis=1)
    settled = max(settled, float(bound[stuck].max(initial=-np.inf)))
    low, high, bound, middle = low[~stuck], high[~stuck], bound[~stuck], middle[~stuck]
    rows = np.arange(len(bound))
    axis = np.where(splittable[~stuck], score[~stuck], -np.inf).argmax(axis=1) if len(rows) else rows
    upper_low, lower_high = low.copy(), high.copy()
    upper_low[rows, axis] = lower_high[rows, axis] = middle[rows, axis]
    return Findings(
        low=np.concatenate([low, upper_low]),
        high=np.concatenate([lower_high, high]),
        bound=np.concatenate([bound, bound]),
        settled=settled,
        found=found,
        point=point,
    )
