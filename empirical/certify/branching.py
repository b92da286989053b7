"""Where to split a node: across an input, or at the sign of a neuron."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from empirical.certify.dual import Bounded, Row, path
from empirical.certify.rounding import Floats

__all__ = ["Scores", "scores"]

# Shares of a neuron's looseness that count when its upper line is exact at the middle, or its row negative: such
# neurons loosen the bound elsewhere, and only matter where nothing else does.
_NEGATIVE_SHARE = 0.1
_ELSEWHERE_SHARE = 1e-3
# Measured on trained networks: with four inputs halving boxes wins, with nine deciding neurons does.
_INPUTS_WORTH_HALVING = 4.0
# Shares of inputs in neurons held at once: 64 MiB, several times over.
_BLOCK_FLOATS = 1 << 23


@dataclass(frozen=True)
class Scores:
    """Estimates of the looseness each split could remove: of inputs (batch, inputs), of neurons (batch, neurons)."""

    inputs: Floats
    neurons: Floats


def scores(row: Row, found: Bounded) -> Scores:
    """Score all splits of a batch of boxes, as many at a time as memory likes.

    A neuron's upper line with positive weight c loosens the bound by c (s y + t - relu(y)) at a solution of the relaxed
    problem; deciding its sign removes that. Halving an input narrows every neuron's range by the input's share in it,
    so it is credited with that share of c t, or 4 / N of it for N > 4 inputs: halving all of them multiplies boxes by
    2^N, which with many inputs is never the way. The quadratic part is shared as sum_j |G_ij| r_i r_j.
    """
    widest = max(row.chain.hidden, default=1) * row.radius.shape[1]
    block = max(1, _BLOCK_FLOATS // widest)
    starts = range(0, len(row.radius), block)
    if len(starts) == 1:
        return _scores(row, found)
    places = [np.arange(start, min(start + block, len(row.radius))) for start in starts]
    parts = [_scores(row.taken(place), found.taken(place)) for place in places]
    inputs, neurons = (np.concatenate([getattr(part, name) for part in parts]) for name in ("inputs", "neurons"))
    return Scores(inputs, neurons)


def _scores(row: Row, found: Bounded) -> Scores:
    walk = path(row, found.multiplier)
    credit = min(1.0, _INPUTS_WORTH_HALVING / row.radius.shape[1])
    inputs = found.bend.copy()
    neurons: list[Floats] = []
    value = row.relaxation.offset + found.middle @ row.chain.weights[0].T
    for layer, (line, free, weight) in enumerate(
        zip(row.relaxation.lines, row.layers(found.multiplier), walk.rows, strict=True)
    ):
        positive = np.maximum(weight, 0)
        lower = np.where(line.open, free, line.lower)
        after = np.maximum(value, 0)
        loose = positive * np.maximum(line.upper * value + line.shift - after, 0)
        loose += _NEGATIVE_SHARE * np.maximum((weight - positive) * (lower * value - after), 0)
        loose += _ELSEWHERE_SHARE * np.abs(weight) * line.shift
        neurons.append(np.where(line.open, loose, 0.0))
        moved = np.abs(row.relaxation.sensitivity(layer)) * row.radius[:, None, :]
        share = moved / np.maximum(moved.sum(axis=2, keepdims=True), 1e-300)
        inputs += credit * ((positive * line.shift)[:, None, :] @ share)[:, 0]
        if layer + 1 < len(row.relaxation.lines):
            passed = np.where(weight > 0, line.upper * value + line.shift, lower * value)
            value = passed @ row.chain.weights[layer + 1].T + row.chain.biases[layer + 1]
    batch = len(inputs)
    return Scores(inputs, np.concatenate(neurons, axis=1) if neurons else np.zeros((batch, 0)))
