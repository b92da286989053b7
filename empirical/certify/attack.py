"""Looking for bad matrices: samples, as papers report them, then ascent, all in floats; ``witness`` proves the best."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from empirical.certify.norms import NORMS
from empirical.certify.piece import Problem
from empirical.certify.region import Region
from empirical.certify.rounding import Floats

__all__ = ["SAMPLES", "climb", "sample", "starts"]

#: Random points whose largest error is printed beside the bounds.
SAMPLES = 10_000
_BLOCK = 1000


def _errors(problem: Problem, points: Floats) -> Floats:
    """Float errors at (count, n^2) points, -inf where the target is undefined."""
    blocks = [problem.errors(points[i : i + _BLOCK]) for i in range(0, len(points), _BLOCK)]
    values = NORMS[problem.norm].of(np.concatenate(blocks))
    return np.where(np.isfinite(values), values, -np.inf)


def sample(problem: Problem, region: Region, seed: int) -> tuple[float, Floats]:
    """Return the largest float error over 10,000 uniform points of the box, and the points with the largest first."""
    low, high = region.inner
    points = low + (high - low) * np.random.default_rng(seed).random((SAMPLES, len(low)))
    points = np.clip(points, low, high)
    values = _errors(problem, points)
    order = np.argsort(-values, kind="stable")
    return float(values[order[0]]), points[order]


def starts(problem: Problem, region: Region, samples: Floats, seed: int, count: int = 128) -> Floats:
    """Return points to climb from: the best samples, and the best of random corners, (at most 2 count, n^2)."""
    low, high = region.inner
    coins = np.random.default_rng([seed, 1]).random((4 * count, len(low))) < 0.5
    corners = np.where(coins, low, high)
    values = _errors(problem, corners)
    return np.concatenate([samples[:count], corners[np.argsort(-values, kind="stable")[:count]]])


def climb(
    problem: Problem, region: Region, points: Floats, *, steps: int = 80, stop: Callable[[], bool] = lambda: False
) -> tuple[float, Floats]:
    """Projected ascent on the float error from every point at once; return the best value and its point.

    Steps alternate between the gradient's signs (which find corners) and the scaled gradient (which finds kinks); a
    step that does not help is not taken, and shrinks that point's step length.
    """
    low, high = region.inner
    norm, n = NORMS[problem.norm], problem.target.n
    points = np.clip(points, low, high)
    values = _errors(problem, points)
    length = np.full((len(points), 1), 0.5)
    for step in range(steps):
        if stop():
            break
        cotangents = norm.dual(problem.errors(points).reshape(-1, n, n)).reshape(len(points), -1)
        slope = problem.chain.pullback(points, cotangents) - problem.target.pullback(points, cotangents)
        slope = np.where(np.isfinite(slope), slope, 0.0)
        largest = np.maximum(np.abs(slope).max(axis=1, keepdims=True), 1e-300)
        move = np.sign(slope) if step % 2 == 0 else slope / largest
        trial = np.clip(points + length * (high - low) * move, low, high)
        trial_values = _errors(problem, trial)
        better = (trial_values > values)[:, None]
        points, values = np.where(better, trial, points), np.maximum(values, trial_values)
        length = np.where(better, length, length * 0.8)
    best = int(values.argmax())
    return float(values[best]), points[best]
