"""CROWN as published, for comparison: backward linear bounds with the adaptive lower slope, and bisection of the box.

Zhang et al., "Efficient Neural Network Robustness Certification with General Activation Functions", NeurIPS 2018,
section 3: every layer's pre-activation bounds by backward substitution through all layers before it; an undecided
ReLU lies between its chord and the line of slope 1 where u > |l|, else 0. The error against an affine function is
linear in the outputs and inputs, so the same pass bounds it. Plain floats, no outward rounding, no intersection with
intervals: what the method says, and no proof.
"""

from __future__ import annotations

import heapq
import itertools

import numpy as np

from empirical.certify.affine import AffineTarget
from empirical.certify.chain import ReluChain
from empirical.certify.norms import NORMS
from empirical.certify.region import Region
from empirical.certify.rounding import Floats

__all__ = ["crown_bounds", "crown_search"]


def crown_bounds(
    chain: ReluChain, target: AffineTarget, functionals: Floats, low: Floats, high: Floats
) -> tuple[Floats, Floats]:
    """Bound functionals . (N - f) from above over one box.

    Args:
        chain: N.
        target: f.
        functionals: (count, outputs).
        low: Lowest corner, (inputs,).
        high: Highest corner.

    Returns:
        The bounds (count,), and the slopes of the linear functions they are maxima of (count, inputs).
    """
    known: list[tuple[Floats, Floats]] = []
    for weight, bias in zip(chain.weights[:-1], chain.biases[:-1], strict=True):
        rows, shift = _backward(chain, known, np.concatenate([weight, -weight]), np.concatenate([bias, -bias]))
        bound = shift + np.maximum(rows * low, rows * high).sum(axis=1)
        known.append((-bound[len(bias) :], bound[: len(bias)]))
    rows, shift = _backward(chain, known, functionals @ chain.weights[-1], functionals @ chain.biases[-1])
    rows, shift = rows - functionals @ target.matrix, shift - functionals @ target.shift
    return shift + np.maximum(rows * low, rows * high).sum(axis=1), rows


def _backward(
    chain: ReluChain, known: list[tuple[Floats, Floats]], rows: Floats, shift: Floats
) -> tuple[Floats, Floats]:
    """Substitute rows . z + shift, z the last known layer's post-activations, back to the inputs."""
    for layer in reversed(range(len(known))):
        low, high = known[layer]
        open_ = (low < 0) & (high > 0)
        chord = np.divide(high, high - low, out=(low >= 0).astype(float), where=open_)
        adaptive = np.where(open_, high > -low, low >= 0).astype(float)
        shift = shift + np.maximum(rows, 0) @ np.where(open_, -low * chord, 0.0)
        rows = np.where(rows > 0, rows * chord, rows * adaptive)
        shift = shift + rows @ chain.biases[layer]
        rows = rows @ chain.weights[layer]
    return rows, shift


def crown_search(chain: ReluChain, target: AffineTarget, region: Region, boxes: int, norm: str = "max") -> float:
    """Bound norm(N - f) over the region by CROWN on bisected boxes, the worst first, after bounding ``boxes`` of them.

    Every functional of the norm has its own boxes, as in ``search``; a box is halved across the input with the largest
    |slope| times width.
    """
    functionals, counter = NORMS[norm].functionals(region.n), itertools.count()
    queue: list[tuple[float, int, int, Floats, Floats, int]] = []

    def push(functional: int, low: Floats, high: Floats) -> None:
        bound, slope = crown_bounds(chain, target, functionals[functional][None], low, high)
        axis = int((np.abs(slope[0]) * (high - low)).argmax())
        heapq.heappush(queue, (-float(bound[0]), next(counter), functional, low, high, axis))

    for functional in range(len(functionals)):
        push(functional, *region.outer)
    done = len(functionals)
    while done + 2 <= boxes:
        _, _, functional, low, high, axis = heapq.heappop(queue)
        middle = (low[axis] + high[axis]) / 2
        left, right = high.copy(), low.copy()
        left[axis] = right[axis] = middle
        push(functional, low, left)
        push(functional, right, high)
        done += 2
    return -queue[0][0]
